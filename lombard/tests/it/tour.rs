//! The README's five-minute tour: its commands print what it shows, and what they did is there.

use std::path::Path;

use serde_json::Value;

use super::server::{Server, ended, run};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Runs a command of the tour in the repository's root, against `data`.
fn tour(data: &Path, args: &[&str]) -> (i32, Value) {
    let mut command = super::server::lombard(args);
    command
        .args(["--json"])
        .current_dir(root())
        .env("LOMBARD_DATA", data);
    let (exit, out, err) = ended(&command.output().expect("the command runs"));
    let last = out.lines().last().unwrap_or_default();
    (
        exit,
        serde_json::from_str(last).unwrap_or_else(|_| panic!("{args:?}: {out} {err}")),
    )
}

#[test]
fn the_tour_goes_as_the_readme_says() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    assert_eq!(
        ended(&run(&[
            "inspect",
            root().join("docs/tour/salaries.xml").to_str().unwrap()
        ]))
        .0,
        0
    );

    let (exit, paid) = tour(&data, &["pay", "docs/tour/salaries.xml"]);
    assert_eq!(exit, 0, "{paid}");
    assert_eq!(
        (&paid["accepted"], &paid["cleared"], &paid["pending"]),
        (&2.into(), &2.into(), &0.into())
    );

    let (exit, again) = tour(&data, &["pay", "docs/tour/salaries.xml"]);
    assert_eq!(
        (exit, &again["accepted"], &again["duplicates"]),
        (0, &0.into(), &2.into()),
        "{again}"
    );

    // The third payment's amount makes the simulated bank say that the account is closed.
    let (exit, paid) = tour(&data, &["pay", "docs/tour/payments.csv"]);
    assert_eq!(
        (exit, &paid["accepted"], &paid["cleared"], &paid["failed"]),
        (1, &3.into(), &2.into(), &1.into()),
        "{paid}"
    );

    let (exit, batch) = tour(&data, &["get", paid["id"].as_str().unwrap()]);
    assert_eq!((exit, &batch["state"]), (0, &"completed".into()), "{batch}");
    let (exit, account) = tour(&data, &["get", server.text("account")]);
    assert_eq!(
        (exit, &account["balance"]["debits_posted"]),
        (0, &(125_000 + 98_050).into()),
        "{account}"
    );
}

#[test]
fn what_was_paid_is_there_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    let (exit, paid) = tour(&data, &["pay", "docs/tour/salaries.xml"]);
    assert_eq!(exit, 0, "{paid}");
    let account = server.text("euro_account").to_owned();
    let (_, before) = tour(&data, &["get", &account]);
    // Dropping kills it: no orderly end.
    drop(server);
    let _server = Server::start(&data);
    let (_, after) = tour(&data, &["get", &account]);
    assert_eq!(after["balance"], before["balance"]);
    let (exit, again) = tour(&data, &["pay", "docs/tour/salaries.xml"]);
    assert_eq!((exit, &again["duplicates"]), (0, &2.into()), "{again}");
}

/// Every `lombard …` line of the README is run in its order and prints what is shown under it, ids
/// apart; one without output is at least understood.
#[test]
fn the_readme_shows_what_its_commands_print() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let _server = Server::start(&data);
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let mut compared = 0;
    for (n, line) in readme.lines().enumerate() {
        let Some(command) = line.strip_prefix("$ lombard ") else {
            continue;
        };
        let args: Vec<&str> = command.split_ascii_whitespace().collect();
        let below = readme.lines().skip(n + 1);
        let shown: Vec<&str> = below
            .take_while(|line| !line.starts_with(['$', '`']))
            .collect();
        if shown.is_empty() {
            assert_eq!(ended(&run(&[args[0], "--help"])).0, 0, "{line}");
            continue;
        }
        let mut command = super::server::lombard(&args);
        command.current_dir(root()).env("LOMBARD_DATA", &data);
        let (_, out, err) = ended(&command.output().expect("the command runs"));
        let printed: Vec<String> = out.lines().map(without_id).collect();
        assert_eq!(printed, shown, "{line}: {err}");
        compared += 1;
    }
    assert!(compared >= 4, "the tour has its commands");
}

/// A line as the README shows it.
fn without_id(line: &str) -> String {
    match line.split_once("bat_") {
        Some((before, _)) => format!("{before}bat_…"),
        None => line.to_owned(),
    }
}
