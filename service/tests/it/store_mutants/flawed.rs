//! The memory store with one promise broken.

use std::collections::BTreeMap;

use futures_util::{FutureExt, future::BoxFuture};
use lombard_core::store::{Change, Commit, Key, Record, Version, Write, WriteSet};
use lombard_service::{
    memory::Memory,
    ports::{CommitError, Found, Of, Range, ReadError, Store},
};
use parking_lot::Mutex;

use super::Flaw::{self, *};

/// The memory store with a flaw.
pub struct Flawed {
    flaw: Flaw,
    store: Memory,
    /// Listings that were once right.
    listed: Mutex<BTreeMap<Key, Key>>,
    /// What the last reads found, for those that come a beat late.
    stale: Mutex<BTreeMap<Key, Option<Record>>>,
    refused: Mutex<Vec<Change>>,
    checked: Mutex<Vec<Change>>,
}

impl Flawed {
    pub fn new(flaw: Flaw) -> Self {
        Self {
            flaw,
            store: Memory::default(),
            listed: Mutex::default(),
            stale: Mutex::default(),
            refused: Mutex::default(),
            checked: Mutex::default(),
        }
    }

    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    async fn version(&self, key: &Key) -> Option<Version> {
        let found = self.store.get(std::slice::from_ref(key)).await.ok()?;
        found[0].as_ref().map(|it| it.version)
    }

    /// The action as the flaw sees it; none if it overlooks it.
    async fn spoil(&self, key: &Key, write: &Write) -> Option<Write> {
        let now = self.version(key).await;
        Some(match (self.flaw, write, now) {
            (IgnoresCheck, Write::Check(_), _) => return None,
            (IgnoresCheckAbsent, Write::CheckAbsent, _) => return None,
            (CreatesOverARecord, Write::Create(body), Some(now)) => {
                Write::Update(now, body.clone())
            }
            (UpdatesAnyVersion, Write::Update(_, body), Some(now)) => {
                Write::Update(now, body.clone())
            }
            (UpdatesWhatIsAbsent, Write::Update(_, body), None) => Write::Create(body.clone()),
            (DeletesAnyVersion, Write::Delete(_), Some(now)) => Write::Delete(now),
            (ForgetsADelete, Write::Delete(version), _) => Write::Check(*version),
            (ChecksCountAsWrites, Write::Check(version), Some(_)) => {
                let found = self.store.get(std::slice::from_ref(key)).await.ok()?;
                Write::Update(*version, found[0].as_ref()?.body.clone())
            }
            (CutsBodiesAtAZero, Write::Create(body), _) => {
                let end = body.bytes.iter().position(|byte| *byte == 0);
                let mut body = body.clone();
                body.bytes = body.bytes[..end.unwrap_or(body.bytes.len())].into();
                Write::Create(body)
            }
            (ListsOnlyTheFirstOrder, Write::Create(body), _) => {
                let mut body = body.clone();
                body.index.truncate(1);
                Write::Create(body)
            }
            _ => write.clone(),
        })
    }

    async fn commit_flawed(&self, writes: &WriteSet) -> Result<(), CommitError> {
        let mut actions = Vec::new();
        for (key, write) in writes.iter() {
            if let Some(write) = self.spoil(key, write).await {
                actions.push((key.clone(), write));
            }
        }
        if self.is(ForgetsTheLastOfManyWrites) && actions.len() > 50 {
            actions.pop();
        }
        if self.is(ListsWhereItWas) {
            self.remember_listings(&actions);
        }
        if self.is(TakesAnySize) && writes.too_large().is_some() {
            for half in actions.chunks(2) {
                let _ = self.store.commit(&WriteSet::of(half.to_vec())).await;
            }
            return Ok(());
        }
        let answer = self.store.commit(&WriteSet::of(actions.clone())).await;
        match &answer {
            Ok(()) => {
                let checks = actions
                    .iter()
                    .filter(|(_, write)| matches!(write, Write::Check(_)));
                let told = checks.map(|(key, _)| Change {
                    key: key.clone(),
                    record: None,
                });
                self.checked.lock().extend(told);
            }
            Err(CommitError::Conflict(_)) => {
                if self.is(WritesAPartOfARefusedSet) {
                    for action in actions {
                        let _ = self.store.commit(&WriteSet::of([action])).await;
                    }
                } else {
                    let told = actions.into_iter().filter_map(|(key, write)| {
                        write.result().map(|record| Change { key, record })
                    });
                    self.refused.lock().extend(told);
                }
                if self.is(NamesAnotherKey) {
                    return Err(CommitError::Conflict(Key::new("another", "key")));
                }
            }
            Err(_) => {}
        }
        answer
    }

    fn remember_listings(&self, actions: &[(Key, Write)]) {
        for (key, write) in actions {
            if let Write::Create(body) = write
                && let Some(at) = body.index.first()
            {
                self.listed.lock().insert(at.clone(), key.clone());
            }
        }
    }

