//! The engine: the store of one process, over a log and an index.
//!
//! # Shape
//! One thread writes ([`writer`]): it takes commands from a bounded queue, decides them with the pure plan
//! against the records as they are, appends one frame for the whole group, and answers. One thread indexes
//! ([`indexer`]). Readers read on their own threads ([`reads`]). Nobody waits for a lock that is held during
//! input or output.
//!
//! # The three layers of a record
//! The active memtable (what was committed last), the frozen one (what is being indexed), and the index,
//! which says where in the log a record is. The log has every record; memory is bounded however many there
//! are.
//!
//! # Damage
//! A record is verified whenever it is read from the log, and every old frame once after each start
//! ([`scrub`]). What is found is kept in mind and told ([`Store::damaged`]).
//!
//! # Crash
//! The log is the truth. Opening reads the index's last durable batch and the frames after it, at most
//! about four memtables' worth, and is where it was. There is no other recovery.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering::Relaxed},
    thread::{self, JoinHandle},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use lombard_core::{
    command::{Command, Render, Reply},
    store::{Commit, Key, Record, WriteSet},
};
use lombard_service::{
    metrics::sample::{Figures, Gauged},
    ports::{Bank, CommitError, ExecuteError, Found, Host, Range, ReadError, Store},
    traces,
};
use tokio::sync::{mpsc, oneshot};

mod feed;
mod group;
mod hot;
mod indexer;
mod open;
mod reads;
mod scrub;
mod shared;
mod writer;

pub use open::{Options, StartError};
use shared::Shared;
use writer::{Job, QUEUE_MAX};

use crate::{lock::Lock, log::Torn};

/// The embedded store. It is closed when it is dropped: what was accepted is written first.
pub struct Engine {
    shared: Arc<Shared>,
    jobs: Option<mpsc::Sender<Job>>,
    /// The writer, then those who help it.
    threads: Vec<JoinHandle<()>>,
    torn: Option<Torn>,
    folder: Option<PathBuf>,
    /// Given back last.
    _lock: Option<Lock>,
}

/// How the store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The last transaction that is durable.
    pub last: u64,
    /// The value of the chain there.
    pub chain: crate::log::Hash,
    /// Why the store takes no writes, if so. It needs a person then, or room on the disk.
    pub refuses: Option<Arc<str>>,
    /// Bytes in memory that wait to be indexed, about.
    pub unindexed_bytes: usize,
}

impl Engine {
    /// Opens the store in `folder`, or begins one there.
    ///
    /// # Errors
    /// [`StartError`] says what to do.
    pub fn open(
        folder: &Path,
        host: Arc<dyn Host>,
        render: Arc<dyn Render>,
        options: &Options,
    ) -> Result<Self, StartError> {
        open::open(folder, host, render, options)
    }

    /// Opens the store whose log is on `disk` and whose index is at `index`. For tests, which bring their own
    /// disk: nothing is locked.
    ///
    /// # Errors
    /// As [`Engine::open`].
    pub fn open_on(
        disk: Arc<dyn crate::disk::Disk>,
        index: &Path,
        host: Arc<dyn Host>,
        render: Arc<dyn Render>,
        options: &Options,
    ) -> Result<Self, StartError> {
        open::open_on(disk, index, None, host, render, options)
    }

    /// Reads the log, for backups and audits.
    pub fn log(&self) -> &crate::log::Reader {
        &self.shared.log
    }

    /// The torn write that opening removed, if there was one.
    pub fn torn(&self) -> Option<Torn> {
        self.torn
    }

    /// How the store is at this moment.
    pub fn health(&self) -> Health {
        let (last, chain) = self.shared.log.head();
        let published = self.shared.published.read();
        let frozen = published.frozen.as_ref().map_or(0, |it| it.bytes());
        Health {
            last,
            chain,
            refuses: self.shared.refuses(),
            unindexed_bytes: published.active.bytes() + frozen,
        }
    }

