//! A payer's authentication: required or not and why, asked, answered, counted.

use data_encoding::BASE32_NOPAD;
use lombard_core::sca::challenge::STANDS_MS;
use lombard_service::{factors, ports::Host};
use serde_json::{Value, json};

use super::world::{World, internal};

async fn pay(world: &World, debtor: &str, creditor: &str, pence: u64, more: Value) -> Value {
    let mut body = internal(debtor, creditor, pence);
    body["authentication"] = json!({"channel": "remote_transfer"});
    for (name, value) in more.as_object().unwrap() {
        body["authentication"][name] = value.clone();
    }
    world.post("/v1/payments", body).await.expect(201)
}

struct Payer {
    account: String,
    payee: String,
    secret: Vec<u8>,
}

impl Payer {
    async fn new(world: &World) -> Self {
        let account = world.account(1_000_000).await;
        let payee = world.account(0).await;
        let path = format!("/v1/accounts/{account}/factors");
        let enrolled = world.post(&path, json!({"pin": "4711"})).await.expect(201);
        let secret = BASE32_NOPAD
            .decode(enrolled["totp_secret"].as_str().unwrap().as_bytes())
            .unwrap();
        Self {
            account,
            payee,
            secret,
        }
    }

    fn code(&self, world: &World) -> String {
        factors::one_time(&self.secret, factors::step_of(world.host.now()))
    }

    /// A payment that waits for authentication, with its challenge.
    async fn asked(&self, world: &World) -> (String, String) {
        let payment = pay(world, &self.account, &self.payee, 50_000, json!({})).await;
        assert_eq!(payment["status"], "AUTH_PENDING");
        assert_eq!(payment["pending"], "verification");
        assert_eq!(payment["reason"], "authentication_needed");
        let id = payment["id"].as_str().unwrap().to_owned();
        let asked = world
            .post(&format!("/v1/payments/{id}/challenge"), json!({}))
            .await;
        let linked = asked.expect(200)["authentication"]["challenge"]["linked"].clone();
        (id, linked.as_str().unwrap().to_owned())
    }

    async fn answer(&self, world: &World, id: &str, linked: &str, pin: &str, code: &str) -> Value {
        let body = json!({"linked": linked, "pin": pin, "code": code});
        let path = format!("/v1/payments/{id}/challenge/answer");
        world.post(&path, body).await.expect(200)
    }
}

#[tokio::test]
async fn a_decision_is_explained_in_the_payment() {
    let world = World::new().await;
    let (a, b) = (world.account(1_000_000).await, world.account(0).await);
    let low = pay(&world, &a, &b, 25_00, json!({})).await;
    assert_eq!(low["status"], "CLEARED");
    assert_eq!(low["authentication"]["outcome"], "exempt");
    assert_eq!(low["authentication"]["article"], 16);
    let high = pay(&world, &a, &b, 25_01, json!({})).await;
    assert_eq!(high["authentication"]["outcome"], "required");
    assert_eq!(
        high["authentication"]["tried"],
        json!([{"article": 16, "why": "amount"}, {"article": 18, "why": "no_threshold"}])
    );
    let own = pay(&world, &a, &b, 90_000, json!({"own_account": true})).await;
    assert_eq!(
        (&own["authentication"]["article"], &own["status"]),
        (&json!(15), &json!("CLEARED"))
    );
    let without = world
        .post("/v1/payments", internal(&a, &b, 90_000))
        .await
        .expect(201);
    assert!(without.get("authentication").is_none());
}

#[tokio::test]
async fn counters_are_exact_when_everything_comes_at_once() {
    let world = World::new().await;
    let (a, b) = (world.account(1_000_000).await, world.account(0).await);
    let many = (0..20).map(|_| pay(&world, &a, &b, 10_00, json!({})));
    let answers = futures_util::future::join_all(many).await;
    let exempt = answers
        .iter()
        .filter(|it| it["authentication"]["outcome"] == "exempt");
    // Five payments, and not more than 85 pounds, since the last authentication.
    assert_eq!(exempt.count(), 5);
    assert_eq!(
        answers
            .iter()
            .filter(|it| it["status"] == "CLEARED")
            .count(),
        5
    );
}

#[tokio::test]
async fn what_fails_does_not_count() {
    let world = World::new().await;
    let (a, b) = (world.account(10_00).await, world.account(0).await);
    for _ in 0..8 {
        // Not enough money: refused, and not counted.
        let failed = pay(&world, &a, &b, 11_00, json!({})).await;
        assert_eq!(failed["status"], "FAILED", "{failed}");
    }
    for _ in 0..5 {
        assert_eq!(pay(&world, &a, &b, 1, json!({})).await["status"], "CLEARED");
    }
    assert_eq!(
        pay(&world, &a, &b, 1, json!({})).await["status"],
        "AUTH_PENDING"
    );
}

