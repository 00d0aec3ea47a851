//! Payments that leave: accepted, refused, answered late, twice, out of order, and returned.

use lombard_core::{lifecycle::Stage, payment::Payment, rail::Rail, reason::Reason};
use lombard_service::exceptions::Kind;

use crate::world::World;

const RAILS: [Rail; 2] = [Rail::Fps, Rail::SepaInst];

/// The magic amount of a behaviour.
const fn magic(n: u64) -> u64 {
    666_000 + n
}

#[tokio::test]
async fn a_payment_is_paid_once_and_its_timeline_says_so() {
    let world = World::start().await;
    for rail in RAILS {
        let id = world.pay(rail, 12_34).await;
        let payment = world.stage(id, Stage::Cleared).await;
        assert!(payment.attempt.rail_reference.is_some(), "{rail}");
        let kinds = [
            "payment.initiated",
            "payment.auth_pending",
            "payment.cleared",
        ];
        assert_eq!(world.timeline(id).await, kinds);
        let seen = world.seen(id).await;
        assert_eq!(seen["submissions"], 1, "{seen}");
        assert_eq!(seen["standing"], "accepted");
        assert_eq!(seen["end_to_end_id"], payment.end_to_end_id);
        world.books(rail, 12_34, 0).await;
    }
}

#[tokio::test]
async fn many_payments_are_all_paid_once() {
    let world = World::start().await;
    let mut ids = Vec::new();
    for minor in 1..=100 {
        ids.push(world.pay(Rail::Fps, minor).await);
    }
    for id in ids {
        world.stage(id, Stage::Cleared).await;
    }
    let counts = world.counts(Rail::Fps).await;
    assert_eq!(counts["accepted"], 100);
    assert_eq!(counts["accepted_minor"], 5050);
    world.books(Rail::Fps, 5050, 0).await;
}

#[tokio::test]
async fn a_refusal_fails_the_payment_and_gives_its_money_free() {
    let world = World::start().await;
    for (n, reason, codes) in [
        (
            1,
            [Reason::AccountUnknown, Reason::AccountNumberInvalid],
            ["1114", "AC01"],
        ),
        (2, [Reason::AccountClosed; 2], ["1160", "AC04"]),
        (3, [Reason::AccountBlocked; 2], ["1161", "AC06"]),
        (4, [Reason::Terms, Reason::Regulatory], ["1170", "RR04"]),
        (5, [Reason::TimedOut; 2], ["9911", "AB05"]),
        (6, [Reason::Deceased; 2], ["1167", "MD07"]),
    ] {
        for (place, rail) in RAILS.into_iter().enumerate() {
            let id = world.pay(rail, magic(n)).await;
            let payment = world.stage(id, Stage::Failed).await;
            assert_eq!(payment.reason, Some(reason[place]), "{rail} {n}");
            assert_eq!(payment.reason_code.as_deref(), Some(codes[place]));
            world.books(rail, 0, 0).await;
        }
    }
}

#[tokio::test]
async fn an_answer_that_comes_later_decides() {
    let world = World::start().await;
    for rail in RAILS {
        for (n, stage) in [
            (30, Stage::Cleared),
            (31, Stage::Failed),
            (32, Stage::Cleared),
        ] {
            let id = world.pay(rail, magic(n)).await;
            world.stage(id, stage).await;
            assert_eq!(world.seen(id).await["submissions"], 1);
        }
        world
            .books(rail, i64::try_from(magic(30) + magic(32)).unwrap(), 0)
            .await;
    }
}

#[tokio::test]
async fn answers_that_repeat_or_come_out_of_order_change_nothing() {
    let world = World::start().await;
    for n in [33, 34] {
        let id = world.pay(Rail::SepaInst, magic(n)).await;
        world.stage(id, Stage::Cleared).await;
        let told = world.timeline(id).await;
        delivered(&world, if n == 33 { 2 } else { 3 }).await;
        assert_eq!(world.get(id).await.stage, Stage::Cleared);
        assert_eq!(world.timeline(id).await, told);
    }
    world
        .books(
            Rail::SepaInst,
            i64::try_from(magic(33) + magic(34)).unwrap(),
            0,
        )
        .await;
    assert!(world.exceptions().await.is_empty());
}

/// Waits until the simulator has delivered so many messages over SEPA.
async fn delivered(world: &World, wanted: u64) {
    for _ in 0..500 {
        if world.counts(Rail::SepaInst).await["delivered"] == wanted {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{wanted} messages were not delivered");
}

#[tokio::test]
async fn money_that_comes_back_reverses_the_payment_in_full_or_in_part() {
    let world = World::start().await;
    for rail in RAILS {
        let whole = world.pay(rail, magic(40)).await;
        let payment = world.stage(whole, Stage::Reversed).await;
        assert_eq!(payment.reason, Some(Reason::AccountClosed));
        let half = world.pay(rail, magic(41)).await;
        let back = |payment: &Payment| payment.returned == magic(41) / 2;
        let payment = world.until(half, "half returned", back).await;
        assert_eq!(payment.stage, Stage::Cleared);
        let spent = magic(41) - magic(41) / 2;
        world.books(rail, i64::try_from(spent).unwrap(), 0).await;
    }
}

#[tokio::test]
async fn a_no_after_the_yes_reverses_and_a_yes_after_the_no_is_for_a_person() {
    let world = World::start().await;
    let reversed = world.pay(Rail::Fps, magic(42)).await;
    world.stage(reversed, Stage::Cleared).await;
    world.stage(reversed, Stage::Reversed).await;
    let contradicted = world.pay(Rail::Fps, magic(43)).await;
    world.stage(contradicted, Stage::Failed).await;
    let exception = world.until_exception(Kind::Contradiction).await;
    assert_eq!(exception.subject, contradicted.to_string());
    assert_eq!(world.get(contradicted).await.stage, Stage::Failed);
    world.books(Rail::Fps, 0, 0).await;
}
