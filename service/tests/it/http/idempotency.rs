//! Idempotency keys on every POST.

use std::{sync::Arc, time::Duration};

use axum::{body::Body, http::Request};
use futures_util::future::BoxFuture;
use lombard_core::{
    command::{Command, Reply},
    idempotency::{Fingerprint, Idempotency},
    store::BODY_BYTES_MAX,
};
use lombard_service::{
    http::{Api, once, router},
    ports::{Bank, ExecuteError},
};
use serde_json::json;

use super::world::{World, internal, outgoing};

#[tokio::test]
async fn a_repeated_request_is_answered_byte_for_byte() {
    let world = World::new().await;
    let account = world.account(10_000).await;
    let first = world
        .post_with("/v1/payments", "k1", outgoing(&account))
        .await;
    assert_eq!(
        (first.status, first.header("idempotency-replayed")),
        (201, None)
    );
    world.host.advance(86_400_000);
    // The same JSON in another order and with white space; the same key in quotes.
    let text = format!(
        " {{\"reference\":\"INV 42\", \"creditor\":{{\"account_number\":\"55779911\",\"sort_code\":\"20-00-00\",\"name\":\"Ada Lovelace\"}},
        \"debtor\":{{\"account\":\"{account}\"}},\"currency\":\"GBP\",\"amount\":1250}}"
    );
    let again = world
        .send(world.request("/v1/payments", "\"k1\"", text))
        .await;
    assert_eq!(
        (again.status, again.header("idempotency-replayed")),
        (201, Some("true"))
    );
    assert_eq!(again.bytes, first.bytes);
    let listed = world.get("/v1/payments").await.expect(200);
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_repetition_is_answered_though_the_request_would_be_refused_by_now() {
    let mut world = World::new().await;
    let account = world.account(10_000).await;
    let pay = outgoing(&account);
    let first = world.post_with("/v1/payments", "k", pay.clone()).await;
    let mut app = world.app.clone();
    app.rails = Arc::default();
    world.router = router(Api::new(app));
    let again = world.post_with("/v1/payments", "k", pay.clone()).await;
    assert_eq!((again.status, &again.bytes), (201, &first.bytes));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let mut other = pay.clone();
    other["amount"] = json!(7);
    for (key, body) in [("k", other), ("fresh", pay)] {
        let refused = world.post_with("/v1/payments", key, body).await;
        refused.refused(422, "rail_off", Some("/rail"));
    }
}

#[tokio::test]
async fn a_key_serves_one_request_of_one_operation() {
    let world = World::new().await;
    let (a, b) = (world.account(1_000).await, world.account(0).await);
    world
        .post_with("/v1/payments", "k", internal(&a, &b, 1))
        .await
        .expect(201);
    let other = world
        .post_with("/v1/payments", "k", internal(&a, &b, 2))
        .await;
    other.refused(422, "idempotency_key_reused", None);
    let body = json!({"debtor": a, "creditor": b, "amount": 1, "currency": "GBP"});
    world.post_with("/v1/holds", "k", body).await.expect(201);
    // The path is a part of the request.
    let (p, q) = (world.payment().await, world.payment().await);
    world
        .post_with(&format!("/v1/payments/{p}/cancel"), "c", json!({}))
        .await
        .expect(200);
    let other = world
        .post_with(&format!("/v1/payments/{q}/cancel"), "c", json!({}))
        .await;
    other.refused(422, "idempotency_key_reused", None);
}

#[tokio::test]
async fn a_refused_request_may_succeed_later_under_its_key() {
    let world = World::new().await;
    let (a, b) = (world.account(0).await, world.account(0).await);
    let body = json!({"debtor": a, "creditor": b, "amount": 5, "currency": "GBP"});
    world
        .post_with("/v1/holds", "k", body.clone())
        .await
        .refused(422, "insufficient_funds", Some("/debtor"));
    world.fund(&a, 5).await;
    world.post_with("/v1/holds", "k", body).await.expect(201);
}

#[tokio::test]
async fn every_post_needs_a_well_formed_key() {
    let world = World::new().await;
    let nothing = "00000000000000000000000000";
    let prefix = [
        ("payments", "pay"),
        ("accounts", "acc"),
        ("holds", "hld"),
        ("webhook_endpoints", "whk"),
        ("tokens", "tok"),
        ("charges", "pay"),
        ("api_keys", "key"),
        ("people", "key"),
        ("mandates", "mdt"),
        ("parties", "pty"),
        ("views", "viw"),
        ("proposals", "prp"),
        ("exceptions", "exc"),
    ];
    for path in super::isolation::posts() {
        let resource = path.split('/').nth(2).unwrap();
        let known = prefix.iter().find(|(name, _)| *name == resource);
        let id = known.map_or("none", |(_, prefix)| prefix);
        let path = path.replace("{id}", &format!("{id}_{nothing}"));
        let request = |keys: &[&str]| {
            let mut request = Request::post(&path)
                .header("authorization", format!("Bearer {}", world.key))
                .header("content-type", "application/json");
            for key in keys {
                request = request.header("idempotency-key", *key);
            }
            request.body(Body::from("{}")).unwrap()
        };
        let missing = world.send(request(&[])).await;
        missing.refused(400, "idempotency_key_missing", Some("Idempotency-Key"));
        for keys in [&[""] as &[&str], &["\"a"], &["a", "a"]] {
            let answer = world.send(request(keys)).await;
            answer.refused(400, "idempotency_key_invalid", Some("Idempotency-Key"));
        }
    }
}

#[tokio::test]
async fn many_at_once_are_one() {
    let world = World::new().await;
    let account = world.account(10_000).await;
    let answers = (0..32).map(|_| world.post_with("/v1/payments", "same", outgoing(&account)));
    let answers = futures_util::future::join_all(answers).await;
    let first = answers
        .iter()
        .find(|it| it.header("idempotency-replayed").is_none());
    let bytes = &first.expect("somebody was first").bytes;
    for answer in &answers {
        assert_eq!((answer.status, &answer.bytes), (201, bytes));
    }
    let again = world
        .post_with("/v1/payments", "same", outgoing(&account))
        .await;
    assert_eq!(&again.bytes, bytes);
    let account = world
        .get(&format!("/v1/accounts/{account}"))
        .await
        .expect(200);
    assert_eq!(account["balance"]["debits_pending"], 1_250);
}

/// A bank whose disk takes its time.
struct Slow(Arc<dyn Bank>, Duration);

impl Bank for Slow {
    fn execute(&self, command: Command) -> BoxFuture<'_, Result<Reply, ExecuteError>> {
        Box::pin(async {
            tokio::time::sleep(self.1).await;
            self.0.execute(command).await
        })
    }
}

