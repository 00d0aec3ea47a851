//! `cargo xtask fuzz`: runs the fuzzing targets of `fuzz/`, each for a while.
//!
//! They need the nightly toolchain and `cargo-fuzz`, and are built apart from everything else.
//! What libFuzzer finds new goes to `fuzz/corpus`, which is not kept; what is worth keeping is
//! made small and put beside the committed seeds. Where the tools are absent the seeds are still
//! run, by the tests of `lombard` (`lombard/tests/it/seeds.rs`).

use std::{
    fs,
    path::PathBuf,
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, ensure};

use crate::repo;

/// Arguments of `cargo xtask fuzz`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How long each target is run.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Only this target.
    #[arg(long)]
    target: Option<String>,
}

/// The memory that one target may take, in MiB: more is a finding.
const MEMORY_MIB: u32 = 2048;
/// The longest that one input may take, in seconds: longer is a finding.
const TIMEOUT_S: u32 = 10;
/// The longest input in bytes. Bounds of ours lie below it, or are tested elsewhere.
const LENGTH_MAX: u32 = 64 * 1024;

/// Runs it.
pub fn run(args: &Args) -> Result<ExitCode> {
    ensure!(
        installed(),
        "needs the nightly toolchain and cargo-fuzz: `rustup toolchain install nightly`, `cargo install cargo-fuzz`"
    );
    let mut passed = true;
    for target in targets()? {
        if args.target.as_ref().is_none_or(|wanted| *wanted == target) {
            passed &= fuzz(&target, args.seconds)?;
        }
    }
    Ok(if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Whether the tools are there.
pub fn installed() -> bool {
    let asked = cargo().args(["fuzz", "--version"]).output();
    asked.is_ok_and(|output| output.status.success())
}

/// The names of the targets, in order.
pub fn targets() -> Result<Vec<String>> {
    let entries = fs::read_dir(folder().join("fuzz_targets")).context("fuzz/fuzz_targets")?;
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        names.extend(
            name.to_str()
                .and_then(|name| name.strip_suffix(".rs"))
                .map(str::to_owned),
        );
    }
    names.sort();
    Ok(names)
}

/// Runs one target; false when it found something.
pub fn fuzz(target: &str, seconds: u32) -> Result<bool> {
    let corpus = folder().join("corpus").join(target);
    fs::create_dir_all(&corpus).context("fuzz/corpus")?;
    let mut command = cargo();
    command.args(["fuzz", "run", target]).arg(corpus);
    command.arg(folder().join("seeds").join(target)).arg("--");
    command.args([
        format!("-max_total_time={seconds}"),
        format!("-rss_limit_mb={MEMORY_MIB}"),
        format!("-timeout={TIMEOUT_S}"),
        format!("-max_len={LENGTH_MAX}"),
        "-print_final_stats=1".to_owned(),
        "-verbosity=0".to_owned(),
    ]);
    let status = command.status().context("cargo fuzz cannot be run")?;
    Ok(status.success())
}

/// Nightly's cargo, in the fuzzing folder. The variables by which cargo told us which toolchain
/// we are would choose that one again.
fn cargo() -> Command {
    let mut cargo = Command::new("cargo");
    cargo
        .arg("+nightly")
        .current_dir(folder())
        .env_remove("CARGO")
        .env_remove("RUSTUP_TOOLCHAIN")
        .env("CARGO_TARGET_DIR", target_folder());
    cargo
}

fn folder() -> PathBuf {
    repo::root().join("fuzz")
}

/// Apart from the workspace's own, whose files the sanitizer's flags would make stale.
fn target_folder() -> PathBuf {
    repo::target().join("fuzz")
}
