//! The log of this installation, as the sequencer, the publisher and the routes share it.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use lombard_core::{
    proof::{policy::Policy, tree::Head},
    time::Timestamp,
};
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use super::{blobs::Blobs, index::Spans, keys::LogKeys};

/// The name of the checkpoint's file.
pub const CHECKPOINT: &str = "checkpoint";

/// What an operator sets about the log.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The witnesses that are asked, and how many of them are enough.
    pub policy: Option<Policy>,
    /// Folders and URLs outside our own trust to which checkpoints are copied.
    pub exports: Vec<String>,
    /// Whether another process makes the log grow, so that what is published has to be looked up.
    pub followed: bool,
}

/// A checkpoint with the signatures that it got.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// Size and root.
    pub head: Head,
    /// The signed note.
    pub bytes: Bytes,
    /// Whether the witnesses that the policy asks for have cosigned it.
    pub quorum: bool,
}

/// See the module.
pub struct Log {
    /// The name of the log, which is the name of its keys.
    pub origin: String,
    /// Where its files are.
    pub blobs: Arc<dyn Blobs>,
    /// What signs for it.
    pub keys: Arc<dyn LogKeys>,
    /// What the operator set.
    pub settings: Settings,
    /// When the ids of each bundle were made.
    pub(super) spans: RwLock<Spans>,
    /// The newest head whose files are all published.
    pub(super) swapped: watch::Sender<Option<Head>>,
    published: watch::Sender<Option<Arc<Published>>>,
    waiting: Mutex<VecDeque<Waiting>>,
    inclusion_ms: AtomicU64,
    failing_since: AtomicU64,
}

/// A batch that no published checkpoint covers yet.
struct Waiting {
    size: u64,
    oldest_ms: u64,
}

/// How the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Leaves under the published checkpoint.
    pub size: u64,
    /// For how many milliseconds the oldest transaction has been waiting for a checkpoint; 0 when
    /// none waits. The lag that is watched.
    pub lag_ms: u64,
    /// How many milliseconds it took, for the batch that was published last, from the commit of
    /// its first transaction to the checkpoint.
    pub inclusion_ms: u64,
    /// Whether the witnesses that the policy asks for have cosigned the checkpoint.
    pub quorum: bool,
}

impl Log {
    /// The log whose files are in `blobs`. Its origin is the name of its keys.
    ///
    /// # Panics
    /// When there is no key.
    #[must_use]
    pub fn new(blobs: Arc<dyn Blobs>, keys: Arc<dyn LogKeys>, settings: Settings) -> Arc<Self> {
        let origin = match keys.public().first() {
            Some(key) => key.name().to_owned(),
            None => panic!("a log without a key"),
        };
        Arc::new(Self {
            origin,
            blobs,
            keys,
            settings,
            spans: RwLock::default(),
            swapped: watch::Sender::new(None),
            published: watch::Sender::new(None),
            waiting: Mutex::default(),
            inclusion_ms: AtomicU64::new(0),
            failing_since: AtomicU64::new(0),
        })
    }

    /// The checkpoint that is published.
    #[must_use]
    pub fn published(&self) -> Option<Arc<Published>> {
        self.published.borrow().clone()
    }

    /// To wait for the next one.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Option<Arc<Published>>> {
        self.published.subscribe()
    }

    /// How the log is at this moment.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        let (size, quorum) = self
            .published
            .borrow()
            .as_ref()
            .map_or((0, true), |published| {
                (published.head.size, published.quorum)
            });
        let oldest = self.waiting.lock().front().map(|batch| batch.oldest_ms);
        let failing = Some(self.failing_since.load(Ordering::Relaxed)).filter(|since| *since > 0);
        let since = oldest.into_iter().chain(failing).min();
        Status {
            size,
            lag_ms: since.map_or(0, |since| now.unix_ms().saturating_sub(since)),
            inclusion_ms: self.inclusion_ms.load(Ordering::Relaxed),
            quorum,
        }
    }

    /// A batch was swapped: its transactions wait for a checkpoint.
    pub(super) fn await_checkpoint(&self, size: u64, oldest_ms: u64) {
        self.waiting.lock().push_back(Waiting { size, oldest_ms });
    }

    /// A checkpoint is published.
    pub(super) fn publish(&self, published: Published, now: Timestamp) {
        let mut waiting = self.waiting.lock();
        while let Some(batch) = waiting.pop_front_if(|batch| batch.size <= published.head.size) {
            let took = now.unix_ms().saturating_sub(batch.oldest_ms);
            self.inclusion_ms.store(took, Ordering::Relaxed);
        }
        drop(waiting);
        self.show(published);
    }

    /// From now on this is what is shown.
    pub(super) fn show(&self, published: Published) {
        self.published.send_replace(Some(Arc::new(published)));
    }

    /// The sequencer works, or it does not since a moment; that moment, if not.
    pub(super) fn failing(&self, now: Option<Timestamp>) -> Option<Timestamp> {
        let Some(now) = now else {
            self.failing_since.store(0, Ordering::Relaxed);
            return None;
        };
        let before = self.failing_since.load(Ordering::Relaxed);
        if before == 0 {
            self.failing_since.store(now.unix_ms(), Ordering::Relaxed);
            return Some(now);
        }
        Some(Timestamp::from_unix_ms(before))
    }
}
