//! Money that goes back, or is asked back.

use lombard_core::{
    command::{Act, RecallWish},
    reason::Reason,
};
use serde_json::json;

use super::world::World;

#[tokio::test]
async fn returns_never_exceed_what_came() {
    let world = World::new().await;
    let account = world.account(0).await;
    let received = world.received(&account).await;
    let path = format!("/v1/payments/{received}/returns");
    let part = world.post(&path, json!({"amount": 500})).await.expect(201);
    assert_eq!(
        (&part["kind"], &part["original"], &part["amount"]),
        (&json!("return"), &json!(received), &json!(500))
    );
    world
        .post(&path, json!({"amount": 1_501}))
        .await
        .refused(422, "amount_too_large", None);
    world
        .post(&path, json!({"reason": "recalled"}))
        .await
        .refused(400, "invalid_field", Some("/reason"));
    // Without a body: all that remains.
    let rest = world.post(&path, json!({})).await.expect(201);
    assert_eq!(rest["amount"], 1_500);
    world
        .post(&path, json!({}))
        .await
        .refused(422, "amount_too_large", None);
    let outgoing = world.cleared().await;
    world
        .post(&format!("/v1/payments/{outgoing}/returns"), json!({}))
        .await
        .refused(409, "not_applicable", None);
}

#[tokio::test]
async fn a_recall_of_ours_is_asked_once() {
    let world = World::new().await;
    let payment = world.cleared().await;
    let path = format!("/v1/payments/{payment}/recall");
    world
        .post(&path, json!({"reason": "deceased"}))
        .await
        .refused(422, "scheme_rule", Some("/reason"));
    let recalled = world
        .post(&path, json!({"reason": "duplicate"}))
        .await
        .expect(201);
    assert_eq!(
        (
            &recalled["recall"]["state"],
            &recalled["recall"]["reason_code"]
        ),
        (&json!("asked"), &json!("DUPL"))
    );
    world
        .post(&path, json!({"reason": "duplicate"}))
        .await
        .refused(409, "recalled_before", None);
    // It is the other bank's to answer, not ours.
    world
        .post(&format!("{path}/answer"), json!({"answer": "refuse"}))
        .await
        .refused(409, "recall_not_open", None);
}

#[tokio::test]
async fn a_recall_of_theirs_is_accepted_or_refused() {
    let world = World::new().await;
    let account = world.account(0).await;
    let wish = RecallWish {
        reason: Reason::Duplicate,
        reason_code: "DUPL".into(),
        case: "CASE-1".into(),
    };
    let received = world.received(&account).await;
    let path = format!("/v1/payments/{received}/recall/answer");
    world
        .post(&path, json!({"answer": "accept"}))
        .await
        .refused(409, "recall_not_open", None);
    world
        .execute(Act::ReceiveRecall(received.parse().unwrap(), wish.clone()))
        .await;
    world
        .post(&path, json!({"answer": "refuse", "code": "ZZZZ"}))
        .await
        .refused(422, "scheme_rule", Some("/code"));
    let back = world
        .post_with(&path, "k1", json!({"answer": "accept"}))
        .await;
    let again = world
        .post_with(&path, "k1", json!({"answer": "accept"}))
        .await;
    assert_eq!(back.bytes, again.bytes, "granted once, answered twice");
    assert_eq!(back.expect(201)["reason"], "recalled");
    let original = world
        .get(&format!("/v1/payments/{received}"))
        .await
        .expect(200);
    assert_eq!(
        (&original["recall"]["state"], &original["returning_amount"]),
        (&json!("asked"), &json!(2_000))
    );
    world
        .post(&path, json!({"answer": "accept"}))
        .await
        .refused(422, "amount_too_large", None);

    let received = world.received(&account).await;
    world
        .execute(Act::ReceiveRecall(received.parse().unwrap(), wish))
        .await;
    let path = format!("/v1/payments/{received}/recall/answer");
    let refused = world
        .post(&path, json!({"answer": "refuse"}))
        .await
        .expect(200);
    assert_eq!(
        (
            &refused["recall"]["state"],
            &refused["recall"]["refusal_code"]
        ),
        (&json!("refused"), &json!("CUST"))
    );
}
