//! What becomes of the server when its disk does not do what it is asked.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::server::{Server, clean, ended, lombard};

const UP: [&str; 7] = [
    "up",
    "--listen",
    "127.0.0.1:0",
    "--rail-listen",
    "127.0.0.1:0",
    "--json",
    "--data",
];

/// Runs `up` from a shell that has prepared something for it, and has `$0` for the command.
fn up_after(shell: &mut Command, preparation: &str, data: &Path) -> Output {
    let script = format!("{preparation} && exec \"$0\" \"$@\"");
    shell
        .args(["sh", "-c", &script, env!("CARGO_BIN_EXE_lombard")])
        .args(UP)
        .arg(data)
        .output()
        .expect("a shell")
}

#[test]
fn a_disk_without_room_is_told_and_nothing_is_begun() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    // No file may be longer than a mebibyte: to the server that is a full disk.
    let mut shell = clean("env");
    let output = up_after(&mut shell, "trap '' XFSZ; ulimit -f 2048", &data);
    let (exit, out, err) = ended(&output);
    assert_eq!(exit, 6, "{err}");
    assert!(err.contains("storage full"), "{err}");
    assert!(err.contains("free some space"), "says what to do: {err}");
    assert!(out.contains("\"error\":\"not_writable\""), "{out}");
    // With room it starts as if nothing had been.
    assert_eq!(Server::start(&data).stop(), 0);
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    let test = "a_folder_that_cannot_be_written_is_told";
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let server = Server::start(&data);
    assert_eq!(server.stop(), 0);
    // Rights do not keep root out, so for root the folder is mounted read-only where only the
    // server sees it.
    let root = rustix::process::geteuid().is_root();
    let output = if root {
        let here = data.display();
        let mount = format!("mount --bind {here} {here} && mount -o remount,ro,bind {here}");
        let mut shell = clean("unshare");
        up_after(shell.args(["-m", "--"]), &mount, &data)
    } else {
        fs::set_permissions(&data, fs::Permissions::from_mode(0o555)).expect("it is ours");
        up_after(&mut clean("env"), "true", &data)
    };
    let (exit, _, err) = ended(&output);
    if root && (err.contains("unshare") || err.contains("mount:")) {
        eprintln!("skipped: {test}: no mounts of one's own here");
        return;
    }
    assert_eq!(exit, 6, "{err}");
    assert!(err.contains("read-only"), "{err}");
    assert!(err.contains("right to write"), "says what to do: {err}");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).expect("it is ours");
    assert_eq!(Server::start(&data).stop(), 0, "nothing was harmed");
}

fn pay(server: &Server, key: &str) -> (u16, serde_json::Value) {
    let body = format!(
        r#"{{"amount": 1, "currency": "GBP", "debtor": {{"account": "{}"}},
            "creditor": {{"name": "Ada", "sort_code": "20-00-00", "account_number": "55779911"}}}}"#,
        server.text("account")
    );
    server.post("/v1/payments", key, &body)
}

#[test]
fn a_disk_that_fails_under_way_ends_the_server_and_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    let (status, paid) = pay(&server, "before");
    assert_eq!(status, 201, "{paid}");
    // From now on every write to a file fails.
    let pid = server.ready["pid"].as_i64().expect("a process");
    let pid = Pid::from_raw(i32::try_from(pid).expect("a process")).expect("a process");
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    prlimit(Some(pid), Resource::Fsize, none).expect("it is ours");
    let (status, answer) = pay(&server, "during");
    // A worker's write may have failed before this one, and the server be ending already.
    assert!(matches!(status, 0 | 503), "{status} {answer}");
    assert!(status == 0 || answer["retryable"] == true, "{answer}");
    let (exit, err) = server.wait();
    assert_eq!(exit, 8, "{err}");
    assert!(err.contains("the store has failed"), "{err}");
    assert!(err.contains("start again"), "says what to do: {err}");
    // On a disk that works again, what was answered is there, and a repetition gets the truth.
    let server = Server::start(folder.path());
    let (status, again) = pay(&server, "before");
    assert_eq!((status, &again["id"]), (201, &paid["id"]));
    assert_eq!(pay(&server, "during").0, 201);
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_file_where_the_folder_should_be_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    fs::write(&data, "not a folder").expect("it is written");
    let (exit, _, err) = ended(&lombard(&UP).arg(&data).output().expect("it runs"));
    assert_eq!(exit, 2, "{err}");
    assert!(err.contains("data"), "{err}");
}
