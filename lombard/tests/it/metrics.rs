//! What a running server tells of itself: on an address of its own, in a form that Prometheus
//! reads, about every part, and nothing personal.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use super::server::Server;

/// How long the gauges, which are of the last second, may take to show what happened.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks an address for a path without a key, and gives the head and the body.
fn get(url: &str, path: &str) -> (String, String) {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("it listens");
    let head = format!("GET {path} HTTP/1.1\r\nhost: lombard\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("it is asked");
    let mut said = String::new();
    stream.read_to_string(&mut said).expect("it answers");
    let (head, body) = said.split_once("\r\n\r\n").expect("a head and a body");
    (head.to_owned(), body.to_owned())
}

/// The samples of a running server by name and labels.
fn samples(server: &Server) -> BTreeMap<String, f64> {
    let (_, text) = get(server.text("metrics_url"), "/metrics");
    let sample = |line: &str| {
        let (series, value) = line.rsplit_once(' ').expect("a value");
        (series.to_owned(), value.parse().expect("a number"))
    };
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(sample).collect()
}

/// Waits until the samples are as they should be.
pub fn wait_for(server: &Server, what: &str, holds: impl Fn(&BTreeMap<String, f64>) -> bool) {
    let begun = Instant::now();
    loop {
        let samples = samples(server);
        if holds(&samples) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}: {samples:#?}");
        std::thread::park_timeout(Duration::from_millis(200));
    }
}

fn pay(server: &Server, number: u32, more: &str) -> u16 {
    let account = server.text("account");
    let body = format!(
        r#"{{"amount": 100, "currency": "GBP", "debtor": {{"account": "{account}"}},
            "creditor": {{"name": "Ada Lovelace", "sort_code": "20-00-00", "account_number": "55779911"}}{more}}}"#
    );
    server
        .post("/v1/payments", &format!("metrics-{number}"), &body)
        .0
}

#[test]
fn payments_are_counted_on_their_whole_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    for number in 0..5 {
        assert_eq!(pay(&server, number, ""), 201);
    }
    assert_eq!(
        pay(&server, 5, r#", "verification": "fraud_suspected""#),
        201
    );
    assert_eq!(
        server
            .post("/v1/no-such-path/4111111111111111", "k", "{}")
            .0,
        404
    );
    wait_for(&server, "all is counted", |samples| {
        let at_least =
            |series: &str, least: f64| samples.get(series).is_some_and(|value| *value >= least);
        at_least(
            r#"lombard_http_requests_total{method="POST",route="/v1/payments",status="2xx"}"#,
            6.0,
        ) && at_least(
            r#"lombard_http_requests_total{method="POST",route="none",status="4xx"}"#,
            1.0,
        ) && at_least(r#"lombard_commands_total{deed="pay",outcome="done"}"#, 6.0)
            && at_least(r#"lombard_command_duration_seconds_count{deed="pay"}"#, 6.0)
            && at_least(
                r#"lombard_store_commit_duration_seconds_count{store="ledger"}"#,
                1.0,
            )
            && at_least(r#"lombard_store_queue_limit{store="vault"}"#, 1.0)
            && at_least(
                r#"lombard_rail_calls_total{rail="fps",outcome="answered"}"#,
                5.0,
            )
            && at_least(r#"lombard_payment_transitions_total{stage="cleared"}"#, 5.0)
            && at_least(
                r#"lombard_payment_clear_duration_seconds_count{rail="fps"}"#,
                5.0,
            )
            && at_least(r#"lombard_payments_pending{reason="verification"}"#, 1.0)
            && at_least(r#"lombard_slo_events_total{slo="served"}"#, 6.0)
            && at_least(
                r#"lombard_feed_jobs_total{consumer="rails-fps",outcome="done"}"#,
                5.0,
            )
            && at_least("lombard_log_size", 5.0)
            && at_least("process_resident_memory_bytes", 1e6)
            && at_least("process_open_fds", 5.0)
            && samples[r#"lombard_payments_pending{reason="rails"}"#] == 0.0
            && samples[r#"lombard_feed_lag{consumer="webhooks"}"#] <= 2.0
            && !samples.keys().any(|series| series.contains("411111"))
    });
    let (head, text) = get(server.text("metrics_url"), "/metrics");
    assert!(
        head.contains("content-type: application/openmetrics-text"),
        "{head}"
    );
    for personal in [
        "Ada",
        "55779911",
        server.text("account"),
        server.text("api_key"),
    ] {
        assert!(!text.contains(personal), "{personal}");
    }
    let (head, _) = get(server.text("url"), "/metrics");
    assert!(
        head.starts_with("HTTP/1.1 404"),
        "the API does not tell: {head}"
    );
}

#[test]
fn what_is_pending_is_known_after_a_crash() {
    let folder = tempfile::tempdir().expect("a folder");
    let verified = r#", "verification": "fraud_suspected""#;
    let waiting = |samples: &BTreeMap<String, f64>| samples[r#"lombard_payments_pending{reason="verification"}"#];
    let server = Server::start(folder.path());
    for number in 0..3 {
        assert_eq!(pay(&server, number, verified), 201);
    }
    wait_for(&server, "three wait", |samples| waiting(samples) == 3.0);
    // Killed, not stopped: what was not stored is folded from the feed again.
    drop(server);
    let server = Server::start(folder.path());
    assert_eq!(pay(&server, 3, verified), 201);
    wait_for(&server, "four wait", |samples| waiting(samples) == 4.0);
    assert_eq!(server.stop(), 0);
}
