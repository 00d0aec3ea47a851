//! The store of a world: the reference store, watched by the auditor, and seen by each process
//! through a view of its own that fails as stores do.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use lombard_core::store::{Commit, Key, Record, WriteSet};
use lombard_service::{
    memory::Memory,
    ports::{Cause, CommitError, Found, Range, ReadError, Store},
};

use super::{
    Shared,
    life::{Blow, Life},
    luck::Luck,
};

/// What a process sees of the store.
pub struct View {
    /// Everybody's.
    pub shared: Arc<Shared>,
    /// The process that looks.
    pub life: Arc<Life>,
    /// Which of its calls fail.
    pub luck: Luck,
    /// Its name in the history.
    pub name: String,
}

/// Why a simulated call failed: it was told to.
#[derive(Debug, thiserror::Error)]
#[error("simulated")]
pub struct Simulated;

/// The cause of simulated failures.
#[must_use]
pub fn simulated() -> Cause {
    Arc::new(Simulated)
}

/// What becomes of a commit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Done,
    Refused,
    Conflict,
    Lost,
    LostDone,
}

/// Whose step a commit is, by what it writes.
fn kind_of(writes: &WriteSet) -> &'static str {
    let written = writes.iter().filter(|(_, write)| write.result().is_some());
    let mut keys: Vec<&Key> = written.map(|(key, _)| key).collect();
    // What tells most comes first: a cursor beside entries is the roll-up's.
    keys.sort_by_key(|key| !key.partition().starts_with("cursor#"));
    let kind = |key: &Key| match (key.partition(), key.sort()) {
        (partition, _) if partition.starts_with("cursor#rollup") => Some("the roll-up"),
        (partition, _) if partition.starts_with("cursor#batches") => Some("the counts of a file"),
        (partition, _) if partition.starts_with("cursor#") => Some("a cursor"),
        ("log#ledger", _) => Some("the head of the log"),
        (_, "exception") => Some("an exception"),
        (_, "outcome") => Some("an answer"),
        (partition, _) if partition.contains("/whk_") => Some("a delivery"),
        _ => None,
    };
    let timer = writes.iter().any(|(key, write)| {
        key.partition().starts_with("timer#") && matches!(write.result(), Some(None))
    });
    let other = if timer { "a timer" } else { "a worker's news" };
    keys.into_iter().find_map(kind).unwrap_or(other)
}

impl View {
    /// The truth behind the view.
    fn memory(&self) -> &Memory {
        &self.shared.memory
    }

    /// Takes its time, sometimes.
    async fn slow(&self) {
        if self.luck.happens(self.shared.weather(|now| now.slow)) {
            let ms = self.luck.between(1, 40);
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
    }

    async fn read(&self) -> Result<(), ReadError> {
        self.life.pass().await;
        self.slow().await;
        self.life.pass().await;
        if self.luck.happens(self.shared.weather(|now| now.unread)) {
            return Err(ReadError::Unavailable(simulated()));
        }
        Ok(())
    }

    fn fate(&self) -> Fate {
        let drawn = self.luck.below(1000) as u32;
        let fates = self.shared.weather(|now| {
            [
                (now.refused, Fate::Refused),
                (now.conflict, Fate::Conflict),
                (now.lost, Fate::Lost),
                (now.lost_done, Fate::LostDone),
            ]
        });
        let mut end = 0;
        for (share, fate) in fates {
            end += share;
            if drawn < end {
                return fate;
            }
        }
        Fate::Done
    }

    fn dies(&self) -> bool {
        let dies = self.luck.below(10_000) < u64::from(self.shared.weather(|now| now.crash));
        dies && self.shared.may_crash()
    }

    async fn die(&self, when: &str) {
        self.shared
            .history
            .note("world", || format!("!! {} dies {when} a commit", self.name));
        self.life.end();
        self.life.pass().await;
    }

    async fn write(&self, writes: &WriteSet) -> Result<(), CommitError> {
        self.life.pass().await;
        let blow = self.shared.effects.next(kind_of(writes));
        if blow == Some(Blow::DiesBefore) || self.dies() {
            self.die("before").await;
        }
        self.slow().await;
        self.life.pass().await;
        let fate = match blow {
            Some(Blow::Refused) => Fate::Refused,
            Some(Blow::Lost) => Fate::Lost,
            Some(Blow::LostDone) => Fate::LostDone,
            _ => self.fate(),
        };
        self.say(fate, writes);
        match fate {
            Fate::Refused => return Err(CommitError::Unavailable(simulated())),
            Fate::Lost => return Err(CommitError::Unknown(simulated())),
            Fate::Conflict => {
                let key = writes.iter().next().map(|(key, _)| key.clone());
                return Err(CommitError::Conflict(
                    key.unwrap_or_else(|| Key::new("simulated", "")),
                ));
            }
            Fate::Done | Fate::LostDone => {}
        }
        let done = self.memory().commit(writes).await;
        if done.is_ok() {
            self.shared.audit_commit(&self.name, writes);
        }
        if blow == Some(Blow::DiesAfter) || self.dies() {
            self.die("after").await;
        }
        self.slow().await;
        self.life.pass().await;
        match (fate, &done) {
            (Fate::LostDone, Ok(())) => Err(CommitError::Unknown(simulated())),
            _ => done,
        }
    }

    fn say(&self, fate: Fate, writes: &WriteSet) {
        let text = match fate {
            Fate::Done => return,
            Fate::Refused => "is refused",
            Fate::Conflict => "meets a conflict",
            Fate::Lost => "is lost",
            Fate::LostDone => "loses its answer",
        };
        self.shared.history.note(&self.name, || {
            let keys: Vec<String> = writes.iter().map(|(key, _)| format!("{key:?}")).collect();
            format!("a commit {text}: {}", keys.join(" "))
        });
    }
}

impl Store for View {
    fn get<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Option<Record>>, ReadError>> {
        Box::pin(async move {
            self.read().await?;
            let found = self.memory().get(keys).await;
            self.slow().await;
            self.life.pass().await;
            found
        })
    }

    fn range<'a>(&'a self, range: &'a Range) -> BoxFuture<'a, Result<Vec<Found>, ReadError>> {
        Box::pin(async move {
            self.read().await?;
            self.memory().range(range).await
        })
    }

    fn commit<'a>(&'a self, writes: &'a WriteSet) -> BoxFuture<'a, Result<(), CommitError>> {
        Box::pin(self.write(writes))
    }

    fn shards(&self) -> u16 {
        self.memory().shards()
    }

    fn changes(
        &self,
        shard: u16,
        after: u64,
        limit: usize,
        wait_ms: u64,
    ) -> BoxFuture<'_, Result<Vec<Commit>, ReadError>> {
        Box::pin(async move {
            self.read().await?;
            // A consumer that gets little at a time, or late, must come to the same.
            let slow = self.luck.happens(self.shared.weather(|now| now.slow));
            let limit = if slow { 1 } else { limit };
            let commits = self.memory().changes(shard, after, limit, wait_ms).await?;
            self.slow().await;
            self.life.pass().await;
            self.shared.audit_feed(after, &commits);
            Ok(commits)
        })
    }
}
