//! `cargo xtask browser`: the console in a real browser (Chromium, driven by Playwright), with axe.
//!
//! The tests are in `browser/`. Here a demo is started for them, with the rail simulator, and
//! Playwright and axe are installed from npm. Screenshots of every page are left in the target folder.

use std::{
    fs,
    path::PathBuf,
    process::{Command, ExitCode},
};

use anyhow::{Context, Result};

use crate::{
    crash::{
        self,
        server::{Process, free_address},
    },
    repo,
};

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Every test passed.
    Fine,
    /// Some did not.
    Faults,
    /// There is no Chromium, or no npm that can install what is needed: which.
    NotHere(&'static str),
}

/// Runs it.
pub fn run() -> Result<ExitCode> {
    Ok(match seen()? {
        Seen::Fine => ExitCode::SUCCESS,
        Seen::Faults => ExitCode::FAILURE,
        Seen::NotHere(_) => ExitCode::from(2),
    })
}

/// Starts a demo, and lets the tests at it.
pub fn seen() -> Result<Seen> {
    let Some(chromium) = chromium() else {
        return Ok(Seen::NotHere("there is no Chromium"));
    };
    let folder = repo::root().join("browser");
    let npm = |args: &[&str]| {
        let mut command = Command::new("npm");
        command.args(args).current_dir(&folder);
        command
    };
    let mut install = npm(&["ci", "--silent", "--no-audit", "--no-fund"]);
    if !install.status().is_ok_and(|status| status.success()) {
        return Ok(Seen::NotHere("npm cannot install what it needs"));
    }
    let program = crash::build(false)?;
    let screenshots = program.with_file_name("screenshots");
    fs::create_dir_all(&screenshots)?;
    let data = std::env::temp_dir().join(format!("lombard-browser-{}", std::process::id()));
    let address = free_address()?.to_string();
    let mut server = Command::new(program);
    server
        .args(["up", "--json", "--listen", &address, "--data"])
        .arg(&data)
        .env("LOMBARD_RAIL_LISTEN", "127.0.0.1:0")
        .env("LOMBARD_RISK_POLICY", folder.join("policy.json"))
        .env("LOMBARD_LOG_FILTER", "error");
    let server = Process::start(&mut server)?;
    let mut tests = npm(&["test", "--silent"]);
    tests
        .env("LOMBARD_READY", server.ready.to_string())
        .env("CHROMIUM", chromium)
        .env("SCREENSHOTS", screenshots);
    let status = tests.status().context("npm cannot be run")?;
    drop(server);
    fs::remove_dir_all(&data)?;
    Ok(if status.success() {
        Seen::Fine
    } else {
        Seen::Faults
    })
}

/// Where Chromium is: as `CHROMIUM` says, or where distributions put it.
fn chromium() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Some(named.into());
    }
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let places = names.map(|name| PathBuf::from("/usr/bin").join(name));
    places.into_iter().find(|place| place.exists())
}
