//! The conformance suite, unchanged.

use std::{sync::Arc, time::Duration};

use lombard_aws::deadline;
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
        // The suite takes no answer for a failure; a caller of it can wait.
        let patient = tokio::time::Instant::now() + Duration::from_secs(300);
        let suite = async move { conformance::run(store, prefix).await };
        tokio::spawn(deadline::by(patient, suite))
    });
    for suite in suites {
        suite.await.expect("every caller sees the contract kept");
    }
    running.stop().await;
}

/// With an address in `LOMBARD_AWS_ENDPOINT` the same suite runs there as well; without one there is
/// nothing more to try, since the emulator of this process has been held to it above.
#[tokio::test]
async fn the_store_conforms_at_the_endpoint_outside_if_there_is_one() {
    if let Some(endpoint) = endpoint_outside() {
        conforms(&endpoint).await;
    }
}
