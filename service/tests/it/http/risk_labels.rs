//! What became of payments, as it is told and as it follows from what happened to them.

use std::{sync::Arc, time::Duration};

use lombard_risk::policy::Policy;
use lombard_service::{
    config::Config,
    risk::{Desk, Parts, fold::Fold},
};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::world::World;

const POLICY: &str = r#"{"version": 1, "rules": [
    {"name": "round", "version": 1, "condition": "round_amount", "action": "review", "says": "it is round",
     "author": "ann", "reason": "a test", "written_at": "2026-11-23", "mode": "live", "activated_by": "bob"}],
    "limits": [{"name": "tries of a device", "per": ["device"], "hours": 24, "counts": "attempts", "most": 2, "action": "decline"}]}"#;

/// With whoever folds what happens here.
async fn world() -> (World, Fold) {
    let desk = Desk::new(Parts {
        policy: Policy::parse(POLICY).unwrap(),
        limit: Duration::from_secs(5),
        ..Parts::default()
    });
    let world = World::of(Config::default(), Some(Arc::clone(&desk))).await;
    let fold = Fold::open(world.app.clone(), desk).await.unwrap();
    (world, fold)
}

/// Folds what has come.
pub async fn folded(fold: Fold) {
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(fold.run(stopped));
    tokio::time::sleep(Duration::from_millis(200)).await;
    stop.send(true).unwrap();
    running.await.unwrap();
}

async fn sent(world: &World, from: &str, amount: u64) -> String {
    let body = json!({"amount": amount, "currency": "GBP", "debtor": {"account": from},
        "creditor": {"name": "Eve", "sort_code": "000002", "account_number": "20000002"}});
    world.host.advance(1_000);
    let paid = world.post("/v1/payments", body).await.expect(201);
    paid["id"].as_str().unwrap().to_owned()
}

async fn label(world: &World, payment: &str, fraud: bool, source: &str) -> super::world::Answer {
    let body = json!({"payment": payment, "fraud": fraud, "source": source});
    world.post("/v1/risk/labels", body).await
}

async fn claims(world: &World) -> Vec<Value> {
    let found = world.get("/v1/exceptions").await.expect(200);
    let all = found["data"].as_array().unwrap().iter();
    all.filter(|it| it["kind"] == "app_claim")
        .cloned()
        .collect()
}

#[tokio::test]
async fn a_claim_starts_its_clock_whatever_was_told_before() {
    for before in [None, Some((true, "report")), Some((false, "silence"))] {
        let (world, _) = world().await;
        let from = world.account(1_000_000).await;
        let paid = sent(&world, &from, 40_001).await;
        if let Some((fraud, source)) = before {
            label(&world, &paid, fraud, source).await.expect(201);
            assert_eq!(claims(&world).await.len(), 0);
            world.host.advance(10 * 24 * 3_600_000);
        }
        let told = label(&world, &paid, true, "claim").await.expect(201);
        let cases = claims(&world).await;
        assert_eq!(cases.len(), 1, "{before:?}");
        let by = &cases[0]["evidence"]["answer_by"];
        // The claim's own day begins the clock, not the day of the report.
        let known = told["claimed_at"].as_str().or(told["told_at"].as_str());
        assert!(by.as_str() > known.map(|at| &at[..10]), "{cases:?}");
        world.host.advance(20 * 24 * 3_600_000);
        label(&world, &paid, true, "claim").await.expect(201);
        assert_eq!(&claims(&world).await[0]["evidence"]["answer_by"], by);
    }
}

#[tokio::test]
async fn silence_gives_way_to_fraud_and_what_was_learned_is_corrected() {
    let (world, fold) = world().await;
    let from = world.account(1_000_000).await;
    let paid = sent(&world, &from, 40_001).await;
    label(&world, &paid, false, "silence").await.expect(201);
    let told = label(&world, &paid, true, "chargeback").await.expect(201);
    assert_eq!(
        (&told["fraud"], &told["source"]),
        (&json!(true), &json!("chargeback"))
    );
    let back = label(&world, &paid, false, "report").await;
    back.refused(409, "already_exists", None);
    folded(fold).await;
    let next = sent(&world, &from, 101).await;
    let path = format!("/v1/risk/decisions/{next}");
    let known = &world.get(&path).await.expect(200)["features"];
    let counts = (&known["payee_frauds_30d"], &known["payee_labels_30d"]);
    assert_eq!(counts.0, &json!(1.0), "{known}");
    assert!(counts.1.is_null() || counts.1 == &json!(1.0), "{known}");
}

