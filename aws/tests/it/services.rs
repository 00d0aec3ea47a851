//! The services around the store, as one that answers by rote and fails once: what is told, and that each
//! try is metered.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::any,
};
use lombard_aws::{
    call::Caller,
    dead::{Buried, Graveyard},
    meter::{Ended, Meter, Sum},
    outward::{Outward, SCHEMA, Told},
    workflows::Workflows,
};
use lombard_core::tenant::TenantId;
use lombard_service::duty;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{configure, host};

/// Fails each service's first call, and takes the others.
async fn answer(
    State(calls): State<Arc<AtomicU32>>,
    headers: HeaderMap,
) -> (StatusCode, Json<Value>) {
    let target = headers.get("x-amz-target").and_then(|it| it.to_str().ok());
    let body = match target.and_then(|it| it.rsplit('.').next()) {
        Some("PutRecords") if calls.fetch_add(1, Ordering::Relaxed) == 0 => {
            return (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({})));
        }
        Some("PutRecords") => json!({"FailedRecordCount": 0, "Records": []}),
        Some("PutEvents") => json!({"FailedEntryCount": 0, "Entries": []}),
        Some("SendMessage") => json!({"MessageId": "1"}),
        Some("StartExecution") => json!({"executionArn": "a", "startDate": 1.0}),
        other => panic!("nobody asks for {other:?}"),
    };
    (StatusCode::OK, Json(body))
}

async fn services() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let router = Router::new()
        .fallback(any(answer))
        .with_state(Arc::default());
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

fn told(number: u32) -> Told {
    Told {
        schema: SCHEMA,
        id: format!("evt_{number}"),
        kind: "payment.cleared".to_owned(),
        number,
        at: "2026-01-31 12:00:00.123".to_owned(),
        tenant: TenantId::new(5),
        payment: "pay_1".to_owned(),
        status: "CLEARED".to_owned(),
        reason: None,
        waits_for: None,
        rail: "fps".to_owned(),
        amount: 1_250,
        currency: "GBP".to_owned(),
        trace: None,
    }
}

fn sum(meter: &Meter, name: &str, ended: Ended) -> Sum {
    let sums = meter.sums();
    let of = |it: &&lombard_aws::meter::By| it.name == name && it.ended == ended;
    let found = sums
        .keys()
        .find(of)
        .unwrap_or_else(|| panic!("{name}: {sums:?}"));
    assert_eq!(found.component, "feed");
    sums[found]
}

#[tokio::test]
async fn every_try_at_a_service_is_metered_with_what_it_brought() {
    let endpoint = services().await;
    let (config, meter) = (configure(&endpoint).await, Arc::new(Meter::default()));
    let caller = Caller::new(host(), meter.clone());
    let events: Vec<Told> = (1..=12).map(told).collect();
    let bytes: usize = { events.iter() }
        .map(|it| serde_json::to_string(it).expect("JSON").len())
        .sum();
    let buried = Buried {
        role: "feed".to_owned(),
        reason: "told to fail".to_owned(),
        original: json!({}),
    };
    duty::on("feed", async {
        let outward = Outward::new(&config, Some("stream"), Some("bus"), caller.clone());
        outward.tell(&events).await.expect("told");
        let graveyard = Graveyard::new(&config, &format!("{endpoint}/1/dead"), caller.clone());
        graveyard.bury(&buried).await.expect("buried");
        let workflows = Workflows::new(&config, caller);
        let machine = "arn:aws:states:eu-west-2:1:stateMachine:m";
        let started = workflows.start(machine, "n", &json!({})).await;
        started.expect("started");
    })
    .await;

    let of = |name, ended| {
        let sum = sum(&meter, name, ended);
        (sum.calls, sum.items, sum.bytes)
    };
    // Failed once, and then taken; twelve events are two calls of ten to the bus.
    assert_eq!(of("PutRecords", Ended::Unknown), (1, 12, bytes as u64));
    assert_eq!(of("PutRecords", Ended::Done), (1, 12, bytes as u64));
    assert_eq!(of("PutEvents", Ended::Done), (2, 12, bytes as u64));
    let letter = serde_json::to_string(&buried).expect("JSON").len() as u64;
    assert_eq!(of("SendMessage", Ended::Done), (1, 1, letter));
    assert_eq!(of("StartExecution", Ended::Done), (1, 1, 0));
}
