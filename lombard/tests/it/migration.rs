//! An installation moves from one folder to another, by the commands of `docs/migration.md`.

use std::{
    fs,
    path::Path,
    process::{Output, Stdio},
    thread,
    time::Duration,
};

use serde_json::Value;

use super::server::{Server, ended, lombard, run};

const PAGE: &str = include_str!("../../../docs/migration.md");

/// Types a command with the folders of the test in the place of those of the page.
fn typed(line: &str, folder: &Path) -> Output {
    let line = line.replace("/var/lib/", &format!("{}/", folder.display()));
    let arguments = line.split_whitespace().skip(1);
    let mut command = lombard(&[]);
    let output = command.args(arguments).current_dir(folder).output();
    output.expect("the command runs")
}

/// The line of the page that begins so, and is for a folder.
fn line(begins: &str) -> &'static str {
    let fits = |line: &&str| line.starts_with(begins) && !line.contains("--aws");
    PAGE.lines().find(fits).expect("the page has it")
}

fn pay(server: &Server, key: &str) -> Value {
    let body = format!(
        r#"{{"amount":1250,"currency":"GBP","debtor":{{"account":"{}"}},
            "creditor":{{"name":"Ann Other","sort_code":"20-00-00","account_number":"55779911"}}}}"#,
        server.text("account"),
    );
    let (code, made) = server.post("/v1/payments?wait=5", key, &body);
    assert_eq!(code, 201, "{made}");
    made
}

/// Exports what is at rest: as the page says, a source that has work left is started and stopped.
fn exported(data: &Path, folder: &Path) -> String {
    for _ in 0..10 {
        let (code, told, said) = ended(&typed(line("lombard export"), folder));
        if code == 0 {
            return told;
        }
        assert!(said.contains("still has work"), "{told}{said}");
        let server = Server::start(data);
        thread::park_timeout(Duration::from_secs(2));
        assert_eq!(server.stop(), 0);
    }
    panic!("it never comes to rest");
}

#[test]
fn an_installation_moves_by_the_commands_of_the_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let (old, new) = (
        folder.path().join("lombard"),
        folder.path().join("lombard-new"),
    );
    let server = Server::start(&old);
    let payment = pay(&server, "one");
    let (code, _, said) = ended(&typed(line("lombard export"), folder.path()));
    assert_eq!(code, 5, "a server runs: {said}");
    assert_eq!(server.stop(), 0);
    let told = exported(&old, folder.path());
    let (code, _, said) = ended(&run(&["up", "--data", old.to_str().expect("text")]));
    assert_eq!(code, 1, "nobody serves what has moved: {said}");
    assert!(said.contains("has moved"), "{said}");

    // Without the keys nothing is begun.
    let (code, _, said) = ended(&typed(line("lombard import"), folder.path()));
    assert_eq!(code, 2, "{said}");
    fs::create_dir(&new).expect("a folder");
    for name in ["vault.keys", "tlog.key", "tlog.key.pub"] {
        fs::copy(old.join(name), new.join(name)).expect("copied");
    }
    // Killed at some moment, and given again.
    let line =
        line("lombard import").replace("/var/lib/", &format!("{}/", folder.path().display()));
    let mut killed = lombard(&[]);
    killed
        .args(line.split_whitespace().skip(1))
        .current_dir(folder.path());
    killed.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = killed.spawn().expect("it runs");
    thread::park_timeout(Duration::from_millis(40));
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    let (code, again, said) = ended(&typed(&line, folder.path()));
    assert_eq!(code, 0, "{again}{said}");
    assert_eq!(
        told.replace("exported", "imported"),
        again,
        "the same records, the same root"
    );

    let verified = run(&[
        "verify",
        new.to_str().expect("text"),
        "--key",
        new.join("tlog.key.pub").to_str().expect("text"),
        "--store",
        new.to_str().expect("text"),
    ]);
    assert_eq!(ended(&verified).0, 0, "{verified:?}");
    let server = Server::start(&new);
    let again = pay(&server, "one");
    assert_eq!(again["id"], payment["id"], "a key that was used stays used");
    let more = pay(&server, "two");
    assert_ne!(more["id"], payment["id"]);
    assert_eq!(server.stop(), 0);
}
