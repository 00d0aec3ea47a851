//! A world from its beginning to its end.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use lombard_core::store::Key;
use lombard_service::ports::Store;

use tokio::time::{Duration, Instant};

use super::{
    Shared,
    audit::Violation,
    client, history,
    life::{Blow, Effects},
    process,
    weather::{Fault, Weather},
};

/// Which world, and how much of it.
#[derive(Clone, Debug, Default)]
pub struct Setting {
    /// Everything follows from it.
    pub seed: u64,
    /// How many steps each client takes at the most; as many as the seed says if `None`.
    pub steps: Option<u64>,
    /// Clients that are left out.
    pub without_clients: Vec<usize>,
    /// Faults that are left out.
    pub without: Vec<Fault>,
    /// The weather, in place of the seed's.
    pub weather: Option<Weather>,
    /// What becomes of one effect.
    pub struck: Option<(u64, Blow)>,
    /// Whether the history is written down.
    pub told: bool,
}

/// What became of a world.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What was found, if anything was.
    pub violation: Option<Violation>,
    /// Everything that happened, if it was to be written down.
    pub history: Vec<String>,
    /// What is in the store at the end, in JSON, if the history was to be written down.
    pub records: BTreeMap<Key, String>,
    /// Commits that changed something.
    pub commits: u64,
    /// Commits, calls of the rail, files of the log and webhooks that were tried.
    pub effects: u64,
    /// Of which kinds they were.
    pub kinds: BTreeSet<String>,
    /// Steps that the busiest client took.
    pub steps: u64,
    /// How many clients there were.
    pub clients: usize,
}

/// How long clients may be at it, in virtual time.
const STORM: Duration = Duration::from_secs(30 * 60);
/// How long the couriers and waiting payments may need after the faults stopped.
const SETTLING: Duration = Duration::from_secs(15 * 60);
/// Looks, two seconds apart, at a payment that waits for money that is there before it is said that
/// nobody wakes it: a worker that the store cut off may be pausing.
const AWAKE_ROUNDS: u32 = 10;
/// How often the clocks run on before it is said that the world does not come to rest.
const ROUNDS_MAX: u32 = 60;
/// By how much the clocks run on each time: the first pauses between enquiries are seconds, the
/// last an hour.
const ROUND_MS: [i64; 4] = [5_000, 60_000, 600_000, 3_700_000];

/// Runs a world.
///
/// # Panics
/// When no runtime can be made, for want of memory.
#[must_use]
pub fn run(setting: &Setting) -> Outcome {
    history::hear_panics();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without IO needs nothing that could be lacking");
    let outcome = runtime.block_on(live(setting));
    // Requests that nobody waits for any more are still there.
    runtime.shutdown_background();
    outcome
}

async fn live(setting: &Setting) -> Outcome {
    let weather = setting.weather.clone();
    let weather = weather.unwrap_or_else(|| Weather::of(setting.seed, &setting.without));
    let effects = Effects::new(setting.struck);
    let shared = Shared::new(setting.seed, weather.clone(), effects, setting.told);
    shared.history.note("world", || format!("{weather:?}"));
    let mut hosts = tokio::task::JoinSet::new();
    for host in 0..weather.hosts as usize {
        hosts.spawn(process::keep(Arc::clone(&shared), host));
    }
    let cast = client::Cast::of(setting);
    let steps = storm(&shared, &cast).await;
    shared.calm_down();
    calm(&shared).await;
    let books = shared.books.lock().clone();
    let records = if setting.told {
        records(&shared).await
    } else {
        BTreeMap::new()
    };
    // The processes know the world, and the world must not know them any longer, or neither ever goes.
    for host in 0..weather.hosts as usize {
        shared.set_process(host, None);
    }
    let mut auditor = shared.auditor.lock();
    if auditor.violation().is_none() {
        auditor.end(&books, &shared.received.lock());
    }
    Outcome {
        violation: auditor.violation().cloned(),
        history: shared.history.lines(),
        records,
        commits: auditor.position(),
        effects: shared.effects.count(),
        kinds: shared.effects.kinds(),
        steps,
        clients: cast.clients,
    }
}

/// What the store holds, out of all that ever changed.
async fn records(shared: &Shared) -> BTreeMap<Key, String> {
    let commits = shared.memory.changes(0, 0, usize::MAX, 0).await;
    let mut records = BTreeMap::new();
    for change in commits
        .iter()
        .flatten()
        .flat_map(|commit| commit.changes.iter())
    {
        match &change.record {
            Some(record) => {
                let text = String::from_utf8_lossy(&record.body.bytes).into_owned();
                records.insert(change.key.clone(), text);
            }
            None => drop(records.remove(&change.key)),
        }
    }
    records
}

/// Whether something has been found: what comes after it shows nothing more.
fn found(shared: &Shared) -> bool {
    if let Some(panic) = history::heard_panic() {
        shared.violate("a panic", &panic);
    }
    shared.auditor.lock().violation().is_some()
}

/// Clients ask, and everything that can go wrong does. Gives the steps of the busiest client.
async fn storm(shared: &Arc<Shared>, cast: &client::Cast) -> u64 {
    let mut clients = cast.begin(shared).await;
    let until = Instant::now() + STORM;
    let mut most = 0;
    while !clients.is_empty() && !found(shared) {
        match tokio::time::timeout(Duration::from_millis(200), clients.join_next()).await {
            Ok(Some(Ok(steps))) => most = most.max(steps),
            Ok(Some(Err(panic))) => shared.violate("a client", &panic.to_string()),
            Ok(None) => break,
            Err(_) if Instant::now() > until => {
                shared.violate("the clients", "are not served");
            }
            Err(_) => {}
        }
    }
    most
}

/// What is still to come.
fn unrest(shared: &Shared) -> Option<String> {
    let auditor = shared.auditor.lock();
    let world = shared.weather_of_world();
    let behind = world.log && !auditor.log_is_complete();
    let unlogged = behind.then(|| "tlog has not come to the end".to_owned());
    let untold = world.hooks.then(|| auditor.untold()).flatten();
    let uncounted = auditor.miscounted();
    auditor
        .unrest(shared.clock.now())
        .or(unlogged)
        .or(untold)
        .or(uncounted)
}

/// Faults have stopped: everything comes to rest, in bounded time.
async fn calm(shared: &Arc<Shared>) {
    let until = Instant::now() + SETTLING;
    // Clocks stand right and nobody hurries them: what waits for money that is there has only
    // its worker to wake it.
    let mut patience = 0;
    while !found(shared) {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let asleep = shared.auditor.lock().asleep();
        patience = if asleep.is_some() { patience + 1 } else { 0 };
        if let Some(payment) = asleep.filter(|_| patience > AWAKE_ROUNDS) {
            shared.violate(
                &payment,
                "waits for money that is there, and nobody wakes it",
            );
        }
        if !shared.busy() && patience == 0 {
            break;
        }
        if Instant::now() > until {
            shared.violate("the rail's messages", "are not heard");
        }
    }
    for round in 0..ROUNDS_MAX {
        tokio::time::sleep(Duration::from_secs(2)).await;
        if found(shared) {
            return;
        }
        let unrest = unrest(shared);
        match unrest {
            None if !shared.busy() => return,
            None => {}
            Some(what) if round + 1 == ROUNDS_MAX => {
                let subject = what.split(' ').next().unwrap_or_default().to_owned();
                shared.violate(
                    &subject,
                    &format!("the world does not come to rest: {what}"),
                );
            }
            Some(_) => {}
        }
        shared.clock.jump(ROUND_MS[(round / 3).min(3) as usize]);
    }
}
