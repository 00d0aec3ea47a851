//! The five minutes of `docs/batches.md`, `docs/webhooks.md` and `docs/risk.md`, typed as they are
//! written.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};

use super::server::{Server, clean, ended};

const BATCHES: &str = include_str!("../../../docs/batches.md");
const RISK: &str = include_str!("../../../docs/risk.md");
const WEBHOOKS: &str = include_str!("../../../docs/webhooks.md");
/// How long what happens afterwards may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The first block of a kind in a page.
fn block<'a>(page: &'a str, kind: &str) -> &'a str {
    let (_, rest) = page
        .split_once(&format!("```{kind}\n"))
        .expect("the page has it");
    rest.split_once("```").expect("a block ends").0
}

/// Whether what the examples are typed with is here.
fn equipped(test: &str) -> bool {
    let there = |tool: &str| {
        let asked = Command::new(tool).arg("--version").output();
        asked.is_ok_and(|output| output.status.success())
    };
    let missing = ["curl", "python3"].into_iter().find(|tool| !there(tool));
    if let Some(tool) = missing {
        eprintln!("skipped: {test}: no {tool}");
    }
    missing.is_none()
}

/// Runs a script in a folder, with the variables that the pages speak of.
fn typed(script: &str, folder: &Path, server: &Server) -> Output {
    let mut shell = clean("sh");
    let output = shell
        .args(["-ec", script])
        .current_dir(folder)
        .env("URL", server.text("url"))
        .env("KEY", server.text("api_key"))
        .env("ACCOUNT", server.text("account"))
        .env("PYTHONUNBUFFERED", "1")
        .output();
    output.expect("a shell")
}

/// Whether a line is as the page shows it; `…` stands for anything without a comma.
fn fits(shown: &str, line: &str) -> bool {
    let mut parts = shown.split('…');
    let Some(mut rest) = parts.next().and_then(|first| line.strip_prefix(first)) else {
        return false;
    };
    for part in parts {
        let field = rest.find(',').unwrap_or(rest.len());
        let Some(after) = rest[field..].strip_prefix(part) else {
            return false;
        };
        rest = after;
    }
    rest.is_empty()
}

#[test]
fn a_file_is_sent_as_the_page_says() {
    if !equipped("a_file_is_sent_as_the_page_says") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data"));
    let script = block(BATCHES, "sh");
    let (exit, out, err) = ended(&typed(script, folder.path(), &server));
    assert_eq!(exit, 0, "{out}{err}");
    // The last command again, until all rows have their outcome.
    let report = script.trim_end().lines().last().expect("a line");
    let again = format!(
        "BATCH=$(python3 -c 'import json; print(json.load(open(\"batch.json\"))[\"id\"])')\n{report}"
    );
    let shown: Vec<&str> = block(BATCHES, "csv").lines().collect();
    let begun = Instant::now();
    loop {
        let (_, out, _) = ended(&typed(&again, folder.path(), &server));
        let lines: Vec<&str> = out.lines().collect();
        let same = lines.len() == shown.len();
        if same
            && shown
                .iter()
                .zip(&lines)
                .all(|(shown, line)| fits(shown, line))
        {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{out}");
        thread::park_timeout(Duration::from_millis(100));
    }
}

#[test]
fn a_payment_is_held_explained_released_and_refused_as_the_page_says() {
    if !equipped("a_payment_is_held_explained_released_and_refused_as_the_page_says") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let policy = folder.path().join("policy.json");
    fs::write(&policy, block(RISK, "json")).expect("it is written");
    let policy = policy.to_str().expect("a path");
    let server = Server::start_with(
        &folder.path().join("data"),
        &[
            ("LOMBARD_RISK_POLICY", policy),
            // A loaded machine may keep profiles longer than a bank would wait for them.
            ("LOMBARD_RISK_LIMIT_MS", "5000"),
        ],
    );
    let program = Path::new(env!("CARGO_BIN_EXE_lombard"));
    let script = format!(
        "PATH={}:$PATH\nexport LOMBARD_URL=$URL LOMBARD_API_KEY=$KEY\n{}",
        program.parent().expect("a folder").display(),
        block(RISK, "sh")
    );
    let (exit, out, err) = ended(&typed(&script, folder.path(), &server));
    assert_eq!(exit, 0, "{out}{err}");
    let mut said = out.lines();
    for shown in block(RISK, "text").lines() {
        let (begins, ends) = shown.split_once('…').unwrap_or((shown, ""));
        let fits = |line: &str| line.starts_with(begins) && line.ends_with(ends);
        assert!(said.any(fits), "no `{shown}` in {out}");
    }
}

#[test]
fn a_receiver_hears_and_verifies_as_the_page_says() {
    if !equipped("a_receiver_hears_and_verifies_as_the_page_says") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data"));
    // The page's port may be somebody's.
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("a port").port().to_string();
    drop(free);
    let here = |text: &str| text.replace("8099", &port);
    fs::write(
        folder.path().join("receiver.py"),
        here(block(WEBHOOKS, "python")),
    )
    .expect("it is written");
    // What the receiver prints goes to a file; it is ended when it has heard, or is too late.
    let script = format!(
        "exec > heard.txt\ntrap 'kill $!' EXIT\n{}\n\
         for n in $(seq 100); do grep -q 'genuine {{' heard.txt && break; sleep 0.1; done\n",
        here(block(WEBHOOKS, "sh"))
    );
    let (_, _, err) = ended(&typed(&script, folder.path(), &server));
    let heard = fs::read_to_string(folder.path().join("heard.txt")).expect("it is there");
    // What `curl` printed has no line of its own.
    let told = heard.split_once("genuine {").map(|(_, told)| told);
    let told = told.unwrap_or_else(|| panic!("{heard}{err}"));
    assert!(told.starts_with(r#""type":"webhook.test""#), "{told}");
}

#[test]
fn shapes_of_lines_are_told_apart() {
    assert!(fits("1,pay_…,,…", "1,pay_0,,E2E"));
    assert!(!fits("1,pay_…,,…", "1,pay_0,x,E2E"));
    assert!(!fits("1,pay_…,,", "2,pay_0,,"));
}
