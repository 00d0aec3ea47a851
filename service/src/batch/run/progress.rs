//! How far a run has come, in memory and in the store.
//!
//! **Invariant.** The stored `done` never passes a row whose outcome is not stored, and the counts
//! of refused rows change in the commit that stores their outcomes: whatever crashes, they agree.

use std::collections::BTreeSet;

use lombard_core::{
    id::Id,
    payment::Batch,
    store::{Body, Key, Snapshot},
    tenant::TenantId,
};

use super::Interrupted;
use crate::{
    app::App,
    batch::record::{
        self, Block, Outcome, Record, Runner, State, What, block_sort, outcome_end, outcome_sort,
        partition,
    },
    ports::{Cause, CommitError, Of, RANGE_MAX, Range},
    records::{Then, change},
};

/// Records stored in one commit; with the batch's own within the store's 100 actions.
const AT_ONCE: usize = 80;
/// Records that wait in memory before they are stored.
const WAITING_MAX: usize = 1600;
/// How often a commit is decided before the run gives up.
const TRIES_MAX: u32 = 8;

/// See the module.
pub struct Progress {
    app: App,
    tenant: TenantId,
    record: Record,
    /// Rows after `done` that an earlier run refused.
    decided: BTreeSet<u64>,
    /// Rows decided after `done`.
    ahead: BTreeSet<u64>,
    done: u64,
    waiting: Vec<(Key, Body, Counts)>,
}

/// What a stored record adds to the batch's counts.
#[derive(Clone, Copy, Default)]
struct Counts {
    rejected: u64,
    duplicates: u64,
}

impl Progress {
    /// Goes on from where the record says.
    pub async fn begin(app: App, tenant: TenantId, record: Record) -> Result<Self, Interrupted> {
        let mut range = Range {
            partition: partition(tenant, record.id),
            of: Of::Records,
            after: Some(outcome_sort(record.done)),
            until: Some(outcome_end()),
            backwards: false,
            past_damage: false,
            limit: RANGE_MAX,
        };
        let mut decided = BTreeSet::new();
        loop {
            let found = app.store.range(&range).await.map_err(unread)?;
            for item in &found {
                let outcome: Outcome = lombard_core::store::decode(&item.record.body.bytes);
                decided.insert(outcome.row);
            }
            match found.last() {
                Some(last) if found.len() == RANGE_MAX => {
                    range.after = Some(last.at.sort().to_owned());
                }
                _ => break,
            }
        }
        let done = record.done;
        Ok(Self {
            app,
            tenant,
            record,
            ahead: decided.clone(),
            decided,
            done,
            waiting: Vec::new(),
        })
    }

    /// The batch as it is stored.
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// Rows that an earlier run refused, after the last without gaps.
    pub const fn decided(&self) -> &BTreeSet<u64> {
        &self.decided
    }

    /// A row is a payment, or it has an outcome to be stored.
    pub fn decide(&mut self, row: u64, outcome: Option<Outcome>) {
        self.ahead.insert(row);
        while self.ahead.remove(&(self.done + 1)) {
            self.done += 1;
        }
        let Some(outcome) = outcome else { return };
        let key = Key::new(
            &partition(self.tenant, self.record.id),
            &outcome_sort(outcome.row),
        );
        let counts = match outcome.what {
            What::Rejected(_) => Counts {
                rejected: 1,
                ..Counts::default()
            },
            What::Duplicate { .. } => Counts {
                duplicates: 1,
                ..Counts::default()
            },
        };
        self.waiting.push((key, Body::of(&outcome), counts));
    }

