//! Runs the workspace's tests and doc tests with `cargo test`, shows what a reader needs of its
//! output, and counts.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use anyhow::{Context, Result};
use serde::Serialize;

use super::{Tally, say_more};
use crate::repo;

/// What is built beside the daily build, to be checked as well.
pub const FEATURES: &str = "lombard/aws";
/// The variable by which tests find AWS.
pub const ENDPOINT: &str = "LOMBARD_AWS_ENDPOINT";

/// The file of what each test said, below the target folder: names, and `passed`, `failed` or `skipped`.
pub const RESULTS: &str = "test-results.json";

/// Runs them all, whatever fails, with AWS at a URL if there is one. What each said is left in [`RESULTS`].
pub fn run(tally: &mut Tally, aws: Option<&str>) -> Result<()> {
    let mut cargo = repo::cargo();
    cargo.args(["test", "--workspace", "--features", FEATURES]);
    if let Some(url) = aws {
        cargo.env(ENDPOINT, url);
    }
    let said = count_of(&mut cargo, tally)?;
    fs::write(
        repo::target().join(RESULTS),
        serde_json::to_string_pretty(&said)?,
    )?;
    Ok(())
}

/// Holds the store once more to its contract, against another DynamoDB.
pub fn conformance(tally: &mut Tally, url: &str) -> Result<()> {
    let mut cargo = repo::cargo();
    // With the same features, or everything would be built once more.
    cargo.args(["test", "--workspace", "--features", FEATURES]);
    cargo.args(["--test", "it", "conformance::"]);
    count_of(cargo.env(ENDPOINT, url), tally).map(drop)
}

fn count_of(cargo: &mut Command, tally: &mut Tally) -> Result<BTreeMap<String, Said>> {
    let mut child = cargo
        .args(["--no-fail-fast", "--color", "never"])
        // What a passing test printed is shown too, because a skipped one says so by printing.
        .args(["--", "--show-output"])
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo cannot be run")?;
    let stdout = child.stdout.take().context("no output")?;
    let mut reader = Reader::default();
    for line in BufReader::new(stdout).lines() {
        if let Some(line) = reader.line(&line?, tally) {
            say_more(&line);
        }
    }
    let status = child.wait()?;
    if !status.success() && reader.failed == 0 {
        // The tests did not even compile, or one took its process down.
        tally.check("cargo test", false);
    }
    Ok(reader.said)
}

/// What a test came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    Passed,
    Skipped,
    Failed,
}

/// Reads the output of libtest line by line.
#[derive(Debug, Default)]
struct Reader {
    failed: u64,
    /// Tests of this process that said that they were skipped. To libtest they passed.
    skipped: u64,
    /// What each test came to. Of two of one name, in two crates, the worse.
    said: BTreeMap<String, Said>,
    /// Within the outputs of failed tests, which are shown.
    in_failures: bool,
}

impl Reader {
    /// Counts a line, and gives what of it is to be shown.
    fn line(&mut self, line: &str, tally: &mut Tally) -> Option<String> {
        if let Some(counts) = line.strip_prefix("test result: ") {
            self.in_failures = false;
            let [passed, failed] = ["passed", "failed"].map(|word| count(counts, word));
            tally.passed += passed.saturating_sub(std::mem::take(&mut self.skipped));
            tally.failed += failed;
            self.failed += failed;
            return Some(format!("   {counts}"));
        }
        if let Some(skipped) = line.strip_prefix("skipped: ") {
            self.skipped += 1;
            // By its last name: which module it is in is not said.
            let function = skipped.split(':').next().unwrap_or_default();
            let its = format!("::{function}");
            for (_, said) in self
                .said
                .iter_mut()
                .filter(|(name, _)| name.ends_with(&its))
            {
                *said = Said::Skipped;
            }
            tally.skipped.push(format!("skipped: {skipped}"));
            return None;
        }
        if let Some(name) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.split_once(" ... "))
        {
            let (test, result) = name;
            let said = match result {
                "ok" => Said::Passed,
                "FAILED" => Said::Failed,
                _ => Said::Skipped,
            };
            let worse = self.said.get(test).map_or(said, |known| said.max(*known));
            self.said.insert(test.to_owned(), worse);
            match name {
                // A measurement proves nothing about right and wrong; it is run by hand.
                (_, result) if result.starts_with("ignored, a measurement") => {}
                (name, result) if result.starts_with("ignored") => {
                    tally.skipped.push(format!("skipped: {name}: {result}"));
                }
                (name, "FAILED") => tally.failures.push(name.to_owned()),
                _ => return None,
            }
            return Some(line.to_owned());
        }
        if line == "failures:" {
            self.in_failures = true;
        } else if line == "successes:" {
            self.in_failures = false;
        }
        self.in_failures.then(|| line.to_owned())
    }
}

/// The number before `word` in `12 passed; 0 failed; …`.
fn count(counts: &str, word: &str) -> u64 {
    counts
        .split([';', '.'])
        .find_map(|part| part.trim().strip_suffix(word)?.trim().parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
running 4 tests
test a ... ok
test b ... FAILED
test c ... ok
test d ... ignored, needs a week

successes:

---- c stdout ----
skipped: c: no ../shared

failures:

---- b stdout ----
assertion failed

test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s
";

    #[test]
    fn skipped_tests_are_counted_apart() {
        let (mut reader, mut tally) = (Reader::default(), Tally::default());
        let shown: Vec<_> = OUTPUT
            .lines()
            .filter_map(|line| reader.line(line, &mut tally))
            .collect();
        assert_eq!((tally.passed, tally.failed), (1, 1));
        assert_eq!(tally.failures, ["b"]);
        let said = |name| reader.said[name];
        assert_eq!(
            [said("a"), said("b"), said("d")],
            [Said::Passed, Said::Failed, Said::Skipped]
        );
        assert_eq!(
            tally.skipped,
            [
                "skipped: d: ignored, needs a week",
                "skipped: c: no ../shared"
            ]
        );
        assert!(
            shown.contains(&"assertion failed".to_owned()),
            "why it failed is shown"
        );
        assert!(
            !shown.contains(&"test a ... ok".to_owned()),
            "what passed is only counted"
        );
    }
}
