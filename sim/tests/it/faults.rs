//! Workers over a bank that fails now and then, in both flavours: before it did anything, and
//! after it did everything. And each step run twice.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use futures_util::future::BoxFuture;
use lombard_core::{
    command::{Act, Command, Reply, Report},
    lifecycle::Stage,
    rail::Rail,
    timer::{Due, Timer},
};
use lombard_service::{
    ports::{Bank, ExecuteError},
    worker::{feed::Consumer, rails::Errands, timers},
};

use crate::world::World;

/// Fails every third time that a worker asks it, and loses the answer every fourth.
struct Flaky {
    bank: Arc<dyn Bank>,
    asked: AtomicU64,
}

#[derive(Debug, thiserror::Error)]
#[error("bad luck")]
struct BadLuck;

impl Bank for Flaky {
    fn execute(&self, command: Command) -> BoxFuture<'_, Result<Reply, ExecuteError>> {
        Box::pin(async move {
            let workers =
                command.actor.starts_with("worker/") || command.actor.starts_with("rail/");
            let luck = self.asked.fetch_add(1, Ordering::SeqCst);
            if workers && luck.is_multiple_of(3) {
                return Err(ExecuteError::Unavailable(Arc::new(BadLuck)));
            }
            let done = self.bank.execute(command).await;
            if workers && luck % 4 == 1 && done.is_ok() {
                return Err(ExecuteError::Unknown(Arc::new(BadLuck)));
            }
            done
        })
    }
}

fn flaky(bank: Arc<dyn Bank>) -> Arc<dyn Bank> {
    Arc::new(Flaky {
        bank,
        asked: AtomicU64::new(1),
    })
}

#[tokio::test]
async fn whatever_fails_on_our_side_nothing_is_paid_twice_and_nothing_is_lost() {
    let world = World::with(flaky, None).await;
    let mut ids = Vec::new();
    for minor in 1..=80 {
        ids.push(world.pay(Rail::Fps, minor).await);
    }
    for id in &ids {
        let mut waited = 0;
        while world.get(*id).await.stage != Stage::Cleared {
            // What was given up is in doubt, and asked after.
            world.advance(1_000);
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            waited += 1;
            assert!(waited < 1_000, "{:?}", world.get(*id).await);
        }
    }
    let counts = world.counts(Rail::Fps).await;
    assert_eq!(counts["accepted"], 80, "{counts}");
    assert_eq!(counts["conflicts"], 0, "{counts}");
    world.books(Rail::Fps, 80 * 81 / 2, 0).await;
}

#[tokio::test]
async fn every_step_may_run_twice() {
    let world = World::start().await;
    let id = world.pay(Rail::Fps, 666_021).await;
    world.stage(id, Stage::InDoubt).await;
    // The submission, as after a crash: the payment has moved on, so nothing is sent.
    let jobs = submissions(&world).await;
    assert_eq!(jobs.len(), 1);
    (jobs[0].run)().await.unwrap();
    assert_eq!(world.seen(id).await["submissions"], 1);
    // The enquiry, twice.
    let payment = world.get(id).await;
    let timer = Timer {
        tenant: world.tenant,
        due: payment.updated_at.plus_ms(2_000),
        what: Due::Enquire(id),
    };
    for _ in 0..2 {
        timers::fire(&world.app, &timer).await.unwrap();
        assert_eq!(world.get(id).await.stage, Stage::Cleared);
    }
    // And the submission once more, now that all is over.
    (jobs[0].run)().await.unwrap();
    assert_eq!(world.seen(id).await["submissions"], 1);
    let told = world.timeline(id).await;
    let accepted = Act::Report(id, Report::Accepted(None));
    world.execute(accepted).await.unwrap();
    assert_eq!(world.timeline(id).await, told);
    world.books(Rail::Fps, 666_021, 0).await;
}

#[tokio::test]
async fn a_submission_that_crashed_before_its_answer_was_noted_is_sent_again_and_paid_once() {
    let world = World::start().await;
    world
        .tell("outage", serde_json::json!({"rail": "fps", "mode": "hang"}))
        .await;
    let id = world.pay(Rail::Fps, 55).await;
    // The worker waits for the answer; another run of the same job is what a restart does.
    world.stage(id, Stage::Submitted).await;
    world
        .tell("outage", serde_json::json!({"mode": "none"}))
        .await;
    let jobs = submissions(&world).await;
    (jobs[0].run)().await.unwrap();
    (jobs[0].run)().await.unwrap();
    assert_eq!(world.get(id).await.stage, Stage::Cleared);
    assert_eq!(world.counts(Rail::Fps).await["accepted"], 1);
    // The first worker gives up at last: its silence is news of long ago.
    tokio::time::sleep(std::time::Duration::from_millis(3_300)).await;
    assert_eq!(world.get(id).await.stage, Stage::Cleared);
    world.books(Rail::Fps, 55, 0).await;
}

#[tokio::test]
async fn a_timer_that_cannot_be_fired_becomes_an_exception_and_goes() {
    let world = World::start().await;
    let timer = Timer {
        tenant: world.tenant,
        due: world.app.host.now(),
        what: Due::ExpirePayment(lombard_core::id::Id::from_bits(1)),
    };
    let mut writes = lombard_core::store::WriteSet::default();
    writes.create(timer.key(), lombard_core::store::Body::of(&timer));
    world.app.store.commit(&writes).await.unwrap();
    let exception = world
        .until_exception(lombard_service::exceptions::Kind::EffectFailed)
        .await;
    assert!(exception.subject.contains("pay_0000"), "{exception:?}");
    for _ in 0..200 {
        if world.app.get(&timer.key()).await.unwrap().is_none() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the timer is still there");
}

/// Every submission that the feed asks for, as jobs to run by hand.
async fn submissions(world: &World) -> Vec<lombard_service::worker::feed::Job> {
    let errands = Errands::new(world.app.clone(), Rail::Fps);
    let commits = world.app.store.changes(0, 0, 100_000, 0).await.unwrap();
    commits
        .iter()
        .flat_map(|commit| errands.jobs(commit))
        .collect()
}
