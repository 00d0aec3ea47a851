//! Counts what becomes of the payments of each batch, by folding the change feed: each event
//! counts once, whatever fails, because the place reached is written with the counts.
//!
//! **Shape.** One [`Tally`] a batch and shard of the feed, summed when it is read, so that shards do
//! not wait for each other. An event says where its payment stands, and where it stood before.

use std::collections::BTreeMap;

use lombard_core::{
    event::{Event, News},
    id::Id,
    lifecycle::{Happened, Status},
    payment::{Batch, Payment},
    plan::keys,
    store::{Body, Change, Commit, Key, Snapshot, decode, mentions},
    tenant::TenantId,
};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tracing::warn;

use super::record;
use crate::{
    app::App,
    metrics::{label::Consumer, sample},
    ports::{Cause, ReadError},
    worker::feed::rest,
};

/// Commits read at once.
const BATCH: usize = 2048;
const WAIT_MS: u64 = 500;
/// Batches whose counts go into one commit; with the cursor within the store's 100 actions.
const TALLIES_AT_ONCE: usize = 90;
/// Positions that may go by without an event of a batch before the place is noted all the same.
const IDLE_POSITIONS: u64 = 10_000;

/// How many payments of a batch stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// Became payments.
    pub accepted: i64,
    /// Wait for verification, funds or the rail.
    pub pending: i64,
    /// Have the rail's final yes, settled or not, and were not taken back.
    pub cleared: i64,
    /// Of those, found by reconciliation.
    pub settled: i64,
    /// Money never moved.
    pub failed: i64,
    /// Money moved and moved back.
    pub reversed: i64,
}

impl Tally {
    /// Adds another tally.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            accepted: self.accepted + other.accepted,
            pending: self.pending + other.pending,
            cleared: self.cleared + other.cleared,
            settled: self.settled + other.settled,
            failed: self.failed + other.failed,
            reversed: self.reversed + other.reversed,
        }
    }

    fn count(&mut self, status: Status, by: i64) {
        match status {
            Status::Initiated | Status::AuthPending => self.pending += by,
            Status::Cleared => self.cleared += by,
            Status::Settled => {
                self.cleared += by;
                self.settled += by;
            }
            Status::Failed => self.failed += by,
            Status::Reversed => self.reversed += by,
        }
    }

    fn moves(&mut self, before: Option<Status>, after: Status) {
        match before {
            Some(before) => self.count(before, -1),
            None => self.accepted += 1,
        }
        self.count(after, 1);
    }
}

/// Where a batch's counts of a shard are kept.
fn tally_key(tenant: TenantId, batch: Id<Batch>, shard: u16) -> Key {
    let partition = record::partition(tenant, batch);
    Key::new(&partition, &format!("tally#{shard:04}"))
}

fn cursor_key(shard: u16) -> Key {
    Key::new(&format!("cursor#batches#{shard:04}"), "cursor")
}

/// The counts of a batch, as far as the feed was read.
///
/// # Errors
/// See [`ReadError`].
pub async fn read(app: &App, tenant: TenantId, batch: Id<Batch>) -> Result<Tally, ReadError> {
    let keys: Vec<_> = (0..app.store.shards())
        .map(|shard| tally_key(tenant, batch, shard))
        .collect();
    let found = app.store.get(&keys).await?;
    let tallies = found.into_iter().flatten();
    Ok(tallies.fold(Tally::default(), |sum, record| {
        sum.plus(decode(&record.body.bytes))
    }))
}

/// Folds one shard until `stop` turns true.
pub async fn run(app: App, shard: u16, mut stop: watch::Receiver<bool>) {
    let mut folder: Option<Folder> = None;
    while !*stop.borrow() {
        let stepped = tokio::select! {
            biased;
            _ = stop.changed() => return,
            stepped = step(&app, shard, folder.take(), WAIT_MS) => stepped,
        };
        match stepped {
            Ok(went_on) => {
                sample::reached(Consumer::Batches, went_on.reached);
                folder = Some(went_on);
            }
            Err(error) => {
                warn!(%error, "the counts of batches are held up");
                rest(&mut stop, 200).await;
            }
        }
    }
}

/// How far the feed is read, and how far that is noted.
#[derive(Clone, Copy)]
pub struct Folder {
    reached: u64,
    noted: u64,
}

/// Counts everything that the feed has now: for a runtime that is woken. Gives how far it came, to go on
/// from the next time.
///
/// # Errors
/// When the store cannot be read or written; then begin with `None` again.
pub async fn catch_up(app: &App, shard: u16, from: Option<Folder>) -> Result<Folder, Cause> {
    let mut folder = step(app, shard, from, 0).await?;
    loop {
        let reached = folder.reached;
        folder = step(app, shard, Some(folder), 0).await?;
        if folder.reached == reached {
            return Ok(folder);
        }
    }
}

