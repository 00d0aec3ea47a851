//! The header line: which column stands where.

use std::collections::BTreeMap;

use csv::StringRecord;
use lombard_core::limits::{METADATA_ENTRIES_MAX, METADATA_KEY_MAX};

use super::Fault;

/// What a column of metadata begins with.
const METADATA: &str = "metadata.";

/// The columns, in the order of the documentation.
const COLUMNS: [&str; 20] = [
    "amount",
    "amount_decimal",
    "currency",
    "debtor_account",
    "debtor_iban",
    "debtor_sort_code",
    "debtor_account_number",
    "debtor_name",
    "creditor_account",
    "creditor_name",
    "creditor_iban",
    "creditor_sort_code",
    "creditor_account_number",
    "end_to_end_id",
    "reference",
    "remittance",
    "rail",
    "on_insufficient_funds",
    "requested_execution_date",
    "idempotency_key",
];

/// Which column stands where.
#[derive(Default)]
pub struct Header {
    pub places: BTreeMap<&'static str, usize>,
    pub expires: Option<usize>,
    pub metadata: Vec<(String, usize)>,
}

impl Header {
    pub fn of(names: &StringRecord) -> Result<Self, Fault> {
        let fault = |rule: &str, message: String| Fault {
            path: "line 1".to_owned(),
            rule: rule.to_owned(),
            message,
        };
        let mut header = Self::default();
        for (place, name) in names.iter().enumerate() {
            let known = COLUMNS.into_iter().find(|column| *column == name);
            let before = match (known, name.strip_prefix(METADATA)) {
                (Some(column), _) => header.places.insert(column, place).is_some(),
                (None, _) if name == "expires_in_seconds" => {
                    header.expires.replace(place).is_some()
                }
                (None, Some(key)) if is_metadata_key(key) => {
                    let before = header.metadata.iter().any(|(known, _)| known == key);
                    header.metadata.push((key.to_owned(), place));
                    before
                }
                _ => {
                    let message = format!("column {} has an unknown name", place + 1);
                    return Err(fault("unknown_column", message));
                }
            };
            if before {
                let message = format!("column {} is there twice", place + 1);
                return Err(fault("repeated_column", message));
            }
        }
        let has = |column| header.places.contains_key(column);
        if header.metadata.len() > METADATA_ENTRIES_MAX {
            let message = format!("at most {METADATA_ENTRIES_MAX} columns of metadata");
            return Err(fault("too_many_columns", message));
        }
        if has("amount") == has("amount_decimal") {
            let message = "expected either `amount` (minor units) or `amount_decimal`";
            return Err(fault("missing_column", message.to_owned()));
        }
        if !has("currency") {
            return Err(fault("missing_column", "expected `currency`".to_owned()));
        }
        Ok(header)
    }
}

fn is_metadata_key(key: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (1..=METADATA_KEY_MAX).contains(&key.len()) && key.bytes().all(plain)
}
