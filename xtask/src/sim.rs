//! `cargo xtask sim`: builds the simulation, quick to run and with its bugs on purpose, and hands it the
//! arguments. This tool itself stays light: it links nothing of what is simulated.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::repo;

/// The worlds that are run with every change: more than half a minute of them. Always the same ones, so that a change
/// is judged by what it does; fresh ones are for `--hours`.
pub const SEEDS_IN_CI: &str = "0..8000";

/// Small worlds of which each effect is struck in each way with every change.
pub const STRUCK_IN_CI: &str = "0..4";

/// Arguments of `cargo xtask sim`.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub struct Args {
    /// As `--help` shows: `--seed N [--steps N]`, `--seeds A..B`, `--hours N`, `--seconds N`,
    /// `--strike A..B`, `--planted`, each with `--json`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// The command that runs the simulation with `arguments`.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = repo::cargo();
    command.args(["run", "--quiet", "-p", "lombard-sim"]);
    // Worlds are run by the thousand. What they run most is made quick; all else is built already.
    for package in ["lombard-core", "lombard-service", "lombard-sim"] {
        command.arg("--config");
        command.arg(format!("profile.dev.package.{package}.opt-level=2"));
    }
    command
        .args(["--features", "planted", "--bin", "world", "--"])
        .args(arguments);
    command
}

/// Runs it.
pub fn run(args: &Args) -> Result<ExitCode> {
    let arguments: Vec<&str> = args.rest.iter().map(String::as_str).collect();
    let status = command(&arguments)
        .status()
        .context("cargo cannot be run")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(2)))
}
