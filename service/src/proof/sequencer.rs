//! The sequencer: ledger transactions of the change feed become leaves of the log.
//!
//! **Shape.** [`Sequencer::step`] takes what the feed has, grows the tree, stages the files, swaps
//! the head and publishes. After any failure it forgets what it knew and begins from the store, so
//! that recovery is the way in which every start goes.
//!
//! **What a crash leaves.** Before the swap: a staged file that nobody names. After it: a head
//! whose staged batches are published again, from the oldest, before anything else. The same
//! files come to be in both cases, because a leaf is a function of its transaction and its place
//! one of the feed.
//!
//! **Bounds.** A batch has at most [`LEAVES_MAX`] leaves and takes at most [`GATHER_MS`] to gather.
//! One sequencer runs at a time (the embedded store has one process; on AWS a concurrency of one):
//! a second one would not fork the log, the swap sees to that, but each would hold up the other.

mod resume;

use std::{collections::VecDeque, io, sync::Arc};

use lombard_core::{store::Record, time::Timestamp};
use tokio::{sync::watch, task::JoinHandle};
use tracing::{debug, warn};

use super::{
    growth::{File, Growth, NewLeaf, leaves_of},
    head::HeadRecord,
    log::Log,
    staged,
};
use crate::{
    app::App,
    duty,
    exceptions::{self, Kind, Trouble},
    ports::{CommitError, Host, ReadError, Store},
    worker::feed::rest,
};

/// The most leaves of a batch: a few megabytes.
pub const LEAVES_MAX: usize = 16_384;
/// How long a batch is gathered while transactions keep coming.
pub const GATHER_MS: u64 = 200;
/// Changes that are read from the feed at once.
const READ_CHANGES: usize = 8_192;
/// How long to wait for a first transaction.
const WAIT_MS: u64 = 500;
/// Positions that may go by without a transaction before the place is noted all the same; noting
/// is itself a commit, so an idle sequencer must not note after each.
const IDLE_POSITIONS: u64 = 10_000;
/// Staged batches before their files are made durable and they are dropped.
const STAGED_MAX: usize = 16;
/// How long part-filled files stay after a full one supersedes them: as long as somebody may
/// still read with an older checkpoint.
const SUPERSEDED_MS: u64 = 60_000;
/// How long the log may be behind before a person is told.
const BEHIND_MS: u64 = 30_000;
/// What the cases of the log are about.
const SUBJECT: &str = "log";

/// See the module.
pub struct Sequencer {
    store: Arc<dyn Store>,
    host: Arc<dyn Host>,
    log: Arc<Log>,
    state: Option<State>,
}

