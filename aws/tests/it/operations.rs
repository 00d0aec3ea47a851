//! What one straight-through payment asks of DynamoDB, exactly: the figures that the cost model
//! reads, reviewed as a diff. `UPDATE_EXPECT=1` writes them anew.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use expect_test::expect_file;
use lombard_aws::meter::{Ended, Operation};
use lombard_service::{
    hooks::{consumer::WebhookConsumer, dispatch::Hooks},
    worker::{self, feed},
};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{
    support::{Running, emulator},
    world::World,
};

/// Work that is shared by all payments of a moment: it is counted by the batch.
const SHARED: [&str; 6] = ["relay", "rollup", "batches", "timers", "sequencer", "other"];

#[tokio::test(flavor = "multi_thread")]
async fn a_straight_payment_asks_for_exactly_this() {
    let running = Running::at(&emulator().await).await;
    let world = World::over(&running.store).await;
    let (stop, stopped) = watch::channel(false);
    let mut workers = worker::spawn_all(&world.app, &stopped);
    let hooks = Hooks::new(world.app.clone()).expect("an HTTP client");
    let consumer = Arc::new(WebhookConsumer(hooks));
    workers.spawn(feed::run(world.app.clone(), consumer, 0, stopped));
    // The first one warms what is kept in memory: the key, the directory of endpoints.
    cleared(&world).await;
    let _ = running.store.meter().record();
    let payment = cleared(&world).await;
    let operations = running.store.meter().record();
    stop.send_replace(true);
    while workers.join_next().await.is_some() {}
    running.stop().await;

    let own: Vec<_> = operations
        .iter()
        .filter(|it| is_own(it, &payment))
        .collect();
    assert!(own.iter().all(|it| it.ended == Ended::Done), "{own:?}");
    let mut figures = serde_json::to_string_pretty(&figures(&own)).expect("JSON");
    figures.push('\n');
    expect_file!["../../../docs/cost/operations.json"].assert_eq(&figures);
}

/// Of the payment itself, or of its tenant on a duty that serves one payment at a time.
fn is_own(operation: &Operation, payment: &str) -> bool {
    match &operation.subject.payment {
        Some(id) => id == payment,
        None => operation.subject.tenant.is_some() && !SHARED.contains(&operation.component),
    }
}

/// Pays over the rail and waits until it is cleared and all is quiet; the payment's id.
async fn cleared(world: &World) -> String {
    let order = json!({
        "amount": 1250,
        "currency": "GBP",
        "debtor": {"account": world.demo.account.to_string()},
        "creditor": {"name": "Ann Other", "sort_code": "20-00-00", "account_number": "55779911"},
    });
    let (status, made) = world.call("POST", "/v1/payments", Some(&order)).await;
    assert_eq!(status, 201, "{made}");
    let id = made["id"].as_str().expect("an id").to_owned();
    for _ in 0..500 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        // Not by the API, which is counted.
        let key = lombard_core::plan::keys::payment(
            world.demo.tenant,
            id.parse().expect("an id of a payment"),
        );
        let found: Option<Value> = world.app.value(&key).await.expect("readable");
        if found.is_some_and(|it| it["stage"].to_string().contains("cleared")) {
            // What follows from the last commit has its turn.
            tokio::time::sleep(Duration::from_millis(1500)).await;
            return id;
        }
    }
    panic!("{id} is not cleared");
}

/// The calls by component and operation, with what they consumed.
fn figures(operations: &[&Operation]) -> Value {
    let mut sums: BTreeMap<(&str, &str), [u64; 4]> = BTreeMap::new();
    // The test's own reads are on no duty.
    for it in operations.iter().filter(|it| it.component != "other") {
        let sum = sums.entry((it.component, it.name)).or_default();
        sum[0] += 1;
        sum[1] += it.items as u64;
        sum[2] += it.read_units.thousandths();
        sum[3] += it.write_units.thousandths();
    }
    let units = |thousandths: u64| thousandths as f64 / 1000.0;
    let line = |((component, name), [calls, items, read, write]): (&(&str, &str), &[u64; 4])| {
        json!({
            "component": component,
            "operation": name,
            "calls": calls,
            "items": items,
            "read_request_units": units(*read),
            "write_request_units": units(*write),
        })
    };
    let total = |at: usize| sums.values().map(|sum| sum[at]).sum::<u64>();
    json!({
        "payment": "a credit transfer over a rail that accepts at once: accepted, submitted, cleared",
        "operations": sums.iter().map(line).collect::<Vec<_>>(),
        "total": {
            "calls": total(0),
            "read_request_units": units(total(2)),
            "write_request_units": units(total(3)),
        },
    })
}
