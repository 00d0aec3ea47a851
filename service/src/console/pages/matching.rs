//! Matching by hand: a line that found no payment, beside the payments that it could be.

use maud::{Markup, html};
use serde_json::Value;

use crate::console::{
    ask::{ApiRouter, Refused},
    pages::payments::party,
    parts::{empty, facts, id, list, money, number, status, text, time, whole_id},
    session::Session,
    words::escaped,
};

/// The most payments that stand beside a line.
const CANDIDATES_MAX: usize = 12;

/// The payments that a line could be: those that the matching named, and those of its amount.
pub async fn candidates(
    api: &ApiRouter,
    session: &Session,
    case: &Value,
) -> Result<Vec<Value>, Refused> {
    let evidence = &case["evidence"];
    let mut found: Vec<Value> = Vec::new();
    for id in text(evidence, "payments")
        .split_whitespace()
        .take(CANDIDATES_MAX)
    {
        let path = format!("/v1/payments/{}", escaped(id));
        found.extend(api.get::<Value>(session, &path).await.ok());
    }
    let minor = text(evidence, "amount").trim_start_matches('-');
    let path = format!("/v1/payments?amount={}&limit=50", escaped(minor));
    let Ok(same) = api.get::<Value>(session, &path).await else {
        return Ok(found);
    };
    for payment in list(&same, "data") {
        let known = found.iter().any(|it| it["id"] == payment["id"]);
        if !known && fits(evidence, payment) && found.len() < CANDIDATES_MAX {
            found.push(payment.clone());
        }
    }
    Ok(found)
}

/// Whether a payment could be the line: its currency and direction, and not settled or failed.
fn fits(evidence: &Value, payment: &Value) -> bool {
    let out = text(evidence, "amount").starts_with('-');
    text(payment, "currency") == text(evidence, "currency")
        && (text(payment, "direction") == "in") != out
        && !matches!(text(payment, "status"), "SETTLED" | "FAILED" | "REVERSED")
}

/// The line on one side, the payments on the other, each with the form that links it.
pub fn side_by_side(case: &Value, payments: &[Value], link: &dyn Fn(&Markup) -> Markup) -> Markup {
    html! {
        div.match {
            section.card { h2 { "The line" } (line(&case["evidence"])) }
            section.card {
                h2 { "Payments that it could be" }
                @if payments.is_empty() {
                    (empty("No payment of this amount is open.", &html! {
                        "Look for it by another term in the search, and link it by its id under Resolve."
                    }))
                } @else {
                    ul.candidates { @for payment in payments { (candidate(&case["evidence"], payment, link)) } }
                }
            }
        }
    }
}

fn line(evidence: &Value) -> Markup {
    let minor = text(evidence, "amount");
    let absolute = minor.trim_start_matches('-').parse().unwrap_or(0);
    let direction = if minor.starts_with('-') { "out" } else { "in" };
    facts(&[
        (
            "Amount",
            html! { strong { (money(absolute, text(evidence, "currency"))) } " " (direction) },
        ),
        ("Reference", whole_id(text(evidence, "reference"))),
        ("Source", html! { (text(evidence, "source")) }),
    ])
}

/// A payment, and what of it agrees with the line.
fn candidate(evidence: &Value, payment: &Value, link: &dyn Fn(&Markup) -> Markup) -> Markup {
    let same_reference = text(payment, "end_to_end_id") == text(evidence, "reference");
    let inside = html! {
        input type="hidden" name="payment" value=(text(payment, "id"));
        input type="hidden" name="note" value="Matched by hand: the same amount.";
    };
    html! {
        li {
            div {
                div.what { (id("payments", text(payment, "id"))) " " (status(payment)) }
                div { strong { (money(number(payment, "amount"), text(payment, "currency"))) } " " (text(payment, "direction")) " · " (party(&payment["creditor"])) }
                div.meta { (text(payment, "end_to_end_id")) @if same_reference { " · same reference" } " · " (time(text(payment, "created_at"))) }
            }
            (link(&inside))
        }
    }
}
