//! Paths and functions that the documents name must exist, so that a document dies with what it
//! describes.
//!
//! Checked are links to files, and text in backticks that looks like a path from the root: it
//! has a slash, and its first part is a folder of the repository. `core/src/plan.rs::plan` names
//! something that is defined in that file.

use std::{collections::BTreeSet, path::Path};

use crate::repo::{self, File};

/// Names in Markdown files that are not there.
pub fn findings(files: &[File]) -> Vec<String> {
    let known = Known::new(files);
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".md")) {
        for (number, line) in file.text.lines().enumerate() {
            for name in backticked(line).filter(|name| known.concerns(name)) {
                if let Some(wrong) = known.wrong(name) {
                    findings.push(format!("{}:{}: {wrong}", file.path, number + 1));
                }
            }
            for target in linked(line) {
                let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
                if !repo::root().join(folder).join(target).exists() {
                    findings.push(format!("{}:{}: no file {target}", file.path, number + 1));
                }
            }
        }
    }
    findings
}

struct Known<'a> {
    files: &'a [File],
    folders: BTreeSet<&'a str>,
}

impl<'a> Known<'a> {
    fn new(files: &'a [File]) -> Self {
        let folders = files
            .iter()
            .filter_map(|file| Some(file.path.split_once('/')?.0));
        Self {
            files,
            folders: folders.collect(),
        }
    }

    fn concerns(&self, name: &str) -> bool {
        let plain = !name.contains([' ', '*', '…', '{', '<', '$', '?']);
        plain
            && name
                .split_once('/')
                .is_some_and(|(first, _)| self.folders.contains(first))
    }

    /// What is wrong with a name, if anything.
    fn wrong(&self, name: &str) -> Option<String> {
        let (path, item) = name
            .split_once("::")
            .map_or((name, None), |(path, item)| (path, Some(item)));
        let path = path.trim_end_matches('/');
        let inside = format!("{path}/");
        let file = self.files.iter().find(|file| file.path == path);
        if file.is_none() && !self.files.iter().any(|file| file.path.starts_with(&inside)) {
            return Some(format!("there is no {path}"));
        }
        let item = item?.rsplit("::").next()?.trim_end_matches("()");
        let defined = file.is_some_and(|file| defines(&file.text, item));
        (!defined).then(|| format!("{path} defines no {item}"))
    }
}

fn defines(text: &str, item: &str) -> bool {
    const KINDS: [&str; 8] = [
        "fn", "struct", "enum", "trait", "const", "type", "mod", "static",
    ];
    KINDS.iter().any(|kind| {
        let definition = format!("{kind} {item}");
        text.match_indices(&definition).any(|(at, _)| {
            !text[at + definition.len()..]
                .starts_with(|next: char| next.is_alphanumeric() || next == '_')
        })
    })
}

fn backticked(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// Targets of links to files, without their anchors.
fn linked(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split_once(')')?.0.split('#').next()?;
        let file = !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:");
        file.then_some(target)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(document: &str) -> Vec<String> {
        let file = |path: &str, text: &str| File {
            path: path.into(),
            text: text.into(),
        };
        findings(&[
            file("core/src/plan.rs", "pub fn plan() {}"),
            file("docs/a.md", document),
        ])
    }

    #[test]
    fn what_a_document_names_is_there() {
        let none: [&str; 0] = [];
        assert_eq!(
            found("see `core/src/plan.rs::plan`, `core/src/` and `POST /v1/x`"),
            none
        );
        assert_eq!(
            found("see `core/src/plans.rs`"),
            ["docs/a.md:1: there is no core/src/plans.rs"]
        );
        assert_eq!(
            found("`core/src/plan.rs::pla`"),
            ["docs/a.md:1: core/src/plan.rs defines no pla"]
        );
        assert_eq!(
            found("[x](nowhere.md#part)"),
            ["docs/a.md:1: no file nowhere.md"]
        );
        assert_eq!(found("[x](https://example.com/x) [y](#here)"), none);
    }
}
