//! Requirements, from the pages on compliance that the program carries, and what their tests said.

use std::{collections::BTreeMap, fs, path::Path};

use serde::{Deserialize, Serialize};

use crate::exit::{Exit, Failure, OrExit};

/// The pages, as they are in the repository.
const PAGES: [&str; 3] = [
    include_str!("../../../docs/compliance/pci-dss.md"),
    include_str!("../../../docs/compliance/psd2-rts.md"),
    include_str!("../../../docs/compliance/gdpr.md"),
];
/// How a page says that the software does not meet a requirement, or not all of it.
const NOT_MET: &str = "**Not met";

/// A requirement.
#[derive(Debug, Serialize)]
pub struct Control {
    pub standard: String,
    pub requirement: String,
    pub how: String,
    /// The page says that something of it is not met by the software.
    pub not_met: bool,
    pub tests: Vec<Named>,
    /// What whoever runs it must still do.
    pub deployer: String,
}

/// A test that a page names, and how it ended.
#[derive(Debug, Serialize)]
pub struct Named {
    /// `file::function`, or a file whose tests are all meant.
    pub test: String,
    pub ended: Ended,
}

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    Passed,
    Failed,
    /// Results were given and do not have it.
    NotRun,
    /// No results were given.
    NotSaid,
}

impl Ended {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotRun => "did not run",
            Self::NotSaid => "no results given",
        }
    }
}

impl Control {
    fn any(&self, ended: Ended) -> bool {
        self.tests.iter().any(|it| it.ended == ended)
    }

    /// All its tests ran, there is one, and none failed.
    pub fn has_passed(&self) -> bool {
        !self.tests.is_empty() && self.tests.iter().all(|it| it.ended == Ended::Passed)
    }

    /// A test of it failed.
    pub fn has_failed(&self) -> bool {
        self.any(Ended::Failed)
    }

    /// A test of it should have run and did not.
    pub fn was_not_run(&self) -> bool {
        self.any(Ended::NotRun)
    }

    /// What it rests on does not hold, or is not known to.
    pub fn is_broken(&self) -> bool {
        self.has_failed() || self.was_not_run()
    }
}

/// What tests said, by the names that the test harness gives them.
#[derive(Debug)]
pub struct Results {
    from: Option<String>,
    ended: BTreeMap<String, Ran>,
}

/// As `./test` writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ran {
    Passed,
    Failed,
    Skipped,
}

impl Results {
    /// Reads a file of results: a JSON object of names and `passed`, `failed` or `skipped`.
    ///
    /// # Errors
    /// [`Exit::Usage`] when it cannot be read.
    pub fn read(file: Option<&Path>) -> Result<Self, Failure> {
        let Some(file) = file else {
            let ended = BTreeMap::new();
            return Ok(Self { from: None, ended });
        };
        let text = fs::read(file).or_exit(Exit::Usage, file.display())?;
        let ended = serde_json::from_slice(&text).or_exit(Exit::Usage, file.display())?;
        let from = Some(file.display().to_string());
        Ok(Self { from, ended })
    }

    /// Where they are from, in words.
    pub fn source(&self) -> String {
        match &self.from {
            Some(from) => format!("{} tests in {from}", self.ended.len()),
            None => "no results of tests were given (--tests)".to_owned(),
        }
    }

    fn of(&self, test: &str) -> Ended {
        if self.from.is_none() {
            return Ended::NotSaid;
        }
        let (module, function) = harness_name(test);
        let is_meant = |name: &str| {
            let of_module = name.strip_prefix(&module);
            of_module.is_some_and(|rest| match function {
                Some(function) => {
                    rest == format!("::{function}") || rest.ends_with(&format!("::{function}"))
                }
                None => rest.starts_with("::"),
            })
        };
        let mut meant = self
            .ended
            .iter()
            .filter(|(name, _)| is_meant(name))
            .peekable();
        if meant.peek().is_none() {
            return Ended::NotRun;
        }
        meant.fold(Ended::Passed, |so_far, (_, ran)| match (so_far, ran) {
            (Ended::Failed, _) | (_, Ran::Failed) => Ended::Failed,
            (Ended::NotRun, _) | (_, Ran::Skipped) => Ended::NotRun,
            _ => Ended::Passed,
        })
    }
}

