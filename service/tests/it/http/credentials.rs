//! Keys, roles, machines that pay, second persons: what each may do, and nothing else.

use axum::{body::Body, http::Request};
use lombard_service::{access::Access, http::peer::Peers};
use serde_json::{Value, json};

use super::world::{World, internal};

async fn key(world: &World, body: Value) -> String {
    let made = world.post("/v1/api_keys", body).await.expect(201);
    made["key"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_is_shown_once_expires_and_is_exchanged() {
    let world = World::new().await;
    let made = world
        .post(
            "/v1/api_keys",
            json!({"name": "k", "scope": "write", "expires_in_seconds": 60}),
        )
        .await;
    let made = made.expect(201);
    let secret = made["key"].as_str().unwrap();
    world.get_as(secret, "/v1/payments").await.expect(200);
    let listed = world.get("/v1/api_keys").await.expect(200);
    assert!(!listed.to_string().contains(secret));
    let mine = listed["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["id"] == made["id"])
        .unwrap();
    assert!(mine["last_used_at"].is_string());
    let path = format!("/v1/api_keys/{}/rotate", made["id"].as_str().unwrap());
    let next = world
        .post(&path, json!({"overlap_seconds": 10}))
        .await
        .expect(201);
    let next_key = next["key"].as_str().unwrap();
    world.get_as(secret, "/v1/payments").await.expect(200);
    world.host.advance(11_000);
    world
        .get_as(secret, "/v1/payments")
        .await
        .refused(401, "unauthenticated", None);
    world.get_as(next_key, "/v1/payments").await.expect(200);
    world
        .post(&path, json!({}))
        .await
        .refused(409, "key_not_rotatable", None);
    world.host.advance(50_000);
    world
        .get_as(next_key, "/v1/payments")
        .await
        .refused(401, "unauthenticated", None);

    let third = key(&world, json!({"name": "third"})).await;
    world.get_as(&third, "/v1/payments").await.expect(200);
    let listed = world.get("/v1/api_keys").await.expect(200);
    let id = listed["data"][0]["id"].as_str().unwrap();
    let gone = world
        .call_as(
            &world.key,
            "DELETE",
            &format!("/v1/api_keys/{id}"),
            json!({}),
        )
        .await;
    assert!(gone.expect(200)["revoked_at"].is_string());
    world
        .get_as(&third, "/v1/payments")
        .await
        .refused(401, "unauthenticated", None);
}

#[tokio::test]
async fn a_repeated_request_makes_no_second_key_and_does_not_show_the_first() {
    let world = World::new().await;
    let body = json!({"name": "once"});
    let first = world.post_with("/v1/api_keys", "k", body.clone()).await;
    let first = first.expect(201);
    let again = world.post_with("/v1/api_keys", "k", body).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let again = again.expect(201);
    assert_eq!(again["id"], first["id"]);
    assert!(first["key"].is_string() && again.get("key").is_none());
    let path = format!("/v1/api_keys/{}/rotate", first["id"].as_str().unwrap());
    let tries = (0..4).map(|_| world.post(&path, json!({})));
    let tries = futures_util::future::join_all(tries).await;
    assert_eq!(
        tries.iter().filter(|answer| answer.status == 201).count(),
        1
    );
    let listed = world.get("/v1/api_keys").await.expect(200);
    let old = listed["data"].as_array().unwrap().iter();
    let old = old.clone().find(|key| key["id"] == first["id"]).unwrap();
    assert!(old["replaced_by"].is_string() && old["expires_at"].is_string());
}

#[tokio::test]
async fn a_key_is_taken_from_its_networks_alone() {
    let world = World::new().await;
    let body = json!({"name": "n", "networks": ["192.0.2.0/24", "2001:db8::1"]});
    let key = key(&world, body).await;
    let from = async |address: &str| {
        let mut request = Request::get("/v1/payments")
            .header("authorization", format!("Bearer {key}"))
            .body(Body::empty())
            .unwrap();
        let peer = Peers::default().of(address.parse().unwrap(), false);
        request.extensions_mut().insert(peer);
        world.send(request).await
    };
    for address in ["192.0.2.77", "::ffff:192.0.2.1", "2001:db8::1"] {
        from(address).await.expect(200);
    }
    for address in ["192.0.3.1", "2001:db8::2", "127.0.0.1"] {
        from(address)
            .await
            .refused(403, "address_not_allowed", None);
    }
    let unknown = world.get_as(&key, "/v1/payments").await;
    unknown.refused(403, "address_not_allowed", None);
}

#[tokio::test]
async fn who_tries_keys_out_is_told_to_wait() {
    let mut config = lombard_service::config::Config::default();
    config.http.new_keys_per_second_per_address_max = 3;
    let world = World::with(config).await;
    // The part that may be known, with another secret.
    let (known, secret) = world.key.split_at(34);
    let guess = format!("{known}{}", "0".repeat(secret.len()));
    let peers = Peers::default();
    let show = async |key: &str| {
        let mut request = Request::get("/v1/payments")
            .header("authorization", format!("Bearer {key}"))
            .body(Body::empty())
            .unwrap();
        let peer = peers.of("192.0.2.1".parse().unwrap(), false);
        request.extensions_mut().insert(peer);
        world.send(request).await
    };
    for _ in 0..3 {
        show(&guess).await.refused(401, "unauthenticated", None);
    }
    show(&guess).await.refused(429, "rate_limited", None);
    // Who proved his key before is not kept out.
    world.get("/v1/payments").await.expect(200);
    show(&world.key).await.expect(200);
}

#[tokio::test]
async fn a_key_of_the_other_environment_is_no_key() {
    let world = World::new().await;
    let live = world.key.replace("sk_test_", "sk_live_");
    let refused = world.get_as(&live, "/v1/payments").await;
    refused.refused(401, "unauthenticated", None);
    let mut config = lombard_service::config::Config::default();
    config.environment = lombard_service::config::Environment::Live;
    let world = World::with(config).await;
    assert!(world.key.starts_with("sk_live_"));
    world.get("/v1/payments").await.expect(200);
}

#[tokio::test]
async fn a_key_for_one_resource_reaches_no_other() {
    let world = World::new().await;
    let only = key(
        &world,
        json!({"name": "o", "scope": "write", "resources": ["accounts"]}),
    )
    .await;
    world.get_as(&only, "/v1/accounts").await.expect(200);
    world
        .get_as(&only, "/v1/payments")
        .await
        .refused(403, "forbidden", None);
    for body in [
        json!({"name": "x", "role": "viewer", "scope": "write"}),
        json!({"name": "x", "grants": ["everything"]}),
        json!({"name": "x", "resources": ["../x"]}),
        json!({"name": "x", "tenant": "ten_other000"}),
        json!({"name": "x", "expires_in_seconds": 0}),
        json!({"name": "x", "networks": ["192.0.2.0/33"]}),
    ] {
        assert_eq!(world.post("/v1/api_keys", body).await.status, 400);
    }
}

async fn mandate(world: &World, account: &str, more: Value) -> Value {
    let mut body = json!({"human": "u-17", "agent": "buyer", "account": account, "currency": "GBP",
        "amount_each_max": 100, "amount_total_max": 1000, "expires_in_seconds": 3600});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    world.post("/v1/mandates", body).await.expect(201)
}

#[tokio::test]
async fn a_machine_pays_within_its_mandate_however_many_at_once() {
    let world = World::new().await;
    let (a, b) = (world.account(100_000).await, world.account(0).await);
    let mandate = mandate(&world, &a, json!({})).await;
    let key = mandate["key"].as_str().unwrap();
    let pay = |pence| world.call_as(key, "POST", "/v1/payments", internal(&a, &b, pence));
    let many = futures_util::future::join_all((0..25).map(|_| pay(100))).await;
    let paid = many.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(paid, 10, "not one more than the mandate is for");
    for answer in many.into_iter().filter(|answer| answer.status != 201) {
        answer.refused(403, "mandate_exceeded", None);
    }
    let path = format!("/v1/mandates/{}", mandate["id"].as_str().unwrap());
    assert_eq!(world.get(&path).await.expect(200)["spent"], 1000);
    let payments = world.get("/v1/payments").await.expect(200);
    let agency = &payments["data"][0]["agency"];
    assert_eq!(
        (&agency["human"], &agency["agent"]),
        (&json!("u-17"), &json!("buyer"))
    );
    assert!(agency["workload"].as_str().unwrap().starts_with("key/key_"));
}

#[tokio::test]
async fn a_machine_does_nothing_but_pay_and_can_be_stopped() {
    let world = World::new().await;
    let (a, b) = (world.account(100_000).await, world.account(0).await);
    let other = world.account(100_000).await;
    let mandate = mandate(&world, &a, json!({"payees": [b], "rails": ["book"]})).await;
    let key = mandate["key"].as_str().unwrap();
    let payment = world.payment().await;
    for (method, path) in [
        ("POST", format!("/v1/payments/{payment}/cancel")),
        ("POST", "/v1/accounts".into()),
        ("GET", "/v1/accounts".into()),
        ("POST", "/v1/mandates".into()),
        ("POST", "/v1/batches".into()),
    ] {
        world
            .call_as(key, method, &path, json!({}))
            .await
            .refused(403, "forbidden", None);
    }
    let pay = |from: &str, to: &str, pence| {
        world.call_as(key, "POST", "/v1/payments", internal(from, to, pence))
    };
    for (from, to, pence) in [(&other, &b, 1), (&a, &other, 1), (&a, &b, 101)] {
        pay(from, to, pence)
            .await
            .refused(403, "mandate_exceeded", None);
    }
    pay(&a, &b, 100).await.expect(201);
    let path = format!("/v1/mandates/{}/revoke", mandate["id"].as_str().unwrap());
    assert!(world.post(&path, json!({})).await.expect(200)["revoked_at"].is_string());
    pay(&a, &b, 1).await.refused(403, "mandate_exceeded", None);
}

#[tokio::test]
async fn what_waits_under_a_mandate_stops_with_it() {
    let world = World::new().await;
    let (a, b) = (world.account(0).await, world.account(0).await);
    let mandate = mandate(&world, &a, json!({})).await;
    let key = mandate["key"].as_str().unwrap();
    let mut body = internal(&a, &b, 60);
    body["on_insufficient_funds"] = json!("wait");
    body["verification"] = json!("fraud_suspected");
    let waits = world.call_as(key, "POST", "/v1/payments", body).await;
    let path = format!("/v1/payments/{}/verification", waits.text("id"));
    let of = format!("/v1/mandates/{}", mandate["id"].as_str().unwrap());
    world
        .post(&format!("{of}/revoke"), json!({}))
        .await
        .expect(200);
    let ended = world.post(&path, json!({"result": "passed"})).await;
    let ended = ended.expect(200);
    assert_eq!(
        (&ended["status"], &ended["reason"]),
        (&json!("FAILED"), &json!("mandate_invalid"))
    );
    assert_eq!(world.get(&of).await.expect(200)["spent"], 0);
}

#[tokio::test]
async fn what_fails_gives_its_mandate_back() {
    let world = World::new().await;
    let (a, b) = (world.account(50).await, world.account(0).await);
    let mandate = mandate(&world, &a, json!({})).await;
    let key = mandate["key"].as_str().unwrap();
    let failed = world
        .call_as(key, "POST", "/v1/payments", internal(&a, &b, 60))
        .await;
    assert_eq!(failed.expect(201)["status"], "FAILED");
    let path = format!("/v1/mandates/{}", mandate["id"].as_str().unwrap());
    assert_eq!(world.get(&path).await.expect(200)["spent"], 0);
}

#[tokio::test]
async fn above_the_limit_it_takes_somebody_else() {
    let mut config = lombard_service::config::Config::default();
    config.approvals.payments_above = 1_000;
    let world = World::with(config).await;
    let (a, b) = (world.account(100_000).await, world.account(0).await);
    let small = world
        .post("/v1/payments", internal(&a, &b, 1_000))
        .await
        .expect(201);
    assert_eq!(small["status"], "CLEARED");
    let large = world
        .post("/v1/payments", internal(&a, &b, 1_001))
        .await
        .expect(201);
    assert_eq!(
        (&large["status"], &large["reason"]),
        (&json!("AUTH_PENDING"), &json!("approval_needed"))
    );
    let path = format!(
        "/v1/payments/{}/verification",
        large["id"].as_str().unwrap()
    );
    let passed = json!({"result": "passed"});
    // The maker may approve, but not what he ordered himself.
    world
        .post(&path, passed.clone())
        .await
        .refused(403, "own_approval", None);
    let operator = key(&world, json!({"name": "op", "role": "operator"})).await;
    world
        .call_as(&operator, "POST", &path, passed.clone())
        .await
        .refused(403, "forbidden", None);
    let risk = key(&world, json!({"name": "risk", "role": "risk"})).await;
    world
        .call_as(&risk, "POST", &path, passed.clone())
        .await
        .refused(403, "forbidden", None);
    let approver = key(&world, json!({"name": "ap", "role": "approver"})).await;
    let both = (0..4).map(|_| world.call_as(&approver, "POST", &path, passed.clone()));
    let answers = futures_util::future::join_all(both).await;
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 200).count(),
        1,
        "once"
    );
    let paid = world
        .get(path.trim_end_matches("/verification"))
        .await
        .expect(200);
    assert_eq!(paid["status"], "CLEARED");
    assert_ne!(paid["approval"]["maker"], paid["approval"]["approver"]);
}

#[tokio::test]
async fn deeds_are_on_record_for_those_who_may_read_it() {
    let world = World::new().await;
    key(&world, json!({"name": "k"})).await;
    let auditor = key(&world, json!({"name": "a", "role": "auditor"})).await;
    let page = world.get_as(&auditor, "/v1/audit").await.expect(200);
    let what: Vec<&str> = page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["what"].as_str().unwrap())
        .collect();
    let asked = what.iter().filter(|what| **what == "api_key.create");
    assert_eq!(asked.count(), 3, "the first key too: {what:?}");
    let none = world
        .get_as(&world.other_key, "/v1/audit")
        .await
        .expect(200);
    let ours = page["data"][0]["id"].as_str().unwrap();
    assert!(!none.to_string().contains(ours), "{none}");
    let plain = world
        .key_with(Access::of(lombard_service::tenants::Scope::Write))
        .await;
    world
        .get_as(&plain, "/v1/audit")
        .await
        .refused(403, "forbidden", None);
}
