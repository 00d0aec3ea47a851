//! Holds: placed, posted, voided.

use serde_json::{Value, json};

use super::world::World;

fn hold(debtor: &str, creditor: &str) -> Value {
    json!({"debtor": debtor, "creditor": creditor, "amount": 60, "currency": "GBP", "expires_in_seconds": 3600})
}

#[tokio::test]
async fn a_hold_is_posted_in_part_and_ends() {
    let world = World::new().await;
    let (a, b) = (world.account(100).await, world.account(0).await);
    let held = world.post("/v1/holds", hold(&a, &b)).await.expect(201);
    assert_eq!(held["state"], "open");
    world
        .post("/v1/holds", hold(&a, &b))
        .await
        .refused(422, "insufficient_funds", Some("/debtor"));
    let path = format!("/v1/holds/{}", held["id"].as_str().unwrap());
    world
        .post(&format!("{path}/post"), json!({"amount": 61}))
        .await
        .refused(422, "amount_too_large", None);
    let posted = world
        .post(&format!("{path}/post"), json!({"amount": 25}))
        .await
        .expect(200);
    assert_eq!(
        (&posted["state"], &posted["posted_amount"]),
        (&json!("posted"), &json!(25))
    );
    assert_eq!(world.get(&path).await.expect(200), posted);
    world
        .post(&format!("{path}/void"), json!({}))
        .await
        .refused(409, "hold_ended", None);
    let a = world.get(&format!("/v1/accounts/{a}")).await.expect(200);
    assert_eq!(a["balance"]["available"], 75);
}

#[tokio::test]
async fn a_hold_is_voided_or_expires() {
    let world = World::new().await;
    let (a, b) = (world.account(100).await, world.account(0).await);
    let held = world.post("/v1/holds", hold(&a, &b)).await.expect(201);
    let path = format!("/v1/holds/{}", held["id"].as_str().unwrap());
    let voided = world
        .post(&format!("{path}/void"), json!({}))
        .await
        .expect(200);
    assert_eq!(voided["state"], "voided");
    let held = world.post("/v1/holds", hold(&a, &b)).await.expect(201);
    world.host.advance(3_600_000);
    let path = format!("/v1/holds/{}/post", held["id"].as_str().unwrap());
    world
        .post(&path, json!({}))
        .await
        .refused(409, "hold_ended", None);
    let open = world.get("/v1/holds?state=open").await.expect(200);
    assert_eq!(
        open["data"].as_array().unwrap().len(),
        1,
        "nobody has released it yet"
    );
    let mut long = hold(&a, &b);
    long["expires_in_seconds"] = json!(2_592_001);
    world
        .post("/v1/holds", long)
        .await
        .refused(400, "invalid_field", Some("/expires_in_seconds"));
    world
        .post("/v1/holds", hold(&a, &a))
        .await
        .refused(422, "same_account", None);
}
