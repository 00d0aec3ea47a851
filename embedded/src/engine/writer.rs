//! The one writer: takes what is asked, decides it against the records as they are, writes the whole group to
//! the log at once, and then, and only then, answers.
//!
//! **Groups form by themselves.** While one group is being synced the next one gathers in the queue; there is
//! no waiting for more. **Answers wait for the disk**, all of them: a refusal or a repeated answer may rest
//! on a transaction of the same group, and must not be given before that is durable.
//!
//! **Bounds.** The queue has a length, a group a number and a size; memory that waits to be indexed is
//! bounded too. At each bound the store refuses, at once and in words, instead of falling behind.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Instant,
};

use lombard_core::{
    command::{Command, Render, Reply},
    plan::{Context, Step, plan},
    store::{Key, Record, Snapshot, WriteSet},
};
use lombard_service::{
    metrics::{METRICS, kinds::Took, label::Store},
    ports::{Cause, CommitError, ExecuteError, Host, ReadError},
    seldom::Seldom,
    traces::{Context as SpanContext, Span},
};
use tokio::sync::{mpsc, oneshot};

use super::{group::Group, hot::Hot, shared::Shared};
use crate::{
    log::{AppendError, Writer as LogWriter},
    slice,
};

/// Commands that may wait. At 20,000 a second a full queue is a tenth of a second of waiting; more would only
/// make everybody late.
pub const QUEUE_MAX: usize = 2048;
/// Commands decided for one group.
const GROUP_MAX: usize = 512;
/// A group is closed at this size in bytes: the disk takes a millisecond for it, and larger ones only wait
/// longer. The last transaction may exceed it by its own 3 MiB.
const GROUP_BYTES: usize = 1024 * 1024;
/// Rounds of reading that one decision may take. Plans need two or three; one that asks for ever is a bug.
const ROUNDS_MAX: usize = 16;
/// The time slice of the writer's thread in nanoseconds: see [`slice`].
const SLICE_NS: u64 = 100_000;

/// Something to be done on the writer's thread.
pub enum Job {
    Commit(WriteSet, oneshot::Sender<Result<(), CommitError>>),
    Execute(
        Box<Command>,
        oneshot::Sender<Result<Reply, ExecuteError>>,
        /// The span that waits for it.
        Option<SpanContext>,
    ),
}

impl Job {
    const fn span(&self) -> Option<SpanContext> {
        match self {
            Self::Execute(_, _, span) => *span,
            Self::Commit(..) => None,
        }
    }
}

/// An answer that waits for the group to be durable, and whether it tells of a write in it.
enum Answer {
    Commit(
        oneshot::Sender<Result<(), CommitError>>,
        Result<bool, CommitError>,
    ),
    Execute(
        oneshot::Sender<Result<Reply, ExecuteError>>,
        bool,
        Result<Reply, ExecuteError>,
    ),
}

/// The writer and what only it uses.
pub struct Writer {
    pub shared: Arc<Shared>,
    pub log: LogWriter,
    pub host: Arc<dyn Host>,
    pub render: Arc<dyn Render>,
    /// The size of a memtable that is handed to the indexer, in bytes.
    pub freeze_bytes: usize,
    /// Under which name it is measured.
    pub store: Store,
    pub hot: Hot,
    pub group: Group,
    pub answers: Answers,
    /// The spans that wait for the group.
    pub traced: Vec<SpanContext>,
    /// A full disk refuses one group after the other.
    pub refusals: Seldom,
}

/// The answers of a group.
#[derive(Default)]
pub struct Answers(Vec<Answer>);