#[tokio::test]
async fn a_payer_who_proves_himself_pays_and_begins_anew() {
    let world = World::new().await;
    let payer = Payer::new(&world).await;
    for _ in 0..5 {
        pay(&world, &payer.account, &payer.payee, 1, json!({})).await;
    }
    let (id, linked) = payer.asked(&world).await;
    // Nobody passes it by.
    let path = format!("/v1/payments/{id}/verification");
    let by = world.post(&path, json!({"result": "passed"}));
    by.await.refused(409, "not_applicable", None);
    let code = payer.code(&world);
    let paid = payer.answer(&world, &id, &linked, "4711", &code).await;
    assert_eq!(paid["status"], "CLEARED");
    assert!(paid["authentication"]["authenticated_at"].is_string());
    let next = pay(&world, &payer.account, &payer.payee, 1, json!({})).await;
    assert_eq!(next["authentication"]["outcome"], "exempt");
    // A password is good once.
    let (id, linked) = payer.asked(&world).await;
    let again = payer.answer(&world, &id, &linked, "4711", &code).await;
    assert_eq!(again["status"], "AUTH_PENDING");
    assert_eq!(again["authentication"]["challenge"]["tries_left"], 4);
}

#[tokio::test]
async fn five_wrong_answers_end_it_and_none_says_what_was_wrong() {
    let world = World::new().await;
    let payer = Payer::new(&world).await;
    let (id, linked) = payer.asked(&world).await;
    let code = payer.code(&world);
    let pin_wrong = payer.answer(&world, &id, &linked, "0000", &code).await;
    let code_wrong = payer.answer(&world, &id, &linked, "4711", "000000").await;
    let mut same = code_wrong.clone();
    same["authentication"]["challenge"]["tries_left"] = json!(4);
    same["updated_at"] = pin_wrong["updated_at"].clone();
    assert_eq!(same, pin_wrong);
    // Asking again brings no new tries.
    world
        .post(&format!("/v1/payments/{id}/challenge"), json!({}))
        .await
        .expect(200);
    for _ in 0..2 {
        payer.answer(&world, &id, &linked, "4711", "000000").await;
    }
    let last = payer.answer(&world, &id, &linked, "4711", "000000").await;
    assert_eq!(
        (&last["status"], &last["reason"]),
        (&json!("FAILED"), &json!("verification_failed"))
    );
}

#[tokio::test]
async fn an_answer_counts_for_what_was_shown_and_for_five_minutes() {
    let world = World::new().await;
    let payer = Payer::new(&world).await;
    let (first, linked) = payer.asked(&world).await;
    let (second, other) = payer.asked(&world).await;
    let void = payer
        .answer(&world, &first, &other, "4711", &payer.code(&world))
        .await;
    assert_eq!(void["status"], "AUTH_PENDING");
    assert_eq!(void["authentication"]["challenge"]["tries_left"], 5);
    world.host.advance(STANDS_MS + 1);
    let late = payer
        .answer(&world, &first, &linked, "4711", &payer.code(&world))
        .await;
    assert_eq!(late["status"], "AUTH_PENDING");
    world.host.advance(60_000);
    let asked = world
        .post(&format!("/v1/payments/{second}/challenge"), json!({}))
        .await
        .expect(200);
    let linked = asked["authentication"]["challenge"]["linked"]
        .as_str()
        .unwrap();
    let paid = payer
        .answer(&world, &second, linked, "4711", &payer.code(&world))
        .await;
    assert_eq!(paid["status"], "CLEARED");
}

#[tokio::test]
async fn a_retry_of_an_answer_is_answered_alike_and_counted_once() {
    let world = World::new().await;
    let payer = Payer::new(&world).await;
    let (id, linked) = payer.asked(&world).await;
    let path = format!("/v1/payments/{id}/challenge/answer");
    let body = json!({"linked": linked, "pin": "0000", "code": "000000"});
    let first = world
        .post_with(&path, "same", body.clone())
        .await
        .expect(200);
    let again = world.post_with(&path, "same", body).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.expect(200), first);
    let looked = world.get(&format!("/v1/payments/{id}")).await.expect(200);
    assert_eq!(looked["authentication"]["challenge"]["tries_left"], 4);
}

#[tokio::test]
async fn a_card_payment_follows_three_ds() {
    let world = World::new().await;
    let (a, b) = (world.account(1_000_000).await, world.account(0).await);
    for (status, outcome) in [
        ("Y", "CLEARED"),
        ("A", "CLEARED"),
        ("N", "AUTH_PENDING"),
        ("U", "AUTH_PENDING"),
    ] {
        let payment = pay(&world, &a, &b, 50_000, json!({"channel": "remote_card"})).await;
        let id = payment["id"].as_str().unwrap();
        let asked = world
            .post(&format!("/v1/payments/{id}/challenge"), json!({}))
            .await
            .expect(200);
        let linked = &asked["authentication"]["challenge"]["linked"];
        let body = json!({"linked": linked, "trans_status": status});
        let path = format!("/v1/payments/{id}/challenge/answer");
        let answered = world.post(&path, body).await.expect(200);
        assert_eq!(answered["status"], outcome, "{status}");
    }
}
