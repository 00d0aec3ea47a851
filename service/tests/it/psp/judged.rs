//! Charges are judged before their provider hears of them.

use std::{sync::Arc, time::Duration};

use lombard_core::command::Report;
use lombard_risk::policy::Policy;
use lombard_service::{
    config::{Config, PspConfig},
    risk::{Desk, Parts, fold::Fold},
};
use serde_json::{Value, json};

use super::charges::{ADYEN_SECRET, adyen, tell};
use crate::http::{
    isolation::{charge, charging},
    risk_labels::folded,
    world::World,
};

const POLICY: &str = r#"{"version": 1, "rules": [
    {"name": "huge", "version": 1, "condition": "rail == 'card' && amount > 90000", "action": "decline", "says": "it is huge",
     "author": "ann", "reason": "a test", "written_at": "2026-11-23", "mode": "live", "activated_by": "bob"},
    {"name": "large", "version": 1, "condition": "amount > 50000", "action": "review", "says": "it is large",
     "author": "ann", "reason": "a test", "written_at": "2026-11-23", "mode": "live", "activated_by": "bob"},
    {"name": "some", "version": 1, "condition": "amount > 20000", "action": "challenge", "says": "it is some",
     "author": "ann", "reason": "a test", "written_at": "2026-11-23", "mode": "live", "activated_by": "bob"}],
    "limits": [{"name": "a card a day", "per": ["card", "terminal"], "hours": 24, "counts": "amount", "most": 10000, "action": "decline"}]}"#;

async fn world() -> World {
    let mut config = Config::default();
    config.psp.insert("stripe".into(), charging());
    let adyen = PspConfig {
        secret: ADYEN_SECRET.into(),
        ..charging()
    };
    config.psp.insert("adyen".into(), adyen);
    let desk = Desk::new(Parts {
        policy: Policy::parse(POLICY).unwrap(),
        limit: Duration::from_secs(5),
        ..Parts::default()
    });
    World::of(config, Some(desk)).await
}

/// A charge of a card of its own each time.
async fn made(world: &World, account: &str, amount: u64, card: &str, more: Value) -> Value {
    let mut body = charge(account, amount);
    body["card"]["provider_token"] = json!(card);
    body["metadata"] = more;
    world.host.advance(1_000);
    world.post("/v1/charges", body).await.expect(201)
}

async fn why(world: &World, charge: &Value) -> Value {
    let path = format!("/v1/risk/decisions/{}", charge["id"].as_str().unwrap());
    world.get(&path).await.expect(200)
}

#[tokio::test]
async fn each_answer_of_risk_is_done_with_a_charge() {
    let world = world().await;
    let account = world.account(0).await;
    let mut policy = POLICY.replace("\"most\": 10000", "\"most\": 10000000");
    policy = policy.replace("\"version\": 1, \"rules\"", "\"version\": 2, \"rules\"");
    world
        .app
        .risk
        .as_ref()
        .unwrap()
        .adopt(Policy::parse(&policy).unwrap());
    let none = json!({});
    let proved = json!({"risk_3ds": "authenticated"});
    for (amount, more, status, reason) in [
        (100, &none, "INITIATED", Value::Null),
        (20_001, &none, "FAILED", json!("authentication_needed")),
        (20_001, &proved, "INITIATED", Value::Null),
        (50_001, &proved, "AUTH_PENDING", json!("fraud_suspected")),
        (90_001, &proved, "FAILED", json!("fraud_suspected")),
    ] {
        let charge = made(
            &world,
            &account,
            amount,
            &format!("pm_{amount}"),
            more.clone(),
        )
        .await;
        assert_eq!(
            (&charge["status"], &charge["reason"]),
            (&json!(status), &reason),
            "{amount} {more}"
        );
        let why = why(&world, &charge).await;
        assert_eq!(why["replay"]["result"], "same");
        let subjects = &why["subjects"];
        assert!(
            subjects["card"].is_string() && subjects["terminal"].is_string(),
            "{why}"
        );
        assert_eq!(
            why["features"]["amount"],
            json!(amount.to_string().parse::<f64>().unwrap())
        );
    }
    // What failed was never to be sent; what is reviewed is sent once somebody says yes.
    let held = made(&world, &account, 50_001, "pm_held", none).await;
    let id = held["id"].as_str().unwrap();
    assert_eq!(held["pending"], "verification");
    let path = format!("/v1/payments/{id}/verification");
    let passed = world
        .post(&path, json!({"result": "passed"}))
        .await
        .expect(200);
    assert_eq!(
        (&passed["status"], &passed["pending"]),
        (&json!("AUTH_PENDING"), &json!("rails"))
    );
    world.report(id, Report::Submitted).await;
    world
        .report(id, Report::Authorised(Some("psp_1".into())))
        .await;
}

#[tokio::test]
async fn a_limit_of_a_card_holds_and_what_is_declined_elsewhere_gives_it_back() {
    let world = world().await;
    let account = world.account(0).await;
    let charge = async |card: &str| made(&world, &account, 6_000, card, json!({})).await;
    let first = charge("pm_1").await;
    let over = charge("pm_1").await;
    assert_eq!(
        (&over["status"], &over["reason"]),
        (&json!("FAILED"), &json!("fraud_suspected"))
    );
    assert_eq!(
        why(&world, &over).await["limits_exceeded"],
        json!(["a card a day"])
    );
    assert_eq!(charge("pm_2").await["status"], "INITIATED");
    let id = first["id"].as_str().unwrap();
    world.report(id, Report::Submitted).await;
    let declined = Report::Rejected(lombard_core::reason::Reason::Declined, "no".into());
    world.report(id, declined).await;
    assert_eq!(charge("pm_1").await["status"], "INITIATED");
}

#[tokio::test]
async fn a_chargeback_is_a_label_by_itself() {
    let world = world().await;
    let desk = world.app.risk.clone().unwrap();
    let fold = Fold::open(world.app.clone(), Arc::clone(&desk))
        .await
        .unwrap();
    let account = world.account(0).await;
    let charge = made(&world, &account, 1_000, "pm_1", json!({})).await;
    let id = charge["id"].as_str().unwrap();
    world.report(id, Report::Submitted).await;
    world
        .report(id, Report::Authorised(Some("psp_1".into())))
        .await;
    for (name, part) in [
        ("CAPTURE", "cap_1"),
        ("NOTIFICATION_OF_CHARGEBACK", "dis_1"),
    ] {
        world.host.advance(3_600_000);
        let item = adyen(&world, id, name, part, 1_000);
        tell(&world, "adyen", None, &json!({"notificationItems": [item]})).await;
    }
    folded(fold).await;
    let label = json!({"payment": id, "fraud": true, "source": "report"});
    let told = world.post("/v1/risk/labels", label).await.expect(201);
    assert_eq!(
        (&told["source"], &told["delay_seconds"]),
        (&json!("chargeback"), &json!(7_200)),
        "{told}"
    );
}
