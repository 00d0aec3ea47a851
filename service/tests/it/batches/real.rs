//! Files that banks and libraries published, if they are at hand.

use std::{collections::BTreeSet, fs, path::Path};

use lombard_core::{
    currency::Currency,
    iso20022::{
        Account,
        pain001::{Item, PaymentFile},
    },
};

use serde_json::Value;

use super::{Sender, iban, id_of};
use crate::client::Answered;

const FOLDER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../shared/material/iso20022"
);

#[tokio::test]
async fn published_files_are_paid_or_refused_with_the_reason() {
    if !Path::new(FOLDER).exists() {
        eprintln!("skipped: published_files_are_paid_or_refused_with_the_reason: no ../shared");
        return;
    }
    for (name, expected) in FILES {
        let sender = Sender::new().await;
        let file = fs::read(Path::new(FOLDER).join(name)).unwrap();
        open_debtors(&sender, &file).await;
        let answered = sender.send("application/xml", "k", file).await;
        let rules: Vec<String> = if answered.status == 422 {
            let errors = answered.json()["errors"].clone();
            rules_of(errors.as_array().unwrap())
        } else {
            rows_of(&sender, name, answered).await
        };
        assert!(
            rules.iter().any(|rule| rule == expected),
            "{name}: {rules:?}"
        );
    }
}

/// The file, and the rule that refuses it or one of its rows; `accepted` when a row is paid.
const FILES: [(&str, &str); 19] = [
    ("pain/php-sepa/pain.001.001.03.xml", "iban"),
    ("pain/php-sepa/pain.001.001.04.xml", "iban"),
    ("pain/php-sepa/pain.001.001.05.xml", "iban"),
    ("pain/php-sepa/pain.001.001.06.xml", "iban"),
    ("pain/php-sepa/pain.001.001.07.xml", "iban"),
    ("pain/php-sepa/pain.001.001.08.xml", "iban"),
    ("pain/php-sepa/pain.001.001.09.xml", "iban"),
    ("pain/php-sepa/pain.001.001.10.xml", "iban"),
    ("pain/php-sepa/pain.001.001.12.xml", "iban"),
    (
        "camt/postfinance-fi-lt/musterfile_pain.001_Nov2020.xml",
        "number_of_transactions",
    ),
    (
        "camt/uk-us-gs/example__sepa_pain_001_v3_multiple_pmtinf.xml",
        "number_of_transactions",
    ),
    (
        "camt/uk-us-gs/cross_river__pain_001_rtp_credit.xml",
        "unexpected_text",
    ),
    (
        "camt/uk-us-gs/cross_river__pain_001_ach_credit.xml",
        "unexpected_text",
    ),
    ("camt/uk-us-gs/example__swift_pain_001_v3.xml", "iban"),
    ("camt/uk-us-gs/example__sepa_pain_001_v3.xml", "iban"),
    ("cbpr-2025/pain.001.min.xml", "payment_method"),
    ("cbpr-2025/pain.001.max.xml", "equivalent_amount"),
    (
        "cbpr-2025/violators/pain001_credit_initiation_sample__violates_pain.001-R3_msgdefidr_mismatch.xml",
        "header_mismatch",
    ),
    (
        "cbpr-2025/pain001_credit_initiation_sample.xml",
        "equivalent_amount",
    ),
];

fn rules_of(list: &[Value]) -> Vec<String> {
    let rule = |item: &Value| item["rule"].as_str().unwrap_or("accepted").to_owned();
    list.iter().map(rule).collect()
}

/// The rules of the rows of a file that was taken in, after its report was found to be valid.
async fn rows_of(sender: &Sender, name: &str, answered: Answered) -> Vec<String> {
    let id = id_of(&answered.expect(202));
    sender.decided(&id).await;
    let rows = format!("/v1/batches/{id}/rows");
    let rows = sender.client.get(&rows).await.expect(200);
    let report = sender.client.get(&format!("/v1/batches/{id}/report")).await;
    let inspected = lombard_core::iso20022::inspect(report.text().as_bytes()).unwrap();
    assert!(
        inspected.errors.is_empty(),
        "{name}: {:?}",
        inspected.errors
    );
    rules_of(rows["data"].as_array().unwrap())
}

/// The published files with what is wrong in them put right: the accounts. Then they are paid.
#[tokio::test]
async fn published_files_with_valid_accounts_are_paid() {
    if !Path::new(FOLDER).exists() {
        eprintln!("skipped: published_files_with_valid_accounts_are_paid: no ../shared");
        return;
    }
    for (name, _) in FILES.iter().filter(|(name, _)| name.contains("php-sepa")) {
        let sender = Sender::new().await;
        let file = fs::read_to_string(Path::new(FOLDER).join(name)).unwrap();
        let (mut mended, mut rest) = (String::new(), file.as_str());
        while let Some((before, after)) = rest.split_once("<IBAN>") {
            let (_, after) = after.split_once("</IBAN>").unwrap();
            mended += before;
            mended += if mended.ends_with("<DbtrAcct><Id>")
                || before.contains("<DbtrAcct>") && !before.contains("<CdtrAcct>")
            {
                "<IBAN>DE75512108001245126199</IBAN>"
            } else {
                "<IBAN>FR1420041010050500013M02606</IBAN>"
            };
            rest = after;
        }
        mended += rest;
        open_debtors(&sender, mended.as_bytes()).await;
        let answered = sender.send("application/xml", "k", mended).await;
        let rules = rows_of(&sender, name, answered).await;
        assert!(
            rules.iter().all(|rule| rule == "accepted"),
            "{name}: {rules:?}"
        );
    }
}

/// Opens an account for every debtor of a file, in the currency of its first row.
async fn open_debtors(sender: &Sender, file: &[u8]) {
    let mut debtors = BTreeSet::new();
    let mut debtor = None;
    for item in PaymentFile::new(file) {
        match item.unwrap() {
            Item::Block(block) => debtor = block.debtor_account,
            Item::Row(row) => {
                if let (Ok(payment), Some(Account::Iban(iban))) = (row.payment, debtor.take())
                    && iban.parse::<lombard_core::bank::Iban>().is_ok()
                {
                    debtors.insert((iban, payment.amount.currency.code().to_owned()));
                }
            }
            _ => {}
        }
    }
    for (debtor, currency) in &debtors {
        let currency: Currency = currency.parse().unwrap();
        sender.account(&iban(debtor), currency).await;
    }
}