/// Folds the next part of the feed, waiting up to `wait_ms` for one. Begins where the store says it was
/// when `folder` is `None`.
async fn step(
    app: &App,
    shard: u16,
    folder: Option<Folder>,
    wait_ms: u64,
) -> Result<Folder, Cause> {
    let mut folder = match folder {
        Some(folder) => folder,
        None => {
            let noted = app.value(&cursor_key(shard)).await.map_err(told)?;
            let noted = noted.unwrap_or(0);
            Folder {
                reached: noted,
                noted,
            }
        }
    };
    let commits = app
        .store
        .changes(shard, folder.reached, BATCH, wait_ms)
        .await
        .map_err(told)?;
    let Some(last) = commits.last().map(|commit| commit.position) else {
        return Ok(folder);
    };
    let mut sums: Sums = BTreeMap::new();
    for commit in &commits {
        let found = fold(app, commit).await.map_err(told)?;
        let distinct = found.keys().filter(|key| !sums.contains_key(key)).count();
        if sums.len() + distinct > TALLIES_AT_ONCE {
            let sums = std::mem::take(&mut sums);
            folder.note(app, shard, commit.position - 1, sums).await?;
        }
        for (key, tally) in found {
            let sum = sums.entry(key).or_default();
            *sum = sum.plus(tally);
        }
    }
    if !sums.is_empty() || last - folder.noted >= IDLE_POSITIONS {
        folder.note(app, shard, last, sums).await?;
    }
    folder.reached = last;
    Ok(folder)
}

/// What is to be added to the counts of which batch.
type Sums = BTreeMap<(TenantId, Id<Batch>), Tally>;

/// The part of a payment that matters here: most payments have no batch, and need not be read.
#[derive(Deserialize)]
struct Belongs {
    #[serde(default)]
    batch: Option<Id<Batch>>,
}

async fn fold(app: &App, commit: &Commit) -> Result<Sums, ReadError> {
    let mut sums = Sums::new();
    for change in commit.changes.iter() {
        let Some((tenant, payment, batch)) = payment_of_a_batch(change) else {
            continue;
        };
        let partition = keys::payment_partition(tenant, payment);
        let events = commit.changes.iter().filter(|change| {
            change.key.sort().starts_with("e#") && change.key.partition() == partition
        });
        for event in events.filter_map(|change| change.record.as_ref()) {
            let event: Event = decode(&event.body.bytes);
            if let Some((before, after)) = moved(app, tenant, &event).await? {
                sums.entry((tenant, batch))
                    .or_default()
                    .moves(before, after);
            }
        }
    }
    Ok(sums)
}

fn payment_of_a_batch(change: &Change) -> Option<(TenantId, Id<Payment>, Id<Batch>)> {
    if change.key.sort() != "payment" {
        return None;
    }
    let body = &change.record.as_ref()?.body.bytes;
    if !mentions(body, "\"batch\":") {
        return None;
    }
    let (tenant, id) = change.key.partition().split_once('/')?;
    let Belongs { batch } = decode(body);
    Some((tenant.parse().ok()?, id.parse().ok()?, batch?))
}

/// From where to where an event moved its payment; `None` from nowhere, when it is the first.
async fn moved(
    app: &App,
    tenant: TenantId,
    event: &Event,
) -> Result<Option<(Option<Status>, Status)>, ReadError> {
    let after = event.status();
    if event.number == 1 {
        return Ok(Some((None, after)));
    }
    if !event.moved {
        return Ok(None);
    }
    if let Some(before) = event.before {
        return Ok(Some((Some(before.status()), after)));
    }
    // An event that is older than that member.
    let before = match (after, event.news) {
        (Status::Settled, News::Step(Happened::SettlementFound)) | (Status::Reversed, _) => {
            let partition = keys::payment_partition(tenant, event.payment);
            let earlier = Key::new(&partition, &keys::event_sort(event.number - 1));
            let earlier: Option<Event> = app.value(&earlier).await?;
            earlier.map_or(Status::Cleared, |event| event.status())
        }
        _ => Status::AuthPending,
    };
    Ok(Some((Some(before), after)))
}

impl Folder {
    /// Adds to the counts and notes the place, in one commit.
    async fn note(
        &mut self,
        app: &App,
        shard: u16,
        position: u64,
        sums: Sums,
    ) -> Result<(), Cause> {
        let mut wanted = vec![cursor_key(shard)];
        wanted.extend(
            sums.keys()
                .map(|(tenant, batch)| tally_key(*tenant, *batch, shard)),
        );
        let found = app.store.get(&wanted).await.map_err(told)?;
        let mut snapshot = Snapshot::default();
        for (key, record) in wanted.iter().zip(found) {
            snapshot.put(key.clone(), record);
        }
        // What another runner has counted meanwhile is in these sums too.
        let noted = snapshot.value::<u64>(&wanted[0]).unwrap_or(0);
        if noted != self.noted && !lombard_core::planted!(CountedTwice) {
            return Err(told(Overtaken));
        }
        let mut writes = snapshot.checks();
        writes.put(&wanted[0], Body::of(&position));
        for (key, more) in wanted[1..].iter().zip(sums.values()) {
            let sum = snapshot.value::<Tally>(key).unwrap_or_default().plus(*more);
            writes.put(key, Body::of(&sum));
        }
        app.store.commit(&writes).await.map_err(told)?;
        self.noted = position;
        Ok(())
    }
}

/// Another runner of the same shard was faster; what it did is begun from.
#[derive(Debug, thiserror::Error)]
#[error("another runner has counted meanwhile")]
struct Overtaken;

fn told<E: std::error::Error + Send + Sync + 'static>(error: E) -> Cause {
    std::sync::Arc::new(error)
}
