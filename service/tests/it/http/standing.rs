//! What is counted, and found, among more payments than a page looks at.

use std::sync::Arc;

use lombard_core::rail::Rail;
use lombard_service::{
    exceptions::{self, Kind, Trouble},
    http::{Api, router},
    roster::{self, Roster},
};
use serde_json::{Value, json};

use super::world::World;

/// More than a filtered page looks at.
const MANY: u64 = 2_200;

/// A world with many payments, of which the oldest is like no other.
async fn many() -> (World, String) {
    let world = World::new().await;
    let account = world.account(0).await;
    let oldest = world.came(&account, Rail::Fps, "RARE", 777).await;
    for number in 0..MANY {
        world.host.advance(1);
        world
            .came(&account, Rail::Fps, &format!("E2E-{number}"), 100)
            .await;
    }
    (world, oldest)
}

async fn found(world: &World, query: &str) -> (Vec<Value>, bool) {
    let page = world
        .get(&format!("/v1/payments?{query}"))
        .await
        .expect(200);
    let ids = page["data"].as_array().unwrap().iter();
    (
        ids.map(|it| it["id"].clone()).collect(),
        page["has_more"] == true,
    )
}

#[tokio::test]
async fn the_oldest_of_many_payments_is_found_by_what_it_is() {
    let (mut world, oldest) = many().await;
    let rare = [
        "end_to_end_id=RARE",
        "amount=777",
        "end_to_end_id=RARE&status=CLEARED&rail=fps&last4=9911",
    ];
    for query in rare {
        assert_eq!(found(&world, query).await, (vec![], true), "{query}");
    }
    let roster = Arc::new(Roster::default());
    world.router = router(Api::new(world.app.clone()).with_roster(roster.clone()));
    // One that is not whole yet keeps nothing from anybody, and says nothing.
    assert_eq!(found(&world, rare[0]).await, (vec![], true));
    roster::catch_up(&world.app, &roster).await.unwrap();
    for query in rare {
        let one = vec![json!(oldest)];
        assert_eq!(found(&world, query).await, (one, false), "{query}");
    }
    for none in [
        "amount=778",
        "rail=sepa_inst",
        "amount=777&end_to_end_id=E2E-1",
    ] {
        assert_eq!(found(&world, none).await, (vec![], false), "{none}");
    }
    // Pages go on where the one before ended, each payment once.
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let query = format!("amount=100&limit=100{cursor}");
        let page = world
            .get(&format!("/v1/payments?{query}"))
            .await
            .expect(200);
        seen.extend(
            page["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it["id"].to_string()),
        );
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len() as u64, MANY);
    assert!(seen.is_sorted_by(|newer, older| newer > older));
}

#[tokio::test]
async fn all_payments_and_exceptions_are_counted() {
    let (mut world, _) = many().await;
    let newest = world.get("/v1/standing").await.expect(200);
    assert_eq!(newest["exact"], false);
    let trouble = Trouble::new(world.tenant, Kind::Contradiction, "A", "it says so");
    let first = exceptions::raise(&world.app, trouble).await.unwrap();
    let roster = Arc::new(Roster::default());
    world.router = router(Api::new(world.app.clone()).with_roster(roster.clone()));
    roster::catch_up(&world.app, &roster).await.unwrap();
    let standing = world.get("/v1/standing").await.expect(200);
    let cleared = json!({"status": "CLEARED", "in_doubt": false, "currency": "GBP",
        "count": MANY + 1, "amount": MANY * 100 + 777});
    assert_eq!(standing["exact"], true);
    assert_eq!(standing["payments"], json!([cleared]));
    assert_eq!(standing["exceptions"][0]["count"], 1);

    // What moves is counted where it went, and what is over is not counted.
    world.host.advance(2 * 3_600_000);
    let payment = world.payment().await;
    let trouble = Trouble::new(world.tenant, Kind::Unresolved, "B", "it does not say");
    exceptions::raise(&world.app, trouble).await.unwrap();
    let resolve = json!({"action": "ignore", "note": "it was nothing"});
    let resolved = format!("/v1/exceptions/{first}/resolve");
    world.post(&resolved, resolve).await.expect(200);
    let cancel = format!("/v1/payments/{payment}/cancel");
    roster::catch_up(&world.app, &roster).await.unwrap();
    let standing = world.get("/v1/standing").await.expect(200);
    assert_eq!(standing["payments"][0]["status"], "INITIATED");
    assert_eq!(standing["payments"][0]["amount"], 1_250);
    let open = &standing["exceptions"];
    assert_eq!(
        (&open[0]["kind"], &open[0]["under_hour"]),
        (&json!("unresolved"), &json!(1))
    );
    assert_eq!(open.as_array().unwrap().len(), 1);
    let theirs = world
        .get_as(&world.other_key, "/v1/standing")
        .await
        .expect(200);
    assert_eq!(
        (&theirs["payments"], &theirs["exceptions"]),
        (&json!([]), &json!([]))
    );
    world.post(&cancel, json!({})).await.expect(200);
    roster::catch_up(&world.app, &roster).await.unwrap();
    let standing = world.get("/v1/standing").await.expect(200);
    let status = |it: &Value| it["status"].as_str().unwrap().to_owned();
    let statuses: Vec<_> = standing["payments"]
        .as_array()
        .unwrap()
        .iter()
        .map(status)
        .collect();
    assert_eq!(statuses, ["CLEARED", "FAILED"]);
}