    /// Ends when a write of the log has failed, and says how. The store takes no writes from then
    /// on, and never will until it is opened anew: what is on the disk is not known, so that
    /// nothing may be built on it. Reads go on.
    ///
    /// A value of its own, which does not keep the store open.
    pub fn failure(&self) -> impl Future<Output = Arc<str>> + Send + use<> {
        let mut failed = self.shared.failed.subscribe();
        async move {
            let reason = failed.wait_for(Option::is_some).await;
            match reason.ok().and_then(|reason| reason.clone()) {
                Some(reason) => reason,
                // The store was closed in order.
                None => std::future::pending().await,
            }
        }
    }

    fn send(&self, job: Job) -> Result<(), Refused> {
        let jobs = self.jobs.as_ref().ok_or(Refused::Closed)?;
        jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Refused::Full,
            mpsc::error::TrySendError::Closed(_) => Refused::Closed,
        })
    }
}

impl Gauged for Engine {
    fn figures(&self) -> Figures {
        let health = self.health();
        let jobs = self.jobs.as_ref();
        Figures {
            queue_depth: jobs.map_or(0, |jobs| QUEUE_MAX - jobs.capacity()),
            queue_limit: QUEUE_MAX,
            position: health.last,
            indexed: self.shared.covered.load(Relaxed),
            segments: self.shared.log.end().segment as usize + 1,
            unindexed_bytes: health.unindexed_bytes,
            refuses: health.refuses.is_some(),
            disk_free_bytes: self.folder.as_deref().and_then(indexer::free_bytes),
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        drop(self.jobs.take());
        // The writer first: it may need the indexer to make room for what is still in the queue.
        let closing = self.threads.drain(..).enumerate();
        for (n, thread) in closing {
            if n > 0 {
                self.shared.close();
            }
            let _ = thread.join(); // It panicked, and said so; there is nothing to clean up.
        }
    }
}

/// Why a job was not taken.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("overloaded: {QUEUE_MAX} requests are waiting already")]
    Full,
    #[error("the store is closed")]
    Closed,
}

/// The writer ended without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the writer ended before it answered")]
struct NoAnswer;

impl Store for Engine {
    fn get<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Option<Record>>, ReadError>> {
        async move { self.shared.get(keys) }.boxed()
    }

    fn refuses(&self) -> Option<Arc<str>> {
        self.shared.refuses()
    }

    fn damaged(&self) -> Option<Arc<str>> {
        self.shared.damaged.get().cloned()
    }

    fn range<'a>(&'a self, range: &'a Range) -> BoxFuture<'a, Result<Vec<Found>, ReadError>> {
        async move { self.shared.range(range) }.boxed()
    }

    fn commit<'a>(&'a self, writes: &'a WriteSet) -> BoxFuture<'a, Result<(), CommitError>> {
        async move {
            let (answer, answered) = oneshot::channel();
            self.send(Job::Commit(writes.clone(), answer))
                .map_err(|refused| CommitError::Unavailable(Arc::new(refused)))?;
            answered
                .await
                .unwrap_or_else(|_| Err(CommitError::Unknown(Arc::new(NoAnswer))))
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
            let mut news = self.shared.last.subscribe();
            if wait_ms > 0 {
                let arrived = news.wait_for(|last| *last > after);
                // Whether it came or not, what there is now is the answer.
                let _ = tokio::time::timeout(Duration::from_millis(wait_ms), arrived).await;
            }
            self.shared.commits_after(after, limit)
        }
        .boxed()
    }
}

impl Bank for Engine {
    fn execute(&self, command: Command) -> BoxFuture<'_, Result<Reply, ExecuteError>> {
        async move {
            let (answer, answered) = oneshot::channel();
            let span = traces::current();
            self.send(Job::Execute(Box::new(command), answer, span))
                .map_err(|refused| match refused {
                    Refused::Full => ExecuteError::Overloaded,
                    Refused::Closed => ExecuteError::Unavailable(Arc::new(refused)),
                })?;
            answered
                .await
                .unwrap_or_else(|_| Err(ExecuteError::Unknown(Arc::new(NoAnswer))))
        }
        .boxed()
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.into()).spawn(run)
}
