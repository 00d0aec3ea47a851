//! Two tenants never see each other.

use axum::{body::Body, http::Request};
use lombard_core::{audit::Audit, id::Id};
use lombard_service::{
    access::Access,
    ports::Host,
    tenants::{self, REMEMBERED_MS, Scope},
};
use serde_json::json;

use super::world::World;

#[tokio::test]
async fn a_key_that_only_reads_does_not_write() {
    let world = World::new().await;
    let access = Access::of(Scope::Read);
    let (record, secret) = tenants::create_key(&world.app, world.tenant, "reader", access)
        .await
        .unwrap();
    assert!(secret.expose().starts_with(&record.hint) && record.hint.len() == 34);
    assert!(!format!("{secret:?}{record:?}").contains(secret.expose()));
    world
        .get_as(secret.expose(), "/v1/payments")
        .await
        .expect(200);
    let mut request = world.request("/v1/payments", "k", "{}".into());
    let bearer = format!("Bearer {}", secret.expose()).parse().unwrap();
    request.headers_mut().insert("authorization", bearer);
    world.send(request).await.refused(403, "forbidden", None);
}

#[tokio::test]
async fn a_revoked_key_is_soon_refused() {
    let world = World::new().await;
    world.get("/v1/payments").await.expect(200);
    let known = tenants::list_keys(&world.app, world.tenant).await.unwrap();
    let (id, now) = (Id::from_bits(1), world.host.now());
    let note = Audit::new(id, world.tenant, now, "test", "api_key.revoke").on(known[0].id);
    let revoked = tenants::revoke_key(&world.app, world.tenant, known[0].id, &note).await;
    assert!(revoked.unwrap().is_some());
    world.host.advance(REMEMBERED_MS);
    world
        .get("/v1/payments")
        .await
        .refused(401, "unauthenticated", None);
}

#[tokio::test]
async fn a_key_is_not_stored() {
    let world = World::new().await;
    let commits = world.app.store.changes(0, 0, 10_000, 0).await.unwrap();
    let text = format!("{commits:?}");
    assert!(text.contains("apikey#"));
    assert!(!text.contains(&world.key) && !text.contains(&world.key[34..]));
    let quick = lombard_core::idempotency::Fingerprint::of(world.key.as_bytes());
    assert!(
        !text.contains(&format!("{quick:?}")),
        "nor is a quick hash of it"
    );
}

#[tokio::test]
async fn the_demo_is_the_same_at_every_start() {
    let world = World::new().await;
    let demo = tenants::demo(&world.app).await.unwrap();
    let again = tenants::demo(&world.app).await.unwrap();
    assert_eq!((&demo.key, demo.account), (&again.key, again.account));
    let account = world
        .get_as(demo.key.expose(), &format!("/v1/accounts/{}", demo.account))
        .await
        .expect(200);
    assert_eq!(account["balance"]["available"], 100_000_000_000_u64);
    assert_eq!(account["balance"]["entries"], 1, "funded once");
    let body = json!({"amount": 1250, "currency": "GBP", "debtor": {"account": demo.account.to_string()},
        "creditor": {"name": "Ada", "sort_code": "200000", "account_number": "55779911"}});
    let request = Request::post("/v1/payments")
        .header("authorization", format!("Bearer {}", demo.key.expose()))
        .header("idempotency-key", "demo")
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    world.send(request).await.expect(201);
}