/// `service/tests/it/http/tls.rs::f` is the test `http::tls::f` to the harness; of a file of the sources
/// the module `tests` may be in between.
fn harness_name(test: &str) -> (String, Option<&str>) {
    let (file, function) = match test.split_once(".rs::") {
        Some((file, function)) => (file, Some(function)),
        None => (test.trim_end_matches(".rs"), None),
    };
    let within = file.split_once("/tests/it/").or(file.split_once("/src/"));
    let module = within.map_or(file, |(_, module)| module);
    (module.replace('/', "::"), function)
}

/// All requirements of all pages, in order.
pub fn all(results: &Results) -> Vec<Control> {
    PAGES
        .iter()
        .flat_map(|page| of_page(page, results))
        .collect()
}

fn of_page(page: &str, results: &Results) -> Vec<Control> {
    let title = page.lines().find_map(|line| line.strip_prefix("# "));
    let rows = page.lines().filter(|line| line.starts_with("| "));
    // The first row names the columns.
    let rows = rows.skip(1).filter_map(|row| {
        let cells = row.trim_matches('|').split('|').map(str::trim);
        let [requirement, how, tests, deployer] = cells.collect::<Vec<_>>()[..] else {
            return None;
        };
        let named = tests.split('`').skip(1).step_by(2);
        Some(Control {
            standard: title.unwrap_or_default().to_owned(),
            requirement: requirement.to_owned(),
            how: how.to_owned(),
            not_met: how.contains(NOT_MET),
            tests: named
                .map(|test| Named {
                    test: test.to_owned(),
                    ended: results.of(test),
                })
                .collect(),
            deployer: deployer.to_owned(),
        })
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(text: &str) -> Results {
        Results {
            from: Some("a file".to_owned()),
            ended: serde_json::from_str(text).unwrap(),
        }
    }

    #[test]
    fn every_row_of_every_page_is_read() {
        let nothing = Results {
            from: None,
            ended: BTreeMap::new(),
        };
        let rows = PAGES.iter().flat_map(|page| page.lines());
        let rows = rows.filter(|line| line.starts_with("| ")).count();
        let controls = all(&nothing);
        assert_eq!(controls.len(), rows - PAGES.len(), "a row has another form");
        let page = format!(
            "# A\n| r | h | t | d |\n|---|---|---|---|\n| 1 | {NOT_MET} | | |\n| 2 | done | | |\n"
        );
        let not_met: Vec<_> = of_page(&page, &nothing)
            .iter()
            .map(|it| it.not_met)
            .collect();
        assert_eq!(not_met, [true, false]);
        let said = |ended| {
            controls
                .iter()
                .flat_map(|it| &it.tests)
                .all(|it| it.ended == ended)
        };
        assert!(said(Ended::NotSaid));
    }

    #[test]
    fn a_test_is_found_by_the_name_that_the_harness_gives_it() {
        let results = results(
            r#"{"http::tls::a": "passed", "vault::tests::b": "failed", "vault::tests::c": "skipped",
                "http::errors::d": "passed", "http::errors::e": "passed"}"#,
        );
        for (test, ended) in [
            ("service/tests/it/http/tls.rs::a", Ended::Passed),
            ("service/src/vault/tests.rs::b", Ended::Failed),
            ("service/src/vault.rs::b", Ended::Failed),
            ("service/src/vault/tests.rs::c", Ended::NotRun),
            ("service/tests/it/http/tls.rs::gone", Ended::NotRun),
            ("service/tests/it/http/errors.rs", Ended::Passed),
            ("service/tests/it/http/err.rs", Ended::NotRun),
        ] {
            assert_eq!(results.of(test), ended, "{test}");
        }
    }
}
