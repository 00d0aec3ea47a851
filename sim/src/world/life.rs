//! The life of one process: when it dies, whatever it was about to do stays undone.
//!
//! A process is its tasks and what they know; only the store outlives it. It dies at an edge:
//! before or after something that the world can see, such as a commit or a call of the rail.
//! From then on no call of it returns, so nothing in it can act any more, and its tasks are
//! dropped wherever they wait.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Whether a process lives.
#[derive(Debug, Default)]
pub struct Life {
    dead: AtomicBool,
    died: Notify,
}

impl Life {
    /// Ends it.
    pub fn end(&self) {
        self.dead.store(true, Ordering::Relaxed);
        self.died.notify_waiters();
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    /// Waits for its end.
    pub async fn over(&self) {
        let mut died = std::pin::pin!(self.died.notified());
        died.as_mut().enable();
        if !self.is_over() {
            died.await;
        }
    }

    /// Comes back only if the process lives.
    pub async fn pass(&self) {
        if self.is_over() {
            std::future::pending::<()>().await;
        }
    }
}

/// What is done to one effect, for runs that try each in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    /// The store refuses, or the rail cannot be reached: nothing is done.
    Refused,
    /// The answer is lost and nothing was done.
    Lost,
    /// The answer is lost and it was done.
    LostDone,
    /// The process dies before it.
    DiesBefore,
    /// The process dies after it, before it knows.
    DiesAfter,
}

impl Blow {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Refused,
        Self::Lost,
        Self::LostDone,
        Self::DiesBefore,
        Self::DiesAfter,
    ];
}

/// Counts the effects of a world and strikes one of them.
#[derive(Debug, Default)]
pub struct Effects {
    count: AtomicU64,
    struck: Option<(u64, Blow)>,
    kinds: Mutex<BTreeSet<String>>,
}

impl Effects {
    /// Strikes the effect of a number, from 0; or none.
    #[must_use]
    pub fn new(struck: Option<(u64, Blow)>) -> Self {
        Self {
            count: AtomicU64::new(0),
            struck,
            kinds: Mutex::default(),
        }
    }

    /// Counts an effect of some kind; says what is to become of it.
    pub fn next(&self, kind: &str) -> Option<Blow> {
        let mut kinds = self.kinds.lock();
        if !kinds.contains(kind) {
            kinds.insert(kind.to_owned());
        }
        drop(kinds);
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        self.struck
            .filter(|(at, _)| *at == number)
            .map(|(_, blow)| blow)
    }

    /// Of which kinds there were some.
    #[must_use]
    pub fn kinds(&self) -> BTreeSet<String> {
        self.kinds.lock().clone()
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}
