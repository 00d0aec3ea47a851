//! Risk over the API, as a risk analyst uses it: a payment is refused and explained, a review is
//! released, what became of payments is told, and a rule is tried on them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use lombard_core::time::Timestamp;
use lombard_risk::{features::Vector, policy::Policy};
use lombard_service::{
    config::Config,
    risk::{
        Desk, Parts, claim,
        elsewhere::{Model, NoScore, Scored},
    },
};
use serde_json::{Value, json};

use super::world::World;

const POLICY: &str = r#"{
    "version": 3,
    "rules": [
        {"name": "large", "version": 2, "condition": "amount > 500000", "action": "decline", "says": "it is over 5,000",
         "author": "ann", "reason": "case 7", "written_at": "2026-11-23", "mode": "live", "activated_by": "bob"},
        {"name": "new and round", "version": 1, "condition": "new_payee && round_amount", "action": "review",
         "says": "a round sum to somebody new", "author": "ann", "reason": "case 8", "written_at": "2026-11-23",
         "mode": "live", "activated_by": "bob"},
        {"name": "dark", "version": 1, "condition": "amount > 0", "action": "decline", "says": "it is money",
         "author": "ann", "reason": "a trial", "written_at": "2026-11-23", "mode": "shadow"}]
}"#;

async fn world() -> World {
    let desk = Desk::new(Parts {
        policy: Policy::parse(POLICY).unwrap(),
        limit: Duration::from_secs(5),
        ..Parts::default()
    });
    World::of(Config::default(), Some(desk)).await
}

async fn pay(world: &World, from: &str, to: &str, amount: u64) -> Value {
    let body = json!({"amount": amount, "currency": "GBP", "debtor": {"account": from}, "creditor": {"account": to}});
    // Ids of one moment are in no order.
    world.host.advance(1_000);
    world.post("/v1/payments", body).await.expect(201)
}

fn id(payment: &Value) -> &str {
    payment["id"].as_str().unwrap()
}

#[tokio::test]
async fn a_refusal_is_explained_and_a_review_is_released() {
    let world = world().await;
    let (from, to) = (world.account(1_000_000).await, world.account(0).await);
    let refused = pay(&world, &from, &to, 600_001).await;
    assert_eq!(
        (&refused["status"], &refused["reason"]),
        (&json!("FAILED"), &json!("fraud_suspected"))
    );
    let path = format!("/v1/risk/decisions/{}", id(&refused));
    let why = world.get(&path).await.expect(200);
    assert_eq!(why["action"], "decline");
    assert_eq!(why["reasons"], json!(["it is over 5,000"]));
    assert_eq!(why["replay"]["result"], "same");
    assert_eq!(why["features"]["amount"], 600_001.0);
    assert_eq!(
        why["rules"].as_array().unwrap().len(),
        2,
        "with the one in the shadow: {why}"
    );
    let payee = why["subjects"]["payee"].as_str().unwrap();
    assert_eq!(payee.len(), 16);

    let held = pay(&world, &from, &to, 1_000).await;
    assert_eq!(
        (&held["status"], &held["pending"]),
        (&json!("AUTH_PENDING"), &json!("verification"))
    );
    let listed = world.get("/v1/risk/decisions?limit=1").await.expect(200);
    assert_eq!(listed["data"][0]["payment"], held["id"]);
    assert_eq!(listed["data"][0]["status"], "AUTH_PENDING");
    let cursor = listed["next_cursor"].as_str().unwrap();
    let rest = world
        .get(&format!("/v1/risk/decisions?cursor={cursor}"))
        .await
        .expect(200);
    assert_eq!(rest["data"][0]["payment"], refused["id"]);
    assert_eq!(rest["has_more"], false);
    let released = format!("/v1/payments/{}/verification", id(&held));
    let released = world
        .post(&released, json!({"result": "passed"}))
        .await
        .expect(200);
    assert_eq!(released["status"], "CLEARED");

    let status = world.get("/v1/risk/health").await.expect(200);
    assert_eq!(
        status["decisions"],
        json!({"approve": 0, "challenge": 0, "decline": 1, "review": 1})
    );
    assert_eq!(
        (&status["policy_version"], &status["rules"]),
        (&json!(3), &json!(3))
    );
    // Nobody else sees any of it.
    world
        .get_as(&world.other_key, &path)
        .await
        .refused(404, "not_found", None);
}

