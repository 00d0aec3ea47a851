//! How the runner of the feed's consumers treats a job that fails: by the class of the failure.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use futures_util::{FutureExt, future::BoxFuture};
use lombard_core::store::{Body, Commit, Key, Write, WriteSet};
use lombard_service::{
    ports::Cause,
    worker::{
        cursor,
        feed::{self, BUSY_TRIES_MAX, Consumer, Job, JobError, TRIES_MAX},
    },
};
use tokio::{sync::watch, time::Duration};

use crate::support::World;

/// One job for each commit, which fails so often in the same way, and counts.
struct Failing {
    times: u32,
    error: fn(Cause) -> JobError,
    runs: Arc<AtomicU32>,
    given_up: Arc<AtomicU32>,
}

type Done = BoxFuture<'static, Result<(), JobError>>;

impl Consumer for Failing {
    fn name(&self) -> &'static str {
        "failing"
    }

    fn concurrency(&self) -> usize {
        4
    }

    fn jobs(&self, commit: &Commit) -> Vec<Job> {
        // Its own cursor comes by in the feed too.
        let asks = |key: &Key| key.partition() == "something";
        if !commit.changes.iter().any(|change| asks(&change.key)) {
            return Vec::new();
        }
        let (times, error) = (self.times, self.error);
        let (runs, given_up) = (self.runs.clone(), self.given_up.clone());
        let run = move || -> Done {
            let run = runs.fetch_add(1, Ordering::SeqCst);
            let cause = || -> Cause { Arc::new(std::fmt::Error) };
            let result = if run < times {
                Err(error(cause()))
            } else {
                Ok(())
            };
            std::future::ready(result).boxed()
        };
        let give_up = move |_| -> Done {
            given_up.fetch_add(1, Ordering::SeqCst);
            std::future::ready(Ok(())).boxed()
        };
        vec![Job {
            subject: "a job".to_owned(),
            run: Arc::new(run),
            give_up: Arc::new(give_up),
        }]
    }
}

/// Runs a consumer until one commit is done; gives how often the job ran and was given up.
async fn run_one(times: u32, error: fn(Cause) -> JobError) -> (u32, u32) {
    let world = World::new(lombard_service::config::Config::default());
    let key = Key::new("something", "new");
    let body = Body::of(&1);
    let writes = WriteSet::of([(key, Write::Create(body))]);
    world.app.store.commit(&writes).await.expect("it is new");
    let (runs, given_up) = (Arc::<AtomicU32>::default(), Arc::<AtomicU32>::default());
    let consumer = Failing {
        times,
        error,
        runs: runs.clone(),
        given_up: given_up.clone(),
    };
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(feed::run(world.app.clone(), Arc::new(consumer), 0, stopped));
    while cursor::load(&world.app, "failing", 0)
        .await
        .expect("readable")
        == 0
    {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let counts = (runs.load(Ordering::SeqCst), given_up.load(Ordering::SeqCst));
    stop.send_replace(true);
    running.await.expect("no panic");
    counts
}

#[tokio::test(start_paused = true)]
async fn a_job_that_fails_is_given_up_after_three_tries() {
    assert_eq!(run_one(2, JobError::Retry).await.1, 0);
    assert_eq!(run_one(100, JobError::Retry).await.1, 1);
    assert_eq!(run_one(TRIES_MAX, JobError::Retry).await, (TRIES_MAX, 1));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_panics_is_given_up_at_once() {
    assert_eq!(run_one(1, |_| panic!("a bug")).await, (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_hopeless_is_given_up_at_once() {
    assert_eq!(run_one(100, JobError::Hopeless).await, (1, 1));
}

/// A store that took nothing for less than half a second made a person's work out of payments that
/// waited for money which was there.
#[tokio::test(start_paused = true)]
async fn a_job_that_the_store_cuts_off_waits_for_the_store_and_not_for_ever() {
    assert_eq!(run_one(10, JobError::Busy).await, (11, 0));
    assert_eq!(
        run_one(BUSY_TRIES_MAX, JobError::Busy).await,
        (BUSY_TRIES_MAX, 1)
    );
}
