//! The currency table against the published list, row by row.

use std::collections::BTreeSet;

use lombard_core::currency::{Currency, CurrencyError};

use crate::shared;

/// The fields of one line of a CSV file in which quotes enclose commas and are never escaped.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for char in line.chars() {
        match char {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => fields.last_mut().expect("starts with one").push(other),
        }
    }
    fields
}

#[test]
fn the_table_is_the_published_list() {
    let Some(list) = shared::text(
        "the_table_is_the_published_list",
        "material/reference/iso4217/codes-all.csv",
    ) else {
        return;
    };
    let rows: Vec<Vec<String>> = list.lines().skip(1).map(fields).collect();
    let in_use = |row: &&Vec<String>| row[5].is_empty() && !row[2].is_empty();
    let active: BTreeSet<&str> = rows
        .iter()
        .filter(in_use)
        .map(|row| row[2].as_str())
        .collect();

    let mut accepted = BTreeSet::new();
    for row in rows.iter().filter(in_use) {
        match row[2].parse::<Currency>() {
            Ok(currency) => {
                assert_eq!(
                    currency.numeric(),
                    row[3].parse::<u16>().expect("numeric"),
                    "{row:?}"
                );
                assert_eq!(
                    currency.exponent(),
                    row[4].parse::<u8>().expect("minor unit"),
                    "{row:?}"
                );
                assert_eq!(
                    currency.name(),
                    row[1].trim().replace('\u{a0}', " "),
                    "{row:?}"
                );
                accepted.insert(currency);
            }
            Err(CurrencyError::Fund(_)) => assert_ne!(row[4], "-", "{row:?}"),
            Err(CurrencyError::WithoutMinorUnit { .. }) => assert_eq!(row[4], "-", "{row:?}"),
            Err(error) => panic!("{row:?}: {error}"),
        }
    }
    assert!(
        accepted.into_iter().eq(Currency::all()),
        "no currency beyond the list"
    );

    for row in rows
        .iter()
        .filter(|row| !row[5].is_empty() && !active.contains(row[2].as_str()))
    {
        let error = row[2].parse::<Currency>().expect_err("withdrawn");
        assert!(
            matches!(error, CurrencyError::Withdrawn { .. }),
            "{row:?}: {error}"
        );
    }
}
