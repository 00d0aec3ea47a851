//! Checks what compilers do not. Each rule is a function of the repository's files to findings,
//! and each finding says what to do instead.
//!
//! That generated files are fresh is not checked here: the test that can make such a file anew
//! (OpenAPI, the transition table, the tables in the documents) compares it with what is committed.

mod bans;
mod depend;
mod documents;
mod shape;

use std::process::ExitCode;

use anyhow::Result;

use crate::repo;

/// Runs the rules and tells.
pub fn run() -> Result<ExitCode> {
    let findings = findings()?;
    findings.iter().for_each(|finding| say(finding));
    say(&format!("{} findings", findings.len()));
    let clean = findings.is_empty();
    Ok(if clean {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What breaks a rule, one line each: where, what, and what to do instead.
pub fn findings() -> Result<Vec<String>> {
    let files = repo::files()?;
    let mut findings = bans::findings(&files);
    findings.extend(shape::findings(&files));
    findings.extend(documents::findings(&files));
    findings.extend(depend::findings()?);
    Ok(findings)
}

#[expect(
    clippy::print_stdout,
    reason = "a developer's tool speaks to a terminal"
)]
fn say(line: &str) {
    println!("{line}");
}
