//! Every status that a provider publishes has a row.

use std::collections::BTreeSet;

use lombard_core::psp::{Providers, map::Map};
use serde_json::Value;

use crate::shared;

/// Whether a map has a row for a word of an object, whatever its conditions are.
fn has(map: &Map, object: &str, status: &str) -> bool {
    let mut rows = map.rows.iter();
    rows.any(|row| row.object == object && row.status == status)
}

fn words(list: &Value) -> Vec<String> {
    let list = list.as_array().expect("a list of words");
    list.iter()
        .map(|word| word.as_str().expect("a word").to_owned())
        .collect()
}

fn missing(provider: &str, object: &str, list: &Value) -> Vec<String> {
    let providers = Providers::built_in();
    let map = providers.get(provider).expect("a provider");
    let unknown = words(list)
        .into_iter()
        .filter(|word| !has(map, object, word));
    unknown
        .map(|word| format!("{provider} {object} {word}"))
        .collect()
}

#[test]
fn every_published_status_has_a_row() {
    let Some(dir) = shared::path("every_published_status_has_a_row", "material") else {
        return;
    };
    let read = |file: &str| -> Value {
        let text = std::fs::read_to_string(dir.join("reference/status-lists").join(file));
        serde_json::from_str(&text.expect("the list")).expect("JSON")
    };
    let (stripe, adyen, others) = (
        read("stripe.json"),
        read("adyen-standard-event-codes.json"),
        read("gocardless-and-obie.json"),
    );
    let mut gone = Vec::new();
    for (list, object) in stripe
        .as_object()
        .expect("lists")
        .iter()
        .map(|(name, list)| {
            let object = name.strip_suffix(".status").unwrap_or(name);
            (
                list,
                if name == "event_types" {
                    "event"
                } else {
                    object
                },
            )
        })
    {
        if object != "notes" {
            gone.extend(missing("stripe", object, list));
        }
    }
    gone.extend(missing("adyen", "event", &adyen["eventCode"]));
    for object in ["payments", "payouts", "refunds", "outbound_payments"] {
        gone.extend(missing("gocardless", object, &others["gocardless"][object]));
    }
    gone.extend(missing(
        "open-banking-uk",
        "payment-v3",
        &others["obie_v3_payment"],
    ));
    gone.extend(missing(
        "open-banking-uk",
        "payment-v4",
        &others["obie_v4_iso"],
    ));
    assert!(gone.is_empty(), "{gone:#?}");
}

#[test]
fn every_iso_status_code_has_a_row() {
    let Some(dir) = shared::path("every_iso_status_code_has_a_row", "material") else {
        return;
    };
    for (file, object) in [
        (
            "external_payment_transaction_status_code.json",
            "transaction",
        ),
        ("external_payment_group_status_code.json", "group"),
    ] {
        let text = std::fs::read_to_string(dir.join("codesets/iso-external-json").join(file));
        let set: Value = serde_json::from_str(&text.expect("the set")).expect("JSON");
        let codes: Vec<_> = set["codes"]
            .as_object()
            .expect("codes")
            .keys()
            .cloned()
            .collect();
        let gone = missing("iso20022", object, &Value::from(codes));
        assert!(gone.is_empty(), "{gone:?}");
    }
}

/// The statuses of FACTS's table, written down here as well.
#[test]
fn the_statuses_of_providers_without_a_published_list_have_rows() {
    let rows = [
        (
            "modulr",
            "payment",
            "SUBMITTED VALIDATED PENDING_FOR_DATE PENDING_FOR_FUNDS PROCESSED CANCELLED ER_INVALID ER_EXTCONN ER_EXTSYS ER_EXPIRED ER_GENERAL ER_BATCH",
        ),
        (
            "truelayer",
            "payment",
            "authorization_required authorizing authorized executed settled failed",
        ),
        (
            "wise",
            "transfer",
            "incoming_payment_waiting incoming_payment_initiated processing funds_converted outgoing_payment_sent bounced_back cancelled funds_refunded charged_back",
        ),
        (
            "paypal",
            "capture",
            "COMPLETED DECLINED PARTIALLY_REFUNDED PENDING REFUNDED FAILED",
        ),
        (
            "adyen-transfers",
            "transfer",
            "received authorised booked refused returned",
        ),
    ];
    for (provider, object, statuses) in rows {
        let list = statuses.split(' ').map(Value::from).collect::<Vec<_>>();
        assert_eq!(
            missing(provider, object, &Value::from(list)),
            Vec::<String>::new()
        );
    }
}

#[test]
fn no_file_names_a_word_twice_without_conditions() {
    for map in Providers::built_in().iter() {
        let plain = map.rows.iter().filter(|row| row.when.is_empty());
        let mut seen = BTreeSet::new();
        for row in plain {
            assert!(
                seen.insert((&row.object, &row.status)),
                "{} {row:?}",
                map.provider
            );
        }
    }
}
