//! The search field: an id leads to its page, anything else is looked for among end-to-end ids.

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
        None => format!("/console/payments?end_to_end_id={}", escaped(asked)),
    }
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn ids_lead_to_their_pages() {
        assert_eq!(place("pay_1"), "/console/payments/pay_1");
        assert_eq!(place("txn_1"), "/console/ledger/txn_1");
        assert_eq!(place("INV 7"), "/console/payments?end_to_end_id=INV%207");
        assert_eq!(place(""), "/console/payments");
    }
}
