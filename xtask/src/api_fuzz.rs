//! `cargo xtask api-fuzz`: a schema-based fuzzer, which nobody here wrote, against a running
//! server, with nothing but the server's own OpenAPI document to go by.
//!
//! Schemathesis (PyPI) is installed into an environment of its own under the target folder. It
//! holds every answer against the document: status, headers, media type, schema; that what needs a
//! key refuses without one; that what is deleted is gone; and that nothing is answered with 5xx.
//! One of its checks is left out: that whatever fits the schema is accepted. A schema cannot say
//! that an account has the money, that two accounts differ, or that a key was not used before.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::{
    crash::{
        self,
        server::{Stage, free_address},
    },
    python,
};

/// Arguments of `cargo xtask api-fuzz`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How long.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// What the requests follow from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// The fuzzer, in the version that this was written for.
const FUZZER: &str = "schemathesis==4.32.5";
/// Longer than any request should wait for its answer, in seconds.
const REQUEST_TIMEOUT_S: &str = "10";

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Every answer was as the document says.
    Nothing,
    /// Some were not; the fuzzer has said which.
    Something,
    /// The fuzzer cannot be installed here.
    NotInstalled,
}

/// Runs it.
pub fn run(args: &Args) -> Result<ExitCode> {
    Ok(match fuzz(args.seconds, args.seed)? {
        Found::Nothing => ExitCode::SUCCESS,
        Found::Something => ExitCode::FAILURE,
        Found::NotInstalled => ExitCode::from(2),
    })
}

/// Builds and starts a server, and lets the fuzzer at it.
pub fn fuzz(seconds: u32, seed: u64) -> Result<Found> {
    let Some(programs) = python::installed("schemathesis", "schemathesis", &[FUZZER]) else {
        return Ok(Found::NotInstalled);
    };
    let program = crash::build(false)?;
    let data = std::env::temp_dir().join(format!("lombard-api-fuzz-{}", std::process::id()));
    let stage = Stage {
        program: &program,
        data: &data,
        server: free_address()?,
        // Nobody listens there: payments stay on their way, and can be looked at.
        simulator: free_address()?,
    };
    let server = stage.server()?;
    let text = |name: &str| server.ready[name].as_str().unwrap_or_default();
    let mut command = Command::new(programs.join("schemathesis"));
    command
        .arg("run")
        .arg(format!("{}/openapi.json", text("url")))
        .arg("--header")
        .arg(format!("Authorization: Bearer {}", text("api_key")))
        .arg(format!("--max-time={seconds}"))
        .arg(format!("--seed={seed}"))
        .arg("--exclude-checks=positive_data_acceptance")
        // Whoever ends the key that he calls with learns nothing more.
        .arg("--exclude-name=DELETE /v1/api_keys/{id}")
        .arg("--exclude-name=POST /v1/api_keys/{id}/rotate")
        .arg(format!("--request-timeout={REQUEST_TIMEOUT_S}"))
        .args(["--continue-on-failure", "--no-shrink", "--no-color"])
        .arg("--generation-database=none")
        // Files that it leaves behind are nobody's.
        .current_dir(std::env::temp_dir());
    let status = command.status().context("the fuzzer cannot be run")?;
    drop(server);
    // Kept for whoever wants to look, when something was found.
    if status.success() {
        let _ = std::fs::remove_dir_all(&data);
        return Ok(Found::Nothing);
    }
    Ok(Found::Something)
}
