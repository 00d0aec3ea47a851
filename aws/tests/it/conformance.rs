//! The conformance suite, unchanged.

use std::sync::Arc;

use lombard_service::conformance;

use crate::support::{Running, emulator, endpoint_outside};

async fn conforms(endpoint: &str) {
    let running = Running::at(endpoint).await;
    let store = Arc::new(running.store.clone());
    conformance::run(store.clone(), "first/").await;
    conformance::run(store, "second/").await;
    running.stop().await;
}

#[tokio::test]
async fn the_store_conforms_on_an_emulator_in_this_process() {
    conforms(&emulator().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_conforms_for_callers_at_the_same_time() {
    let endpoint = match endpoint_outside() {
        Some(endpoint) => endpoint,
        None => emulator().await,
    };
    let running = Running::at(&endpoint).await;
    let suites = ["a/", "b/", "c/"].map(|prefix| {
        let store = Arc::new(running.store.clone());
        tokio::spawn(async move { conformance::run(store, prefix).await })
    });
    for suite in suites {
        suite.await.expect("every caller sees the contract kept");
    }
    running.stop().await;
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
async fn the_store_conforms_at_the_endpoint_outside() {
    let Some(endpoint) = endpoint_outside() else {
        eprintln!(
            "skipped: the_store_conforms_at_the_endpoint_outside: LOMBARD_AWS_ENDPOINT is not set"
        );
        return;
    };
    conforms(&endpoint).await;
}
