//! What operators load and read: rules, dashboard, pages. All are made of the catalogues, and the
//! rules are Prometheus's own to judge.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use expect_test::expect_file;
use lombard_service::{exceptions::Kind, slo};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn files_are_what_the_catalogues_say() {
    expect_file!["../../../deploy/observe/rules.yml"].assert_eq(&slo::rules());
    let dashboard = format!("{:#}\n", slo::dashboard());
    expect_file!["../../../deploy/observe/dashboard.json"].assert_eq(&dashboard);
    expect_file!["../../../docs/slo.md"].assert_eq(&slo::page());
}

#[test]
fn prometheus_takes_the_rules_and_the_alerts_ring_when_they_should() {
    let folder = repository().join("deploy/observe");
    for arguments in [
        ["check", "rules", "rules.yml"],
        ["test", "rules", "rules_test.yml"],
    ] {
        let promtool = Command::new("promtool")
            .args(arguments)
            .current_dir(&folder)
            .output();
        let Ok(output) = promtool else {
            eprintln!(
                "skipped: prometheus_takes_the_rules_and_the_alerts_ring_when_they_should: no promtool"
            );
            return;
        };
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "promtool {arguments:?}: {said}");
    }
}

/// What each runbook tells, in this order.
const SECTIONS: [&str; 6] = ["Symptom", "Meaning", "Check", "Act", "Verify", "Prevent"];

#[test]
fn each_alert_and_each_kind_of_exception_has_its_runbook_and_no_other_has() {
    let alerts: BTreeSet<_> = slo::alerts::alerts()
        .into_iter()
        .map(|alert| alert.runbook)
        .collect();
    hold("alerts", &alerts);
    let kinds: BTreeSet<_> = Kind::ALL
        .iter()
        .map(|kind| format!("{}.md", kind.name()))
        .collect();
    hold("exceptions", &kinds);
}

fn hold(folder: &str, wanted: &BTreeSet<String>) {
    let folder = repository().join("docs/runbooks").join(folder);
    let found = fs::read_dir(&folder).expect("the folder is there");
    let found = found.map(|file| file.expect("it is listed").file_name());
    let found: BTreeSet<_> = found
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    assert_eq!(&found, wanted);
    for name in wanted {
        let text = fs::read_to_string(folder.join(name)).expect("it is text");
        let sections: Vec<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix("## "))
            .collect();
        assert_eq!(sections, SECTIONS, "{name}");
    }
}
