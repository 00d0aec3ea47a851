//! The README's five-minute tour, run as it is written: every command in it works, and its output
//! has the shape that is shown.

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

/// Every `lombard …` line in the README is one that the command line understands.
#[test]
fn the_readme_names_commands_that_there_are() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let commands: Vec<&str> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("$ lombard "))
        .collect();
    assert!(commands.len() >= 4, "the tour has its commands");
    for command in commands {
        let name = command.split_ascii_whitespace().next().unwrap_or_default();
        assert_eq!(ended(&run(&[name, "--help"])).0, 0, "lombard {command}");
        for path in command
            .split_ascii_whitespace()
            .filter(|word| word.starts_with("docs/"))
        {
            assert!(root().join(path).exists(), "{path}");
        }
    }
}
