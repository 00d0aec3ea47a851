//! Single statuses, and what is made of them: above all those that are easy to get wrong.

use lombard_core::psp::{Meaning, News, Providers, map::Map, news::Certifies};
use serde_json::{Value, json};

fn means(provider: &str, status: &str, context: &Value) -> Option<News> {
    let providers = Providers::built_in();
    match providers
        .get(provider)
        .expect("a provider")
        .means(status, context)
    {
        Meaning::Known(row) => Some(row.news),
        Meaning::Quarantined { .. } => None,
    }
}

#[test]
fn the_traps_hold() {
    let none = Value::Null;
    let rows = [
        // A try that failed leaves the PaymentIntent open.
        (
            "stripe",
            "payment_intent.payment_failed",
            Some(News::TryFailed),
        ),
        (
            "stripe",
            "requires_payment_method",
            Some(News::ActionNeeded),
        ),
        ("stripe", "payout.paid", Some(News::PayoutSent)),
        ("stripe", "payout.failed", Some(News::PayoutFailed)),
        ("stripe", "succeeded", Some(News::Captured)),
        ("stripe", "refund.status=succeeded", Some(News::Refunded)),
        ("stripe", "refund:failed", Some(News::RefundFailed)),
        // Settled for the payer is not yet credited to the payee; neither is settled in our books.
        ("iso20022", "ACSC", Some(News::Captured)),
        ("iso20022", "ACSP", Some(News::Processing)),
        ("iso20022", "RJCT", Some(News::Refused)),
        (
            "open-banking-uk",
            "AcceptedSettlementCompleted",
            Some(News::Captured),
        ),
        // Frozen money has neither arrived nor come back.
        ("open-banking-uk", "BLCK", Some(News::Processing)),
        // A lost connection says nothing of the outcome.
        ("modulr", "ER_EXTCONN", Some(News::Processing)),
        ("modulr", "ER_INVALID", Some(News::Refused)),
        ("truelayer", "executed", Some(News::Captured)),
        ("wise", "bounced_back", Some(News::Returned)),
        ("adyen", "CAPTURE_FAILED", Some(News::CaptureFailed)),
        ("adyen-transfers", "booked", Some(News::Captured)),
        ("adyen-transfers", "returned", Some(News::Returned)),
        ("gocardless", "paid_out", Some(News::PaidOut)),
        // What nobody knows is not guessed.
        ("stripe", "payment_intent.teleported", None),
        ("iso20022", "XXXX", None),
        ("adyen", "AUTHORISATION", None),
    ];
    for (provider, status, news) in rows {
        assert_eq!(means(provider, status, &none), news, "{provider} {status}");
    }
}

#[test]
fn conditions_decide_between_rows_of_one_name() {
    let yes = json!({"success": "true"});
    let no = json!({"success": "false"});
    assert_eq!(
        means("adyen", "AUTHORISATION", &yes),
        Some(News::Authorised)
    );
    assert_eq!(means("adyen", "AUTHORISATION", &no), Some(News::Refused));
    let refused = Some(News::CompletionRefused);
    assert_eq!(means("adyen", "CAPTURE", &no), refused);
    let object = json!({"object": "refund"});
    assert_eq!(means("stripe", "succeeded", &object), Some(News::Refunded));
}

#[test]
fn a_quarantined_status_says_what_is_missing() {
    let providers = Providers::built_in();
    let adyen = providers.get("adyen").expect("there");
    let Meaning::Quarantined { why } = adyen.means("REFUND", &Value::Null) else {
        panic!("REFUND without `success` has no meaning")
    };
    assert!(why.contains("/success = true"), "{why}");
}

#[test]
fn no_provider_can_settle_a_payment() {
    for map in Providers::built_in().iter() {
        for row in &map.rows {
            assert!(
                row.certifies < Certifies::Settlement,
                "{} {row:?}",
                map.provider
            );
        }
    }
}

const SMALL: &str = r#"
provider = "acme"
title = "Acme Pay"
source = "https://acme.example/docs"
read_on = "2026-01-01"
[[row]]
object = "payment"
status = "done"
means = "captured"
"#;

#[test]
fn a_provider_is_added_by_a_file_alone() {
    let mut providers = Providers::built_in();
    providers.add(SMALL).expect("a file");
    let acme = providers.get("acme").expect("added");
    assert!(
        matches!(acme.means("done", &Value::Null), Meaning::Known(row) if row.news == News::Captured)
    );
}

#[test]
fn a_file_that_cannot_be_right_is_refused_with_the_reason() {
    let with = |more: &str| {
        Map::parse(&format!("{SMALL}{more}"))
            .expect_err("refused")
            .to_string()
    };
    let twice = "[[row]]\nobject = \"payment\"\nstatus = \"done\"\nmeans = \"refused\"\n";
    assert!(with(twice).contains("stands twice"), "{}", with(twice));
    let settles = "[[row]]\nobject = \"p\"\nstatus = \"s\"\nmeans = \"captured\"\ncertifies = \"settlement\"\n";
    assert!(
        with(settles).contains("cannot certify settlement"),
        "{}",
        with(settles)
    );
    let too_much =
        "[[row]]\nobject = \"p\"\nstatus = \"s\"\nmeans = \"noted\"\ncertifies = \"execution\"\n";
    assert!(
        with(too_much).contains("says more than"),
        "{}",
        with(too_much)
    );
    let unknown = "[[row]]\nobject = \"p\"\nstatus = \"s\"\nmeans = \"vanished\"\n";
    assert!(with(unknown).contains("line 13"), "{}", with(unknown));
}
