//! `lombard bench`: every form of it works, and says what scripts look for.

use serde_json::Value;

use crate::server::{Server, ended, lombard};

/// Runs it small: what is tested is that it measures, not what.
fn bench(args: &[&str]) -> Value {
    let small = ["--connections", "2", "--accounts", "4", "--warm-up", "0"];
    let mut command = lombard(&[&["bench", "--json"], args].concat());
    for pair in small.chunks(2).filter(|pair| !args.contains(&pair[0])) {
        command.args(pair);
    }
    // Meant for a server of somebody's own; what is measured is the defaults.
    command.env("LOMBARD_HTTP__BODY_BYTES_MAX", "nonsense");
    let output = command.output().expect("the command runs");
    let (code, out, err) = ended(&output);
    assert_eq!(code, 0, "{args:?}: {out}{err}");
    let report: Value = serde_json::from_str(&out).expect("one object");
    for holds in ["durable", "accepted_is_stored", "balanced"] {
        assert_eq!(report[holds], true, "{args:?}: {holds}: {report}");
    }
    report
}

fn number(report: &Value, name: &str) -> f64 {
    let number = report[name].as_f64();
    number.unwrap_or_else(|| panic!("no `{name}` in {report}"))
}

#[test]
fn single_payments_are_measured() {
    for (hot, args) in [
        (false, &["--seconds", "1"][..]),
        (true, &["--seconds", "1", "--hot", "--connections", "3"]),
    ] {
        let report = bench(args);
        assert_eq!(report["hot"], hot);
        assert_eq!(report["connections"], if hot { 3 } else { 2 });
        assert!(number(&report, "payments_per_second") > 1.0);
        assert!(number(&report, "p50_ms") <= number(&report, "p99_ms"));
        assert!(number(&report, "server_memory_bytes") > 1e6);
    }
}

#[test]
fn tokens_are_measured() {
    let mut command = lombard(&["bench", "--json", "--tokens", "--seconds", "1"]);
    command.args(["--connections", "2", "--warm-up", "0"]);
    let (code, out, err) = ended(&command.output().expect("the command runs"));
    assert_eq!(code, 0, "{out}{err}");
    let report: Value = serde_json::from_str(&out).expect("one object");
    assert_eq!(
        (&report["sound"], &report["failed"]),
        (&true.into(), &0.into())
    );
    assert!(number(&report, "tokens_per_second") > 1.0);
    assert!(number(&report, "p50_ms") <= number(&report, "p99_ms"));
}

#[test]
fn a_running_server_is_measured() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path());
    let (url, key) = (server.text("url"), server.text("api_key"));
    let report = bench(&["--seconds", "1", "--url", url, "--key", key]);
    assert!(number(&report, "payments_per_second") > 1.0);
    assert_eq!(report["server_memory_bytes"], Value::Null);
}

#[test]
fn a_file_is_measured() {
    let report = bench(&["--bulk", "--rows", "300"]);
    assert_eq!(report["rows"], 300);
    assert_eq!(report["accepted"], 300);
    assert_eq!(report["bulk"], true);
    assert!(number(&report, "payments_per_second") > 1.0);
}

#[test]
fn a_statement_is_reconciled_without_a_wrong_or_a_missed_match() {
    let report = bench(&["--reconcile", "--rows", "600", "--seed", "11"]);
    assert!(number(&report, "payments") >= 600.0);
    assert!(number(&report, "exceptions") > 0.0, "{report}");
    for (name, value) in [("wrong", 0), ("missed", 0)] {
        assert_eq!(report[name], value, "{report}");
    }
    assert_eq!(report["again_the_same"], true);
}

#[test]
fn events_of_a_provider_are_measured() {
    let report = bench(&["--webhooks", "--rows", "40", "--seconds", "1"]);
    assert_eq!(report["charges"], 40);
    assert_eq!(report["again_the_same"], true, "{report}");
    for run in ["fresh", "again"] {
        assert!(number(&report[run], "deliveries_per_second") > 1.0);
        assert_eq!(report[run]["refused"], 0, "{report}");
    }
    assert!(number(&report, "captured") <= 40.0);
}

#[test]
fn a_soak_tells_memory_and_lag_over_time() {
    let mut command = lombard(&["bench", "--json", "--soak", "--seconds", "3"]);
    command.args(["--connections", "2", "--accounts", "4"]);
    let (code, out, err) = ended(&command.output().expect("the command runs"));
    // A few seconds are too short to say whether memory is flat, so that the verdict may be no.
    assert!(matches!(code, 0 | 1), "{out}{err}");
    let report: Value = serde_json::from_str(&out).expect("one object");
    assert_eq!(report["accepted_is_stored"], true, "{report}");
    let samples = report["samples"].as_array().expect("a list");
    assert!(samples.len() > 10, "{report}");
    assert!(samples.iter().all(|it| number(it, "memory_bytes") > 1e6));
    assert_eq!(
        report["memory_flat"],
        number(&report, "memory_growth") <= 1.1
    );
    let worst = number(&report, "lag_ms_max").max(number(&report, "inclusion_ms_max"));
    assert_eq!(report["no_lag"], worst <= 1000.0, "{report}");
}

#[test]
fn a_store_is_filled_stopped_killed_and_verified() {
    let report = bench(&["--scale", "--rows", "300"]);
    assert_eq!(report["payments"], 300);
    assert_eq!(report["verified"]["ok"], true);
    let entries = number(&report["verified"], "entries");
    assert!(
        entries >= 300.0 + number(&report, "accepted_before_crash"),
        "{report}"
    );
    assert!(number(&report, "start_seconds") > 0.0);
    assert!(number(&report, "recovery_seconds") > 0.0);
}
