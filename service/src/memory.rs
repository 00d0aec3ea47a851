//! The store as maps in memory: the reference. Other stores are right when they agree with it.
//!
//! For tests and simulations. It loses everything when it is dropped, finds its place in a range by
//! walking the partition, and keeps the whole feed. The same calls in the same order wake the same
//! waiters in the same order, so that a simulation can be run again.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use lombard_core::planted;
use lombard_core::store::{Change, Commit, Key, Record, WriteSet};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::ports::{CommitError, Found, Of, RANGE_MAX, Range, ReadError, Store};

/// Records in memory.
#[derive(Default)]
pub struct Memory {
    state: Mutex<State>,
    /// Told of each commit.
    grown: Notify,
}

#[derive(Default)]
struct State {
    records: BTreeMap<Key, Record>,
    /// Where a record is listed, and which.
    listed: BTreeSet<(Key, Key)>,
    feed: Vec<Commit>,
}

impl State {
    fn range(&self, range: &Range) -> Vec<Found> {
        // A text that begins with another sorts after it, so the partition ends before this one.
        let first = Key::new(&range.partition, "");
        let end = Key::new(&format!("{}\u{1}", range.partition), "");
        match range.of {
            Of::Records => {
                let all = self.records.range(first..end).map(|(at, record)| Found {
                    at: at.clone(),
                    record: record.clone(),
                });
                part(all, range)
            }
            Of::Index => {
                let bounds = (first.clone(), first)..(end.clone(), end);
                let all = self.listed.range(bounds).map(|(at, key)| Found {
                    at: at.clone(),
                    record: self.records[key].clone(),
                });
                part(all, range)
            }
        }
    }

    /// Applies a write set; says whether it changed anything.
    fn commit(&mut self, writes: &WriteSet) -> Result<bool, CommitError> {
        for (key, write) in writes.iter() {
            if planted!(GuardLost) && key.partition().contains("/acc_") {
                continue;
            }
            if planted!(ChecksDropped) && write.result().is_none() {
                continue;
            }
            if self.records.get(key).map(|record| record.version) != write.expects() {
                return Err(CommitError::Conflict(key.clone()));
            }
        }
        let mut changes = Vec::new();
        for (key, write) in writes.iter() {
            if let Some(record) = write.result() {
                self.write(key, record.clone());
                changes.push(Change {
                    key: key.clone(),
                    record,
                });
            }
        }
        if changes.is_empty() {
            return Ok(false);
        }
        let position = self.feed.len() as u64 + 1;
        self.feed.push(Commit {
            position,
            changes: changes.into(),
        });
        Ok(true)
    }

    fn write(&mut self, key: &Key, record: Option<Record>) {
        if let Some(before) = self.records.remove(key) {
            for at in before.body.index {
                self.listed.remove(&(at, key.clone()));
            }
        }
        if let Some(record) = record {
            for at in &record.body.index {
                self.listed.insert((at.clone(), key.clone()));
            }
            self.records.insert(key.clone(), record);
        }
    }

    fn changes(&self, after: u64, limit: usize) -> Vec<Commit> {
        let mut count = 0;
        let later = self
            .feed
            .iter()
            .skip(usize::try_from(after).unwrap_or(usize::MAX));
        later
            .take_while(|commit| {
                let wanted = count < limit.max(1);
                count += commit.changes.len();
                wanted
            })
            .cloned()
            .collect()
    }
}

/// What of `all`, the partition in the order of the keys, is in the range.
fn part(all: impl DoubleEndedIterator<Item = Found>, range: &Range) -> Vec<Found> {
    let limit = range.limit.min(RANGE_MAX);
    let after = range.after.as_deref();
    let until = range.until.as_deref();
    if range.backwards {
        all.rev()
            .filter(|found| after.is_none_or(|after| found.at.sort() < after))
            .take_while(|found| until.is_none_or(|until| found.at.sort() >= until))
            .take(limit)
            .collect()
    } else {
        all.filter(|found| after.is_none_or(|after| found.at.sort() > after))
            .take_while(|found| until.is_none_or(|until| found.at.sort() <= until))
            .take(limit)
            .collect()
    }
}

impl Store for Memory {
    fn get<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Option<Record>>, ReadError>> {
        let state = self.state.lock();
        let found = keys
            .iter()
            .map(|key| state.records.get(key).cloned())
            .collect();
        async move { Ok(found) }.boxed()
    }

    fn range<'a>(&'a self, range: &'a Range) -> BoxFuture<'a, Result<Vec<Found>, ReadError>> {
        let found = self.state.lock().range(range);
        async move { Ok(found) }.boxed()
    }

    fn commit<'a>(&'a self, writes: &'a WriteSet) -> BoxFuture<'a, Result<(), CommitError>> {
        async move {
            if let Some(size) = writes.too_large() {
                return Err(CommitError::TooLarge(size));
            }
            if self.state.lock().commit(writes)? {
                self.grown.notify_waiters();
            }
            Ok(())
        }
        .boxed()
    }

    fn shards(&self) -> u16 {
        1
    }

    fn changes(
        &self,
        shard: u16,
        after: u64,
        limit: usize,
        wait_ms: u64,
    ) -> BoxFuture<'_, Result<Vec<Commit>, ReadError>> {
        async move {
            assert_eq!(shard, 0, "there is one shard");
            let arrived = async {
                loop {
                    let mut grown = pin!(self.grown.notified());
                    // Listening begins before the look, so that no commit slips between the two.
                    grown.as_mut().enable();
                    if self.state.lock().feed.len() as u64 > after {
                        return;
                    }
                    grown.await;
                }
            };
            // Whether it came or not, what there is now is the answer.
            let _ = tokio::time::timeout(Duration::from_millis(wait_ms), arrived).await;
            Ok(self.state.lock().changes(after, limit))
        }
        .boxed()
    }
}

/// A memory store to share.
#[must_use]
pub fn shared() -> Arc<Memory> {
    Arc::new(Memory::default())
}
