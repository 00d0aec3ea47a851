//! All that Lombard asks of the world: a store, somebody who decides, a clock with some luck,
//! and a vault. Adapters implement these; nothing else of an adapter crosses.
//!
//! **Three truths at every edge.** A call that failed was *not done* (try again), *refused*
//! (decide again) or is *unknown* (look, never guess). The types say which; what else an adapter
//! knows of its error is only logged.
//!
//! Futures are boxed so that the ports can be named without their adapters: one allocation a
//! call, and the HTTP layer compiles once for all of them.

use std::{error::Error, sync::Arc};

use futures_util::future::BoxFuture;
use lombard_core::{
    command::{Command, Rejection, Reply},
    payment::Sealed,
    store::{Commit, Key, Record, TooLarge, WriteSet},
    tenant::TenantId,
    time::Timestamp,
};

/// What an adapter knows of its own failure.
pub type Cause = Arc<dyn Error + Send + Sync>;

/// A transactional store of records.
///
/// Implementations pass the conformance suite, which is this contract, executable.
pub trait Store: Send + Sync + 'static {
    /// Reads the keys as they were at one moment, no earlier than the call; the answers are in
    /// the order of the keys.
    ///
    /// One moment, although guards would refuse a plan made of a torn read: a plan may assert
    /// what every moment satisfies before it commits.
    fn get<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Option<Record>>, ReadError>>;

    /// Reads a part of one partition. To list, and to find work; never to decide on, because
    /// what a range did not show is not guarded.
    fn range<'a>(&'a self, range: &'a Range) -> BoxFuture<'a, Result<Vec<Found>, ReadError>>;

    /// Applies every write, durably, or none. Returns only when it knows which, or says that it
    /// does not.
    fn commit<'a>(&'a self, writes: &'a WriteSet) -> BoxFuture<'a, Result<(), CommitError>>;

    /// Why the store takes no writes at the moment, in words for an operator; `None` when it
    /// takes them, or cannot know before it is asked.
    fn refuses(&self) -> Option<Arc<str>> {
        None
    }

    /// What was found damaged in the store since it was opened, in words for an operator. Reads and
    /// writes of everything else go on.
    fn damaged(&self) -> Option<Arc<str>> {
        None
    }

    /// How many shards the change feed has. A record's changes are all in one shard, in order.
    fn shards(&self) -> u16;

    /// The commits of a shard after a position, oldest first, up to about `limit` changes (at
    /// least one commit if there is any). Waits up to `wait_ms` milliseconds for the first.
    fn changes(
        &self,
        shard: u16,
        after: u64,
        limit: usize,
        wait_ms: u64,
    ) -> BoxFuture<'_, Result<Vec<Commit>, ReadError>>;
}

/// Which part of a partition, in which order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// Of which partition.
    pub partition: String,
    /// Whether `partition` is one of records or one of an index.
    pub of: Of,
    /// Only what comes after this sort key, in the order of the reading. From the end if `None`.
    pub after: Option<String>,
    /// Nothing that comes after this sort key, in the order of the reading.
    pub until: Option<String>,
    /// Whether the last comes first.
    pub backwards: bool,
    /// Whether a record that is damaged is passed over, instead of ending the reading. A store then
    /// says so ([`Store::damaged`]).
    pub past_damage: bool,
    /// How many at the most; at most [`RANGE_MAX`] are given.
    pub limit: usize,
}

/// The most that one range gives.
pub const RANGE_MAX: usize = 1000;

/// What a partition lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Records, under their own keys.
    Records,
    /// Records, under one of the keys in their `index`.
    Index,
}

impl Range {
    /// The first `limit` records of a partition.
    #[must_use]
    pub fn of(partition: &str, limit: usize) -> Self {
        let partition = partition.to_owned();
        let of = Of::Records;
        Self {
            partition,
            of,
            after: None,
            until: None,
            backwards: false,
            past_damage: false,
            limit,
        }
    }

    /// The first `limit` records that are listed under an index's partition.
    #[must_use]
    pub fn listed(partition: &str, limit: usize) -> Self {
        Self {
            of: Of::Index,
            ..Self::of(partition, limit)
        }
    }

    /// From the last to the first.
    #[must_use]
    pub fn backwards(mut self) -> Self {
        self.backwards = true;
        self
    }

