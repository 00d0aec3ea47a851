//! One server a folder, an orderly end, backup of a running store, and restore.

use std::{
    fs,
    os::unix::fs::{FileExt, PermissionsExt},
};

use super::server::{Server, ended, run};

#[test]
fn a_folder_has_one_server_and_a_restart_finds_everything() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    let key = server.text("api_key").to_owned();
    let mode = fs::metadata(&data).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "it is nobody else's to read");
    let (exit, _, err) = ended(&run(&[
        "up",
        "--data",
        data.to_str().unwrap(),
        "--listen",
        "127.0.0.1:0",
    ]));
    assert_eq!(exit, 5, "{err}");
    assert!(err.contains("in use by process"), "{err}");
    assert_eq!(server.stop(), 0);
    assert!(!data.join("up.json").exists(), "nothing says that it runs");
    let again = Server::start(&data);
    assert_eq!(
        again.text("api_key"),
        key,
        "the same folder has the same key"
    );
    assert_eq!(again.stop(), 0);
}

#[test]
fn an_address_that_is_taken_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (exit, _, err) = ended(&run(&[
        "up",
        "--data",
        folder.path().to_str().unwrap(),
        "--listen",
        &address,
    ]));
    assert_eq!(exit, 3, "{err}");
    assert!(err.contains(&address), "{err}");
}

#[test]
fn a_running_store_is_backed_up_and_restored() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (data, copy, restored) = (path("data"), path("copy"), path("restored"));
    let server = Server::start(data.as_ref());
    let (key, account) = (
        server.text("api_key").to_owned(),
        server.text("account").to_owned(),
    );
    let (exit, out, err) = ended(&run(&["backup", &copy, "--data", &data, "--json"]));
    assert_eq!(exit, 0, "{err}");
    assert!(out.contains("\"transactions\""), "{out}");
    assert_eq!(server.stop(), 0);
    assert_eq!(
        ended(&run(&["backup", &copy, "--data", &data])).0,
        0,
        "stopped, it goes on with the same copy"
    );

    assert_eq!(
        ended(&run(&["restore", &copy, "--data", &data])).0,
        2,
        "a folder with a store is not written over"
    );
    assert_eq!(ended(&run(&["restore", &copy, "--data", &restored])).0, 0);
    let (exit, _, err) = ended(&run(&[
        "up",
        "--data",
        &restored,
        "--listen",
        "127.0.0.1:0",
    ]));
    assert_eq!(exit, 7, "without its keys it is not started: {err}");
    for name in ["vault.keys", "vault.shred", "tlog.key"] {
        fs::copy(format!("{data}/{name}"), format!("{restored}/{name}")).unwrap();
    }
    let server = Server::start(restored.as_ref());
    assert_eq!(
        (server.text("api_key"), server.text("account")),
        (key.as_str(), account.as_str())
    );
}

/// A disk that loses a bit under a running server: a backup of it says so as one of a stopped one does.
#[test]
fn a_backup_of_a_running_store_ends_at_damage() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let _server = Server::start(&data);
    let segment = data.join("log/0000000000.log");
    let file = fs::OpenOptions::new().read(true).write(true).open(segment);
    let (file, mut byte) = (file.unwrap(), [0]);
    file.read_exact_at(&mut byte, 200).unwrap();
    file.write_all_at(&[byte[0] ^ 1], 200).unwrap();
    let (copy, data) = (folder.path().join("copy"), data.to_str().unwrap());
    let args = ["backup", copy.to_str().unwrap(), "--data", data, "--json"];
    let (exit, out, err) = ended(&run(&args));
    assert_eq!(exit, 7, "{err}");
    assert!(out.contains("\"damaged\""), "{out}");
}

#[test]
fn what_is_damaged_is_not_started() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Server::start(folder.path()).stop(), 0);
    let log = folder.path().join("log");
    let mut segments: Vec<_> = fs::read_dir(&log)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    segments.sort();
    let mut bytes = fs::read(&segments[0]).unwrap();
    // In the first frame, with others after it: no crash does that.
    bytes[64] ^= 1;
    fs::write(&segments[0], bytes).unwrap();
    fs::remove_file(folder.path().join("index.redb")).unwrap();
    let (exit, _, err) = ended(&run(&["up", "--data", folder.path().to_str().unwrap()]));
    assert_eq!(exit, 7, "{err}");
    assert!(err.contains("damaged"), "{err}");
}
