//! Deliveries of providers at the route: what is refused, kept, and acted on, once.

use axum::{body::Body, http::Request};
use lombard_core::command::Report;
use lombard_service::config::{Config, PspConfig};
use ring::hmac;
use serde_json::{Value, json};

use crate::http::world::{Answer, World};

const SECRET: &str = "whsec_test";

async fn world() -> World {
    let mut config = Config::default();
    let stripe = PspConfig {
        secret: SECRET.to_owned(),
        ..PspConfig::default()
    };
    config.psp.insert("stripe".to_owned(), stripe);
    World::with(config).await
}

/// A delivery as Stripe signs it, so many seconds ago.
async fn deliver(world: &World, body: &str, secret: &str, age_s: u64) -> Answer {
    let at = world.app.host.now().unix_ms() / 1000 - age_s;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mac = hmac::sign(&key, format!("{at}.{body}").as_bytes());
    let signature = format!("t={at},v1={}", hex::encode(mac));
    let request = Request::post("/v1/psp/stripe/webhooks")
        .header("stripe-signature", signature)
        .body(Body::from(body.to_owned()))
        .unwrap();
    world.send(request).await
}

async fn genuine(world: &World, body: &Value) -> Answer {
    deliver(world, &body.to_string(), SECRET, 0).await
}

/// A payment that has left us, and the reference under which a provider knows it.
async fn sent(world: &World) -> (String, String) {
    let id = world.payment().await;
    world.report(&id, Report::Submitted).await;
    let digits = id.trim_start_matches("pay_");
    (id.clone(), format!("{}-{digits}", world.tenant.short()))
}

fn event(id: &str, kind: &str, reference: &str, amount: u64) -> Value {
    json!({
        "id": id, "object": "event", "api_version": "2025-09-30.clover", "type": kind,
        "created": 1_795_000_000,
        "data": {"object": {
            "id": "pi_1", "object": "payment_intent", "amount": amount, "amount_received": amount,
            "currency": "gbp", "status": "succeeded",
            "metadata": {"lombard_attempt": reference},
        }},
    })
}

async fn status(world: &World, id: &str) -> String {
    world
        .get(&format!("/v1/payments/{id}"))
        .await
        .text("status")
}

async fn exceptions(world: &World) -> Vec<String> {
    let page = world.get("/v1/exceptions").await.expect(200);
    let kind = |it: &Value| it["kind"].as_str().unwrap_or_default().to_owned();
    page["data"].as_array().unwrap().iter().map(kind).collect()
}

#[tokio::test]
async fn what_is_not_genuine_is_refused_and_changes_nothing() {
    let world = world().await;
    let (id, reference) = sent(&world).await;
    let yes = event("evt_1", "payment_intent.succeeded", &reference, 1250).to_string();
    for (secret, age) in [("whsec_other", 0), (SECRET, 301)] {
        let answer = deliver(&world, &yes, secret, age).await;
        answer.refused(401, "signature_invalid", None);
    }
    let unsigned = Request::post("/v1/psp/stripe/webhooks").body(Body::from(yes.clone()));
    let answer = world.send(unsigned.unwrap()).await;
    answer.refused(401, "signature_invalid", None);
    assert_eq!(status(&world, &id).await, "AUTH_PENDING");
    let elsewhere = Request::post("/v1/psp/nobody/webhooks").body(Body::from(yes.clone()));
    assert_eq!(world.send(elsewhere.unwrap()).await.status, 404);
    // It is as good as ever for whoever did send it.
    assert_eq!(deliver(&world, &yes, SECRET, 0).await.status, 200);
    assert_eq!(status(&world, &id).await, "CLEARED");
}

#[tokio::test]
async fn an_event_is_taken_once_and_told_to_those_who_listen() {
    let world = world().await;
    let (id, reference) = sent(&world).await;
    let yes = event("evt_1", "payment_intent.succeeded", &reference, 1250);
    for _ in 0..3 {
        assert_eq!(genuine(&world, &yes).await.status, 200);
    }
    let payment = world.get(&format!("/v1/payments/{id}")).await.expect(200);
    assert_eq!(payment["status"], "CLEARED");
    let path = format!("/v1/payments/{id}/timeline");
    let timeline = world.get(&path).await.expect(200);
    let kinds: Vec<_> = timeline["data"].as_array().unwrap().iter().collect();
    let cleared = kinds.iter().filter(|it| it["type"] == "payment.cleared");
    assert_eq!(cleared.count(), 1, "{timeline}");
    assert_eq!(exceptions(&world).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_nobody_knows_is_kept_and_shown_to_a_person() {
    let world = world().await;
    let (id, reference) = sent(&world).await;
    let odd = event("evt_1", "payment_intent.teleported", &reference, 1250);
    assert_eq!(genuine(&world, &odd).await.status, 200);
    let again = event("evt_2", "payment_intent.teleported", &reference, 1250);
    assert_eq!(genuine(&world, &again).await.status, 200);
    assert_eq!(exceptions(&world).await, ["unknown_status"]);
    assert_eq!(status(&world, &id).await, "AUTH_PENDING");
    let stranger = event("evt_3", "payment_intent.succeeded", "not-ours", 1250);
    assert_eq!(genuine(&world, &stranger).await.status, 200);
    assert_eq!(deliver(&world, "no json", SECRET, 0).await.status, 200);
    assert_eq!(status(&world, &id).await, "AUTH_PENDING");
}

#[tokio::test]
async fn a_delivery_is_bounded() {
    let world = world().await;
    let long = "x".repeat(lombard_service::psp::webhooks::BODY_BYTES_MAX + 1);
    let answer = deliver(&world, &long, SECRET, 0).await;
    answer.refused(413, "body_too_large", None);
}
