//! What stands beside a payment's own facts: why risk decided as it did, whether its payer had to
//! authenticate, who was told of it, and the proofs of its entries.

use maud::{Markup, html};
use serde_json::Value;

use super::super::risk as risk_page;
use crate::console::{
    Console,
    ask::ApiRouter,
    parts::{facts, id, list, number, pill, text, time, whole_id},
    proof,
    session::Session,
    words::{escaped, plain},
};

/// The strongest reasons of a model that are shown.
const MOVED_MAX: usize = 6;
/// The most entries whose proofs are verified on one page.
const PROOFS_MAX: usize = 100;

/// Everything beside it. None of it is needed to look at the payment, so what cannot be had, or
/// may not be seen, is left out.
pub struct Beside {
    risk: Option<Value>,
    /// Of each endpoint, its deliveries about this payment.
    told: Vec<(Value, Value)>,
}

impl Beside {
    /// Asks for it.
    pub async fn of(api: &ApiRouter, session: &Session, payment: &Value) -> Self {
        let payment = escaped(text(payment, "id"));
        let decision = format!("/v1/risk/decisions/{payment}");
        let risk = api.get(session, &decision).await.ok();
        let mut told = Vec::new();
        let endpoints = api.get::<Value>(session, "/v1/webhook_endpoints").await;
        for endpoint in list(&endpoints.unwrap_or_default(), "data") {
            let to = escaped(text(endpoint, "id"));
            let path = format!("/v1/webhook_endpoints/{to}/deliveries?payment={payment}&limit=100");
            if let Ok(deliveries) = api.get::<Value>(session, &path).await {
                told.push((endpoint.clone(), deliveries));
            }
        }
        Self { risk, told }
    }

    /// As cards.
    pub fn cards(&self, payment: &Value) -> Markup {
        html! {
            div.charts {
                section.card { h2 { "Risk" } (risk(self.risk.as_ref())) }
                section.card { h2 { "Payer's authentication" } (authentication(payment)) }
            }
            section.card { h2 { "Webhooks" } (webhooks(&self.told)) }
        }
    }
}

fn risk(decision: Option<&Value>) -> Markup {
    let Some(decision) = decision else {
        return html! { p.meta { "Nobody judged it: it came in before there was a policy, from outside, or by a way that is not judged." } };
    };
    let action = text(decision, "action");
    let reasons = list(decision, "reasons").iter().filter_map(Value::as_str);
    let moved = list(decision, "contributions").iter().take(MOVED_MAX);
    let replay = &decision["replay"];
    html! {
        p {
            (pill(action, risk_page::tone(action)))
            @if decision["score"].is_number() { " with a score of " strong.figure { (risk_page::share(number(decision, "score"))) } }
            @if !text(decision, "fallback").is_empty() { ", by the fallback" }
        }
        ul { @for reason in reasons { li { (reason) } } @for rule in list(decision, "rules") { li.meta { "Rule " code { (text(rule, "name")) } } } }
        @if !list(decision, "contributions").is_empty() {
            details.figures { summary { "What moved the model" }
                table {
                    thead { tr { th scope="col" { "Feature" } th.right scope="col" { "Value" } th.right scope="col" { "Log odds" } } }
                    tbody { @for one in moved { tr {
                        td { (plain(text(one, "feature"))) }
                        td.right.figure { @if let Some(value) = one["value"].as_f64() { (format!("{value:.2}")) } @else { "–" } }
                        td.right.figure { (format!("{:+.2}", one["weight"].as_f64().unwrap_or_default())) }
                    } } }
                }
            }
        }
        p.meta {
            "Policy version " (number(decision, "policy_version")) ", in " (number(decision, "took_us")) " µs. Decided again from what was stored: "
            @match text(replay, "result") { "same" => "the same.", "other" => { "otherwise. " (text(replay, "detail")) }, _ => { "not possible. " (text(replay, "detail")) } }
        }
    }
}