    async fn get_flawed(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, ReadError> {
        match self.flaw {
            ReadsOneByOne => {
                let mut found = Vec::new();
                for key in keys {
                    found.extend(self.store.get(std::slice::from_ref(key)).await?);
                    tokio::task::yield_now().await;
                }
                Ok(found)
            }
            AnswersInTheOrderOfKeys => {
                let mut keys = keys.to_vec();
                keys.sort();
                self.store.get(&keys).await
            }
            AnswersEachKeyOnce => {
                let mut seen = Vec::new();
                for key in keys {
                    if !seen.contains(key) {
                        seen.push(key.clone());
                    }
                }
                self.store.get(&seen).await
            }
            ReadsABeatLate => {
                let found = self.store.get(keys).await?;
                let mut stale = self.stale.lock();
                let late = keys
                    .iter()
                    .zip(found)
                    .map(|(key, now)| stale.insert(key.clone(), now.clone()).unwrap_or(now));
                Ok(late.collect())
            }
            _ => self.store.get(keys).await,
        }
    }

    async fn range_flawed(&self, range: &Range) -> Result<Vec<Found>, ReadError> {
        let mut range = range.clone();
        let mut more = Vec::new();
        match self.flaw {
            RangeIgnoresUntil => range.until = None,
            RangeNeverRunsBackwards => range.backwards = false,
            RangeIgnoresTheLimit if range.limit > 0 => range.limit = 1000,
            RangeShowsOneTooFew => range.limit = range.limit.saturating_sub(1).max(1),
            ListsRecordsWithIndexes if range.of == Of::Records => {
                let mut index = range.clone();
                index.of = Of::Index;
                more = self.store.range(&index).await?;
            }
            RangeRunsIntoTheNextPartition => {
                let mut next = range.clone();
                next.partition.push('/');
                more = self.store.range(&next).await?;
            }
            RangeIncludesAfter => {
                if let Some(after) = &range.after {
                    let mut at = range.clone();
                    (at.after, at.until) = (None, Some(after.clone()));
                    let before = self.store.range(&at).await?;
                    more = before
                        .into_iter()
                        .filter(|it| it.at.sort() == after)
                        .collect();
                }
            }
            ListsWhereItWas if range.of == Of::Index => {
                let listed = self.listed.lock().clone();
                for (at, key) in listed
                    .into_iter()
                    .filter(|(at, _)| at.partition() == range.partition)
                {
                    let found = self.store.get(&[key]).await?;
                    more.extend(found.into_iter().flatten().map(|record| Found {
                        at: at.clone(),
                        record,
                    }));
                }
            }
            _ => {}
        }
        let mut found = self.store.range(&range).await?;
        if self.is(RangeExcludesUntil)
            && let Some(until) = &range.until
        {
            found.retain(|it| it.at.sort() != until);
        }
        more.retain(|it| !found.contains(it));
        found.extend(more);
        Ok(found)
    }

    async fn changes_flawed(
        &self,
        after: u64,
        limit: usize,
        wait_ms: u64,
    ) -> Result<Vec<Commit>, ReadError> {
        let wait_ms = if self.is(FeedNeverWaits) { 0 } else { wait_ms };
        if self.is(FeedAlwaysWaits) {
            tokio::time::sleep(std::time::Duration::from_millis(wait_ms)).await;
        }
        let mut commits = self.store.changes(0, after, limit, wait_ms).await?;
        match self.flaw {
            FeedForgetsACommit => commits.retain(|it| it.position % 5 != 0),
            FeedTellsTwice => {
                let again: Vec<_> = commits
                    .iter()
                    .filter(|it| it.position % 7 == 0)
                    .cloned()
                    .collect();
                commits.extend(again.into_iter().map(|it| Commit {
                    position: it.position + 1,
                    ..it
                }));
                commits.sort_by_key(|it| it.position);
                commits.dedup_by_key(|it| (it.position, it.changes.len()));
            }
            FeedIsReversed => commits.reverse(),
            FeedRepeatsThePosition => commits.iter_mut().for_each(|it| it.position = after + 1),
            FeedStopsAtALargeCommit if limit < 100 => {
                let large = commits
                    .iter()
                    .position(|it| it.changes.len() > limit.max(2));
                commits.truncate(large.unwrap_or(commits.len()));
            }
            FeedTellsChecks | FeedTellsRefusedSets => {
                let extra = if self.is(FeedTellsChecks) {
                    &self.checked
                } else {
                    &self.refused
                };
                if let Some(last) = commits.last_mut() {
                    let extra: Vec<_> = extra.lock().drain(..).collect();
                    last.changes = last.changes.iter().cloned().chain(extra).collect();
                }
            }
            _ => {}
        }
        for commit in &mut commits {
            let mut changes = commit.changes.to_vec();
            match self.flaw {
                FeedForgetsDeletes => changes.retain(|it| it.record.is_some()),
                FeedTellsOnlyTheLastChange => drop(changes.drain(..changes.len() - 1)),
                FeedShowsThePresent => {
                    for change in &mut changes {
                        change.record = self
                            .store
                            .get(std::slice::from_ref(&change.key))
                            .await?
                            .remove(0);
                    }
                }
                _ => {}
            }
            commit.changes = changes.into();
        }
        Ok(commits)
    }
}

impl Store for Flawed {
    fn get<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Option<Record>>, ReadError>> {
        self.get_flawed(keys).boxed()
    }

    fn range<'a>(&'a self, range: &'a Range) -> BoxFuture<'a, Result<Vec<Found>, ReadError>> {
        self.range_flawed(range).boxed()
    }

    fn commit<'a>(&'a self, writes: &'a WriteSet) -> BoxFuture<'a, Result<(), CommitError>> {
        self.commit_flawed(writes).boxed()
    }

    fn shards(&self) -> u16 {
        1
    }

    fn changes(
        &self,
        _shard: u16,
        after: u64,
        limit: usize,
        wait_ms: u64,
    ) -> BoxFuture<'_, Result<Vec<Commit>, ReadError>> {
        self.changes_flawed(after, limit, wait_ms).boxed()
    }
}
