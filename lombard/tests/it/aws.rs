//! The whole platform on AWS's services: a payment from the request to the proof in S3.
//!
//! It runs where `LOMBARD_AWS_ENDPOINT` names an emulator that has DynamoDB, its streams and S3.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::server::{Server, ended, run};

#[test]
fn a_payment_is_cleared_and_proved_on_aws() {
    let Some(endpoint) = std::env::var("LOMBARD_AWS_ENDPOINT").ok() else {
        eprintln!(
            "skipped: a_payment_is_cleared_and_proved_on_aws: LOMBARD_AWS_ENDPOINT is not set"
        );
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let name = format!("lombard-e2e-{}", std::process::id());
    let variables = [
        ("LOMBARD_AWS_ENDPOINT", endpoint.as_str()),
        ("LOMBARD_AWS_TABLE", name.as_str()),
        ("LOMBARD_AWS_BUCKET", name.as_str()),
    ];
    let server = Server::start_with(&data, &variables);
    let payment = pay(&server, "before the restart");
    // Everything is where another process finds it.
    assert_eq!(server.stop(), 0);
    let server = Server::start_with(&data, &variables);
    assert_eq!(status(&server, &payment), "CLEARED");
    pay(&server, "after the restart");
    verify(&server, &data);
    assert!(!data.join("tlog").exists(), "the log is in the bucket");
    assert_eq!(server.stop(), 0);
}

/// Pays over the simulated rail, and waits until it is cleared; the payment's id.
fn pay(server: &Server, key: &str) -> String {
    let body = format!(
        r#"{{"amount":1250,"currency":"GBP","debtor":{{"account":"{}"}},
            "creditor":{{"name":"Ann Other","sort_code":"20-00-00","account_number":"55779911"}}}}"#,
        server.text("account"),
    );
    let (code, made) = server.post("/v1/payments", key, &body);
    assert_eq!(code, 201, "{made}");
    // The same once more is the same payment.
    let (_, again) = server.post("/v1/payments", key, &body);
    assert_eq!(again["id"], made["id"]);
    let id = made["id"].as_str().expect("an id").to_owned();
    let begun = Instant::now();
    while status(server, &id) != "CLEARED" {
        assert!(begun.elapsed() < Duration::from_secs(60), "{made}");
        thread::park_timeout(Duration::from_millis(200));
    }
    id
}

fn status(server: &Server, id: &str) -> String {
    let got = run(&[
        "get",
        id,
        "--json",
        "--url",
        server.text("url"),
        "--key",
        server.text("api_key"),
    ]);
    let found: Value = serde_json::from_slice(&got.stdout).unwrap_or_default();
    found["status"].as_str().unwrap_or_default().to_owned()
}

/// Verifies the published log over HTTP until it has what two payments wrote.
fn verify(server: &Server, data: &std::path::Path) {
    let key = data.join("tlog.key.pub");
    let url = format!("{}/log", server.text("url"));
    let key = key.to_str().expect("a path of text");
    let begun = Instant::now();
    loop {
        let verified = run(&["verify", &url, "--key", key, "--json"]);
        let report: Value = serde_json::from_slice(&verified.stdout).unwrap_or_default();
        // Two fundings, and two payments of a hold and its posting each.
        if ended(&verified).0 == 0 && report["size"].as_u64() >= Some(4) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{verified:?}");
        thread::park_timeout(Duration::from_millis(200));
    }
}
