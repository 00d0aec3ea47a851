//! Transactions of the tenant's own.

use serde_json::{Value, json};

use super::world::World;

fn leg(account: &str, side: &str, amount: u64) -> Value {
    json!({"account": account, "side": side, "amount": amount, "currency": "GBP"})
}

#[tokio::test]
async fn any_number_of_legs_is_posted_if_it_balances() {
    let world = World::new().await;
    let (a, b) = (world.account(1_000).await, world.account(0).await);
    let legs = [
        leg(&a, "debit", 300),
        leg(&b, "credit", 290),
        leg("fps/fees/GBP", "credit", 10),
    ];
    world.host.advance(1);
    let posted = world
        .post("/v1/ledger", json!({ "legs": legs }))
        .await
        .expect(201);
    assert_eq!(posted["journal"], "posting");
    assert_eq!(posted["legs"].as_array().unwrap().len(), 3);
    let path = format!("/v1/ledger/{}", posted["id"].as_str().unwrap());
    assert_eq!(world.get(&path).await.expect(200), posted);
    let listed = world.get("/v1/ledger?limit=1").await.expect(200);
    assert_eq!(listed["data"][0]["id"], posted["id"]);
}

#[tokio::test]
async fn what_the_books_refuse_is_refused_with_its_place() {
    let world = World::new().await;
    let (a, b) = (world.account(100).await, world.account(0).await);
    let nobody = "acc_00000000000000000000000000";
    let euros = json!({"account": b, "side": "credit", "amount": 1, "currency": "EUR"});
    let cases = [
        (
            vec![leg(&a, "debit", 1)],
            400,
            "invalid_field",
            Some("/legs"),
        ),
        (
            vec![leg(&a, "debit", 2), leg(&b, "credit", 1)],
            422,
            "unbalanced",
            None,
        ),
        (
            vec![leg(&a, "debit", 101), leg(&b, "credit", 101)],
            422,
            "insufficient_funds",
            Some("/legs/0/account"),
        ),
        (
            vec![leg(&a, "debit", 1), leg(nobody, "credit", 1)],
            422,
            "reference_unknown",
            Some("/legs/1/account"),
        ),
        (
            vec![leg(&a, "debit", 1), euros],
            422,
            "currency_mismatch",
            Some("/legs/1/account"),
        ),
        (
            vec![leg(&a, "debit", 0), leg(&b, "credit", 0)],
            400,
            "invalid_field",
            Some("/legs/0/amount"),
        ),
        (
            vec![leg(&a, "left", 1), leg(&b, "credit", 1)],
            400,
            "invalid_field",
            Some("/legs/0/side"),
        ),
    ];
    for (legs, status, code, field) in cases {
        world
            .post("/v1/ledger", json!({ "legs": legs }))
            .await
            .refused(status, code, field);
    }
}

#[tokio::test]
async fn a_payment_s_transactions_are_found() {
    let world = World::new().await;
    let payment = world.cleared().await;
    let found = world
        .get(&format!("/v1/ledger?payment={payment}"))
        .await
        .expect(200);
    let journals: Vec<_> = found["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["journal"].clone())
        .collect();
    assert_eq!(journals.len(), 2);
    assert!(
        journals.contains(&json!("out_hold")) && journals.contains(&json!("out_post")),
        "{journals:?}"
    );
}
