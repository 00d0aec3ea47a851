//! The size and shape of source files: small, and each says at its top what it is.

use crate::repo::File;

/// A source file that is longer should be split by what changes together.
const LINES_WANTED: usize = 400;
/// How many may be longer all the same. This number only ever goes down.
const LONG_FILES_MAX: usize = 6;
/// No source file is longer, whatever the reason.
const LINES_MAX: usize = 500;
/// Nor is a file of tests: a row of cases may be longer than code, and is read from the top.
const TEST_LINES_MAX: usize = 700;
/// Half of the source files are no longer than this.
const LINES_MEDIAN_MAX: usize = 175;

/// Files that break the shape.
pub fn findings(files: &[File]) -> Vec<String> {
    let sources: Vec<&File> = files
        .iter()
        .filter(|file| file.path.ends_with(".rs"))
        .collect();
    let mut findings = Vec::new();
    let mut lengths: Vec<usize> = Vec::new();
    let mut long = Vec::new();
    for File { path, text } in sources {
        let lines = text.lines().count();
        lengths.push(lines);
        let is_test = path.contains("/tests/") || path.ends_with("/tests.rs");
        let most = if is_test { TEST_LINES_MAX } else { LINES_MAX };
        if lines > LINES_WANTED && !is_test {
            long.push(format!("{path} ({lines})"));
        }
        if lines > most {
            findings.push(format!("{path}: {lines} lines, at most {most}: split it"));
        }
        let first = text
            .lines()
            .find(|line| !line.trim().is_empty() && !line.starts_with("#!["));
        if !first.is_some_and(|line| line.starts_with("//!")) {
            findings.push(format!(
                "{path}: begin with `//!`: what the module is, and why"
            ));
        }
        if text
            .lines()
            .any(|line| line.ends_with([' ', '\t']) || line.contains('\r'))
        {
            findings.push(format!("{path}: has white space at the end of a line"));
        }
    }
    if long.len() > LONG_FILES_MAX {
        let long = long.join(", ");
        findings.push(format!(
            "more than {LONG_FILES_MAX} files have more than {LINES_WANTED} lines: {long}"
        ));
    }
    lengths.sort_unstable();
    if let Some(median) = lengths
        .get(lengths.len() / 2)
        .filter(|median| **median > LINES_MEDIAN_MAX)
    {
        findings.push(format!(
            "the median file has {median} lines, at most {LINES_MEDIAN_MAX}"
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> usize {
        let text = text.to_owned();
        findings(&[File {
            path: "a.rs".into(),
            text,
        }])
        .len()
    }

    #[test]
    fn files_are_small_and_say_what_they_are() {
        assert_eq!(found("//! Says it.\nfn main() {}\n"), 0);
        assert_eq!(found("#![allow(unsafe_code)]\n//! Says it.\n"), 0);
        assert_eq!(found("fn main() {}\n"), 1, "says nothing");
        assert_eq!(found("//! Says it. \n"), 1, "white space");
        assert_eq!(
            found(&"//! Long.\n".repeat(LINES_MAX + 1)),
            2,
            "too long, and so is the median"
        );
    }
}
