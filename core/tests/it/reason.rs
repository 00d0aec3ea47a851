//! The reason tables against the published code lists.

use lombard_core::reason::{IsoSet, Reason, Retry};

use crate::shared;

#[test]
fn every_code_of_the_iso_sets_is_known() {
    for (set, file) in [
        (IsoSet::Status, "external_status_reason_code"),
        (IsoSet::Return, "external_return_reason_code"),
        (IsoSet::Cancellation, "external_cancellation_reason_code"),
        (
            IsoSet::CancellationRejection,
            "external_payment_cancellation_rejection_code",
        ),
    ] {
        let file = format!("material/codesets/iso-external-json/{file}.json");
        let Some(text) = shared::text("every_code_of_the_iso_sets_is_known", &file) else {
            return;
        };
        let list: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let codes = list["codes"].as_object().expect("an object of codes");
        assert!(codes.len() > 20, "{file}");
        for code in codes.keys() {
            assert_ne!(
                Reason::from_iso(set, code).reason,
                Reason::Unrecognised,
                "{file}: {code}"
            );
        }
    }
}

#[test]
fn every_faster_payments_code_is_known_and_retried_as_the_facts_say() {
    const NAME: &str = "every_faster_payments_code_is_known_and_retried_as_the_facts_say";
    let Some(rejects) = shared::text(NAME, "material/reference/facts/fps-reason-codes.csv") else {
        return;
    };
    for row in rejects.lines().skip(1) {
        let (code, _) = row.split_once(',').expect("four columns");
        let (_, retry) = row.rsplit_once(',').expect("four columns");
        let reason = Reason::from_fps(code).reason;
        assert_ne!(reason, Reason::Unrecognised, "{row}");
        assert_eq!(
            reason.retry() == Retry::AfterEnquiry,
            retry == "yes",
            "{row}"
        );
    }
    let Some(returns) = shared::text(NAME, "material/reference/facts/fps-return-codes.csv") else {
        return;
    };
    for row in returns.lines().skip(1) {
        let (code, _) = row.split_once(',').expect("two columns");
        let reason = Reason::from_fps(code).reason;
        assert_ne!(reason, Reason::Unrecognised, "{row}");
        assert_eq!(reason.fps_return_code(), code, "{row}");
    }
}

#[test]
fn every_clearbank_code_is_known() {
    for file in ["faster-payments.mdx", "sepa-instant-credit-transfer.mdx"] {
        let path = format!("material/reference/clearbank/{file}");
        let Some(text) = shared::text("every_clearbank_code_is_known", &path) else {
            return;
        };
        // The first cell of a table row is the code, bold or not; header and rule rows are not codes.
        let cells = text
            .lines()
            .filter_map(|line| line.strip_prefix('|')?.split('|').next());
        let codes: Vec<_> = cells
            .map(|cell| cell.trim().trim_matches('*'))
            .filter(|cell| {
                cell.starts_with("CB_")
                    || (cell.len() == 4
                        && cell
                            .bytes()
                            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()))
            })
            .collect();
        assert!(codes.len() > 10, "{path}: {codes:?}");
        for code in codes {
            let own = |reason: &Reason| reason.clearbank_codes().any(|it| it == code);
            let of_iso = [
                IsoSet::Status,
                IsoSet::Cancellation,
                IsoSet::CancellationRejection,
            ];
            let known = Reason::ALL.iter().any(own)
                || of_iso
                    .iter()
                    .any(|set| Reason::from_iso(*set, code).reason != Reason::Unrecognised);
            assert!(known, "{path}: {code}");
        }
    }
}
