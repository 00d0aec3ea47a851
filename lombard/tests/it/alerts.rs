//! Alerts as their receivers meet them: an exception that was provoked from outside, a test, and a
//! silence.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    sync::mpsc::{self, Receiver},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    metrics::wait_for,
    server::{Server, ended, run},
};

/// An address that takes everything, and what it took.
fn receiver() -> (String, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!(
        "http://{}/alerts",
        listener.local_addr().expect("an address")
    );
    let (took, taken) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.expect("a connection"));
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).expect("a head");
                if line.trim().is_empty() {
                    break;
                }
                let lower = line.to_lowercase();
                if let Some(value) = lower.strip_prefix("content-length:") {
                    length = value.trim().parse().expect("a length");
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).expect("a body");
            let answer = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.get_mut().write_all(answer).expect("it listens");
            let body = serde_json::from_slice(&body).expect("JSON");
            if took.send((head, body)).is_err() {
                return;
            }
        }
    });
    (url, taken)
}

/// The amount that the simulator of rails rejects, and accepts after all (docs/rails.md).
const CONTRADICTION: u32 = 666_043;

fn contradict(server: &Server, key: &str) {
    let account = server.text("account");
    let body = json!({
        "amount": CONTRADICTION, "currency": "GBP", "debtor": {"account": account},
        "creditor": {"name": "Ada Lovelace", "sort_code": "20-00-00", "account_number": "55779911"},
    });
    assert_eq!(server.post("/v1/payments", key, &body.to_string()).0, 201);
}

#[test]
fn an_exception_is_told_within_a_minute_and_a_silence_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let (url, taken) = receiver();
    let variables = [
        ("LOMBARD_ALERTS_WEBHOOK_URL", url.as_str()),
        ("LOMBARD_ALERTS_WEBHOOK_KEY", "s3cret"),
        ("LOMBARD_ALERTS_PAGERDUTY_URL", url.as_str()),
        ("LOMBARD_ALERTS_PAGERDUTY_KEY", "R0"),
    ];
    let server = Server::start_with(folder.path(), &variables);
    let data = folder.path().to_str().expect("text");

    let (code, said, _) = ended(&run(&["alert", "test", "--data", data]));
    assert_eq!(
        (code, said.as_str()),
        (0, "webhook: took it\npagerduty: took it\n")
    );
    let minute = Duration::from_secs(60);
    let (_, test) = taken.recv_timeout(minute).expect("the test comes");
    assert_eq!(test["data"]["kind"], "test");
    let (_, test) = taken.recv_timeout(minute).expect("to both");
    assert_eq!(test["payload"]["severity"], "info");

    contradict(&server, "first");
    let (head, told) = taken.recv_timeout(minute).expect("within a minute");
    assert!(
        head.to_lowercase().contains("authorization: bearer s3cret"),
        "{head}"
    );
    assert_eq!(told["data"]["kind"], "contradiction");
    assert_eq!(told["data"]["impact"]["GBP"], CONTRADICTION);
    assert!(
        told["data"]["cases"][0]["id"]
            .as_str()
            .is_some_and(|id| id.starts_with("exc_"))
    );
    let text = told.to_string();
    assert!(
        !text.contains("Ada") && !text.contains("55779911"),
        "{text}"
    );
    let (_, event) = taken.recv_timeout(minute).expect("to both");
    assert_eq!(event["dedup_key"], "lombard/contradiction");

    let silence = [
        "alert",
        "silence",
        "contradiction",
        "--why",
        "a drill",
        "--data",
        data,
    ];
    assert_eq!(ended(&run(&silence)).0, 0);
    let (_, said, _) = ended(&run(&["alert", "silences", "--data", data]));
    assert!(
        said.contains("contradiction until") && said.contains("a drill"),
        "{said}"
    );
    contradict(&server, "second");
    assert!(
        taken.recv_timeout(Duration::from_secs(25)).is_err(),
        "nobody is told"
    );
    assert_eq!(server.stop(), 0);
}

#[test]
fn without_a_channel_a_test_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    let data = folder.path().to_str().expect("text");
    let (code, _, said) = ended(&run(&["alert", "test", "--data", data]));
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("no channel is configured"), "{said}");
    drop(server);
    assert_eq!(ended(&run(&["alert", "test", "--data", data])).0, 3);
}

