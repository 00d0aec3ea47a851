//! A bank with one writer: commands are decided one after the other, as on the embedded engine's
//! own thread, so that none meets a conflict with another.
//!
//! It differs from the engine in what it does not have: no group, no records in memory, no disk. What
//! is the same is the order of things, and that an answer which was lost is told as lost, and not
//! looked for.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use lombard_core::{
    command::{Command, Render, Reply},
    plan::{Context, Step, plan},
    store::Snapshot,
};
use lombard_service::ports::{Bank, CommitError, ExecuteError, Host, ReadError, Store};
use tokio::sync::Mutex;

/// See the module.
pub struct OneWriter {
    store: Arc<dyn Store>,
    host: Arc<dyn Host>,
    render: Arc<dyn Render>,
    /// Whose turn it is; those who wait are served in order.
    turn: Mutex<()>,
}

/// How often a decision is made anew because somebody wrote to the store beside the writer, as
/// workers do with their cursors.
const TRIES_MAX: u32 = 4;

impl OneWriter {
    /// Decides over `store`, alone.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, host: Arc<dyn Host>, render: Arc<dyn Render>) -> Self {
        Self {
            store,
            host,
            render,
            turn: Mutex::new(()),
        }
    }

    async fn run(&self, command: Command) -> Result<Reply, ExecuteError> {
        let _turn = self.turn.lock().await;
        for _ in 0..TRIES_MAX {
            let (writes, reply) = match self.decide(&command).await? {
                Step::Replay(reply) => return Ok(reply),
                Step::Commit(writes, reply) => (writes, reply),
                Step::Read(_) => continue,
            };
            match self.store.commit(&writes).await {
                Ok(()) => return Ok(reply),
                Err(CommitError::Conflict(_)) => {}
                Err(CommitError::Unavailable(cause)) => {
                    return Err(ExecuteError::Unavailable(cause));
                }
                Err(CommitError::Unknown(cause)) => return Err(ExecuteError::Unknown(cause)),
                Err(CommitError::TooLarge(size)) => {
                    return Err(ExecuteError::Unavailable(Arc::new(size)));
                }
            }
        }
        Err(ExecuteError::Overloaded)
    }

    async fn decide(&self, command: &Command) -> Result<Step, ExecuteError> {
        let mut snapshot = Snapshot::default();
        loop {
            let context = Context {
                now: self.host.now(),
                render: self.render.as_ref(),
            };
            let reads = match plan(&snapshot, command, context)? {
                Step::Read(reads) => reads,
                decided => return Ok(decided),
            };
            // Nobody else decides meanwhile, so what was read a moment ago is still so.
            let guarded = self.store.get(&reads.guarded).await.map_err(unread)?;
            for (key, found) in reads.guarded.into_iter().zip(guarded) {
                snapshot.put(key, found);
            }
            let hints = self.store.get(&reads.hints).await.map_err(unread)?;
            for (key, found) in reads.hints.into_iter().zip(hints) {
                snapshot.put_hint(key, found);
            }
        }
    }
}

fn unread(error: ReadError) -> ExecuteError {
    ExecuteError::Unavailable(Arc::new(error))
}

impl Bank for OneWriter {
    fn execute(&self, command: Command) -> BoxFuture<'_, Result<Reply, ExecuteError>> {
        Box::pin(self.run(command))
    }
}
