//! How things run, as the API tells it.

use serde_json::json;

use super::world::World;

#[tokio::test]
async fn objectives_ways_and_cost_are_told_and_no_tenant_s_counts() {
    let world = World::new().await;
    let told = world.get("/v1/operations").await.expect(200);
    let names: Vec<_> = { told["objectives"].as_array().unwrap().iter() }
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["served", "accepted", "cleared", "rail_answers", "alerted"]
    );
    let burn = told["objectives"][0]["burn"].as_array().unwrap();
    let minutes: Vec<_> = burn
        .iter()
        .map(|it| it["minutes"].as_u64().unwrap())
        .collect();
    assert_eq!(minutes, [5, 60, 360]);
    // The rails of this world are stand-ins without a breaker.
    assert_eq!(told["ways"], json!([]));
    let cost = &told["cost"];
    assert_eq!(cost["currency"], "GBP");
    let sum: u64 = { cost["components"].as_array().unwrap().iter() }
        .map(|it| it["pico"].as_u64().unwrap())
        .sum();
    let whole = cost["per_payment_pico"].as_u64().unwrap();
    assert!(whole - sum < 1_000, "{sum} of {whole}: rounding alone");
    let members = told["objectives"][0].as_object().unwrap().keys();
    let members: Vec<_> = members.map(String::as_str).collect();
    let shares = ["budget_left", "burn", "measured", "name", "what"];
    assert_eq!(
        members, shares,
        "no counts, which other tenants' would be among"
    );
}

#[tokio::test]
async fn the_cost_is_told_for_as_many_payments_as_are_asked_for() {
    let world = World::new().await;
    let told = world.get("/v1/operations?payments_a_month=50000000").await;
    assert_eq!(told.expect(200)["cost"]["payments_a_month"], 50_000_000);
    for wrong in ["0", "1000000000001", "many", "-1"] {
        let path = format!("/v1/operations?payments_a_month={wrong}");
        let refused = world.get(&path).await;
        refused.refused(400, "invalid_parameter", Some("payments_a_month"));
    }
}