fn authentication(payment: &Value) -> Markup {
    let sca = &payment["authentication"];
    let words = match text(sca, "outcome") {
        "required" if !text(sca, "authenticated_at").is_empty() => "Required, and done.",
        "required" => "Required, and not done yet.",
        "exempt" => "Not required: an exemption applies.",
        "out_of_scope" => "Not required: the rules do not cover it.",
        _ => {
            return html! { p.meta { "No payer of ours authenticates for it." } };
        }
    };
    let mut rows = Vec::new();
    if sca["article"].is_number() {
        rows.push((
            "Exemption",
            html! { "RTS article " (number(sca, "article")) },
        ));
    }
    if !text(sca, "because").is_empty() {
        rows.push(("Because", html! { (plain(text(sca, "because"))) }));
    }
    if !text(sca, "authenticated_at").is_empty() {
        rows.push(("Authenticated", time(text(sca, "authenticated_at"))));
    }
    if sca["challenge"].is_object() {
        rows.push(("Asked until", time(text(&sca["challenge"], "expires_at"))));
    }
    html! {
        p { (words) }
        (facts(&rows))
        @if !list(sca, "tried").is_empty() {
            details.figures { summary { "Exemptions that did not apply" }
                ul { @for one in list(sca, "tried") { li { "Article " (number(one, "article")) ": " (plain(text(one, "why"))) } } }
            }
        }
    }
}

fn webhooks(told: &[(Value, Value)]) -> Markup {
    let none = told
        .iter()
        .all(|(_, deliveries)| list(deliveries, "data").is_empty());
    if none {
        return html! { p.meta {
            @if told.is_empty() { "Nobody wants to be told of payments. " a href="/console/webhooks" { "Webhooks" } " says how to add an endpoint." }
            @else { "Nobody was told of it yet." }
        } };
    }
    html! {
        div.scroll tabindex="0" { table {
            thead { tr { th scope="col" { "Event" } th scope="col" { "State" } th scope="col" { "Endpoint" } th.right scope="col" { "Tries" } th scope="col" { "Next (UTC)" } } }
            tbody { @for (endpoint, deliveries) in told { @for delivery in list(deliveries, "data") { tr {
                td { (plain(text(delivery, "type").trim_start_matches("payment."))) }
                td { (pill(text(delivery, "state"), match text(delivery, "state") { "delivered" => "good", "failed" => "bad", _ => "open" })) }
                td { (id("webhooks", text(endpoint, "id"))) }
                td.right.figure { (list(delivery, "attempts").len()) }
                td { @if !text(delivery, "next_try_at").is_empty() { (time(text(delivery, "next_try_at"))) } @else { "–" } }
            } } } }
        } }
    }
}

/// Verifies the proofs of a payment's entries now, when it is asked for.
pub async fn proofs(console: &Console, session: &Session, entries: &[Value]) -> Markup {
    let (mut held, mut missing, mut broken) = (0_usize, 0_usize, Vec::new());
    let mut root = None;
    for entry in entries.iter().take(PROOFS_MAX) {
        let path = format!("/v1/ledger/{}/proof", escaped(text(entry, "id")));
        match console.api.get::<Value>(session, &path).await {
            Err(_) => missing += 1,
            Ok(found) if proof::verified(&found) => {
                held += 1;
                root = Some(text(&found["checkpoint"], "root").to_owned());
            }
            Ok(_) => broken.push(text(entry, "id").to_owned()),
        }
    }
    let tone = match (broken.is_empty(), missing) {
        (false, _) => "bad",
        (true, 0) => "good",
        (true, _) => "doubt",
    };
    html! {
        div.note data-tone=(tone) role="status" {
            p {
                @if !broken.is_empty() { strong { "It does not hold." } " No path leads from " @for one in &broken { (id("ledger", one)) " " } "to the checkpoint's root. Open the runbook of a damaged log." }
                @else if missing > 0 { strong { (held) " of " (held + missing) " verified." } " The others are in no checkpoint yet; one covers them within a second, where this server keeps a log." }
                @else { strong { "Verified." } " From each of its " (held) " entries a path leads to the root that the checkpoint signs." }
            }
            @if let Some(root) = &root { p.meta { "Root " (whole_id(root)) } }
        }
    }
}
