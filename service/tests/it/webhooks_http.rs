//! `/v1/webhook_endpoints`.

use lombard_core::{event::KINDS, tenant::TenantId};
use lombard_service::{
    config::{Config, WebhooksConfig},
    hooks::{consumer::WebhookConsumer, dispatch::Hooks, retry},
};
use serde_json::json;
use standardwebhooks::Webhook;

use crate::{
    client::Client,
    receiver::{Answer, Receiver},
    support::World,
};

const PATH: &str = "/v1/webhook_endpoints";

fn world(allow_private: bool) -> World {
    let webhooks = WebhooksConfig {
        allow_private,
        ..WebhooksConfig::default()
    };
    World::new(Config {
        webhooks,
        ..Config::default()
    })
}

#[tokio::test]
async fn a_secret_is_shown_when_it_is_made_and_to_who_asks_again() {
    let world = world(false);
    let client = Client::new(&world.app, world.tenant).await;
    let wish = json!({"url": "https://example.com/hook", "events": ["payment.cleared"]});
    let made = client.post(PATH, "k1", &wish).await.expect(201);
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"));
    assert_eq!(
        (&made["state"], &made["events"]),
        (&json!("enabled"), &wish["events"])
    );

    let again = client.post(PATH, "k1", &wish).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.expect(201), made, "byte for byte, with the secret");
    let other = json!({"url": "https://example.com/other"});
    let reused = client.post(PATH, "k1", &other).await.expect(422);
    assert_eq!(reused["code"], "idempotency_key_reused");

    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    let seen = client.get(&path).await.expect(200);
    assert!(seen.get("secret").is_none());
    assert_eq!(client.get(PATH).await.expect(200)["data"], json!([seen]));

    // The secret is nowhere in the store in clear, and not in the kept answer.
    let feed = world.app.store.changes(0, 0, 10_000, 0).await.unwrap();
    let stored = format!("{feed:?}");
    assert!(!stored.contains(secret.trim_start_matches("whsec_")));

    world.host.advance(1);
    let rotated = client
        .post(
            &format!("{path}/rotate_secret"),
            "k2",
            &json!({"overlap_seconds": 0}),
        )
        .await;
    let rotated = rotated.expect(200);
    assert_ne!(rotated["secret"], secret.as_str());
    let late = client.post(PATH, "k1", &wish).await.expect(201);
    assert!(
        late.get("secret").is_none(),
        "a secret that has ended is shown to nobody"
    );
}

#[tokio::test]
async fn what_cannot_be_an_endpoint_is_refused_with_its_field() {
    let world = world(false);
    let client = Client::new(&world.app, world.tenant).await;
    for (body, field) in [
        (json!({"url": "http://example.com/"}), "/url"),
        (json!({"url": "https://169.254.169.254/latest"}), "/url"),
        (json!({"url": "https://127.1/"}), "/url"),
        (json!({"url": "https://[::1]/"}), "/url"),
        (json!({"url": "nothing"}), "/url"),
        (
            json!({"url": "https://e.com", "events": ["payment.eaten"]}),
            "/events",
        ),
        (
            json!({"url": "https://e.com", "description": "x".repeat(201)}),
            "/description",
        ),
        (json!({"url": "https://e.com", "secret": "mine"}), "/secret"),
    ] {
        let problem = client.post(PATH, "k", &body).await.expect(400);
        assert_eq!(
            (&problem["code"], &problem["field"]),
            (&json!("invalid_field"), &json!(field))
        );
    }
    for n in 0..16 {
        let body = json!({"url": format!("https://e.com/{n}")});
        client.post(PATH, &format!("n{n}"), &body).await.expect(201);
    }
    let body = json!({"url": "https://e.com/one-more"});
    assert_eq!(
        client.post(PATH, "more", &body).await.expect(422)["code"],
        "too_large"
    );
    let body = json!({"url": "https://e.com/0"});
    client.post(PATH, "n0", &body).await.expect(201);
}

