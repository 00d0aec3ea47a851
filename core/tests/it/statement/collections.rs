//! Statements of real banks, held against sums that were taken independently of this reader.

use std::{collections::BTreeMap, fs::File, io::BufReader, path::PathBuf};

use crate::shared;
use lombard_core::statement::{Inspection, Preview, Summary, inspect};

fn read(path: &PathBuf) -> Inspection {
    let file = BufReader::new(File::open(path).unwrap_or_else(|error| panic!("{path:?}: {error}")));
    inspect(file, None, &mut Preview::default(), &mut || {}).unwrap()
}

/// Decimal text of an oracle in minor units.
fn units(text: &str, exponent: u8) -> Option<i64> {
    if text.is_empty() {
        return None;
    }
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut fraction = fraction.trim_end_matches('0').to_owned();
    while fraction.len() < usize::from(exponent) {
        fraction.push('0');
    }
    Some(sign * format!("{whole}{fraction}").parse::<i64>().ok()?)
}

/// The rows of an oracle by file, in order.
fn oracle(path: PathBuf) -> BTreeMap<String, Vec<Vec<String>>> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut files: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    for row in text.lines().skip(1) {
        let fields: Vec<String> = row.split('\t').map(str::to_owned).collect();
        files.entry(fields[0].clone()).or_default().push(fields);
    }
    files
}

/// Holds a statement against opening, credits, debits, closing and verdict of an oracle.
fn compare(name: &str, found: &Summary, row: &[String], faults: &mut Vec<String>) {
    let [opening, credits, debits, closing, verdict] = row else {
        panic!("{name}: {row:?}");
    };
    let exponent = found.currency.map_or(2, |unit| unit.exponent());
    let said = [opening, credits, debits, closing].map(|text| units(text, exponent));
    let (credits, debits) = (Some(found.credits), Some(found.debits));
    let ours = [found.opening, credits, debits, found.closing];
    let consistent = match verdict.as_str() {
        "consistent" => Some(true),
        "INCONSISTENT" => Some(false),
        _ => found.consistent,
    };
    if ours != said || found.consistent != consistent {
        faults.push(format!("{name}: {row:?}\n   {found:?}"));
    }
}

#[test]
fn camt_adds_up() {
    let Some(material) = shared::path("camt_adds_up", "material") else {
        return;
    };
    let mut faults = Vec::new();
    for (name, rows) in oracle(material.join("oracle/camt-balances.tsv")) {
        // Other messages that have an element of the same name are no statements.
        if ["admi.007", "camt.057"].iter().any(|it| name.contains(it)) {
            continue;
        }
        let found = read(&material.join(&name));
        if found.statements.len() != rows.len() {
            faults.push(format!(
                "{name}: {} statements, {} expected, {} {:?}",
                found.statements.len(),
                rows.len(),
                found.format,
                found.deviations
            ));
            continue;
        }
        for (row, found) in rows.iter().zip(&found.statements) {
            if row[5] != found.entries.to_string()
                || row[6] != found.not_booked.to_string()
                || (!row[3].is_empty() && row[3] != found.account)
            {
                faults.push(format!(
                    "{name}: {row:?} {} {} {}",
                    found.entries, found.not_booked, found.account
                ));
            }
            compare(&name, found, &row[7..12], &mut faults);
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn mt940_adds_up() {
    let Some(material) = shared::path("mt940_adds_up", "material") else {
        return;
    };
    let mut faults = Vec::new();
    for (name, rows) in oracle(material.join("oracle/mt940-balances.tsv")) {
        // Its only line is wrapped inside the amount, which the oracle's reader does not follow.
        if name.ends_with("self-provided__sparkassen.sta") {
            continue;
        }
        let found = read(&material.join(&name));
        if found.statements.len() != rows.len() {
            faults.push(format!(
                "{name}: {} statements, {} expected, {}",
                found.statements.len(),
                rows.len(),
                found.format
            ));
            continue;
        }
        for (row, found) in rows.iter().zip(&found.statements) {
            if row[3] != found.entries.to_string() {
                faults.push(format!("{name}: {row:?} {}", found.entries));
            }
            compare(&name, found, &row[4..9], &mut faults);
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn psp_reports_add_up() {
    let Some(material) = shared::path("psp_reports_add_up", "material") else {
        return;
    };
    let mut faults = Vec::new();
    for (name, rows) in oracle(material.join("oracle/psp-report-sums.tsv")) {
        let found = read(&material.join(&name));
        for row in rows {
            let [_, _, batch, currency, lines, net, payout, verdict] = row.as_slice() else {
                panic!("{row:?}");
            };
            let of = |it: &&Summary| {
                let unit = it.currency.map(|unit| unit.code().to_lowercase());
                it.id == *batch && unit == Some(currency.to_lowercase())
            };
            let ours = found
                .statements
                .iter()
                .find(of)
                .unwrap_or_else(|| panic!("{row:?}"));
            // The payout itself is what the lines add up to, and none of them.
            let payouts = u64::from(lines.parse() == Ok(ours.entries + 1));
            let sums = (Some(ours.credits - ours.debits), ours.closing);
            let fits = match verdict.as_str() {
                "pays out exactly" => {
                    sums == (units(net, 2), units(payout, 2)) && ours.consistent == Some(true)
                }
                "gross - fee = net" => sums.0 == units(net, 2) && ours.consistent == Some(true),
                "no payout line" => {
                    payouts == 0 && sums == (units(net, 2), None) && ours.consistent.is_none()
                }
                _ => ours.consistent == Some(false) && ours.deviation_count > 0,
            };
            if !fits {
                faults.push(format!("{name}: {row:?}\n   {ours:?}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Every control total of the specification's own example holds, and a file whose totals were made
/// up says so.
#[test]
fn bai2_adds_up() {
    let Some(folder) = shared::path("bai2_adds_up", "material/bai2/moov") else {
        return;
    };
    for (name, statements, entries, wrong) in [
        ("sample1.txt", 2, 17, 0),
        ("sample2.txt", 5, 4, 0),
        ("sample3.txt", 15, 26, 0),
        ("sample4-continuations-newline-delimited.txt", 5, 17, 2),
        ("sample5-issue113.txt", 5, 20, 2),
    ] {
        let found = read(&folder.join(name));
        let lines: u64 = found.statements.iter().map(|it| it.entries).sum();
        let inconsistent = found
            .statements
            .iter()
            .filter(|it| it.consistent == Some(false));
        assert_eq!(found.format, "bai2", "{name}");
        assert_eq!(
            (found.statements.len(), lines, inconsistent.count()),
            (statements, entries, wrong),
            "{name}"
        );
        assert_eq!(!found.deviations.is_empty(), wrong > 0, "{name}");
    }
}
