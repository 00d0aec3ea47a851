//! Outcomes that are not known: never guessed, asked for, and in the end shown to a person.

use lombard_core::{lifecycle::Stage, payment::Payment, plan::enquiry_delay_ms, rail::Rail};
use lombard_service::exceptions::Kind;

use crate::world::World;

const fn magic(n: u64) -> u64 {
    666_000 + n
}

/// Lets the time of the next enquiry come.
async fn enquire(world: &World, n: u32) {
    world.advance(enquiry_delay_ms(n) + 1);
}

#[tokio::test]
async fn an_answer_that_was_lost_is_found_by_asking() {
    let world = World::start().await;
    for rail in [Rail::Fps, Rail::SepaInst] {
        for (n, stage) in [
            (21, Stage::Cleared),
            (22, Stage::Failed),
            (25, Stage::Cleared),
            (26, Stage::Cleared),
        ] {
            let id = world.pay(rail, magic(n)).await;
            let doubted = world.stage(id, Stage::InDoubt).await;
            assert_eq!(doubted.reason, None, "nothing is guessed");
            enquire(&world, 0).await;
            world.stage(id, stage).await;
            let seen = world.seen(id).await;
            assert_eq!(
                (&seen["submissions"], &seen["enquiries"]),
                (&1.into(), &1.into())
            );
        }
        let spent = magic(21) + magic(25) + magic(26);
        world.books(rail, i64::try_from(spent).unwrap(), 0).await;
    }
}

#[tokio::test]
async fn a_time_out_is_doubt_and_what_was_lost_is_sent_again_under_the_same_id() {
    let world = World::start().await;
    let never = world.pay(Rail::Fps, magic(24)).await;
    let lost = world.pay(Rail::SepaInst, magic(20)).await;
    world.stage(never, Stage::InDoubt).await;
    world.stage(lost, Stage::InDoubt).await;
    world.books(Rail::SepaInst, 0, magic(20)).await;
    enquire(&world, 0).await;
    world.stage(never, Stage::Cleared).await;
    world.stage(lost, Stage::Cleared).await;
    let counts = world.counts(Rail::SepaInst).await;
    assert_eq!(
        (&counts["lost"], &counts["accepted"]),
        (&1.into(), &1.into())
    );
    assert_eq!(world.seen(lost).await["submissions"], 1);
    world
        .books(Rail::SepaInst, i64::try_from(magic(20)).unwrap(), 0)
        .await;
}

#[tokio::test]
async fn an_answer_may_come_by_message_after_an_enquiry_that_brought_none() {
    let world = World::start().await;
    let id = world.pay(Rail::Fps, magic(35)).await;
    world.stage(id, Stage::InDoubt).await;
    enquire(&world, 0).await;
    world.stage(id, Stage::Cleared).await;
    assert_eq!(world.seen(id).await["enquiries"], 1);
}

#[tokio::test]
async fn what_is_never_decided_is_shown_to_a_person_and_stays_in_doubt() {
    let world = World::start().await;
    let id = world.pay(Rail::SepaInst, magic(23)).await;
    world.stage(id, Stage::InDoubt).await;
    for n in 0..=lombard_core::plan::ENQUIRIES_MAX {
        let asked = move |payment: &Payment| payment.attempt.enquiries > n;
        world.until(id, &format!("enquiry {n} is set"), asked).await;
        enquire(&world, n).await;
    }
    let exception = world.until_exception(Kind::Unresolved).await;
    assert_eq!(exception.subject, id.to_string());
    assert_eq!(world.get(id).await.stage, Stage::InDoubt);
    world.books(Rail::SepaInst, 0, magic(23)).await;
    // The rail makes up its mind at last; a person had only to wait.
    assert_eq!(world.seen(id).await["submissions"], 1);
}