#[tokio::test]
async fn an_endpoint_is_changed_and_deleted_and_is_nobody_else_s() {
    let world = world(false);
    let client = Client::new(&world.app, world.tenant).await;
    let stranger = Client::new(&world.app, TenantId::new(2)).await;
    let made = client
        .post(PATH, "k", &json!({"url": "https://e.com"}))
        .await
        .expect(201);
    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    for (method, path) in [
        ("GET", path.clone()),
        ("PATCH", path.clone()),
        ("GET", format!("{path}/deliveries")),
        ("POST", format!("{path}/rotate_secret")),
        ("POST", format!("{path}/test")),
    ] {
        let answered = stranger.json(method, &path, "s", &json!({})).await;
        assert_eq!(answered.expect(404)["code"], "not_found", "{method} {path}");
    }
    stranger
        .json("DELETE", &path, "s", &json!({}))
        .await
        .expect(204);
    assert_eq!(stranger.get(PATH).await.expect(200)["data"], json!([]));

    let off = json!({"state": "disabled", "description": "ledger", "events": KINDS});
    let changed = client.json("PATCH", &path, "-", &off).await.expect(200);
    assert_eq!(changed["disabled_reason"], "owner");
    assert_eq!(changed["description"], "ledger");
    let on = json!({"state": "enabled", "description": "", "events": []});
    let changed = client.json("PATCH", &path, "-", &on).await.expect(200);
    assert_eq!(changed["state"], "enabled");
    assert!(changed.get("description").is_none() && changed.get("disabled_at").is_none());

    client
        .json("DELETE", &path, "-", &json!({}))
        .await
        .expect(204);
    client
        .json("DELETE", &path, "-", &json!({}))
        .await
        .expect(204);
    client.get(&path).await.expect(404);
}

#[tokio::test]
async fn deliveries_are_listed_tested_and_replayed() {
    let world = world(true);
    let client = Client::new(&world.app, world.tenant).await;
    let receiver = Receiver::start(Answer::Status(410)).await;
    let made = client
        .post(PATH, "k", &json!({"url": receiver.url()}))
        .await
        .expect(201);
    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    let (from, to) = (world.account(1000).await, world.account(0).await);
    let payment = world.pay(from, to).await;
    let hooks = Hooks::new(world.app.clone()).unwrap();
    world.feed(&WebhookConsumer(hooks.clone()), 0).await;

    let failed = client
        .get(&format!("{path}/deliveries?state=failed"))
        .await
        .expect(200);
    let delivery = &failed["data"][0];
    assert_eq!(delivery["payment"], payment.to_string());
    assert_eq!(delivery["attempts"][0]["status"], 410);
    let replay = json!({"since": "2026-01-01T00:00:00Z"});
    let refused = client
        .post(&format!("{path}/replay"), "r", &replay)
        .await
        .expect(409);
    assert_eq!(refused["code"], "wrong_state");

    receiver.usually(Answer::Status(200));
    client
        .json("PATCH", &path, "-", &json!({"state": "enabled"}))
        .await
        .expect(200);
    hooks.directory.forget(world.tenant);
    let first = client
        .post(&format!("{path}/replay"), "r", &replay)
        .await
        .expect(200);
    assert_eq!(
        (&first["deliveries"], &first["has_more"]),
        (&json!(1), &json!(false))
    );
    assert_eq!(
        client
            .post(&format!("{path}/replay"), "r", &replay)
            .await
            .expect(200),
        first
    );
    let test = client
        .post(&format!("{path}/test"), "t", &json!({}))
        .await
        .expect(202);
    assert_eq!(
        client
            .post(&format!("{path}/test"), "t", &json!({}))
            .await
            .expect(202),
        test
    );
    retry::scan(&hooks).await.unwrap();
    let received = receiver.wait_for(3).await;
    let official = Webhook::new(made["secret"].as_str().unwrap()).unwrap();
    for one in &received {
        official.verify(&one.body, &one.headers).unwrap();
    }
    let unknown = json!({"event": "evt_00000000000000000000000007"});
    let problem = client
        .post(&format!("{path}/replay"), "u", &unknown)
        .await
        .expect(422);
    assert_eq!(problem["field"], "/event");
    let page = client
        .get(&format!("{path}/deliveries?limit=1"))
        .await
        .expect(200);
    assert_eq!(page["has_more"], true);
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = client
        .get(&format!("{path}/deliveries?limit=1&cursor={cursor}"))
        .await
        .expect(200);
    assert_ne!(rest["data"][0]["id"], page["data"][0]["id"]);
}
