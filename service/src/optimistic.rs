//! The execute loop over any [`Store`]: read, decide, commit, decide again.
//!
//! A lost answer is no branch of the loop. Reading again finds the outcome if the commit
//! landed, and the plan replays it; if it did not land, the plan is made anew. Only when the loop comes to no
//! answer does it matter: then nobody may be told that nothing was done. The embedded
//! engine does without this loop: it decides on its writer's thread, where nothing conflicts.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use lombard_core::{
    command::{Command, Render, Reply},
    plan::{Context, Reads, Step, plan},
    planted,
    store::Snapshot,
};

use crate::ports::{Bank, Cause, CommitError, ExecuteError, Host, ReadError, Store};

/// How often a command is decided before its caller is told to come back. Conflicts on one
/// account come from its own holder's payments; 12 tries with full jitter up to a quarter of a
/// second let dozens of them through.
const TRIES_MAX: u32 = 12;
/// The first pause after a conflict, doubled each time, of which a random part is waited.
const PAUSE_MS_BASE: u64 = 2;
/// The longest pause after a conflict.
const PAUSE_MS_MAX: u64 = 250;

/// A [`Bank`] over a store that others write to as well.
pub struct Optimistic {
    store: Arc<dyn Store>,
    host: Arc<dyn Host>,
    render: Arc<dyn Render>,
}

impl Optimistic {
    /// Decides over `store`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, host: Arc<dyn Host>, render: Arc<dyn Render>) -> Self {
        Self {
            store,
            host,
            render,
        }
    }

    async fn run(&self, command: Command) -> Result<Reply, ExecuteError> {
        let mut last = ExecuteError::Overloaded;
        let mut lost: Option<Cause> = None;
        for attempt in 0..TRIES_MAX {
            if attempt > 0 {
                self.pause(attempt).await;
            }
            let decided = self.decide(&command).await;
            let (writes, reply) = match decided.map_err(|error| error.after(lost.clone()))? {
                Step::Replay(reply) => return Ok(reply),
                Step::Commit(writes, reply) => (writes, reply),
                Step::Read(_) => continue,
            };
            match self.store.commit(&writes).await {
                Ok(()) => return Ok(reply),
                Err(CommitError::Conflict(_)) => last = ExecuteError::Overloaded,
                Err(CommitError::Unavailable(cause)) => last = ExecuteError::Unavailable(cause),
                Err(CommitError::Unknown(_)) if planted!(UnknownIsDone) => return Ok(reply),
                Err(CommitError::Unknown(cause)) => lost = Some(cause),
                Err(CommitError::TooLarge(size)) => {
                    last = ExecuteError::Unavailable(Arc::new(size));
                    break;
                }
            }
        }
        Err(last.after(lost))
    }

    /// What would be written, were the command carried out now. Reads until the plan can be made.
    /// Everything is read again, together, each round, so that the plan is of one moment.
    ///
    /// # Errors
    /// See [`ExecuteError`].
    pub async fn decide(&self, command: &Command) -> Result<Step, ExecuteError> {
        let mut reads = Reads::default();
        loop {
            let snapshot = self.read(&reads).await.map_err(unreadable)?;
            let context = Context {
                now: self.host.now(),
                render: self.render.as_ref(),
            };
            match plan(&snapshot, command, context)? {
                Step::Read(more) => {
                    reads.guarded.extend(more.guarded);
                    reads.hints.extend(more.hints);
                }
                decided => return Ok(decided),
            }
        }
    }

    async fn read(&self, reads: &Reads) -> Result<Snapshot, ReadError> {
        let mut snapshot = Snapshot::default();
        let keys: Vec<_> = reads.guarded.iter().chain(&reads.hints).cloned().collect();
        if keys.is_empty() {
            return Ok(snapshot);
        }
        let found = self.store.get(&keys).await?;
        for (place, (key, record)) in keys.into_iter().zip(found).enumerate() {
            if place < reads.guarded.len() {
                snapshot.put(key, record);
            } else {
                snapshot.put_hint(key, record);
            }
        }
        Ok(snapshot)
    }

    /// Full jitter: anything from nothing to the whole pause, so that rivals spread out.
    async fn pause(&self, attempt: u32) {
        let longest = (PAUSE_MS_BASE << attempt.min(16)).min(PAUSE_MS_MAX);
        let pause = (self.host.random() % u128::from(longest + 1)) as u64;
        tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
    }
}

fn unreadable(error: ReadError) -> ExecuteError {
    ExecuteError::Unavailable(Arc::new(error))
}

impl Bank for Optimistic {
    fn execute(&self, command: Command) -> BoxFuture<'_, Result<Reply, ExecuteError>> {
        Box::pin(self.run(command))
    }
}
