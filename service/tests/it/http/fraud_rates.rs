//! The portfolio's fraud rates: counted with payments and labels, and what they exempt.

// Amounts are grouped as they are read: `100_00` is a hundred, in minor units.
#![allow(clippy::inconsistent_digit_grouping)]

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use lombard_risk::policy::Policy;
use lombard_service::{
    config::Config,
    risk::{Desk, Parts},
};
use serde_json::{Value, json};

use super::world::World;

const POLICY: &str = r#"{"version": 1, "rules": []}"#;

async fn world() -> World {
    let desk = Desk::new(Parts {
        policy: Policy::parse(POLICY).unwrap(),
        limit: Duration::from_secs(5),
        ..Parts::default()
    });
    World::of(Config::default(), Some(Arc::clone(&desk))).await
}

async fn euros(world: &World, cents: u64) -> String {
    world
        .account_in("EUR", "sepa_inst/settlement/EUR", cents)
        .await
}

async fn paid(world: &World, from: &str, to: &str, cents: u64, more: Value) -> Value {
    let mut body = json!({"amount": cents, "currency": "EUR", "debtor": {"account": from},
        "creditor": {"account": to}});
    body["authentication"] = json!({"channel": "remote_transfer"});
    for (name, value) in more.as_object().unwrap() {
        body["authentication"][name] = value.clone();
    }
    world.post("/v1/payments", body).await.expect(201)
}

/// One that is carried out whatever the rates are.
async fn carried_out(world: &World, from: &str, to: &str, cents: u64) -> String {
    let payment = paid(world, from, to, cents, json!({"corporate": true})).await;
    assert_eq!(payment["status"], "CLEARED", "{payment}");
    payment["id"].as_str().unwrap().to_owned()
}

async fn label(world: &World, payment: &str, source: &str) {
    let body = json!({"payment": payment, "fraud": true, "source": source});
    world.post("/v1/risk/labels", body).await.expect(201);
}

/// The sums of remote credit transfers in euros.
async fn sums(world: &World) -> (Value, Value, Value) {
    let found = world.get("/v1/risk/fraud_rates").await.expect(200);
    let all = found["data"].as_array().unwrap().clone();
    assert_eq!(all.len(), 4);
    let wanted = |it: &&Value| it["regime"] == "eu" && it["instrument"] == "transfer";
    let rate = all.iter().find(wanted).unwrap();
    (
        rate["total"].clone(),
        rate["fraud"].clone(),
        rate["bands"].clone(),
    )
}

fn exempts(bands: &Value) -> Vec<bool> {
    let bands = bands.as_array().unwrap().iter();
    bands.map(|band| band["exempts"] == true).collect()
}

#[tokio::test]
async fn risk_analysis_exempts_while_the_rate_is_within_its_band() {
    let world = world().await;
    let (a, b) = (euros(&world, 200_000_000).await, euros(&world, 0).await);
    let low = json!({"low_risk": true});
    let first = paid(&world, &a, &b, 400_00, low.clone()).await;
    // A portfolio without payments has no rate.
    assert_eq!(first["authentication"]["outcome"], "required", "{first}");
    let tried = &first["authentication"]["tried"];
    assert!(
        tried
            .as_array()
            .unwrap()
            .contains(&json!({"article": 18, "why": "fraud_rate"}))
    );
    carried_out(&world, &a, &b, 1_000_000_00 - 75_00).await;
    let bad = carried_out(&world, &a, &b, 75_00).await;
    let good = paid(&world, &a, &b, 400_00, low.clone()).await;
    assert_eq!(good["authentication"]["article"], 18, "{good}");
    assert_eq!(
        good["authentication"]["fraud_rate"],
        json!({"total": 1_000_000_00_u64, "fraud": 0, "reference_ppm": 50, "band_max": 500_00})
    );
    assert_eq!(good["status"], "CLEARED");
    // 75 of a million and 400 are 75 parts per million: too many for 500 euros, few enough for 250.
    label(&world, &bad, "chargeback").await;
    let (total, fraud, bands) = sums(&world).await;
    assert_eq!((total, fraud), (json!(1_000_400_00_u64), json!(75_00)));
    assert_eq!(exempts(&bands), [true, true, false]);
    let high = paid(&world, &a, &b, 400_00, low.clone()).await;
    assert_eq!(high["authentication"]["outcome"], "required");
    assert_eq!(high["authentication"]["fraud_rate"]["fraud"], 75_00);
    let fits = paid(&world, &a, &b, 250_00, low.clone()).await;
    assert_eq!(fits["authentication"]["article"], 18, "{fits}");
    // Without an analysis that found a low risk it exempts nothing.
    let unsaid = paid(&world, &a, &b, 250_00, json!({})).await;
    assert_eq!(unsaid["authentication"]["outcome"], "required");
    // A quarter later none of it counts.
    world.host.advance(91 * 24 * 3_600_000);
    let (total, fraud, _) = sums(&world).await;
    assert_eq!((total, fraud), (json!(0), json!(0)));
}

