//! Packages `bootstrap`, the program of the functions: built small, stripped, and put where `deploy/` looks
//! for it.
//!
//! For this machine's processor the pinned compiler does it. For Graviton (`--arch arm64`) whatever `cargo`
//! is found must have a standard library for `aarch64-unknown-linux-gnu`, and a linker for it must be named:
//! `docs/aws.md` has the recipe.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use crate::{ci::FEATURES, repo};

/// Arguments of `cargo xtask lambda`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// For which processor.
    #[arg(long, value_enum, default_value_t = Arch::X86_64)]
    arch: Arch,
}

/// A processor that Lambda has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Arch {
    #[value(name = "x86_64")]
    X86_64,
    #[value(name = "arm64")]
    Arm64,
}

impl Arch {
    const fn target(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-unknown-linux-gnu",
            Self::Arm64 => "aarch64-unknown-linux-gnu",
        }
    }
}

/// Builds it and puts it into `deploy/artifact`.
pub fn run(args: &Args) -> Result<()> {
    let mut cargo = repo::cargo();
    cargo.args([
        "build",
        "--locked",
        "--package",
        "lombard-lambda",
        "--profile",
        "lambda",
    ]);
    cargo.args(["--target", args.arch.target()]);
    ensure!(cargo.status()?.success(), "the program cannot be built");
    let built = repo::target()
        .join(args.arch.target())
        .join("lambda/bootstrap");
    let artifact = repo::root().join("deploy/artifact");
    let bytes = put(&built, &artifact)?;
    say(&format!(
        "{}: {} KiB",
        artifact.join("bootstrap").display(),
        bytes / 1024
    ));
    Ok(())
}

/// The folder of our programs as tests use them: what the tests were built with, and so built already
/// but for the linking.
pub fn for_tests() -> Result<PathBuf> {
    let mut cargo = repo::cargo();
    cargo.args(["build", "--quiet", "--workspace", "--features", FEATURES]);
    cargo.args(["--bin", "bootstrap", "--bin", "lombard"]);
    ensure!(cargo.status()?.success(), "the programs cannot be built");
    Ok(repo::target().join("debug"))
}

fn put(built: &Path, folder: &Path) -> Result<u64> {
    fs::create_dir_all(folder)?;
    let copied = fs::copy(built, folder.join("bootstrap"));
    copied.with_context(|| built.display().to_string())
}

#[expect(
    clippy::print_stdout,
    reason = "a developer's tool speaks to a terminal"
)]
fn say(line: &str) {
    println!("{line}");
}