#[tokio::test(start_paused = true)]
async fn what_still_runs_is_told_so_and_answered_later() {
    let mut world = World::new().await;
    let account = world.account(10_000).await;
    let mut app = world.app.clone();
    app.bank = Arc::new(Slow(app.bank, Duration::from_secs(5)));
    world.router = router(Api::new(app));
    let pay = || world.post_with("/v1/payments", "slow", outgoing(&account));
    let again = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let running = pay().await;
        assert_eq!(running.header("retry-after"), Some("1"));
        assert_eq!(running.json()["retryable"], true);
        running.refused(409, "request_running", Some("Idempotency-Key"));
        // Another key of the same account is in nobody's way.
        let other = world.post_with("/v1/payments", "other", outgoing(&account));
        other.await.expect(201);
        loop {
            let answer = pay().await;
            if answer.status != 409 {
                return answer;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let (first, again) = tokio::join!(pay(), again);
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(again.bytes, first.bytes);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
}

#[tokio::test]
async fn an_answer_that_no_record_holds_is_given_all_the_same() {
    let world = World::new().await;
    let api = Api::new(world.app.clone());
    let wish = Idempotency {
        operation: "a.test",
        key: "long".to_owned(),
        fingerprint: Fingerprint::of(b"the same"),
    };
    let long = "x".repeat(BODY_BYTES_MAX);
    for _ in 0..2 {
        let work = async { Ok(&long) };
        let reply = once::after(&api, world.tenant, &wish, 200, work).await;
        let reply = reply.unwrap();
        assert_eq!((reply.status, reply.replayed), (200, false));
        assert_eq!(reply.body.len(), long.len() + 2);
    }
}
