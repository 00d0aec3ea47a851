//! Account identifiers against published vectors.

use std::collections::BTreeMap;

use lombard_core::bank::iban::registry::Scope;
use lombard_core::bank::uk::UkAccount;
use lombard_core::bank::uk::modulus::Verdict;
use lombard_core::bank::uk::weights::Weights;
use lombard_core::bank::{Bic, Iban};
use serde_json::Value;

use crate::shared;

const IDENTIFIERS: &str = "material/reference/identifiers";
const MODULUS: &str = "material/reference/uk-modulus";

fn json(test: &str, file: &str) -> Option<Value> {
    let text = shared::text(test, &format!("{IDENTIFIERS}/{file}"))?;
    Some(serde_json::from_str(&text).expect("JSON"))
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

#[test]
fn published_ibans_are_judged_as_published() {
    const NAME: &str = "published_ibans_are_judged_as_published";
    let Some(stdnum) = json(NAME, "stdnum-iban.json") else {
        return;
    };
    let mut seen = 0;
    for text in texts(&stdnum["valid"]) {
        Iban::read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        seen += 1;
    }
    for group in stdnum["invalid"].as_array().expect("groups") {
        let valid_but_for_national_digits =
            group["why"].as_str().expect("why").contains("country rule");
        for text in texts(&group["values"]) {
            assert_eq!(
                Iban::read(text).is_ok(),
                valid_but_for_national_digits,
                "{text}"
            );
            seen += 1;
        }
    }
    let Some(validators) = json(NAME, "validatorjs-identifiers.json") else {
        return;
    };
    let plain = |case: &&Value| case["validator"] == "isIBAN" && case["options"].is_null();
    for case in validators.as_array().expect("cases").iter().filter(plain) {
        for text in texts(&case["valid"]) {
            Iban::read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            seen += 1;
        }
        for text in texts(&case["invalid"]) {
            assert!(Iban::read(text).is_err(), "{text}");
            seen += 1;
        }
    }
    assert!(seen > 120, "{seen}");
}

#[test]
fn published_bics_are_judged_as_published() {
    const NAME: &str = "published_bics_are_judged_as_published";
    let Some(stdnum) = json(NAME, "stdnum-bic-valid.json") else {
        return;
    };
    for text in texts(&stdnum["valid"]) {
        text.parse::<Bic>()
            .unwrap_or_else(|error| panic!("{text}: {error}"));
    }
    let Some(validators) = json(NAME, "validatorjs-identifiers.json") else {
        return;
    };
    for case in validators.as_array().expect("cases") {
        if case["validator"] != "isBIC" {
            continue;
        }
        for (list, valid) in [("valid", true), ("invalid", false)] {
            for text in texts(&case[list]) {
                assert_eq!(text.parse::<Bic>().is_ok(), valid, "{text}");
            }
        }
    }
}

/// The characters of a structure, one letter each: `4!a6!n` is `aaaannnnnn`.
fn spelled(structure: &str) -> String {
    let mut spelled = String::new();
    let mut rest = structure;
    while let Some((count, tail)) = rest.split_once('!') {
        let class = tail.chars().next().expect("a class after the count");
        spelled.extend(std::iter::repeat_n(class, count.parse().expect("a count")));
        rest = &tail[1..];
    }
    spelled
}

/// An account of a structure, which our own table must accept, and one character of each place that it must not.
#[test]
fn structures_are_those_of_the_registry() {
    const NAME: &str = "structures_are_those_of_the_registry";
    let Some(list) = shared::text(NAME, &format!("{IDENTIFIERS}/iban.dat")) else {
        return;
    };
    let mut countries = BTreeMap::new();
    for line in list.lines().filter(|line| !line.starts_with('#')) {
        let (country, rest) = line.split_at(2);
        let (_, structure) = rest.split_once("bban=\"").expect("a structure");
        countries.insert(country, spelled(structure.trim_end_matches('"')));
    }
    assert_eq!(countries.len(), 89);
    for (country, classes) in countries {
        let bban = classes
            .replace('n', "7")
            .replace('a', "Q")
            .replace('c', "Z");
        let iban =
            Iban::from_bban(country, &bban).unwrap_or_else(|error| panic!("{country}: {error}"));
        assert_ne!(iban.scope(), Scope::National, "{country}");
        for (place, class) in classes.char_indices().filter(|(_, class)| *class != 'c') {
            let mut wrong = bban.clone();
            wrong.replace_range(place..=place, if class == 'n' { "Q" } else { "7" });
            assert!(
                Iban::from_bban(country, &wrong).is_err(),
                "{country} {wrong}"
            );
        }
        assert!(Iban::from_bban(country, &bban[1..]).is_err(), "{country}");
        assert!(
            Iban::from_bban(country, &format!("{bban}7")).is_err(),
            "{country}"
        );
    }
}

fn weights(test: &str) -> Option<Weights> {
    let table = shared::text(test, &format!("{MODULUS}/valacdos-v8-50.txt"))?;
    let substitutions = shared::text(test, &format!("{MODULUS}/scsubtab.txt"))?;
    let weights = Weights::parse(&table).expect("the published table");
    let both =
        Weights::parse(&format!("{table}\n{substitutions}")).expect("table and substitutions");
    assert_eq!(
        weights, both,
        "the built-in substitutions are the published ones"
    );
    assert_eq!(weights.row_count(), 1151);
    Some(weights)
}

#[test]
fn published_accounts_are_judged_as_published() {
    const NAME: &str = "published_accounts_are_judged_as_published";
    let Some(weights) = weights(NAME) else {
        return;
    };
    let mut left_the_table = Vec::new();
    for file in ["official-cases.csv", "computed-cases-v8-50.csv"] {
        let cases = shared::text(NAME, &format!("{MODULUS}/{file}")).expect("beside the table");
        assert!(cases.lines().count() > 20, "{file}");
        for line in cases.lines().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            let account = UkAccount::read(fields[0], fields[1]).expect(line);
            match weights.check(&account) {
                Verdict::Valid | Verdict::ForeignCurrency => {
                    assert_eq!(fields[2], "valid", "{file}: {line}")
                }
                Verdict::Invalid => assert_eq!(fields[2], "invalid", "{file}: {line}"),
                Verdict::SortCodeNotListed => left_the_table.push(line.to_owned()),
            }
        }
    }
    // The official cases are older than the table; what has left it is presumed valid.
    assert!(left_the_table.len() <= 5, "{left_the_table:?}");
}