#[tokio::test]
async fn what_became_of_payments_is_told_and_a_rule_is_tried_on_them() {
    let world = world().await;
    let (from, to) = (world.account(1_000_000).await, world.account(0).await);
    let mut payments = Vec::new();
    for amount in [1_001, 2_001, 3_001] {
        payments.push(pay(&world, &from, &to, amount).await);
    }
    let label = |payment: &Value, fraud: bool| json!({"payment": payment["id"], "fraud": fraud, "source": "claim"});
    let told = world
        .post("/v1/risk/labels", label(&payments[2], true))
        .await
        .expect(201);
    assert_eq!(
        (&told["fraud"], &told["object"]),
        (&json!(true), &json!("risk_label"))
    );
    world
        .post("/v1/risk/labels", label(&payments[1], false))
        .await
        .expect(201);
    world
        .post("/v1/risk/labels", label(&payments[1], false))
        .await
        .expect(201);
    let opposite = world
        .post("/v1/risk/labels", label(&payments[1], true))
        .await;
    opposite.refused(409, "already_exists", None);
    let nobody =
        json!({"payment": from.replace("acc_", "pay_"), "fraud": true, "source": "report"});
    let unknown = world.post("/v1/risk/labels", nobody).await;
    unknown.refused(422, "reference_unknown", Some("/payment"));

    let path = "/v1/risk/backtest?condition=amount%20%3E%202000&limit=2";
    let first = world.get(path).await.expect(200);
    assert_eq!(
        (&first["report"]["payments"], &first["report"]["hits"]),
        (&json!(2), &json!(1))
    );
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = world
        .get(&format!("{path}&cursor={cursor}"))
        .await
        .expect(200);
    let report = &rest["report"];
    assert_eq!(
        (&report["frauds"], &report["frauds_caught"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(report["overlap"]["dark"], 1);
    assert_eq!(rest["next_cursor"], Value::Null);
    world
        .get("/v1/risk/backtest?condition=amuont%20%3E%202000")
        .await
        .refused(400, "invalid_parameter", Some("condition"));
}

#[tokio::test]
async fn a_claim_about_a_faster_payment_is_a_case_with_its_clock() {
    let world = world().await;
    let from = world.account(20_000_000).await;
    let body = json!({"amount": 400_001, "currency": "GBP", "debtor": {"account": from},
        "creditor": {"name": "Eve", "sort_code": "000002", "account_number": "20000002"}});
    let paid = world.post("/v1/payments", body).await.expect(201);
    let cases = async || {
        let found = world.get("/v1/exceptions").await.expect(200);
        found["data"].as_array().unwrap().clone()
    };
    let label = |source| json!({"payment": id(&paid), "fraud": true, "source": source});
    for _ in 0..2 {
        let told = world.post("/v1/risk/labels", label("claim")).await;
        told.expect(201);
        let cases = cases().await;
        assert_eq!(cases.len(), 1, "{cases:?}");
        assert_eq!(cases[0]["kind"], "app_claim");
        let known = &cases[0]["evidence"];
        assert_eq!(
            (&known["owed_at_most"], &known["other_bank_bears"]),
            (&json!("400001"), &json!("200000"))
        );
        assert!(known["answer_by"].as_str() < known["answer_latest"].as_str());
        // It is told once, and its clock does not begin again.
        world.host.advance(30 * 24 * 3_600_000);
    }
}

#[tokio::test]
async fn a_claim_is_told_of_before_and_after_its_days_until_it_is_resolved() {
    let world = world().await;
    let from = world.account(20_000_000).await;
    let body = json!({"amount": 400_001, "currency": "GBP", "debtor": {"account": from},
        "creditor": {"name": "Eve", "sort_code": "000002", "account_number": "20000002"}});
    let paid = world.post("/v1/payments", body).await.expect(201);
    let claim = json!({"payment": id(&paid), "fraud": true, "source": "claim"});
    world.post("/v1/risk/labels", claim).await.expect(201);
    let found = async || {
        let found = world.get("/v1/exceptions").await.expect(200);
        let kinds = found["data"].as_array().unwrap().clone();
        kinds
            .into_iter()
            .filter(|it| it["state"] == "open")
            .collect::<Vec<_>>()
    };
    let case = &found().await[0];
    let by = |name: &str| Timestamp::parse_day(case["evidence"][name].as_str().unwrap()).unwrap();
    let kinds = async |at: Timestamp, hours: i64| {
        let at = Timestamp::from_unix_ms(at.unix_ms().strict_add_signed(hours * 3_600_000));
        claim::tell_due(&world.app, at).await.unwrap();
        let mut kinds: Vec<_> = found().await.iter().map(|it| it["kind"].clone()).collect();
        kinds.sort_by_key(ToString::to_string);
        kinds
    };
    let first = by("answer_by");
    assert_eq!(kinds(first, -25).await, ["app_claim"]);
    assert_eq!(kinds(first, -24).await, ["app_claim", "app_claim_due"]);
    assert_eq!(kinds(first, 23).await, ["app_claim", "app_claim_due"]);
    let all = ["app_claim", "app_claim_due", "app_claim_overdue"];
    assert_eq!(kinds(first, 24).await, all);
    for open in found().await {
        let path = format!("/v1/exceptions/{}/resolve", id(&open));
        world
            .post(&path, json!({"action": "ignore", "note": "reimbursed"}))
            .await
            .expect(200);
    }
    let none: [Value; 0] = [];
    assert_eq!(
        kinds(by("answer_latest"), 48).await,
        none,
        "nothing is left to be answered"
    );
}

#[tokio::test]
async fn where_nobody_judges_payments_are_as_they_always_were() {
    let world = World::new().await;
    let (from, to) = (world.account(1_000_000).await, world.account(0).await);
    let paid = pay(&world, &from, &to, 600_001).await;
    assert_eq!(paid["status"], "CLEARED");
    let path = format!("/v1/risk/decisions/{}", id(&paid));
    world.get(&path).await.refused(404, "not_found", None);
    world
        .get("/v1/risk/health")
        .await
        .refused(404, "not_found", None);
}

/// A model that waits longer than anybody has.
struct Slow(AtomicU32);

impl Model for Slow {
    fn score<'a>(&'a self, _: &'a Vector) -> BoxFuture<'a, Result<Scored, NoScore>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_request_that_is_repeated_is_judged_once() {
    let model = Arc::new(Slow(AtomicU32::new(0)));
    let desk = Desk::new(Parts {
        elsewhere: Some(model.clone()),
        limit: Duration::from_millis(50),
        ..Parts::default()
    });
    let world = World::of(Config::default(), Some(desk)).await;
    let (from, to) = (world.account(1_000_000).await, world.account(0).await);
    let asked = model.0.load(Ordering::Relaxed);
    let body = json!({"amount": 100, "currency": "GBP", "debtor": {"account": from}, "creditor": {"account": to}});
    let same = (0..8).map(|_| world.post_with("/v1/payments", "once", body.clone()));
    let answers = futures_util::future::join_all(same).await;
    let ids: std::collections::BTreeSet<_> =
        answers.iter().map(|answer| answer.text("id")).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(model.0.load(Ordering::Relaxed) - asked, 1);
    let health = world.get("/v1/risk/health").await.expect(200);
    assert_eq!(
        health["fallback_too_slow"],
        json!(asked + 1),
        "counted once: {health}"
    );
}

/// Many payments at once that race for one limit: exactly those that fit go through, whichever
/// they are, and each of the others says which limit it met.
#[tokio::test]
async fn a_storm_over_one_limit_passes_exactly_what_fits() {
    const STORM: u64 = 96;
    let policy = r#"{"version": 1, "limits": [
        {"name": "a day to one payee", "per": ["account", "payee"], "hours": 24, "counts": "amount", "most": 1000, "action": "decline"},
        {"name": "tries of a card", "per": ["card"], "hours": 1, "counts": "attempts", "most": 40, "action": "decline"}]}"#;
    let desk = Desk::new(Parts {
        policy: Policy::parse(policy).unwrap(),
        limit: Duration::from_secs(5),
        ..Parts::default()
    });
    let world = World::of(Config::default(), Some(desk)).await;
    let (from, to) = (world.account(1_000_000).await, world.account(0).await);
    let body = |amount: u64, card: &str| {
        json!({"amount": amount, "currency": "GBP", "debtor": {"account": from}, "creditor": {"account": to},
            "metadata": {"risk_card": card}})
    };
    let pay = async |number: u64| {
        let card = format!("card {}", number % 2);
        let answer = world.post("/v1/payments", body(100, &card)).await;
        answer.expect(201)
    };
    let paid = futures_util::future::join_all((0..STORM).map(pay)).await;
    let cleared = paid.iter().filter(|it| it["status"] == "CLEARED").count();
    assert_eq!(cleared, 10, "1,000 in parts of 100");
    let balance = world.get(&format!("/v1/accounts/{to}")).await.expect(200);
    assert_eq!(balance["balance"]["credits_posted"], 1_000);
    let mut tried = 0;
    for refused in paid.iter().filter(|it| it["status"] == "FAILED") {
        let path = format!("/v1/risk/decisions/{}", id(refused));
        let why = world.get(&path).await.expect(200);
        let exceeded = why["limits_exceeded"].as_array().unwrap();
        assert!(!exceeded.is_empty(), "{why}");
        tried += usize::from(exceeded.contains(&json!("tries of a card")));
    }
    // Refused tries count as well: 48 with each card, 40 of which are within the limit.
    assert_eq!(tried, 16);
}
