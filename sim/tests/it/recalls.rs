//! Money asked back, by us and from us.

use lombard_core::{
    command::{Act, Rejection, ReturnPayment},
    id::Id,
    lifecycle::Stage,
    payment::{AskedBy, Direction, Payment, RecallState},
    plan::keys,
    rail::Rail,
    reason::Reason,
    store::decode,
};
use lombard_service::ports::{ExecuteError, Range};
use serde_json::json;

use crate::world::World;

const fn magic(n: u64) -> u64 {
    666_000 + n
}

fn state(wanted: RecallState) -> impl Fn(&Payment) -> bool {
    move |payment| {
        payment
            .recall
            .as_ref()
            .is_some_and(|recall| recall.state == wanted)
    }
}

async fn cleared(world: &World, rail: Rail, minor: u64) -> Id<Payment> {
    let id = world.pay(rail, minor).await;
    world.stage(id, Stage::Cleared).await;
    id
}

fn ask(id: Id<Payment>) -> Act {
    Act::AskRecall(id, Reason::FraudSuspected, "FRAD".to_owned())
}

#[tokio::test]
async fn a_recall_is_granted_by_a_return_or_refused_by_a_message() {
    let world = World::start().await;
    for rail in [Rail::Fps, Rail::SepaInst] {
        let granted = cleared(&world, rail, magic(50)).await;
        world.execute(ask(granted)).await.unwrap();
        let payment = world.stage(granted, Stage::Reversed).await;
        assert!(state(RecallState::Granted)(&payment));

        let refused = cleared(&world, rail, magic(51)).await;
        world.execute(ask(refused)).await.unwrap();
        let payment = world
            .until(refused, "refused", state(RecallState::Refused))
            .await;
        let recall = payment.recall.unwrap();
        assert_eq!(recall.refusal_code.as_deref(), Some("CUST"));
        assert_eq!(payment.stage, Stage::Cleared);

        // One recall for a payment.
        let again = world.execute(ask(refused)).await;
        assert!(
            matches!(
                again,
                Err(ExecuteError::Rejected(Rejection::RecalledBefore))
            ),
            "{again:?}"
        );
        world
            .books(rail, i64::try_from(magic(51)).unwrap(), 0)
            .await;
    }
    assert!(world.exceptions().await.is_empty());
}

/// A payment that came in over a rail.
async fn came(world: &World, rail: Rail, reference: &str) -> Payment {
    world
        .inbound(rail, 700, json!({"reference": reference}))
        .await;
    let range = Range::listed(&keys::payments_list(world.tenant), 1000);
    let found = world.app.store.range(&range).await.unwrap();
    found
        .iter()
        .map(|found| decode::<Payment>(&found.record.body.bytes))
        .find(|payment| {
            payment.rail == rail
                && payment.direction == Direction::In
                && payment.attempt.rail_reference.as_deref() == Some(reference)
        })
        .expect("it came in")
}

#[tokio::test]
async fn a_recall_of_theirs_waits_for_us_to_grant_or_refuse_it() {
    let world = World::start().await;
    for rail in [Rail::Fps, Rail::SepaInst] {
        let wish = |reference: &str| json!({"rail": rail.name(), "reference": reference, "case": "CASE-1"});
        let refused = came(&world, rail, "TX-R1").await;
        for _ in 0..2 {
            assert_eq!(world.tell("recalls", wish("TX-R1")).await["status"], 202);
        }
        let recall = world.get(refused.id).await.recall.unwrap();
        assert_eq!(recall.asked_by, AskedBy::Them);
        assert_eq!(
            (recall.reason, recall.case.as_str()),
            (Reason::FraudSuspected, "CASE-1")
        );
        let act = Act::RefuseRecall(refused.id, "LEGL".to_owned());
        world.execute(act).await.unwrap();
        let mut told = 0;
        for _ in 0..300 {
            told = world.counts(rail).await["recall_answers"].as_u64().unwrap();
            if told > 0 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert_eq!(told, 1);

        let granted = came(&world, rail, "TX-R2").await;
        world.tell("recalls", wish("TX-R2")).await;
        let back = ReturnPayment {
            id: Id::new(world.app.host.now(), world.app.host.random()),
            original: granted.id,
            amount: None,
            reason: Reason::Recalled,
        };
        world.execute(Act::Return(back)).await.unwrap();
        let payment = world.stage(granted.id, Stage::Reversed).await;
        assert!(state(RecallState::Granted)(&payment), "{payment:?}");
        assert!(
            world
                .timeline(granted.id)
                .await
                .contains(&"payment.recall_granted")
        );
        // Its money has gone back: asking again under another case is refused at once.
        let mut again = wish("TX-R2");
        again["case"] = "CASE-2".into();
        let answer = world.tell("recalls", again).await;
        assert_eq!(answer["status"], 200);
        assert!(
            answer["answer"].as_str().unwrap().contains("ARDT"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_recall_waits_out_an_outage() {
    let world = World::start().await;
    let id = cleared(&world, Rail::Fps, magic(50)).await;
    let outage = json!({"rail": "fps", "mode": "unavailable"});
    world.tell("outage", outage).await;
    world.execute(ask(id)).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    assert_eq!(world.counts(Rail::Fps).await["recalls"], 0);
    world.tell("outage", json!({"mode": "none"})).await;
    world.stage(id, Stage::Reversed).await;
    assert!(world.exceptions().await.is_empty());
}
