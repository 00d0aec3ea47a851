//! What is pending, and which exceptions are open: kept by folding the change feed, for metrics.
//!
//! **Shape.** The counts are stored with the place reached, in one record, so a restart goes on
//! where it was without looking at every payment. Where a payment stood before an event is
//! remembered while it is pending, and read from the event before it otherwise. Open exceptions
//! are few; they are listed at the start and followed from there.
//!
//! **Bounds.** At most [`REMEMBERED_MAX`] pending payments are remembered. The record is written
//! once in [`SAVE_EVERY`] while payments move.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use lombard_core::{
    id::Id,
    lifecycle::{Pending, Stage},
    payment::Payment,
    plan::keys,
    rail::Rail,
    store::{Body, Commit, Key, Snapshot, decode},
    tenant::TenantId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tracing::warn;

use super::feed::rest;
use crate::{
    app::App,
    exceptions::{self, Exception, Kind, State},
    metrics::{METRICS, kinds::Took, label::Consumer, sample},
    ports::{CommitError, RANGE_MAX, ReadError},
    slo::Slo,
    tenants,
};

/// Changes read at once.
const BATCH: usize = 2_048;
const WAIT_MS: u64 = 500;
/// Pending payments whose stage is kept in memory.
const REMEMBERED_MAX: usize = 500_000;
/// How often the counts are stored while they change.
const SAVE_EVERY: Duration = Duration::from_secs(10);

/// The counts of a shard, as they are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Standing {
    reached: u64,
    /// How many payments are at each stage at which they wait.
    waiting: BTreeMap<Stage, i64>,
}

fn key(shard: u16) -> Key {
    Key::new(&format!("cursor#standing#{shard:04}"), "cursor")
}

/// The place in a shard up to which everything was counted and stored, of a process that runs or one
/// before it.
///
/// # Errors
/// See [`ReadError`].
pub async fn reached(app: &App, shard: u16) -> Result<u64, ReadError> {
    let stored: Option<Standing> = app.value(&key(shard)).await?;
    Ok(stored.map_or(0, |it| it.reached))
}

/// The part of an event that is needed here.
#[derive(Deserialize)]
struct Step {
    number: u32,
    stage: Stage,
    moved: bool,
    #[serde(default)]
    before: Option<Stage>,
    at: Timestamp,
}

/// A pending payment.
#[derive(Clone, Copy)]
struct Waiting {
    stage: Stage,
    /// When it was accepted, if it has waited for nothing but the rail.
    straight: Option<Timestamp>,
}

/// Follows the feed until `stop` turns true.
pub async fn run(app: App, shard: u16, mut stop: watch::Receiver<bool>) {
    let mut follower = None;
    while !*stop.borrow() {
        let stepped = tokio::select! {
            biased;
            _ = stop.changed() => break,
            stepped = step(&app, shard, &mut follower) => stepped,
        };
        if let Err(error) = stepped {
            warn!(%error, "what is pending cannot be counted");
            // It begins from what is stored.
            follower = None;
            rest(&mut stop, 500).await;
        }
    }
    if let Some(follower) = &mut follower {
        // Otherwise a little more is read at the next start.
        let _ = follower.save(&app).await;
    }
}

async fn step(app: &App, shard: u16, follower: &mut Option<Follower>) -> Result<(), CommitError> {
    let follower = match follower {
        Some(follower) => follower,
        None => follower.insert(Follower::load(app, shard).await.map_err(unread)?),
    };
    let reached = follower.standing.reached;
    let commits = app.store.changes(shard, reached, BATCH, WAIT_MS).await;
    for commit in commits.map_err(unread)? {
        follower.take(app, &commit).await.map_err(unread)?;
    }
    follower.tell(app.host.now());
    if follower.moved && follower.saved.elapsed() >= SAVE_EVERY {
        follower.save(app).await?;
    }
    Ok(())
}

struct Follower {
    shard: u16,
    standing: Standing,
    known: HashMap<Id<Payment>, Waiting>,
    open: BTreeMap<Id<Exception>, (Kind, Timestamp)>,
    moved: bool,
    saved: Instant,
}

impl Follower {
    async fn load(app: &App, shard: u16) -> Result<Self, ReadError> {
        Ok(Self {
            shard,
            standing: app.value(&key(shard)).await?.unwrap_or_default(),
            known: HashMap::new(),
            open: open_exceptions(app).await?,
            moved: false,
            saved: Instant::now(),
        })
    }

    async fn take(&mut self, app: &App, commit: &Commit) -> Result<(), ReadError> {
        for change in commit.changes.iter() {
            let Some(record) = &change.record else {
                continue;
            };
            if change.key.sort().starts_with("e#") {
                self.follow(app, commit, &change.key, decode(&record.body.bytes))
                    .await?;
            } else if change.key.sort() == exceptions::SORT {
                self.note(decode(&record.body.bytes));
            }
        }
        self.standing.reached = commit.position;
        Ok(())
    }

    fn note(&mut self, exception: Exception) {
        match exception.state {
            State::Resolved => self.open.remove(&exception.id),
            _ => {
                let since = (exception.kind, exception.opened_at);
                self.open.insert(exception.id, since)
            }
        };
    }