#[tokio::test]
async fn an_analyst_s_refusal_is_a_label_and_a_payer_s_is_none() {
    let (world, fold) = world().await;
    let from = world.account(1_000_000).await;
    let mut refused = Vec::new();
    for (amount, reason) in [
        (10_000, Some("fraud_suspected")),
        (20_000, None),
        (30_000, Some("cancelled")),
    ] {
        let paid = sent(&world, &from, amount).await;
        let mut body = json!({"result": "refused"});
        if let Some(reason) = reason {
            body["reason"] = json!(reason);
        }
        world.host.advance(60_000);
        let path = format!("/v1/payments/{paid}/verification");
        world.post(&path, body).await.expect(200);
        refused.push(paid);
    }
    folded(fold).await;
    for (paid, is_known) in refused.iter().zip([true, true, false]) {
        // Told again by hand it is what is known already, with its own source and delay.
        let told = label(&world, paid, true, "report").await.expect(201);
        let source = if is_known { "analyst" } else { "report" };
        assert_eq!(told["source"], source, "{told}");
        if is_known {
            assert_eq!(told["delay_seconds"], 60, "{told}");
        }
    }
}

/// A device is the same one in pounds and in euros.
#[tokio::test]
async fn attempts_of_a_device_are_counted_over_all_currencies() {
    let (world, _) = world().await;
    let pounds = (world.account(100_000).await, world.account(0).await);
    let euro = async || {
        let body = json!({"name": "euros", "currency": "EUR"});
        world.post("/v1/accounts", body).await.expect(201)["id"].clone()
    };
    let euros = (euro().await, euro().await);
    let mut digits = Vec::new();
    for number in 0..4 {
        let (currency, from, to) = match number % 2 {
            0 => ("GBP", json!(pounds.0), json!(pounds.1)),
            _ => ("EUR", euros.0.clone(), euros.1.clone()),
        };
        let body = json!({"amount": 101, "currency": currency, "debtor": {"account": from},
            "creditor": {"account": to}, "metadata": {"risk_device": "d-1"}});
        let paid = world.post("/v1/payments", body).await.expect(201);
        let path = format!("/v1/risk/decisions/{}", paid["id"].as_str().unwrap());
        let why = world.get(&path).await.expect(200);
        digits.push(why["subjects"]["device"].clone());
        let is_over = number >= 2;
        assert_eq!(why["action"] == "decline", is_over, "{number}: {why}");
        let says = json!(["it would exceed the limit \"tries of a device\""]);
        assert_eq!(why["reasons"] == says, is_over, "{why}");
    }
    assert!(digits.iter().all(|it| *it == digits[0]), "{digits:?}");
}

#[tokio::test]
async fn what_is_misspelt_for_risk_is_refused_and_others_see_no_counts() {
    let (world, _) = world().await;
    let (from, to) = (world.account(100_000).await, world.account(0).await);
    let body = |key: &str| {
        json!({"amount": 101, "currency": "GBP", "debtor": {"account": from},
            "creditor": {"account": to}, "metadata": {key: "d-1"}})
    };
    let misspelt = world.post("/v1/payments", body("risk_devcie")).await;
    misspelt.refused(400, "invalid_field", Some("/metadata"));
    world
        .post("/v1/payments", body("risk_device"))
        .await
        .expect(201);
    let count = async |key: &str| {
        let health = world.get_as(key, "/v1/risk/health").await.expect(200);
        health["decisions"]["approve"].clone()
    };
    assert_eq!(count(&world.key).await, json!(1));
    assert_eq!(count(&world.other_key).await, json!(0));
}
