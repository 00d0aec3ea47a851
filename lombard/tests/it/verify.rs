//! The verifiable log of a running server: verified by our command, cosigned by a witness, and
//! checked with software of somebody else.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::server::{Server, ended, lombard, run};

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}

/// Waits until the log has so many leaves: the demo accounts are funded at the start.
pub fn wait_for_leaves(data: &Path, wanted: u64) {
    let begun = Instant::now();
    loop {
        let checkpoint = fs::read_to_string(data.join("tlog/checkpoint")).unwrap_or_default();
        let size = checkpoint.lines().nth(1).and_then(|line| line.parse().ok());
        if size.is_some_and(|size: u64| size >= wanted) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{checkpoint}");
        thread::park_timeout(Duration::from_millis(50));
    }
}

#[test]
fn a_server_s_log_verifies_until_it_is_touched() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let server = Server::start(&data);
    wait_for_leaves(&data, 2);
    let (tlog, key) = (data.join("tlog"), data.join("tlog.key.pub"));
    let url = format!("{}/log", server.text("url"));
    let over_http = run(&["verify", &url, "--key", text(&key), "--json"]);
    assert_eq!(ended(&over_http).0, 0, "{over_http:?}");
    let kept = folder.path().join("kept.checkpoint");
    fs::copy(tlog.join("checkpoint"), &kept).expect("a copy");
    assert_eq!(server.stop(), 0);
    let whole = [
        "verify",
        text(&tlog),
        "--key",
        text(&key),
        "--store",
        text(&data),
        "--since",
        text(&kept),
        "--json",
    ];
    let sound = run(&whole);
    assert_eq!(ended(&sound).0, 0, "{sound:?}");
    let report = json(&sound);
    assert_eq!(
        (report["ok"].as_bool(), report["pending"].as_u64()),
        (Some(true), Some(0))
    );
    assert_eq!(report["problems"], serde_json::json!([]));

    let size = report["size"].as_u64().expect("a size");
    let entries = tlog.join(format!("tile/entries/000.p/{size}"));
    let mut bytes = fs::read(&entries).expect("the entries");
    bytes[40] ^= 1;
    fs::write(&entries, &bytes).expect("written");
    let broken = run(&whole);
    assert_eq!(ended(&broken).0, 1, "{broken:?}");
    assert_eq!(json(&broken)["problems"][0]["kind"], "entry_hash");
    assert_eq!(json(&broken)["problems"][0]["where"], "leaf 0");
    let nothing = run(&["verify", text(folder.path()), "--key", text(&key), "--json"]);
    assert_eq!(ended(&nothing).0, 2);
    assert_eq!(json(&nothing)["ok"], false);
}

/// A running witness; it is killed when this is dropped.
struct Witness {
    child: Child,
    url: String,
}

impl Witness {
    fn start(folder: &Path, logs: &Path) -> Self {
        let (key, state) = (folder.join("witness.key"), folder.join("witness.state"));
        let mut child = lombard(&[
            "witness",
            "--json",
            "--new",
            "--listen",
            "127.0.0.1:0",
            "--origin-keys",
            text(logs),
            "--key",
            text(&key),
            "--state",
            text(&state),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command runs");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("it is read");
        let ready: Value = serde_json::from_str(&line).expect("a line of JSON");
        let url = ready["url"].as_str().expect("a URL").to_owned();
        Self { child, url }
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_witness_cosigns_what_only_grows() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    fs::create_dir(&data).expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let made = run(&[
        "log",
        "keygen",
        "log.example",
        "--out",
        text(&data.join("tlog.key")),
        "--json",
    ]);
    assert_eq!(ended(&made).0, 0, "{made:?}");
    let made = run(&[
        "log",
        "keygen",
        "witness.example",
        "--witness",
        "--out",
        text(&path("witness.key")),
        "--json",
    ]);
    let witness_key = json(&made)["public_key"]
        .as_str()
        .expect("a key")
        .to_owned();
    let key = data.join("tlog.key.pub");
    let witness = Witness::start(folder.path(), &key);
    let policy = format!("witness w {witness_key} {}\nquorum w\n", witness.url);
    fs::write(path("policy"), policy).expect("written");
    let server = Server::start_with(&data, &[("LOMBARD_PROOF_POLICY", text(&path("policy")))]);
    wait_for_leaves(&data, 2);
    assert_eq!(server.stop(), 0);
    let (tlog, policy) = (data.join("tlog"), path("policy"));
    let whole = [
        "verify",
        text(&tlog),
        "--key",
        text(&key),
        "--policy",
        text(&policy),
        "--json",
    ];
    let sound = run(&whole);
    assert_eq!(ended(&sound).0, 0, "{sound:?}");
    let checkpoint = fs::read_to_string(tlog.join("checkpoint")).expect("a checkpoint");
    assert!(checkpoint.starts_with("log.example\n") && checkpoint.contains("— witness.example "));

    // Without its line the same checkpoint does not meet the policy.
    let alone: Vec<&str> = checkpoint
        .lines()
        .filter(|line| !line.contains("witness.example"))
        .collect();
    fs::write(tlog.join("checkpoint"), format!("{}\n", alone.join("\n"))).expect("written");
    let unmet = run(&whole);
    assert_eq!(
        (ended(&unmet).0, &json(&unmet)["problems"][0]["kind"]),
        (1, &Value::from("checkpoint_quorum"))
    );
}

/// What a machine may lack is told and not failed on.
#[allow(clippy::print_stderr)]
fn skipped(why: &str) {
    eprintln!("skipped: a_client_of_somebody_else_believes_the_log: {why}");
}

#[test]
fn a_client_of_somebody_else_believes_the_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let venv = folder.path().join("venv");
    let made = Command::new("python3")
        .args(["-m", "venv"])
        .arg(&venv)
        .output();
    if !made.is_ok_and(|made| made.status.success()) {
        return skipped("no python3 with venv");
    }
    // The package asks for a newer Python than it needs.
    let installed = Command::new(venv.join("bin/pip"))
        .args([
            "install",
            "--quiet",
            "--ignore-requires-python",
            "aics-tlog==0.2.1",
        ])
        .output()
        .expect("pip runs");
    if !installed.status.success() {
        return skipped("aics-tlog cannot be installed");
    }
    let data = folder.path().join("data");
    let server = Server::start(&data);
    wait_for_leaves(&data, 2);
    let checked = Command::new(venv.join("bin/python"))
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/interop/tlog.py"
        ))
        .args([
            server.text("url"),
            text(&data.join("tlog.key.pub")),
            server.text("api_key"),
        ])
        .output()
        .expect("python runs");
    let (code, said, errors) = ended(&checked);
    assert_eq!(code, 0, "{said}{errors}");
    assert!(
        said.contains("proofs and a consistency proof of the API hold"),
        "{said}"
    );
}
