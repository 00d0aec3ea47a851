//! Days of accounts: what they came to across files, that they are closed once, and what comes after.

use serde_json::{Value, json};

use super::{
    reconciliation::{LINES, paid, reconcile, statement_from, told},
    world::{Answer, World},
};

/// The one account of the bank on the world's day.
async fn day(world: &World) -> Value {
    let today = &world.app.host.now().to_string()[..10];
    let path = format!("/v1/reconciliation/days?source=bank&day={today}");
    let days = world.get(&path).await.expect(200);
    assert_eq!(days["data"].as_array().unwrap().len(), 1, "{days}");
    days["data"][0].clone()
}

async fn close(world: &World, day: &Value) -> Answer {
    let body = json!({"source": "bank", "account_id": day["account_id"],
        "currency": day["currency"], "day": day["day"]});
    world.post("/v1/reconciliation/days", body).await
}

fn figures(day: &Value) -> [i64; 5] {
    let sum = |name: &str| day[name]["minor"].as_i64().unwrap();
    let [opening, closing] = ["opening", "closing"].map(|name| day[name].as_i64().unwrap());
    let sums = [
        opening,
        sum("matched"),
        sum("explained"),
        sum("open"),
        closing,
    ];
    assert_eq!(sums[..4].iter().sum::<i64>(), closing, "{day}");
    sums
}

#[tokio::test]
async fn a_day_adds_up_across_files_and_is_closed_once() {
    let world = World::new().await;
    paid(&world, &["E2E-A", "E2E-B"]).await;
    let first = statement_from(&world, 1, 1_000_000, &[LINES[0]], None);
    reconcile(&world, &first).await;
    let second = statement_from(&world, 2, 999_000, &[LINES[1], ("WHO-1", 250)], None);
    assert_eq!(told(&reconcile(&world, &second).await).len(), 1);
    let there = day(&world).await;
    assert_eq!(figures(&there), [1_000_000, -2_001, 0, 250, 998_249]);
    assert_eq!(there["why"], Value::Null);
    assert_eq!(there["account"], "•••• 9911");

    // What is found later is among the matched, and shown as late.
    // Both exceptions were opened in the same instant: what is asked for is the kind.
    let exceptions = world.get("/v1/exceptions").await.expect(200);
    let exceptions = exceptions["data"].as_array().unwrap();
    let unknown = exceptions
        .iter()
        .find(|it| it["kind"] == "unknown_reference");
    let id = unknown.unwrap()["id"].as_str().unwrap();
    let wish = json!({"action": "suspense", "note": "nobody knows it"});
    let path = format!("/v1/exceptions/{id}/resolve");
    world.post(&path, wish).await.expect(200);
    let there = day(&world).await;
    assert_eq!(figures(&there), [1_000_000, -2_001, 250, 0, 998_249]);
    assert_eq!(there["late"], json!({"lines": 1, "minor": 250}));

    let closed = close(&world, &there).await.expect(200);
    assert!(closed["closed_at"].is_string(), "{closed}");
    assert_eq!(close(&world, &there).await.expect(200), closed);
    // The same files change nothing, and a line that comes after is told and not added.
    assert_eq!(told(&reconcile(&world, &second).await), []);
    let third = statement_from(&world, 3, 998_249, &[("WHO-2", 100)], None);
    let report = reconcile(&world, &third).await;
    let kinds: Vec<String> = told(&report).into_iter().map(|it| it.0).collect();
    assert!(kinds.contains(&"late".to_owned()), "{report}");
    assert_eq!(figures(&day(&world).await), figures(&closed));
}

#[tokio::test]
async fn a_day_that_does_not_add_up_says_why_and_stays_open() {
    let world = World::new().await;
    paid(&world, &["E2E-A"]).await;
    reconcile(
        &world,
        &statement_from(&world, 1, 1_000_000, &[LINES[0]], None),
    )
    .await;
    // Something is missing between the two.
    let gap = statement_from(&world, 3, 990_000, &[("WHO-1", 250)], None);
    let report = reconcile(&world, &gap).await;
    let kinds: Vec<String> = told(&report).into_iter().map(|it| it.0).collect();
    assert_eq!(kinds, ["unknown_reference", "broken_statement"], "{report}");
    assert!(
        report["exceptions"][1]["why"]
            .as_str()
            .unwrap()
            .contains("follows 1"),
        "{report}"
    );
    let there = day(&world).await;
    assert!(there["why"].is_string(), "{there}");
    close(&world, &there)
        .await
        .refused(409, "wrong_state", None);
    // What was missing comes: the gap is closed, and so can the day be.
    let between = statement_from(&world, 2, 999_000, &[("WHO-3", -9_000)], None);
    reconcile(&world, &between).await;
    let open = world.get("/v1/exceptions").await.expect(200);
    let open = open["data"].as_array().unwrap();
    let gap = open.iter().find(|it| it["kind"] == "broken_statement");
    assert_eq!(gap.unwrap()["state"], "resolved", "{open:?}");
    let there = day(&world).await;
    assert_eq!(figures(&there), [1_000_000, -1_000, 0, -8_750, 990_250]);
    close(&world, &there).await.expect(200);
}

#[tokio::test]
async fn of_a_statement_that_contradicts_itself_no_day_is_closed() {
    let world = World::new().await;
    let broken = statement_from(&world, 1, 1_000_000, &[("WHO-1", 250)], Some(1));
    reconcile(&world, &broken).await;
    let there = day(&world).await;
    assert!(
        there["why"].as_str().unwrap().contains("quarantined"),
        "{there}"
    );
    close(&world, &there)
        .await
        .refused(409, "wrong_state", None);
    let nothing = json!({"account_id": "0123456789abcdef", "currency": "GBP", "day": "2026-11-01"});
    close(&world, &nothing)
        .await
        .refused(409, "wrong_state", None);
    let wrong = json!({"account_id": "x", "currency": "GBP", "day": "2026-11-01"});
    close(&world, &wrong)
        .await
        .refused(400, "invalid_field", Some("/account_id"));
    let path = "/v1/reconciliation/days?source=bank&day=yesterday";
    world
        .get(path)
        .await
        .refused(400, "invalid_parameter", Some("day"));
}
