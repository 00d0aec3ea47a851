//! Runs a consumer of the change feed whose jobs are independent of each other: many at once,
//! a slow one in nobody's way, and the cursor never ahead of the oldest unfinished job.
//!
//! **Bounds.** At most [`Consumer::concurrency`] jobs run at once and at most [`WINDOW_MAX`]
//! commits lie between the cursor and the newest job, so a stuck job holds up only that many.

use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use lombard_core::store::Commit;
use tokio::{sync::watch, task::JoinSet, time::Instant};
use tracing::{error, warn};

use super::cursor;
use crate::{
    app::App,
    duty,
    metrics::{
        METRICS,
        label::{self, JobEnd},
        sample::reached,
    },
    ports::Cause,
};

/// Commits between the cursor and the newest job.
pub const WINDOW_MAX: usize = 4096;
/// Tries of one job before it becomes an exception.
pub const TRIES_MAX: u32 = 3;
/// Tries that our own store cut off before a job becomes an exception all the same. With the pauses
/// between them this rides over half a minute in which the store takes nothing, and ends.
pub const BUSY_TRIES_MAX: u32 = 24;
const BATCH: usize = 512;
const WAIT_MS: u64 = 500;
const SAVE_EVERY: Duration = Duration::from_millis(250);
/// Positions that may go by without work before the cursor is saved all the same; saving is
/// itself a commit, so an idle consumer must not save after each.
const IDLE_POSITIONS: u64 = 10_000;

/// A consumer of the change feed with independent jobs.
pub trait Consumer: Send + Sync + 'static {
    /// Names the cursor and appears in logs and metrics.
    fn name(&self) -> &'static str;

    /// How many jobs may run at once.
    fn concurrency(&self) -> usize;

    /// What a commit asks of this consumer. Most commits ask nothing.
    fn jobs(&self, commit: &Commit) -> Vec<Job>;
}

/// One thing to do, and to do again after a crash.
pub struct Job {
    /// What it is about, for logs; no personal data.
    pub subject: String,
    /// Does it once.
    pub run: Arc<dyn Fn() -> BoxFuture<'static, Result<(), JobError>> + Send + Sync>,
    /// Puts it into the exceptions queue when it cannot be done.
    pub give_up: Arc<dyn Fn(Cause) -> BoxFuture<'static, Result<(), JobError>> + Send + Sync>,
}