    /// Passing over what is damaged: for lists, and for workers that must not be held up by one
    /// record. Not for sums and reports, which would be wrong.
    #[must_use]
    pub fn past_damage(mut self) -> Self {
        self.past_damage = true;
        self
    }

    /// Only after `sort`, in the order of the reading.
    #[must_use]
    pub fn after(mut self, sort: Option<String>) -> Self {
        self.after = sort;
        self
    }

    /// Only up to `sort` and itself, in the order of the reading.
    #[must_use]
    pub fn until(mut self, sort: String) -> Self {
        self.until = Some(sort);
        self
    }
}

/// One record of a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it stands in the range: its own key, or the key under which it is listed.
    pub at: Key,
    /// What it is.
    pub record: Record,
}

/// A read that gave nothing. It can always be tried again.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// The store did not answer, or not in time.
    #[error("the store cannot be read at the moment")]
    Unavailable(#[source] Cause),
    /// What is stored is damaged. Somebody must look; trying again does not help.
    #[error("a stored record is damaged")]
    Damaged(#[source] Cause),
    /// The feed no longer reaches back to the position that was asked for.
    #[error("the change feed begins after position {0}")]
    Trimmed(u64),
}

/// Why a commit did not return `Ok`. What matters to the caller is only what may have happened.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommitError {
    /// A guard did not hold. Nothing was written; read again and decide again.
    #[error("{0:?} has changed")]
    Conflict(Key),
    /// The store refused. Nothing was written; the same set may be tried again later.
    #[error("the store takes no writes at the moment")]
    Unavailable(#[source] Cause),
    /// The answer was lost. All was written or nothing was; only reading again can tell.
    #[error("it is not known whether the store took the writes")]
    Unknown(#[source] Cause),
    /// No store takes such a set. Nothing was written.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// Carries out commands: reads, decides by [`lombard_core::plan`], commits, answers.
pub trait Bank: Send + Sync + 'static {
    /// Carries out a command, once, however often it is asked with the same key.
    fn execute(&self, command: Command) -> BoxFuture<'_, Result<Reply, ExecuteError>>;
}

/// Why a command has no reply.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ExecuteError {
    /// It was decided that it is not to be. Nothing was written.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// Too much is going on. Nothing was written; ask again, a little later.
    #[error("overloaded")]
    Overloaded,
    /// The store takes no writes. Nothing was written.
    #[error("the store takes no writes at the moment")]
    Unavailable(#[source] Cause),
    /// It may have been carried out. Ask again with the same key.
    #[error("the answer was lost")]
    Unknown(#[source] Cause),
}

impl ExecuteError {
    /// What is to be told when the answer to an earlier commit of the same request was lost: who only knows that the
    /// last try wrote nothing does not know what became of the first.
    #[must_use]
    pub fn after(self, lost: Option<Cause>) -> Self {
        match (self, lost) {
            (Self::Overloaded | Self::Unavailable(_), Some(cause)) => Self::Unknown(cause),
            (error, _) => error,
        }
    }
}

/// The only clock and the only randomness.
pub trait Host: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;
    /// 128 bits that nobody can foretell.
    fn random(&self) -> u128;
}

/// Keeps personal data so that nothing else has to.
pub trait Vault: Send + Sync + 'static {
    /// Encrypts `plain` for a tenant, bound to the subject that it belongs to.
    ///
    /// # Errors
    /// [`VaultError`] when there is no key to be had.
    fn seal(&self, tenant: TenantId, subject: &str, plain: &[u8]) -> Result<Sealed, VaultError>;

    /// Decrypts what [`Vault::seal`] gave for the same tenant and subject.
    ///
    /// # Errors
    /// [`VaultError`] when the key is gone or the data is not what was sealed.
    fn open(&self, tenant: TenantId, subject: &str, sealed: &Sealed)
    -> Result<Vec<u8>, VaultError>;

    /// A keyed hash of `text`, in hexadecimal: the same text gives the same hash within
    /// `domain`, and without the key nobody can look the text up.
    fn blind(&self, domain: &str, text: &str) -> String;
}

/// The vault did not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// There is no such key (any more).
    #[error("the key {0} is not there")]
    NoKey(String),
    /// The data was sealed for something else, or was changed.
    #[error("the sealed data cannot be opened")]
    NotGenuine,
}
