//! Everything that must hold before a change lands, in one command.
//!
//! **Shape.** Each step is a check that passes or fails as one, except the tests, which are
//! counted one by one. A failed step does not stop the others: one run shows everything. The
//! last line is the sum. A test that had to be skipped says so by itself on a line that begins
//! with `skipped: `; such tests are named again at the end, and with `--strict` they fail the run. What needs
//! tools that take long to build, and that few have, is named as `left out` and fails nothing.

mod cargo_test;
mod deploy;

pub use cargo_test::FEATURES;

use std::{
    process::{Command, ExitCode},
    time::Instant,
};

use anyhow::Result;

use crate::{api_fuzz, browser, crash, emulators, fuzz, repo, sim, tidy, traces};

/// How often the server is killed under load in every run; `cargo xtask crash` does more.
const CRASHES: u64 = 4;

/// How long each fuzzing target is run in every run, in seconds, where the tools for it are.
const FUZZ_S: u32 = 2;
/// How long the schema-based fuzzer is let at a server, in seconds.
const API_FUZZ_S: u32 = 40;

/// Arguments of `cargo xtask ci`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Fail when a test had to be skipped.
    #[arg(long)]
    strict: bool,
}

/// What came of everything so far.
#[derive(Debug, Default)]
pub struct Tally {
    passed: u64,
    failed: u64,
    /// What failed, by name.
    failures: Vec<String>,
    /// Which tests were skipped, and why.
    skipped: Vec<String>,
    /// Which tools were not there that nobody must have: a machine does not install them by itself.
    left_out: Vec<&'static str>,
}

impl Tally {
    fn check(&mut self, name: &str, passed: bool) {
        if passed {
            self.passed += 1;
        } else {
            self.failed += 1;
            self.failures.push(name.to_owned());
        }
    }
}

/// Runs everything.
pub fn run(args: &Args) -> Result<ExitCode> {
    let begun = Instant::now();
    let mut tally = Tally::default();
    step(
        &mut tally,
        "format",
        repo::cargo().args(["fmt", "--all", "--check"]),
    );
    say("tidy");
    let findings = tidy::findings()?;
    findings.iter().for_each(|finding| say_more(finding));
    tally.check("tidy", findings.is_empty());
    let clippy = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--features",
        cargo_test::FEATURES,
        "--quiet",
        "--",
        "-D",
        "warnings",
    ];
    step(&mut tally, "clippy", repo::cargo().args(clippy));
    if installed("deny") {
        step(&mut tally, "deny", repo::cargo().args(["deny", "check"]));
    } else {
        tally
            .left_out
            .push("deny: no cargo-deny, so no advisory was looked up");
    }
    say("tests");
    tests(&mut tally)?;
    // A requirement whose test failed or did not run is not shown to be met.
    let mut evidence = repo::cargo();
    evidence.args([
        "run",
        "--quiet",
        "--package",
        "lombard",
        "--",
        "evidence",
        "--offline",
    ]);
    evidence.arg("--out").arg(repo::target().join("evidence"));
    evidence
        .arg("--tests")
        .arg(repo::target().join(cargo_test::RESULTS));
    step(&mut tally, "evidence", &mut evidence);
    step(
        &mut tally,
        "simulated worlds",
        &mut sim::command(&["--seeds", sim::SEEDS_IN_CI]),
    );
    step(
        &mut tally,
        "struck worlds",
        &mut sim::command(&["--strike", sim::STRUCK_IN_CI]),
    );
    step(
        &mut tally,
        "planted bugs",
        &mut sim::command(&["--planted"]),
    );
    say("crash");
    let verdict = crash::crash(&crash::Args::rounds(CRASHES));
    if let Err(error) = &verdict {
        say_more(&format!("{error:#}"));
    }
    tally.check("crash", verdict.is_ok_and(|verdict| verdict.sound()));
    say("api-fuzz");
    match api_fuzz::fuzz(API_FUZZ_S, 1) {
        Ok(api_fuzz::Found::NotInstalled) => {
            let skipped = "skipped: api-fuzz: schemathesis cannot be installed";
            tally.skipped.push(skipped.to_owned());
        }
        found => tally.check("api-fuzz", matches!(found, Ok(api_fuzz::Found::Nothing))),
    }
    say("browser");
    match browser::seen() {
        Ok(browser::Seen::NotHere(why)) => {
            tally.skipped.push(format!("skipped: browser: {why}"));
        }
        seen => tally.check("browser", matches!(seen, Ok(browser::Seen::Fine))),
    }
    say("traces");
    match traces::shown() {
        Ok(false) => {
            let skipped = "skipped: traces: oteltap cannot be installed";
            tally.skipped.push(skipped.to_owned());
        }
        Ok(true) => tally.check("traces", true),
        Err(error) => {
            say_more(&format!("{error:#}"));
            tally.check("traces", false);
        }
    }
    // The seeds have been run, as tests; going on from them needs tools that few have.
    if fuzz::installed() {
        for target in fuzz::targets()? {
            say(&format!("fuzz {target}"));
            let passed = fuzz::fuzz(&target, FUZZ_S).is_ok_and(|passed| passed);
            tally.check(&format!("fuzz {target}"), passed);
        }
    } else {
        tally
            .left_out
            .push("fuzz: no cargo-fuzz, so only the seeds were run");
    }
    deploy::run(&mut tally);
    close(args, &tally, begun)
}

/// All tests, with AWS on this machine; then the store once more, against Amazon's own DynamoDB.
fn tests(tally: &mut Tally) -> Result<()> {
    match emulators::start() {
        Ok(emulators) => {
            cargo_test::run(tally, Some(&emulators.ministack))?;
            say("conformance on Amazon's DynamoDB");
            cargo_test::conformance(tally, &emulators.dynamodb)
        }
        Err(error) => {
            say_more(&format!("{error:#}"));
            let skipped = "skipped: tests on AWS: its emulators cannot be installed";
            tally.skipped.push(skipped.to_owned());
            cargo_test::run(tally, None)
        }
    }
}

fn step(tally: &mut Tally, name: &str, command: &mut Command) {
    say(name);
    let passed = command.status().is_ok_and(|status| status.success());
    tally.check(name, passed);
}

fn installed(subcommand: &str) -> bool {
    let asked = repo::cargo().args([subcommand, "--version"]).output();
    asked.is_ok_and(|output| output.status.success())
}

fn close(args: &Args, tally: &Tally, begun: Instant) -> Result<ExitCode> {
    let Tally {
        passed,
        failed,
        failures,
        skipped,
        left_out,
    } = tally;
    say_more("");
    left_out
        .iter()
        .for_each(|tool| say_more(&format!("left out: {tool}")));
    skipped.iter().for_each(|skipped| say_more(skipped));
    failures
        .iter()
        .for_each(|failure| say_more(&format!("failed: {failure}")));
    let strict = args.strict && !skipped.is_empty();
    if strict {
        say_more("failed: nothing may be skipped with --strict");
    }
    say_more(&format!("in {} s", begun.elapsed().as_secs()));
    say_more(&format!(
        "{passed} passed, {failed} failed, {} skipped",
        skipped.len()
    ));
    let failed = *failed > 0 || strict;
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

#[expect(
    clippy::print_stdout,
    reason = "a developer's tool speaks to a terminal"
)]
fn say_more(line: &str) {
    println!("{line}");
}

fn say(step: &str) {
    say_more(&format!("== {step}"));
}
