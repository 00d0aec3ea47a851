//! Customers and payees as a compliance officer knows them: made, proved, decided about; and payments
//! that wait for them.

use std::{io, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use lombard_core::{
    party::{Profile, Rule, Side, State},
    time::Timestamp,
};
use lombard_service::{
    config::Config,
    http::{Api, router},
    parties::{Finding, Provider},
    ports::Cause,
    worker::{feed, funds::Funds},
};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::world::World;

const PAYEE: &str = "DE89370400440532013000";

/// Both sides of anything above 100 must be verified.
fn config() -> Config {
    let mut config = Config::default();
    config.parties.rules = vec![Rule {
        name: "above 100".to_owned(),
        side: Side::Both,
        rails: Vec::new(),
        currency: None,
        above: 10_000,
        hold: vec![State::Unknown, State::Pending, State::Expired],
        refuse: vec![State::Rejected],
    }];
    config
}

async fn act(world: &World, party: &str, what: &str, body: Value) -> super::world::Answer {
    world
        .post(&format!("/v1/parties/{party}/{what}"), body)
        .await
}

async fn make(world: &World, accounts: &[&str]) -> String {
    let body = json!({"kind": "person", "accounts": accounts});
    let party = world.post("/v1/parties", body).await.expect(201);
    assert_eq!(
        (&party["state"], &party["region"]),
        (&json!("pending"), &json!("local"))
    );
    party["id"].as_str().unwrap().to_owned()
}

async fn prove(world: &World, party: &str) {
    for (kind, until) in [
        ("passport", json!("2031-01-01T00:00:00.000Z")),
        ("proof_of_address", Value::Null),
    ] {
        let body = json!({"kind": kind, "country": "GB", "good_until": until});
        act(world, party, "documents", body).await.expect(200);
    }
}

async fn decide(world: &World, party: &str, state: &str) -> super::world::Answer {
    let body = json!({"state": state, "reason": "looked at"});
    act(world, party, "decisions", body).await
}

async fn pay(world: &World, from: &str, to: &str, amount: u64) -> Value {
    let body = json!({"amount": amount, "currency": "GBP", "debtor": {"account": from}, "creditor": {"account": to}});
    world.post("/v1/payments", body).await.expect(201)
}

/// The payment once it waits for no party any more.
async fn decided(world: &World, payment: &Value) -> Value {
    let path = format!("/v1/payments/{}", payment["id"].as_str().unwrap());
    for _ in 0..500 {
        let now = world.get(&path).await.expect(200);
        if now["reason"] != "party_unverified" {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nobody woke it");
}

#[tokio::test]
async fn payments_wait_for_both_sides_and_go_or_fail_as_they_are_decided() {
    let world = World::of(config(), None).await;
    let (stop, stopped) = watch::channel(false);
    let funds = Arc::new(Funds::new(world.app.clone()));
    let worker = tokio::spawn(feed::run(world.app.clone(), funds, 0, stopped));
    let (from, to) = (world.account(1_000_000).await, world.account(0).await);

    let small = pay(&world, &from, &to, 10_000).await;
    assert_eq!(
        (&small["status"], &small["parties"]),
        (&json!("CLEARED"), &Value::Null)
    );
    let first = pay(&world, &from, &to, 10_001).await;
    assert_eq!(
        (&first["status"], &first["pending"], &first["reason"]),
        (
            &json!("AUTH_PENDING"),
            &json!("verification"),
            &json!("party_unverified")
        )
    );
    let side = |side: &str| json!({"side": side, "state": "unknown", "outcome": "hold", "rule": "above 100"});
    assert_eq!(first["parties"], json!([side("debtor"), side("creditor")]));
    // What a person says is no verification.
    let verification = format!(
        "/v1/payments/{}/verification",
        first["id"].as_str().unwrap()
    );
    let passed = world.post(&verification, json!({"result": "passed"})).await;
    passed.refused(409, "not_applicable", None);

    let (payer, payee) = (make(&world, &[&from]).await, make(&world, &[&to]).await);
    for party in [&payer, &payee] {
        decide(&world, party, "verified")
            .await
            .refused(409, "proofs_missing", None);
        prove(&world, party).await;
        let known = decide(&world, party, "verified").await.expect(200);
        assert_eq!(
            (&known["state"], &known["due"]),
            (&json!("verified"), &json!(false))
        );
    }
    assert_eq!(decided(&world, &first).await["status"], "CLEARED");

    // Taken back while another one is asked for: it waits, and fails with the rejection.
    decide(&world, &payee, "pending").await.expect(200);
    let second = pay(&world, &from, &to, 20_000).await;
    assert_eq!(second["parties"][1]["party"], json!(payee));
    decide(&world, &payee, "rejected").await.expect(200);
    let failed = decided(&world, &second).await;
    assert_eq!(
        (&failed["status"], &failed["reason"]),
        (&json!("FAILED"), &json!("party_refused"))
    );
    let third = pay(&world, &from, &to, 20_000).await;
    assert_eq!(third["status"], "FAILED", "at once");

    // A year later nobody is verified any more, without anything having been done.
    world.host.advance(366 * 24 * 60 * 60 * 1000);
    let due = world
        .get("/v1/parties?state=expired&due=true")
        .await
        .expect(200);
    assert_eq!(due["data"].as_array().unwrap().len(), 1);
    assert_eq!(due["data"][0]["id"], json!(payer));
    stop.send_replace(true);
    worker.await.unwrap();
}

/// However decisions and payments cross, none goes ahead by a state that was taken back, and none
/// is forgotten.
#[tokio::test]
async fn decisions_and_payments_that_cross_leave_nobody_waiting() {
    let world = Arc::new(World::of(config(), None).await);
    let (stop, stopped) = watch::channel(false);
    let funds = Arc::new(Funds::new(world.app.clone()));
    let worker = tokio::spawn(feed::run(world.app.clone(), funds, 0, stopped));
    let (from, to) = (world.account(10_000_000).await, world.account(0).await);
    let known = make(&world, &[&to]).await;
    prove(&world, &known).await;
    decide(&world, &known, "verified").await.expect(200);
    let party = make(&world, &[&from]).await;
    prove(&world, &party).await;
    let payments = (0..24).map(|_| pay(&world, &from, &to, 20_000));
    let payments = futures_util::future::join_all(payments);
    let (payments, last) = futures_util::future::join(payments, async {
        tokio::task::yield_now().await;
        decide(&world, &party, "verified").await.expect(200)
    })
    .await;
    assert_eq!(last["state"], "verified");
    for payment in &payments {
        assert_eq!(decided(&world, payment).await["status"], "CLEARED");
    }
    stop.send_replace(true);
    worker.await.unwrap();
}

#[tokio::test]
async fn an_account_is_one_partys_and_a_region_has_its_own_records() {
    let mut world = World::of(config(), None).await;
    let account = world.account(0).await;
    let party = make(&world, &[&account]).await;
    let again = json!({"kind": "business", "accounts": [account]});
    let taken = world.post("/v1/parties", again).await;
    taken.refused(409, "already_exists", Some("/accounts"));
    let other = make(&world, &[]).await;
    let body = json!({"account": account});
    act(&world, &other, "accounts", body)
        .await
        .refused(409, "already_exists", None);
    let outside = json!({"account": "f".repeat(64)});
    let added = act(&world, &other, "accounts", outside).await.expect(200);
    assert_eq!(added["accounts"], json!(["f".repeat(64)]));

    let elsewhere = json!({"kind": "person", "region": "eu-central-1"});
    let refused = world.post("/v1/parties", elsewhere).await;
    refused.refused(409, "region_elsewhere", Some("/region"));
    // The same store under another region's settings shows and changes nothing of it.
    let mut app = world.app.clone();
    let mut moved = config();
    moved.parties.region = "eu".to_owned();
    app.config = Arc::new(moved);
    world.router = router(Api::new(app));
    let path = format!("/v1/parties/{party}");
    world
        .get(&path)
        .await
        .refused(409, "region_elsewhere", None);
    decide(&world, &party, "rejected")
        .await
        .refused(409, "region_elsewhere", None);
    assert_eq!(
        world.get("/v1/parties").await.expect(200)["data"],
        json!([])
    );
}

#[tokio::test]
async fn personal_data_is_the_vaults() {
    let world = World::of(config(), None).await;
    let person = json!({"person": {"name": "Wilhelmina Zuckerkandl"}});
    let person = world.post("/v1/tokens", person).await.text("id");
    let bank = json!({"bank_account": {"iban": PAYEE}});
    let bank = world.post("/v1/tokens", bank).await.text("id");
    let made = json!({"kind": "person", "data": person});
    let party = world.post("/v1/parties", made).await.expect(201);
    assert_eq!(party["data"], json!(person));
    for (data, status, code) in [
        (bank.as_str(), 400, "invalid_field"),
        ("tok_00000000000000000000000000", 422, "reference_unknown"),
    ] {
        let body = json!({"kind": "person", "data": data});
        let refused = world.post("/v1/parties", body).await;
        refused.refused(status, code, Some("/data"));
    }
    let name = json!({"kind": "person", "name": "Wilhelmina"});
    world
        .post("/v1/parties", name)
        .await
        .refused(400, "invalid_field", Some("/name"));
}

/// A provider that cannot be reached.
struct Away;

impl Provider for Away {
    fn check<'a>(&'a self, _: &'a Profile, _: Timestamp) -> BoxFuture<'a, Result<Finding, Cause>> {
        let away: Cause = Arc::new(io::Error::from(io::ErrorKind::TimedOut));
        Box::pin(std::future::ready(Err(away)))
    }
}

#[tokio::test]
async fn nobody_is_verified_while_the_provider_is_away() {
    let mut world = World::of(config(), None).await;
    let party = make(&world, &[]).await;
    prove(&world, &party).await;
    let api = Api::new(world.app.clone()).with_identifier(Box::new(Away));
    world.router = router(api);
    decide(&world, &party, "verified")
        .await
        .refused(503, "unavailable", None);
    let path = format!("/v1/parties/{party}");
    assert_eq!(world.get(&path).await.expect(200)["state"], "pending");
}
