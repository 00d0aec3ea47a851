//! What one straight-through payment asks of DynamoDB, exactly: the figures that the cost model
//! reads, reviewed as a diff. `UPDATE_EXPECT=1` writes them anew.

use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use expect_test::expect_file;
use futures_util::future::BoxFuture;
use lombard_aws::{
    dynamo::{Dynamo, table},
    feed::Relay,
    meter::{Ended, Operation},
    residency::Residency,
};
use lombard_core::proof::key::{KeyKind, SecretKey};
use lombard_service::{
    batch::tally,
    hooks::{consumer::WebhookConsumer, dispatch::Hooks},
    proof::{
        Blobs, Log,
        blobs::MemoryBlobs,
        head::{self, HeadRecord},
        keys::FileKeys,
        log::{self, CHECKPOINT},
        publisher::Publisher,
        sequencer::{Sequencer, Stepped},
    },
    worker::{
        self, feed, rollup,
        saga::{self, Outcome, Step, What},
    },
};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{
    support::{Running, configure, emulator, host},
    world::World,
};

/// Work that is shared by all payments of a moment: it is counted by the batch.
const SHARED: [&str; 6] = ["relay", "rollup", "batches", "timers", "sequencer", "other"];

#[tokio::test(flavor = "multi_thread")]
async fn a_straight_payment_asks_for_exactly_this() {
    let running = Running::at(&emulator().await).await;
    let world = World::over(&running.store).await;
    let (stop, stopped) = watch::channel(false);
    let mut workers = worker::spawn_all(&world.app, &stopped);
    let hooks = Hooks::new(world.app.clone()).expect("an HTTP client");
    let consumer = Arc::new(WebhookConsumer(hooks));
    workers.spawn(feed::run(world.app.clone(), consumer, 0, stopped));
    // The first one warms what is kept in memory: the key, the directory of endpoints.
    cleared(&world).await;
    let _ = running.store.meter().record();
    let payment = cleared(&world).await;
    let operations = running.store.meter().record();
    stop.send_replace(true);
    while workers.join_next().await.is_some() {}
    running.stop().await;

    let own: Vec<_> = operations
        .iter()
        .filter(|it| is_own(it, &payment))
        .collect();
    assert!(own.iter().all(|it| it.ended == Ended::Done), "{own:?}");
    let mut figures = serde_json::to_string_pretty(&figures(&own)).expect("JSON");
    figures.push('\n');
    expect_file!["../../../docs/cost/operations.json"].assert_eq(&figures);
}

/// What the sequencer's function asks for when it gives the log its turn: the stream into the journal,
/// leaves, checkpoint, roll-up and counts, for one payment and for eight. A record may be a few bytes
/// longer or shorter than the next kilobyte, so each is the dearest of three turns.
#[tokio::test(flavor = "multi_thread")]
async fn a_turn_of_the_log_asks_for_exactly_this() {
    let endpoint = emulator().await;
    let config = configure(&endpoint).await;
    let store = Dynamo::new(&config, "lombard", host());
    let made = table::make(store.client(), "lombard").await;
    made.expect("tables");
    let checked = table::check(store.client(), "lombard", &Residency::default(), false).await;
    let stream = checked.expect("they are as the layout says");
    let world = World::over(&store).await;
    let blobs = Arc::new(Counted::default());
    let keys = FileKeys::of(vec![log_key()]);
    let log = Log::new(blobs.clone(), Arc::new(keys), log::Settings::default());
    let mut turn = Turn {
        relay: Relay::new(&config, &stream, &store, host()),
        sequencer: Sequencer::new(world.app.store.clone(), host(), log.clone()),
        publisher: Publisher::new(host(), log.clone()).expect("an HTTP client"),
        log,
        places: (None, None),
    };
    let mut turns = Vec::new();
    // The first is the demo tenant's, and finds out where everything is.
    for payments in [1, 1, 1, 1, 8, 8, 8] {
        for _ in 0..payments {
            sent(&world).await;
        }
        let _ = (store.meter().record(), blobs.taken());
        turn.take(&world).await;
        let (operations, (puts, gets)) = (store.meter().record(), blobs.taken());
        assert!(operations.iter().all(|it| it.ended == Ended::Done));
        let sum = |of: fn(&Operation) -> u64| operations.iter().map(of).sum::<u64>();
        turns.push(json!({
            "payments": payments,
            "object_put": puts,
            "object_get": gets,
            "signature": 1,
            "read_request": units(sum(|it| it.read_units.thousandths())),
            "write_request": units(sum(|it| it.write_units.thousandths())),
        }));
    }
    let writes = |turn: &&Value| turn["write_request"].as_f64().map(f64::to_bits);
    let dearest = turns[1..]
        .chunks(3)
        .map(|three| three.iter().max_by_key(writes));
    let dearest: Vec<_> = dearest.collect();
    let mut figures = serde_json::to_string_pretty(&dearest).expect("JSON");
    figures.push('\n');
    expect_file!["../../../docs/cost/turns.json"].assert_eq(&figures);
}

/// As the sequencer's function takes it.
struct Turn {
    relay: Relay,
    sequencer: Sequencer,
    publisher: Publisher,
    log: Arc<Log>,
    places: (Option<rollup::Place>, Option<tally::Folder>),
}