#[test]
fn a_drill_provokes_what_its_runbook_is_about_and_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    let data = folder.path().to_str().expect("text");
    let drill = [
        "drill",
        "rail-outage",
        "--seconds",
        "1",
        "--json",
        "--data",
        data,
    ];
    let (code, said, error) = ended(&run(&drill));
    assert_eq!(code, 0, "{error}");
    let said: Value = serde_json::from_str(&said).expect("a line of JSON");
    assert_eq!(said["runbook"], "docs/runbooks/alerts/rail-breaker-open.md");
    wait_for(&server, "the breaker opened", |samples| {
        samples[r#"lombard_rail_breaker_opened_total{rail="fps"}"#] >= 1.0
    });
    drop(server);
    assert_eq!(ended(&run(&drill)).0, 3, "nothing answers any more");
}

#[test]
fn a_contradiction_is_found_in_the_queue_and_compensated_by_two() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    let data = folder.path().to_str().expect("text");
    let case = |words: &[&str]| {
        let mut all = vec!["case"];
        all.extend(words);
        all.extend(["--json", "--data", data]);
        let (code, said, error) = ended(&run(&all));
        assert_eq!(code, 0, "{words:?}: {error}");
        said
    };
    let (code, _, error) = ended(&run(&["drill", "contradiction", "--data", data]));
    assert_eq!(code, 0, "{error}");
    let begun = Instant::now();
    let found = loop {
        let queue = case(&["list", "--kind", "contradiction"]);
        if let Some(line) = queue.lines().next() {
            break serde_json::from_str::<Value>(line).expect("a line of JSON");
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "no case");
        std::thread::park_timeout(Duration::from_millis(200));
    };
    let id = found["id"].as_str().expect("an id");
    let wish = ["resolve", id, "compensate", "--note", "their report has it"];
    let shown: Value = serde_json::from_str(&case(&wish)).expect("a preview");
    assert_eq!(shown["journal"][0]["legs"][0]["amount"], 666_043);
    assert_eq!(shown["needs_approval"], true);
    let seen = shown["seen"].as_str().expect("a name");
    let proposed = case(&[&wish[..], &["--seen", seen]].concat());
    assert!(proposed.contains("waiting_for_approval"), "{proposed}");
    let stale = [&["case"], &wish[..], &["--seen", seen, "--data", data]].concat();
    assert_eq!(ended(&run(&stale)).0, 4, "the case has moved on");
    let bulk = case(&["bulk", "ignore", id, "--note", "a drill", "--run"]);
    assert!(bulk.contains("done"), "{bulk}");
    drop(server);
}

#[test]
fn a_broken_statement_and_a_stolen_key_are_put_right_by_their_runbooks() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    let data = folder.path().to_str().expect("text");
    let said = |words: &[&str]| {
        let (code, said, error) = ended(&run(&[words, &["--json", "--data", data]].concat()));
        (code, said, error)
    };
    let drill = |name: &str| {
        let (code, said, error) = said(&["drill", name]);
        assert_eq!(code, 0, "{name}: {error}");
        serde_json::from_str::<Value>(&said).expect("a line of JSON")
    };
    let broken = drill("broken-statement");
    let case = broken["cases"][0].as_str().expect("a case");
    assert!(said(&["get", case]).1.contains("broken_statement"));
    let corrected = broken["corrected"].as_str().expect("a file");
    said(&["reconcile", corrected, "--source", "drill"]);
    let closed = said(&["get", case]).1;
    assert!(closed.contains("resolved"), "{closed}");

    let stolen = drill("key-compromise");
    let key = stolen["found"].as_str().expect("a key");
    let payment = stolen["payments"][0].as_str().expect("a payment");
    let url = server.text("url");
    let with_stolen = ["get", payment, "--url", url, "--key", key];
    assert_eq!(ended(&run(&with_stolen)).0, 0);
    let id = stolen["key"].as_str().expect("an id");
    let revoked = std::process::Command::new("curl")
        .args([
            "-sf",
            "-o",
            "/dev/null",
            "-X",
            "DELETE",
            "-H",
            "idempotency-key: revoke",
            "-H",
        ])
        .arg(format!("authorization: Bearer {}", server.text("api_key")))
        .arg(format!("{url}/v1/api_keys/{id}"))
        .status();
    let Ok(revoked) = revoked else {
        eprintln!("skipped: the revocation of a stolen key: no curl");
        return;
    };
    assert!(revoked.success());
    assert_eq!(ended(&run(&with_stolen)).0, 4);
}