impl Writer {
    /// Works until the queue is closed and empty.
    pub fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        if let Err(error) = slice::request(SLICE_NS) {
            tracing::debug!(%error, "the writer has no time slice of its own");
        }
        let mut taken = Vec::with_capacity(GROUP_MAX);
        while jobs.blocking_recv_many(&mut taken, GROUP_MAX) > 0 {
            let refused = self.shared.wait_for_room(self.freeze_bytes);
            // One reading of the clock a job: where one ends the next begins.
            let mut begun = Instant::now();
            for job in taken.drain(..) {
                let span = job.span();
                self.take(job, refused.as_ref());
                let ended = Instant::now();
                if let Some(span) = span {
                    Span::note(span, "store.decide", begun, ended);
                    self.traced.push(span);
                }
                let deciding = METRICS.store_decision_duration.of((self.store,));
                deciding.took(ended.duration_since(begun));
                begun = ended;
                if self.group.buffer.len() >= GROUP_BYTES.min(self.log.room() / 2) {
                    self.flush();
                    begun = Instant::now();
                }
            }
            self.flush();
        }
    }

    fn take(&mut self, job: Job, refused: Option<&Cause>) {
        let answer = match job {
            Job::Commit(writes, answer) => {
                let done = match refused {
                    Some(cause) => Err(CommitError::Unavailable(cause.clone())),
                    None => self.stage(writes, &Snapshot::default()),
                };
                Answer::Commit(answer, done)
            }
            Job::Execute(command, answer, _) => match self.execute(&command, refused) {
                Ok((wrote, reply)) => Answer::Execute(answer, wrote, Ok(reply)),
                Err(error) => Answer::Execute(answer, false, Err(error)),
            },
        };
        self.answers.0.push(answer);
    }

    /// Decides a command and stages what it writes. Says whether it wrote.
    fn execute(
        &mut self,
        command: &Command,
        refused: Option<&Cause>,
    ) -> Result<(bool, Reply), ExecuteError> {
        let mut snapshot = Snapshot::default();
        let (writes, reply) = match self.decide(command, &mut snapshot)? {
            Step::Replay(reply) => return Ok((false, reply)),
            Step::Commit(writes, reply) => (writes, reply),
            Step::Read(_) => return Err(ExecuteError::Unavailable(Arc::new(Endless))),
        };
        if let Some(cause) = refused {
            return Err(ExecuteError::Unavailable(cause.clone()));
        }
        let wrote = self.stage(writes, &snapshot).map_err(|error| match error {
            // The plan created what another created before it, without looking.
            CommitError::Conflict(_) => ExecuteError::Overloaded,
            CommitError::Unavailable(cause) => ExecuteError::Unavailable(cause),
            error => ExecuteError::Unavailable(Arc::new(error)),
        })?;
        Ok((wrote, reply))
    }

    fn decide(&mut self, command: &Command, snapshot: &mut Snapshot) -> Result<Step, ExecuteError> {
        let context = Context {
            now: self.host.now(),
            render: &*self.render.clone(),
        };
        for _ in 0..ROUNDS_MAX {
            // A plan is a pure function of what it is given: if it panics it has changed nothing, and one
            // command that meets a bug must not stop all others.
            let decided = catch_unwind(AssertUnwindSafe(|| plan(snapshot, command, context)));
            let step = match decided {
                Ok(step) => step?,
                Err(_) => return Err(ExecuteError::Unavailable(Arc::new(Panicked))),
            };
            let Step::Read(reads) = step else {
                return Ok(step);
            };
            for key in reads.guarded {
                let found = self.read(&key).map_err(unavailable)?;
                snapshot.put(key, found);
            }
            for key in reads.hints {
                let found = self.read(&key).map_err(unavailable)?;
                snapshot.put_hint(key, found);
            }
        }
        Err(ExecuteError::Unavailable(Arc::new(Endless)))
    }

    fn stage(&mut self, writes: WriteSet, snapshot: &Snapshot) -> Result<bool, CommitError> {
        let (shared, hot) = (&self.shared, &mut self.hot);
        self.group
            .stage(writes, snapshot, |group, key| read(group, shared, hot, key))
    }

    fn read(&mut self, key: &Key) -> Result<Option<Record>, ReadError> {
        read(&self.group, &self.shared, &mut self.hot, key)
    }

    /// Makes the group durable and visible, and answers.
    fn flush(&mut self) {
        if self.group.buffer.is_empty() {
            // Only replays and refusals: they wait for no write.
            self.traced.clear();
            self.answers.give(None);
            return;
        }
        let begun = Instant::now();
        let appended = self
            .log
            .append(self.host.now().unix_ms(), &mut self.group.buffer);
        let writing = METRICS.store_commit_duration.of((self.store,));
        let ended = Instant::now();
        writing.took(ended.duration_since(begun));
        for span in self.traced.drain(..) {
            Span::note(span, "store.commit", begun, ended);
        }
        match appended {
            Ok(appended) => {
                // What is new was not there to be read, and so is not remembered.
                let updated = self.group.updated().iter();
                updated.for_each(|key| self.hot.forget(key));
                self.shared
                    .publish(&mut self.group, &appended, self.freeze_bytes);
                self.answers.give(None);
            }
            Err(error) => {
                if let Some(held_back) = self.refusals.may() {
                    tracing::error!(%error, held_back, "a group was not written");
                }
                self.group.discard();
                self.shared.note_failure(&error);
                self.answers.give(Some(error));
            }
        }
    }
}

/// Reads a record as it is for the next transaction.
fn read(
    group: &Group,
    shared: &Shared,
    hot: &mut Hot,
    key: &Key,
) -> Result<Option<Record>, ReadError> {
    if let Some(found) = group.get(key) {
        return Ok(found.clone());
    }
    if shared.filter.is_absent(key.as_bytes()) {
        return Ok(None);
    }
    let view = {
        let published = shared.published.read();
        if let Some(found) = published.in_memory(key) {
            return Ok(found.clone());
        }
        published.view.clone()
    };
    if let Some(record) = hot.get(key) {
        return Ok(Some(record));
    }
    let found = shared.find_indexed(&view, key)?;
    if let Some(record) = &found {
        hot.put(key.clone(), record.clone());
    }
    Ok(found)
}

impl Answers {
    /// Gives all answers: as decided, or, if the group was not written, what is true instead.
    fn give(&mut self, failed: Option<AppendError>) {
        let in_doubt = matches!(failed, Some(AppendError::Failed(_)));
        let cause = failed.map(|error| Arc::new(error) as Cause);
        for answer in self.0.drain(..) {
            // Whoever asked may have gone away; what was decided stands without them.
            match answer {
                Answer::Commit(sender, decided) => {
                    let _ = sender.send(match (&cause, decided) {
                        (Some(cause), Ok(true)) if in_doubt => {
                            Err(CommitError::Unknown(cause.clone()))
                        }
                        (Some(cause), _) => Err(CommitError::Unavailable(cause.clone())),
                        (None, decided) => decided.map(drop),
                    });
                }
                Answer::Execute(sender, wrote, decided) => {
                    let _ = sender.send(match &cause {
                        Some(cause) if in_doubt && wrote => {
                            Err(ExecuteError::Unknown(cause.clone()))
                        }
                        Some(cause) => Err(ExecuteError::Unavailable(cause.clone())),
                        None => decided,
                    });
                }
            }
        }
    }
}

fn unavailable(error: ReadError) -> ExecuteError {
    ExecuteError::Unavailable(Arc::new(error))
}

/// A plan that asks for more and more.
#[derive(Debug, thiserror::Error)]
#[error("the plan was not made in {ROUNDS_MAX} rounds of reading")]
struct Endless;

/// A plan that failed its own assertions.
#[derive(Debug, thiserror::Error)]
#[error("the plan met a bug; the log of the process says which")]
struct Panicked;