#[tokio::test]
async fn each_payment_and_its_fraud_count_once_when_all_come_at_once() {
    let world = world().await;
    let (a, b) = (euros(&world, 100_000_000).await, euros(&world, 0).await);
    let many = (0..24).map(|_| carried_out(&world, &a, &b, 1_000));
    let made = join_all(many).await;
    // The same is told twice, of two sources, while more is paid.
    let told = made
        .iter()
        .take(10)
        .flat_map(|payment| ["report", "chargeback"].map(|source| label(&world, payment, source)));
    let more = (0..8).map(|_| carried_out(&world, &a, &b, 500));
    let (_, _) = futures_util::join!(join_all(told), join_all(more));
    let (total, fraud, _) = sums(&world).await;
    assert_eq!(
        (total, fraud),
        (json!(24 * 1_000 + 8 * 500), json!(10 * 1_000))
    );
}

#[tokio::test]
async fn what_the_payer_authorised_or_never_moved_is_in_no_rate() {
    let world = world().await;
    let (a, b) = (euros(&world, 100_000_000).await, euros(&world, 0).await);
    let deceived = carried_out(&world, &a, &b, 9_000).await;
    label(&world, &deceived, "claim").await;
    let waits = paid(&world, &a, &b, 7_000_00, json!({})).await;
    assert_eq!(waits["status"], "AUTH_PENDING");
    label(&world, waits["id"].as_str().unwrap(), "report").await;
    let contact = paid(&world, &a, &b, 100, json!({"channel": "mail_or_telephone"})).await;
    assert_eq!(contact["status"], "CLEARED");
    let (total, fraud, _) = sums(&world).await;
    assert_eq!((total, fraud), (json!(9_000), json!(0)));
}

#[tokio::test]
async fn fraud_that_is_told_before_the_payment_is_carried_out_counts_with_it() {
    let world = world().await;
    let (a, b) = (euros(&world, 200_000).await, euros(&world, 0).await);
    let mut body = json!({"amount": 5_000, "currency": "EUR", "debtor": {"account": a},
        "creditor": {"account": b}, "verification": "fraud_suspected"});
    body["authentication"] = json!({"channel": "remote_transfer", "corporate": true});
    let held = world.post("/v1/payments", body).await.expect(201);
    let id = held["id"].as_str().unwrap();
    label(&world, id, "report").await;
    assert_eq!(sums(&world).await.0, json!(0));
    let path = format!("/v1/payments/{id}/verification");
    let passed = world.post(&path, json!({"result": "passed"})).await;
    assert_eq!(passed.expect(200)["status"], "CLEARED");
    let (total, fraud, _) = sums(&world).await;
    assert_eq!((total, fraud), (json!(5_000), json!(5_000)));
}

#[tokio::test]
async fn without_anybody_who_judges_no_rate_is_known() {
    let world = World::new().await;
    let (a, b) = (euros(&world, 100_000_000).await, euros(&world, 0).await);
    carried_out(&world, &a, &b, 1_000_00).await;
    let low = paid(&world, &a, &b, 90_00, json!({"low_risk": true})).await;
    assert_eq!(low["authentication"]["outcome"], "required", "{low}");
    let none = world.get("/v1/risk/fraud_rates").await;
    none.refused(404, "not_found", None);
}