impl Turn {
    async fn take(&mut self, world: &World) {
        while self.relay.step().await.expect("the stream is read") > 0 {}
        while self.sequencer.step(0).await.expect("the log grows") != Stepped::Idle {}
        let head = world.app.value(&head::key()).await.expect("readable");
        let head: HeadRecord = head.expect("a head");
        let published = self.publisher.publish(&head.head().expect("a root")).await;
        published.expect("a checkpoint");
        assert_eq!(self.log.published().map(|it| it.head), head.head());
        let (rollup, tally) = &mut self.places;
        let rolled = rollup::catch_up(&world.app, 0, rollup.take()).await;
        *rollup = Some(rolled.expect("rolled up"));
        let counted = tally::catch_up(&world.app, 0, tally.take()).await;
        *tally = Some(counted.expect("counted"));
    }
}

/// Accepted, and sent by the saga's step.
async fn sent(world: &World) {
    let (status, made) = world
        .call("POST", "/v1/payments", Some(&order(world)))
        .await;
    assert_eq!(status, 201, "{made}");
    let payment = made["id"].as_str().expect("an id");
    let step = Step {
        what: What::Submit,
        tenant: world.demo.tenant,
        payment: payment.parse().expect("an id of a payment"),
    };
    let outcome = saga::carry_out(&world.app, &step).await;
    assert!(matches!(outcome, Ok(Outcome::Decided)), "{outcome:?}");
}

fn log_key() -> SecretKey {
    SecretKey::from_seed("log.example/ledger", KeyKind::Log, &[9; 32]).expect("a name")
}

/// Files in memory, and how often they were written and read.
#[derive(Default)]
struct Counted {
    files: MemoryBlobs,
    puts: AtomicU64,
    gets: AtomicU64,
}

impl Counted {
    fn taken(&self) -> (u64, u64) {
        let take = |of: &AtomicU64| of.swap(0, Ordering::Relaxed);
        (take(&self.puts), take(&self.gets))
    }
}

impl Blobs for Counted {
    fn put(&self, name: &str, bytes: Bytes) -> BoxFuture<'_, io::Result<()>> {
        self.puts.fetch_add(1, Ordering::Relaxed);
        if name == CHECKPOINT {
            // In S3 it is looked at before it is swapped.
            self.gets.fetch_add(1, Ordering::Relaxed);
        }
        self.files.put(name, bytes)
    }

    fn put_durable(&self, name: &str, bytes: Bytes) -> BoxFuture<'_, io::Result<()>> {
        self.put(name, bytes)
    }

    fn get(&self, name: &str) -> BoxFuture<'_, io::Result<Option<Bytes>>> {
        self.gets.fetch_add(1, Ordering::Relaxed);
        self.files.get(name)
    }

    fn sync(&self) -> BoxFuture<'_, io::Result<()>> {
        self.files.sync()
    }

    fn remove(&self, name_or_prefix: &str) -> BoxFuture<'_, io::Result<()>> {
        self.files.remove(name_or_prefix)
    }
}

/// Of the payment itself, or of its tenant on a duty that serves one payment at a time.
fn is_own(operation: &Operation, payment: &str) -> bool {
    match &operation.subject.payment {
        Some(id) => id == payment,
        None => operation.subject.tenant.is_some() && !SHARED.contains(&operation.component),
    }
}

fn order(world: &World) -> Value {
    json!({
        "amount": 1250,
        "currency": "GBP",
        "debtor": {"account": world.demo.account.to_string()},
        "creditor": {"name": "Ann Other", "sort_code": "20-00-00", "account_number": "55779911"},
    })
}

/// Pays over the rail and waits until it is cleared and all is quiet; the payment's id.
async fn cleared(world: &World) -> String {
    let (status, made) = world
        .call("POST", "/v1/payments", Some(&order(world)))
        .await;
    assert_eq!(status, 201, "{made}");
    let id = made["id"].as_str().expect("an id").to_owned();
    for _ in 0..500 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        // Not by the API, which is counted.
        let key = lombard_core::plan::keys::payment(
            world.demo.tenant,
            id.parse().expect("an id of a payment"),
        );
        let found: Option<Value> = world.app.value(&key).await.expect("readable");
        if found.is_some_and(|it| it["stage"].to_string().contains("cleared")) {
            // What follows from the last commit has its turn.
            tokio::time::sleep(Duration::from_millis(1500)).await;
            return id;
        }
    }
    panic!("{id} is not cleared");
}

fn units(thousandths: u64) -> f64 {
    thousandths as f64 / 1000.0
}

/// The calls by component and operation, with what they consumed.
fn figures(operations: &[&Operation]) -> Value {
    let mut sums: BTreeMap<(&str, &str), [u64; 4]> = BTreeMap::new();
    // The test's own reads are on no duty.
    for it in operations.iter().filter(|it| it.component != "other") {
        let sum = sums.entry((it.component, it.name)).or_default();
        sum[0] += 1;
        sum[1] += it.items as u64;
        sum[2] += it.read_units.thousandths();
        sum[3] += it.write_units.thousandths();
    }
    let line = |((component, name), [calls, items, read, write]): (&(&str, &str), &[u64; 4])| {
        json!({
            "component": component,
            "operation": name,
            "calls": calls,
            "items": items,
            "read_request_units": units(*read),
            "write_request_units": units(*write),
        })
    };
    let total = |at: usize| sums.values().map(|sum| sum[at]).sum::<u64>();
    json!({
        "payment": "a credit transfer over a rail that accepts at once: accepted, submitted, cleared",
        "operations": sums.iter().map(line).collect::<Vec<_>>(),
        "total": {
            "calls": total(0),
            "read_request_units": units(total(2)),
            "write_request_units": units(total(3)),
        },
    })
}
