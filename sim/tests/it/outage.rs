//! A rail that is out of order, and payments that wait for money.

use std::time::Duration;

use lombard_core::{
    command::Act,
    id::Id,
    ledger::Rollup,
    lifecycle::{Pending, Stage, Status},
    payment::{OnInsufficientFunds, Payment},
    rail::Rail,
};
use serde_json::json;
use tokio::net::TcpListener;

use crate::world::{World, money};

#[tokio::test]
async fn payments_wait_out_an_outage_can_be_cancelled_and_are_paid_once() {
    let world = World::start().await;
    world
        .tell("outage", json!({"rail": "fps", "mode": "unavailable"}))
        .await;
    let mut ids = Vec::new();
    for minor in 1..=60 {
        ids.push(world.pay(Rail::Fps, minor).await);
    }
    // A 503 may stand for a payment that was passed on, so what was tried is in doubt; then the
    // breaker opens, and the rest has not left.
    let held = held_back(&world, &ids).await;
    assert!(held.len() >= 20, "{} of 60 were held back", held.len());
    world.execute(Act::Cancel(held[0])).await.unwrap();
    assert_eq!(world.counts(Rail::Fps).await["received"], 0);

    world.tell("outage", json!({"mode": "none"})).await;
    world.advance(31_000);
    for id in ids.iter().filter(|id| **id != held[0]) {
        world.stage(*id, Stage::Cleared).await;
    }
    let cancelled = world.stage(held[0], Stage::Failed).await;
    let spent = 60 * 61 / 2 - cancelled.money.amount.minor();
    let counts = world.counts(Rail::Fps).await;
    assert_eq!(counts["accepted"], 59, "{counts}");
    assert_eq!(counts["accepted_minor"], spent);
    world
        .books(Rail::Fps, i64::try_from(spent).unwrap(), 0)
        .await;
}

/// Waits until the breaker is open and nothing is on its way; which payments have not left.
async fn held_back(world: &World, ids: &[Id<Payment>]) -> Vec<Id<Payment>> {
    for _ in 0..500 {
        let mut held = Vec::new();
        let mut doubted = 0;
        for id in ids {
            let payment = world.get(*id).await;
            match payment.stage {
                Stage::Held => held.push(*id),
                Stage::InDoubt => {
                    assert_eq!(payment.stage.status(), Status::AuthPending);
                    doubted += 1;
                }
                Stage::Submitted => {}
                other => panic!("{other:?}"),
            }
        }
        if doubted >= 20 && doubted + held.len() == ids.len() {
            return held;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the breaker never opened");
}

#[tokio::test]
async fn a_rail_that_hangs_holds_up_no_other() {
    let world = World::start().await;
    world
        .tell("outage", json!({"rail": "sepa_inst", "mode": "hang"}))
        .await;
    let hanging = world.pay(Rail::SepaInst, 5).await;
    let other = world.pay(Rail::Fps, 5).await;
    world.stage(other, Stage::Cleared).await;
    let payment = world.stage(hanging, Stage::InDoubt).await;
    assert_eq!(payment.stage.pending(), Some(Pending::Rails));
    world.tell("outage", json!({"mode": "none"})).await;
    world.advance(2_001);
    world.stage(hanging, Stage::Cleared).await;
}

#[tokio::test]
async fn what_never_left_is_sent_when_the_gateway_is_there() {
    // A port that nobody listens on, until somebody does.
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = port.local_addr().unwrap();
    drop(port);
    let world = World::with(|bank| bank, Some(format!("http://{address}"))).await;
    let id = world.pay(Rail::Fps, 77).await;
    world.stage(id, Stage::InDoubt).await;
    let forward = TcpListener::bind(address).await.unwrap();
    let sim = world.sim.trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        loop {
            let (mut from, _) = forward.accept().await.unwrap();
            let mut to = tokio::net::TcpStream::connect(&sim).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut from, &mut to).await });
        }
    });
    world.advance(2_001);
    world.stage(id, Stage::Cleared).await;
    assert_eq!(world.seen(id).await["submissions"], 1);
    world.books(Rail::Fps, 77, 0).await;
}

#[tokio::test]
async fn payments_that_wait_for_money_go_in_order_when_it_comes() {
    let world = World::start().await;
    let purse = Id::new(world.app.host.now(), 7).of_kind(Rollup::Constrained);
    let open = lombard_core::command::OpenAccount {
        id: purse,
        name: "purse".to_owned(),
        currency: Rail::Fps.currency().unwrap(),
        aliases: Vec::new(),
        sealed: None,
        metadata: Default::default(),
    };
    world.execute(Act::OpenAccount(open)).await.unwrap();
    let mut ids = Vec::new();
    for minor in [60, 50, 40] {
        let pay = world.payment(Rail::Fps, minor, purse, OnInsufficientFunds::Wait);
        ids.push(pay.id);
        world.execute(Act::Pay(Box::new(pay))).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    for id in &ids {
        let payment = world.get(*id).await;
        assert_eq!(payment.stage.pending(), Some(Pending::Funds));
    }
    give(&world, purse, 100, 1).await;
    world.stage(ids[0], Stage::Cleared).await;
    // 40 are left: the payment of 50 is passed over, that of 40 is not.
    world.stage(ids[2], Stage::Cleared).await;
    assert_eq!(world.get(ids[1]).await.stage, Stage::AwaitingFunds);
    give(&world, purse, 50, 2).await;
    world.stage(ids[1], Stage::Cleared).await;
    let balance = world.balance(purse).await;
    assert_eq!((balance.waiting, balance.sums.available()), (0, 0));
}

/// Moves money from the tenant's own account to the purse.
async fn give(world: &World, purse: Id<lombard_core::ledger::Account>, minor: u64, n: u128) {
    let post = lombard_core::command::PostLegs {
        id: Id::new(world.app.host.now(), n),
        legs: lombard_core::journal::move_now(world.gbp, purse, money(Rail::Fps, minor)),
    };
    world.execute(Act::PostLegs(post)).await.unwrap();
}

#[tokio::test]
async fn a_payment_that_waits_too_long_for_money_fails() {
    let world = World::start().await;
    let too_much = world.payment(
        Rail::Fps,
        crate::world::FUNDS + 1,
        world.gbp,
        OnInsufficientFunds::Wait,
    );
    let id = too_much.id;
    world.execute(Act::Pay(Box::new(too_much))).await.unwrap();
    assert_eq!(world.get(id).await.stage, Stage::AwaitingFunds);
    world.advance(60_001);
    world.stage(id, Stage::Failed).await;
    assert_eq!(world.balance(world.gbp).await.waiting, 0);
}