/// Why a job was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JobError {
    /// Trying again may help.
    #[error("not done: {0}")]
    Retry(#[source] Cause),
    /// Our own store did not answer or took nothing. That says nothing about the job, and an exception
    /// could not be stored either, so it does not count among the [`TRIES_MAX`].
    #[error("the store is busy: {0}")]
    Busy(#[source] Cause),
    /// Trying again does not help.
    #[error("cannot be done: {0}")]
    Hopeless(#[source] Cause),
}

/// Runs a consumer over one shard until `stop` turns true. Unfinished jobs are dropped then;
/// the next start does them again. What it does is on the consumer's [`duty`].
pub async fn run(app: App, consumer: Arc<dyn Consumer>, shard: u16, stop: watch::Receiver<bool>) {
    duty::on(consumer.name(), follow(app, consumer, shard, stop)).await;
}

async fn follow(
    app: App,
    consumer: Arc<dyn Consumer>,
    shard: u16,
    mut stop: watch::Receiver<bool>,
) {
    let name = consumer.name();
    let metric = label::Consumer::named(name);
    let mut after = loop {
        match cursor::load(&app, name, shard).await {
            Ok(position) => break position,
            Err(error) => warn!(consumer = name, %error, "the cursor cannot be read"),
        }
        if rest(&mut stop, 500).await {
            return;
        }
    };
    let mut window = Window::new(after);
    let mut running = JoinSet::new();
    let mut saved = (after, Instant::now());
    while !*stop.borrow() {
        let room = window.open.len() < WINDOW_MAX && running.len() < consumer.concurrency();
        tokio::select! {
            biased;
            _ = stop.changed() => break,
            Some(done) = running.join_next(), if !running.is_empty() => {
                window.finish_of(done);
            }
            commits = app.store.changes(shard, after, BATCH, WAIT_MS), if room => match commits {
                Ok(commits) => for commit in commits {
                    after = commit.position;
                    let jobs = consumer.jobs(&commit);
                    window.begin(commit.position, jobs.len());
                    for job in jobs {
                        let (app, position) = (app.clone(), commit.position);
                        running.spawn(duty::on(name, async move {
                            // What was given up is in the exceptions queue, and done with here.
                            let _ = carry_out(&app, name, job).await;
                            position
                        }));
                        // The jobs of one batch may exceed the bound by that batch; they wait
                        // their turn here.
                        while running.len() >= consumer.concurrency() {
                            let Some(done) = running.join_next().await else { break };
                            window.finish_of(done);
                        }
                    }
                },
                Err(error) => {
                    warn!(consumer = name, %error, "the change feed cannot be read");
                    if rest(&mut stop, 500).await { break }
                }
            },
        }
        reached(metric, window.done());
        saved = save(&app, name, shard, &mut window, saved).await;
    }
    let _ = cursor::save(&app, name, shard, window.done()).await;
}

/// Which positions are done. A position without jobs is done when all before it are.
struct Window {
    open: BTreeMap<u64, usize>,
    newest: u64,
    worked: bool,
}

impl Window {
    const fn new(after: u64) -> Self {
        Self {
            open: BTreeMap::new(),
            newest: after,
            worked: false,
        }
    }

    fn begin(&mut self, position: u64, jobs: usize) {
        self.newest = position;
        if jobs > 0 {
            self.open.insert(position, jobs);
        }
    }

    fn finish(&mut self, position: u64) {
        self.worked = true;
        if let Some(jobs) = self.open.get_mut(&position) {
            *jobs -= 1;
            if *jobs == 0 {
                self.open.remove(&position);
            }
        }
    }

    /// A job whose giving up ended in a panic stays open: the next start runs it again, and until
    /// then the cursor shows where it was.
    fn finish_of(&mut self, done: Result<u64, tokio::task::JoinError>) {
        match done {
            Ok(position) => self.finish(position),
            Err(error) => error!(%error, "giving a job up ended in a panic"),
        }
    }

    fn done(&self) -> u64 {
        if lombard_core::planted!(CursorAhead) {
            return self.newest;
        }
        self.open
            .first_key_value()
            .map_or(self.newest, |(oldest, _)| oldest - 1)
    }
}

async fn save(
    app: &App,
    name: &'static str,
    shard: u16,
    window: &mut Window,
    (position, at): (u64, Instant),
) -> (u64, Instant) {
    let done = window.done();
    let worked = window.worked && at.elapsed() >= SAVE_EVERY;
    if done == position || !(worked || done - position >= IDLE_POSITIONS) {
        return (position, at);
    }
    if let Err(error) = cursor::save(app, name, shard, done).await {
        warn!(consumer = name, %error, "the cursor cannot be saved");
        return (position, Instant::now());
    }
    window.worked = false;
    (done, Instant::now())
}

/// Tries a job, then gives it up into the exceptions queue, and that until it is there.
///
/// # Errors
/// Why it was given up.
pub async fn carry_out(app: &App, consumer: &'static str, job: Job) -> Result<(), Cause> {
    let metric = label::Consumer::named(consumer);
    let count = |end| METRICS.feed_jobs.of((metric, end)).inc();
    let (mut failed, mut cut_off) = (0, 0);
    let cause = loop {
        match once(&job).await {
            Ok(()) => {
                count(JobEnd::Done);
                return Ok(());
            }
            Err(JobError::Hopeless(cause)) => break cause,
            Err(JobError::Retry(cause)) => {
                failed += 1;
                if failed == TRIES_MAX {
                    break cause;
                }
                count(JobEnd::Retried);
                pause(app, failed - 1).await;
            }
            Err(JobError::Busy(cause)) => {
                cut_off += 1;
                if cut_off == BUSY_TRIES_MAX {
                    break cause;
                }
                count(JobEnd::Busy);
                pause(app, (cut_off - 1).min(5)).await;
            }
        }
    };
    count(JobEnd::GivenUp);
    error!(consumer, subject = job.subject, error = %cause, "given up; an exception is opened");
    let mut attempt = 0;
    while let Err(error) = (job.give_up)(cause.clone()).await {
        warn!(consumer, subject = job.subject, %error, "the exception cannot be stored yet");
        pause(app, attempt).await;
        attempt = (attempt + 1).min(8);
    }
    Err(cause)
}

/// Runs a job once. What panicked is a bug, which trying again does not mend.
async fn once(job: &Job) -> Result<(), JobError> {
    let run = async { (job.run)().await };
    let ended = AssertUnwindSafe(run).catch_unwind().await;
    ended.unwrap_or_else(|_| Err(JobError::Hopeless(Arc::new(Panicked))))
}

/// A job did not end by itself. The place is in the log, where every panic is.
#[derive(Debug, thiserror::Error)]
#[error("the worker panicked, which is a bug; the log says where")]
struct Panicked;

/// Full jitter up to 100 ms, doubled each time.
async fn pause(app: &App, attempt: u32) {
    let longest = 100u64 << attempt.min(8);
    let pause = (app.host.random() % u128::from(longest)) as u64;
    tokio::time::sleep(Duration::from_millis(pause)).await;
}

/// Waits, unless it is time to stop. Says whether it is.
pub async fn rest(stop: &mut watch::Receiver<bool>, ms: u64) -> bool {
    tokio::select! {
        biased;
        changed = stop.changed() => changed.is_err() || *stop.borrow(),
        () = tokio::time::sleep(Duration::from_millis(ms)) => *stop.borrow(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_stays_behind_the_oldest_unfinished_job() {
        let mut window = Window::new(10);
        window.begin(11, 1);
        window.begin(12, 0);
        window.begin(13, 2);
        assert_eq!(window.done(), 10);
        window.finish(13);
        window.finish(11);
        assert_eq!(window.done(), 12);
        window.finish(13);
        assert_eq!(window.done(), 13);
    }
}
