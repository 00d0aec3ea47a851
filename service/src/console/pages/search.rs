//! The search field: an id leads to its page, the last four of an account number or card and an amount to the
//! payments that have them, anything else is looked for among end-to-end ids.

use axum::{extract::RawQuery, response::Redirect};

use crate::console::{form::Fields, session::Session, words::escaped};

/// Which page an id belongs to, by its prefix.
const PLACES: [(&str, &str); 8] = [
    ("aud", "audit"),
    ("run", "reconciliation"),
    ("pay", "payments"),
    ("acc", "accounts"),
    ("txn", "ledger"),
    ("exc", "exceptions"),
    ("bat", "batches"),
    ("whk", "webhooks"),
];

/// Goes there.
pub async fn go(_: Session, RawQuery(query): RawQuery) -> Redirect {
    let fields = Fields::parse(&query.unwrap_or_default());
    Redirect::to(&place(fields.get("q")))
}

fn place(asked: &str) -> String {
    let prefix = asked.split_once('_').map_or("", |(prefix, _)| prefix);
    let found = PLACES.iter().find(|(known, _)| *known == prefix);
    match found {
        _ if asked.is_empty() => "/console/payments".to_owned(),
        Some((_, place)) => format!("/console/{place}/{}", escaped(asked)),
        None if asked.len() == 4 && asked.bytes().all(|it| it.is_ascii_digit()) => {
            format!("/console/payments?last4={asked}")
        }
        None if minor(asked).is_some() => {
            format!(
                "/console/payments?amount={}",
                minor(asked).unwrap_or_default()
            )
        }
        None => format!("/console/payments?end_to_end_id={}", escaped(asked)),
    }
}

/// The minor units of what is written as an amount of two decimals: `1,234.50`.
fn minor(asked: &str) -> Option<u64> {
    let (whole, fraction) = asked.split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    let whole = whole.replace(',', "");
    let proper = digits(&whole) && digits(fraction) && fraction.len() == 2;
    format!("{whole}{fraction}").parse().ok().filter(|_| proper)
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn ids_lead_to_their_pages() {
        assert_eq!(place("pay_1"), "/console/payments/pay_1");
        assert_eq!(place("txn_1"), "/console/ledger/txn_1");
        assert_eq!(place("INV 7"), "/console/payments?end_to_end_id=INV%207");
        assert_eq!(place("5678"), "/console/payments?last4=5678");
        assert_eq!(place("1,234.50"), "/console/payments?amount=123450");
        assert_eq!(place("1.5"), "/console/payments?end_to_end_id=1.5");
        assert_eq!(place(""), "/console/payments");
    }
}