/// What the sequencer knows while nothing fails.
struct State {
    found: Option<Record>,
    record: HeadRecord,
    growth: Growth,
    /// How far the feed was read; ahead of the record while there are no transactions.
    reached: Vec<u64>,
    superseded: VecDeque<(Timestamp, Vec<String>)>,
    settling: Option<(Vec<String>, JoinHandle<io::Result<()>>)>,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stepped {
    /// Nothing new in the feed.
    Idle,
    /// So many leaves more.
    Grown(usize),
}

/// Why a step did not come to its end. The next one begins from the store.
#[derive(Debug, thiserror::Error)]
pub enum SequenceError {
    /// The feed or the head cannot be read.
    #[error("the store cannot be read")]
    Read(#[from] ReadError),
    /// The head was not swapped, or it is not known whether it was.
    #[error("the head of the log cannot be swapped")]
    Swap(#[source] CommitError),
    /// The log's files cannot be read or written.
    #[error("the log's files cannot be read or written")]
    Files(#[from] io::Error),
    /// What is published is not what the head says. Nothing must be added to it; a person must
    /// find out what was changed, and restore the files.
    #[error("the log's files are damaged: {0}")]
    Damaged(&'static str),
}

/// Runs the sequencer until `stop` turns true. The step that it is at is brought to its end, which
/// is less than a second away, so that nothing is swapped and not published.
pub async fn run(app: App, log: Arc<Log>, mut stop: watch::Receiver<bool>) {
    let mut sequencer = Sequencer::new(app.store.clone(), app.host.clone(), log.clone());
    let begun = app.host.now();
    // Of a case that an earlier run left open nothing is known yet.
    let mut told = true;
    while !*stop.borrow() {
        let Err(error) = duty::on("sequencer", sequencer.step(WAIT_MS)).await else {
            log.failing(None);
            // It grows, and nobody is shown what it grew to, or not fast enough.
            // What waited while nothing ran is no fault of this run, until it had its time.
            let now = app.host.now();
            let lag_ms = log.status(now).lag_ms.min(now.ms_since(begun));
            if lag_ms >= BEHIND_MS {
                let text = format!(
                    "the oldest entry has waited {} s for a checkpoint",
                    lag_ms / 1000
                );
                told = true;
                tell(&app, Kind::LogBehind, &text).await;
            } else if told {
                told = !caught_up(&app).await;
            }
            continue;
        };
        let text = crate::http::problem::chain(&error);
        warn!(error = %text, "the log does not grow");
        let since = log.failing(Some(app.host.now())).unwrap_or(app.host.now());
        let long = app.host.now().ms_since(since) >= BEHIND_MS;
        match error {
            // At once: files that are damaged do not mend by themselves.
            SequenceError::Damaged(_) => tell(&app, Kind::LogDamaged, &error.to_string()).await,
            _ if long => {
                told = true;
                tell(&app, Kind::LogBehind, &error.to_string()).await;
            }
            _ => {}
        }
        rest(&mut stop, 500).await;
    }
}

/// Closes the case of a log that was behind; says whether that is done.
async fn caught_up(app: &App) -> bool {
    let operator = exceptions::operator();
    let case = Trouble::new(operator, Kind::LogBehind, SUBJECT, "").id();
    let note = "its checkpoints cover the ledger again";
    let closed = exceptions::resolve(app, operator, case, "worker/sequencer", "caught_up", note);
    closed.await.is_ok()
}

async fn tell(app: &App, kind: Kind, text: &str) {
    let trouble = Trouble::new(exceptions::operator(), kind, SUBJECT, text);
    if let Err(error) = exceptions::raise(app, trouble).await {
        warn!(%error, "the exception cannot be stored yet");
    }
}

impl Sequencer {
    /// A sequencer that knows nothing yet.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, host: Arc<dyn Host>, log: Arc<Log>) -> Self {
        Self {
            store,
            host,
            log,
            state: None,
        }
    }

    /// Takes the next part of the feed into the log, waiting up to `wait_ms` for one.
    ///
    /// # Errors
    /// See [`SequenceError`]; the next step begins from the store.
    pub async fn step(&mut self, wait_ms: u64) -> Result<Stepped, SequenceError> {
        let mut state = match self.state.take() {
            Some(state) => state,
            None => self.resume().await?,
        };
        let (leaves, reached) = self.gather(&state, wait_ms).await?;
        let stepped = Stepped::Grown(leaves.len());
        if leaves.is_empty() {
            let passed: u64 =
                reached.iter().sum::<u64>() - state.record.reached.iter().sum::<u64>();
            state.reached = reached;
            if passed >= IDLE_POSITIONS {
                let record = HeadRecord {
                    reached: state.reached.clone(),
                    ..state.record.clone()
                };
                self.swap(&mut state, record).await?;
            }
            self.state = Some(state);
            return Ok(Stepped::Idle);
        }
        self.grow(&mut state, &leaves, reached).await?;
        self.tidy(&mut state).await?;
        self.state = Some(state);
        Ok(stepped)
    }

    /// Reads the feed until it has no more, the batch is full, or it took long enough.
    async fn gather(
        &self,
        state: &State,
        wait_ms: u64,
    ) -> Result<(Vec<NewLeaf>, Vec<u64>), SequenceError> {
        let mut reached = state.reached.clone();
        let mut leaves = Vec::new();
        let mut since = None;
        let shards = u64::from(self.store.shards()).max(1);
        loop {
            let mut read = 0;
            for (shard, reached) in (0..).zip(&mut reached) {
                // Only who has nothing yet waits, and all shards together for no longer than asked.
                let wait = if leaves.is_empty() {
                    wait_ms / shards
                } else {
                    0
                };
                let changes = self.store.changes(shard, *reached, READ_CHANGES, wait);
                for commit in changes.await? {
                    leaves.extend(leaves_of(&commit));
                    *reached = commit.position;
                    read += 1;
                }
            }
            let now = self.host.now();
            let begun = *since.get_or_insert(now);
            if read == 0 || leaves.len() >= LEAVES_MAX || now.ms_since(begun) >= GATHER_MS {
                return Ok((leaves, reached));
            }
            if leaves.is_empty() {
                continue;
            }
            // What comes within the next moment goes into the same batch: a batch costs a sync.
            tokio::time::sleep(std::time::Duration::from_millis(GATHER_MS / 10)).await;
        }
    }

    async fn grow(
        &self,
        state: &mut State,
        leaves: &[NewLeaf],
        reached: Vec<u64>,
    ) -> Result<(), SequenceError> {
        let size = state.growth.edge.size();
        let mut batch = state.growth.add(leaves);
        let index = self.log.spans.read().files_after(size, &batch.spans);
        batch.files.extend(index);
        let name = staged::name(&batch.head);
        let packed = staged::pack(&batch.files);
        self.log.blobs.put_durable(&name, packed).await?;
        let mut staged = state.record.staged.clone();
        staged.push(name);
        let record = HeadRecord {
            size: batch.head.size,
            root: batch.head.root.to_string(),
            before: size,
            reached: if lombard_core::planted!(LeafTwice) {
                state.record.reached.clone()
            } else {
                reached.clone()
            },
            staged,
        };
        self.swap(state, record).await?;
        if lombard_core::planted!(HeadEarly) {
            self.log.swapped.send_replace(Some(batch.head));
        }
        let oldest = leaves.iter().map(|leaf| leaf.at_ms).min().unwrap_or(0);
        self.log.await_checkpoint(batch.head.size, oldest);
        self.publish(&batch.files).await?;
        self.log.spans.write().extend(size, &batch.spans);
        self.log.swapped.send_replace(Some(batch.head));
        debug!(
            size = batch.head.size,
            leaves = leaves.len(),
            "the log grew"
        );
        state.growth = batch.growth;
        state.reached = reached;
        state
            .superseded
            .push_back((self.host.now(), batch.superseded));
        Ok(())
    }

    /// The commit point. The new version of the record follows from the old one.
    async fn swap(&self, state: &mut State, record: HeadRecord) -> Result<(), SequenceError> {
        let writes = record.swap(state.found.clone());
        self.store
            .commit(&writes)
            .await
            .map_err(SequenceError::Swap)?;
        let written = writes.iter().next().and_then(|(_, write)| write.result());
        state.found = written.flatten();
        state.record = record;
        Ok(())
    }

    async fn publish(&self, files: &[File]) -> Result<(), SequenceError> {
        for (name, bytes) in files {
            self.log.blobs.put(name, bytes.clone()).await?;
        }
        Ok(())
    }

    /// Drops what is no longer needed: staged batches whose files are durable, and part-filled
    /// files that full ones have superseded for a while.
    async fn tidy(&self, state: &mut State) -> Result<(), SequenceError> {
        let blobs = &self.log.blobs;
        if state
            .settling
            .as_ref()
            .is_some_and(|(_, sync)| sync.is_finished())
            && let Some((names, sync)) = state.settling.take()
        {
            sync.await.map_err(io::Error::other)??;
            for name in &names {
                blobs.remove(name).await?;
            }
            state.record.staged.retain(|name| !names.contains(name));
        }
        if state.settling.is_none() && state.record.staged.len() >= STAGED_MAX {
            let (names, blobs) = (state.record.staged.clone(), blobs.clone());
            let sync = tokio::spawn(async move { blobs.sync().await });
            state.settling = Some((names, sync));
        }
        let now = self.host.now();
        let old = |(since, _): &mut (Timestamp, Vec<String>)| now.ms_since(*since) >= SUPERSEDED_MS;
        while let Some((_, folders)) = state.superseded.pop_front_if(old) {
            for folder in folders {
                blobs.remove(&folder).await?;
            }
        }
        Ok(())
    }
}