    /// Blocks that begin. Says whether there is one that must be stored.
    pub fn note_blocks<'a>(&mut self, blocks: impl Iterator<Item = &'a Block>) -> bool {
        let partition = partition(self.tenant, self.record.id);
        let before = self.waiting.len();
        self.waiting.extend(blocks.map(|block| {
            let key = Key::new(&partition, &block_sort(block.block));
            (key, Body::of(block), Counts::default())
        }));
        self.waiting.len() > before
    }

    /// Whether so much waits that it should be stored now.
    pub const fn is_full(&self) -> bool {
        self.waiting.len() >= WAITING_MAX
    }

    /// Stores what waits, how far the run has come, and that it is alive.
    pub async fn store(&mut self) -> Result<(), Interrupted> {
        let waiting = std::mem::take(&mut self.waiting);
        let mut parts = waiting.chunks(AT_ONCE).peekable();
        while let Some(part) = parts.next() {
            let last = parts.peek().is_none();
            self.commit(part, last.then_some(self.done), State::Processing)
                .await?;
        }
        if waiting.is_empty() {
            self.commit(&[], Some(self.done), State::Processing).await?;
        }
        Ok(())
    }

    /// Stores the rest, and that every row is decided.
    pub async fn complete(mut self) -> Result<(), Interrupted> {
        self.store().await?;
        self.commit(&[], Some(self.done), State::Completed).await
    }

    async fn commit(
        &mut self,
        part: &[(Key, Body, Counts)],
        done: Option<u64>,
        state: State,
    ) -> Result<(), Interrupted> {
        let batch = record::key(self.tenant, self.record.id);
        let mut wanted = vec![batch.clone()];
        wanted.extend(part.iter().map(|(key, ..)| key.clone()));
        let mut last = None;
        for _ in 0..TRIES_MAX {
            let found = self.app.store.get(&wanted).await.map_err(unread)?;
            let mut snapshot = Snapshot::default();
            for (key, found) in wanted.iter().zip(found) {
                snapshot.put(key.clone(), found);
            }
            let stored: Option<Record> = snapshot.value(&batch);
            let Some(mut record) = stored.filter(|it| self.is_ours(it)) else {
                return Err(Interrupted::TakenOver);
            };
            let mut writes = snapshot.checks();
            for (key, body, counts) in part {
                if snapshot.get(key).is_none() {
                    record.rejected += counts.rejected;
                    record.duplicates += counts.duplicates;
                    writes.create(key.clone(), body.clone());
                }
            }
            let now = self.app.host.now();
            record.done = done.unwrap_or(record.done);
            record.state = state;
            record.updated_at = now;
            record.kept = record.kept.filter(|_| state != State::Completed);
            record.runner = match (state, record.runner) {
                (State::Processing, Some(runner)) => Some(Runner {
                    beat: now,
                    ..runner
                }),
                _ => None,
            };
            writes.update(&batch, record.body(self.tenant));
            match self.app.store.commit(&writes).await {
                Ok(()) => {
                    self.record = record;
                    return Ok(());
                }
                Err(error @ (CommitError::Conflict(_) | CommitError::Unknown(_))) => {
                    last = Some(error);
                }
                Err(error) => {
                    last = Some(error);
                    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                }
            }
        }
        let cause: Cause = match last {
            Some(error) => std::sync::Arc::new(error),
            None => std::sync::Arc::new(std::fmt::Error),
        };
        Err(Interrupted::Store(cause))
    }

    /// Whether this run still has the batch, or has completed it with an answer that was lost.
    fn is_ours(&self, stored: &Record) -> bool {
        let name = |record: &Record| record.runner.as_ref().map(|runner| runner.name.clone());
        name(stored) == name(&self.record) || stored.state == State::Completed
    }
}

/// Notes that a run ended before its file, unless another has the batch.
pub async fn leave(
    app: &App,
    tenant: TenantId,
    id: Id<Batch>,
    runner: &Runner,
) -> Result<(), CommitError> {
    let now = app.host.now();
    change(app, &record::key(tenant, id), |known: Option<Record>| {
        let Some(mut record) = known else {
            return (Then::Keep, ());
        };
        if record.runner.as_ref().map(|it| &it.name) != Some(&runner.name) {
            return (Then::Keep, ());
        }
        record.state = State::Interrupted;
        record.runner = None;
        record.updated_at = now;
        (Then::Put(record.body(tenant)), ())
    })
    .await
}

fn unread(error: crate::ports::ReadError) -> Interrupted {
    Interrupted::Store(std::sync::Arc::new(error))
}
