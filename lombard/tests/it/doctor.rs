//! `lombard doctor`: what is fine is said to be, and what is not is found.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::Value;

use super::server::{Server, ended, run};

/// What it finds: the exit code, and how each thing is.
fn doctor(data: &str) -> (i32, Vec<(String, String)>) {
    let (code, said, error) = ended(&run(&["doctor", "--json", "--data", data]));
    let finding = |line: &str| {
        let finding: Value = serde_json::from_str(line).expect("a line of JSON");
        let text = |name: &str| finding[name].as_str().expect("text").to_owned();
        (text("about"), text("health"))
    };
    let found: Vec<_> = said.lines().map(finding).collect();
    assert!(!found.is_empty(), "{error}");
    (code, found)
}

#[test]
fn a_running_demo_is_fine_and_what_is_broken_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().to_str().expect("text");
    let server = Server::start(folder.path());
    let health = |found: &[(String, String)], about: &str| {
        let one = found.iter().find(|(one, _)| one == about);
        one.unwrap_or_else(|| panic!("nothing about {about}: {found:?}"))
            .1
            .clone()
    };
    let (code, found) = doctor(data);
    assert_eq!(code, 0, "{found:?}");
    for about in [
        "configuration",
        "vault.keys",
        "tlog.key",
        "disk",
        "clock",
        "server",
        "log lag, s",
        "webhook endpoints",
    ] {
        assert_eq!(health(&found, about), "fine", "{about}");
    }
    assert_eq!(health(&found, "backup"), "worry", "none was named");

    let exposed = fs::Permissions::from_mode(0o644);
    fs::set_permissions(folder.path().join("vault.keys"), exposed).expect("it is ours");
    let (code, found) = doctor(data);
    assert_eq!((code, health(&found, "vault.keys").as_str()), (1, "wrong"));

    drop(server);
    fs::remove_file(folder.path().join("tlog.key")).expect("it is ours");
    let (code, found) = doctor(data);
    assert_eq!((code, health(&found, "tlog.key").as_str()), (1, "wrong"));
}
