//! Sample messages of banks and vendors, held against what libxml2 says of them.
//!
//! `validation.tsv` gives the verdict of libxml2 with the official schema for the header and the
//! document of each file. Ours must agree wherever we have the schema.

use std::collections::BTreeMap;
use std::fmt::Write;

use lombard_core::iso20022::{Inspection, Rule, inspect, supported_messages};

use crate::shared;

/// Rules that the schema does not know.
const BEYOND_THE_SCHEMA: [Rule; 8] = [
    Rule::AmountRange,
    Rule::Bic,
    Rule::ControlSum,
    Rule::Currency,
    Rule::HeaderMismatch,
    Rule::Iban,
    Rule::MinorUnits,
    Rule::NumberOfTransactions,
];

/// The verdicts of libxml2 by file: message, and whether it is valid.
fn verdicts(test: &str) -> Option<BTreeMap<String, Vec<(String, bool)>>> {
    let text = shared::text(test, "material/iso20022/validation.tsv")?;
    let mut files: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut columns = line.split('\t').map(str::to_owned);
        let mut column = || columns.next().unwrap_or_default();
        let (file, message, verdict) = (column(), column(), column());
        if matches!(verdict.as_str(), "valid" | "INVALID") {
            files
                .entry(file)
                .or_default()
                .push((message, verdict == "valid"));
        }
    }
    Some(files)
}

fn inspect_file(test: &str, file: &str) -> Inspection {
    let path = shared::path(test, "material")
        .expect("the verdicts were there")
        .join(file);
    inspect(
        std::fs::read(path)
            .expect("a file of the material")
            .as_slice(),
    )
    .expect("bytes")
}

#[test]
fn verdicts_agree_with_libxml2() {
    let test = "verdicts_agree_with_libxml2";
    let Some(verdicts) = verdicts(test) else {
        return;
    };
    let mut compared = 0;
    for (file, parts) in verdicts {
        if parts
            .iter()
            .any(|(message, _)| supported_messages().all(|it| it != message))
        {
            continue;
        }
        let found = inspect_file(test, &file);
        let mut by_schema = found
            .errors
            .iter()
            .filter(|it| !BEYOND_THE_SCHEMA.contains(&it.rule));
        let valid = parts.iter().all(|(_, valid)| *valid);
        // A header may go with a document of which libxml2 was not asked.
        let judged_whole = parts
            .iter()
            .any(|(message, _)| Some(message) == found.message.as_ref());
        if judged_whole {
            let first = by_schema.next();
            assert_eq!(first.is_none(), valid, "{file}: {first:?}");
            compared += 1;
        }
    }
    assert!(compared > 200, "only {compared} files were compared");
}

#[test]
fn what_is_refused_beyond_the_schema() {
    let test = "what_is_refused_beyond_the_schema";
    let Some(verdicts) = verdicts(test) else {
        return;
    };
    let mut found = String::new();
    for file in verdicts.keys() {
        let inspection = inspect_file(test, file);
        let beyond = inspection
            .errors
            .iter()
            .filter(|it| BEYOND_THE_SCHEMA.contains(&it.rule));
        let mut lines: Vec<_> = beyond
            .map(|it| format!("{} {}", it.rule.name(), it.path))
            .collect();
        lines.dedup();
        if !lines.is_empty() {
            let name = file.rsplit('/').next().unwrap_or_default();
            writeln!(found, "{name}\n    {}", lines.join("\n    ")).expect("a string");
        }
    }
    expect_test::expect_file!["beyond.txt"].assert_eq(&found);
}

#[test]
fn the_document_lists_what_is_validated() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/iso20022.md");
    let text = std::fs::read_to_string(path).expect("the document");
    let table = text
        .split("|---|---|\n")
        .find(|part| part.starts_with("| acmt.023 "));
    let rows = table
        .expect("the list")
        .lines()
        .take_while(|line| line.starts_with('|'));
    let listed = rows.flat_map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        cells[2]
            .split(' ')
            .map(|version| format!("{}.001{version}", cells[1]))
            .collect::<Vec<_>>()
    });
    assert_eq!(
        listed.collect::<Vec<_>>(),
        supported_messages().collect::<Vec<_>>()
    );
}