    async fn follow(
        &mut self,
        app: &App,
        commit: &Commit,
        event: &Key,
        step: Step,
    ) -> Result<(), ReadError> {
        let about = event.partition().split_once('/');
        let about = about.and_then(|(tenant, id)| Some((tenant.parse().ok()?, id.parse().ok()?)));
        let (true, Some((tenant, id))) = (step.moved, about) else {
            return Ok(());
        };
        let before = self.before(app, tenant, id, &step).await?;
        self.moved = true;
        if let Some(before) = before {
            *self.standing.waiting.entry(before.stage).or_default() -= 1;
        }
        METRICS.payment_transitions.of((step.stage,)).inc();
        let since = before.map_or((step.number == 1).then_some(step.at), |it| it.straight);
        let straight = since.filter(|_| is_straight(step.stage));
        if step.stage.pending().is_some() {
            *self.standing.waiting.entry(step.stage).or_default() += 1;
            if self.known.len() < REMEMBERED_MAX {
                let stage = step.stage;
                self.known.insert(id, Waiting { stage, straight });
            }
        } else if step.stage == Stage::Cleared
            && let Some(since) = straight
            && let Some(rail) = rail_of(commit, &keys::payment(tenant, id))
        {
            let took = Duration::from_millis(step.at.ms_since(since));
            METRICS.payment_clear_duration.of((rail,)).took(took);
            Slo::Cleared.note_within(took);
        }
        Ok(())
    }

    /// Where a payment waited before an event; `None` if it was new or decided.
    async fn before(
        &mut self,
        app: &App,
        tenant: TenantId,
        id: Id<Payment>,
        step: &Step,
    ) -> Result<Option<Waiting>, ReadError> {
        if step.number <= 1 {
            return Ok(None);
        }
        if let Some(known) = self.known.remove(&id) {
            return Ok(Some(known));
        }
        let mut before = step.before;
        if before.is_none() {
            let partition = keys::payment_partition(tenant, id);
            let last = Key::new(&partition, &keys::event_sort(step.number - 1));
            let last: Option<Step> = app.value(&last).await?;
            before = last.map(|it| it.stage);
        }
        // What it waited for before this process began is not known.
        let waiting = |stage: Stage| Waiting {
            stage,
            straight: None,
        };
        Ok(before.filter(|it| it.pending().is_some()).map(waiting))
    }

    fn tell(&self, now: Timestamp) {
        let at = |stage: Stage| {
            self.standing
                .waiting
                .get(&stage)
                .copied()
                .unwrap_or(0)
                .max(0)
        };
        for stage in Stage::ALL {
            METRICS.payments_at_stage.of((stage,)).set(at(stage) as f64);
        }
        for pending in Pending::ALL {
            let stages = Stage::ALL.into_iter();
            let waiting = stages
                .filter(|stage| stage.pending() == Some(pending))
                .map(at);
            let waiting: i64 = waiting.sum();
            METRICS.payments_pending.of((pending,)).set(waiting as f64);
        }
        let mut kinds: BTreeMap<Kind, (u64, u64)> = BTreeMap::new();
        for (kind, at) in self.open.values() {
            let (count, oldest) = kinds.entry(*kind).or_default();
            *count += 1;
            *oldest = now.ms_since(*at).max(*oldest);
        }
        for kind in Kind::ALL {
            let (count, oldest) = kinds.get(&kind).copied().unwrap_or_default();
            METRICS.exceptions_open.of((kind,)).set(count as f64);
            METRICS
                .exceptions_oldest
                .of((kind,))
                .set(oldest as f64 / 1e3);
        }
        sample::reached(Consumer::Standing, self.standing.reached);
    }

    async fn save(&mut self, app: &App) -> Result<(), CommitError> {
        let key = key(self.shard);
        let found = app.get(&key).await.map_err(unread)?;
        let mut snapshot = Snapshot::default();
        snapshot.put(key.clone(), found);
        let mut writes = snapshot.checks();
        writes.put(&key, Body::of(&self.standing));
        app.store.commit(&writes).await?;
        (self.moved, self.saved) = (false, Instant::now());
        Ok(())
    }
}

/// The rail of a payment, as the commit of its event left it.
fn rail_of(commit: &Commit, payment: &Key) -> Option<Rail> {
    #[derive(Deserialize)]
    struct Carried {
        rail: Rail,
    }
    let change = commit.changes.iter().find(|it| it.key == *payment)?;
    let carried: Carried = decode(&change.record.as_ref()?.body.bytes);
    Some(carried.rail)
}

/// Whether a payment at this stage waits for nothing but the rail.
const fn is_straight(stage: Stage) -> bool {
    !matches!(
        stage,
        Stage::Verifying | Stage::Scheduled | Stage::AwaitingFunds
    )
}

/// The exceptions of all tenants that are not resolved.
async fn open_exceptions(
    app: &App,
) -> Result<BTreeMap<Id<Exception>, (Kind, Timestamp)>, ReadError> {
    let mut open = BTreeMap::new();
    let mut all = tenants::ids(app).await?;
    all.push(exceptions::operator());
    for tenant in all {
        let mut after = None;
        loop {
            let page = exceptions::list(app, tenant, after, RANGE_MAX).await?;
            let full = page.len() == RANGE_MAX;
            after = page.last().map(|(place, _)| place.clone());
            let page = page.into_iter().map(|(_, exception)| exception);
            let page = page.filter(|it| it.state != State::Resolved);
            open.extend(page.map(|it| (it.id, (it.kind, it.opened_at))));
            if !full {
                break;
            }
        }
    }
    Ok(open)
}

fn unread(error: ReadError) -> CommitError {
    CommitError::Unavailable(std::sync::Arc::new(error))
}
