//! What is going on: what is pending and why, what needs a person, how the installation does.

mod running;

use std::collections::BTreeMap;

use axum::extract::State;
use maud::{Markup, html};
use serde_json::Value;

use super::payments::table;
use crate::console::{
    Console,
    ask::Refused,
    chart::{Bar, bars},
    layout, live,
    parts::{empty, heading, list, live_sign, money, number, text},
    session::Session,
    words::{grouped, plain},
};

/// How many of the newest payments are shown.
const NEWEST: usize = 12;

/// The page.
pub async fn page(State(console): State<Console>, session: Session) -> Result<Markup, Refused> {
    let api = &console.api;
    let newest = format!("/v1/payments?limit={NEWEST}");
    let (standing, newest, operations) = tokio::try_join!(
        api.get::<Value>(&session, "/v1/standing"),
        api.get::<Value>(&session, &newest),
        api.get::<Value>(&session, "/v1/operations"),
    )?;
    // A server may keep no log of its own, and have nobody who judges payments.
    let log = api.get::<Value>(&session, "/v1/log").await.ok();
    let risk = api.get::<Value>(&session, "/v1/risk/health").await.ok();
    let (payments, cases) = (list(&standing, "payments"), list(&standing, "exceptions"));
    let newest = list(&newest, "data");
    let parts = html! {
        div.cards {
            (in_flight(payments))
            (waiting_for(payments, "verification", "Wait for a person"))
            (waiting_for(payments, "funds", "Wait for funds"))
            (in_doubt(payments))
            (open(cases))
            (cost_of(&operations["cost"]))
            @if let Some(log) = &log { (behind(log)) }
        }
        @if standing["exact"] != true {
            p.meta { "Counted over the newest 1,000 payments and exceptions: this server does not count all of them." }
        }
        div.charts {
            section.card { h2 { "Pending, by what they wait for" } (reasons(payments)) }
            section.card { h2 { "Payments, by status" } (outcomes(payments)) }
            section.card { h2 { "Open exceptions, by age" } (ages(cases)) }
            section.card { h2 { "Open exceptions, by kind" } (kinds(cases)) }
            section.card { h2 { "Error budgets" } (running::objectives(&operations)) }
            section.card { h2 { "Rails and providers" } (running::ways(&operations)) }
            section.card #cost { h2 { "What a payment costs" } (running::cost(&operations["cost"])) }
            section.card { h2 { "What risk decided" } (running::risk(risk.as_ref())) }
        }
        section.card {
            h2 { "Newest payments" }
            @if newest.is_empty() { (first_payment()) } @else {
                div.scroll tabindex="0" { (table(newest)) }
            }
        }
    };
    let content = html! {
        (heading(&html! { "Overview" }, &live_sign()))
        (live::watched(&[("of", "overview")], &parts))
    };
    Ok(layout::page(
        session.access(),
        "/console",
        "Overview",
        &content,
    ))
}

/// What to do where nothing was paid yet.
fn first_payment() -> Markup {
    empty(
        "No payment yet.",
        &html! { "Make one with " code { "POST /v1/payments" } " or " code { "lombard pay FILE" } "; it appears here with everything that happens to it." },
    )
}

fn card(to: &str, name: &str, value: &str) -> Markup {
    html! { a.card href=(to) { div.name { (name) } div.value { (value) } } }
}

/// How many payments of these are counted, where they fit.
fn counted(payments: &[Value], fits: impl Fn(&Value) -> bool) -> u64 {
    let fitting = payments.iter().filter(|one| fits(one));
    fitting.map(|one| number(one, "count")).sum()
}

/// The money of payments whose outcome is open, by currency.
fn in_flight(payments: &[Value]) -> Markup {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    let open = |one: &&Value| matches!(text(one, "status"), "INITIATED" | "AUTH_PENDING");
    for one in payments.iter().filter(open) {
        let sum = sums.entry(text(one, "currency")).or_default();
        *sum = sum.saturating_add(number(one, "amount"));
    }
    html! {
        a.card href="/console/payments?status=AUTH_PENDING" {
            div.name { "Money in flight" }
            @if sums.is_empty() { div.value { "None" } }
            @for (currency, sum) in &sums { div.value { (money(*sum, currency)) } }
        }
    }
}

fn waiting_for(payments: &[Value], reason: &str, name: &str) -> Markup {
    let count = counted(payments, |one| text(one, "pending") == reason);
    let to = format!("/console/payments?status=AUTH_PENDING&pending={reason}");
    card(&to, name, &grouped(count))
}

/// Payments of which money may have moved.
fn in_doubt(payments: &[Value]) -> Markup {
    let count = counted(payments, |one| one["in_doubt"] == true);
    let to = "/console/payments?status=AUTH_PENDING&pending=rails";
    card(to, "In doubt at a rail", &grouped(count))
}

fn cost_of(cost: &Value) -> Markup {
    let pico = number(cost, "per_payment_pico");
    html! {
        a.card href="#cost" {
            div.name { "A thousand payments cost" }
            div.value { span.money { span.figure { (running::of_thousand(pico)) } " " abbr { (text(cost, "currency")) } } }
        }
    }
}

fn open(cases: &[Value]) -> Markup {
    let count = cases.iter().map(|kind| number(kind, "count")).sum();
    card("/console/exceptions", "Exceptions to do", &grouped(count))
}

fn behind(log: &Value) -> Markup {
    if log.get("lag_ms").is_none() {
        let leaves = number(&log["checkpoint"], "size").to_string();
        return card("/console/log", "Leaves of the log", &leaves);
    }
    let value = match number(log, "lag_ms") {
        lag if lag < 1_000 => format!("{lag} ms"),
        lag => format!("{} s", lag / 1_000),
    };
    card("/console/log", "Log behind the ledger", &value)
}

fn bar(name: &str, count: u64, tone: &'static str) -> Bar {
    Bar {
        name: name.to_owned(),
        count: usize::try_from(count).unwrap_or(usize::MAX),
        tone,
    }
}

/// How many payments stand where.
fn outcomes(payments: &[Value]) -> Markup {
    let rows = [
        ("CLEARED", "Cleared", "good"),
        ("SETTLED", "Settled", "good"),
        ("INITIATED", "Initiated", "open"),
        ("AUTH_PENDING", "Pending", "open"),
        ("FAILED", "Failed", "bad"),
        ("REVERSED", "Reversed", "back"),
    ];
    let rows = rows.map(|(status, name, tone)| {
        let count = counted(payments, |one| text(one, "status") == status);
        bar(name, count, tone)
    });
    bars("Payments by status", &rows)
}

/// What payments wait for, those of which money may have moved by themselves.
fn reasons(payments: &[Value]) -> Markup {
    let waits = |reason: &str| {
        let fits = |one: &Value| one["in_doubt"] != true && text(one, "pending") == reason;
        counted(payments, fits)
    };
    let doubts = counted(payments, |one| one["in_doubt"] == true);
    bars(
        "Pending payments by reason",
        &[
            bar("A person", waits("verification"), "open"),
            bar("Funds", waits("funds"), "open"),
            bar("A rail", waits("rails"), "open"),
            bar("In doubt", doubts, "doubt"),
        ],
    )
}

/// How long open cases have been waiting.
fn ages(cases: &[Value]) -> Markup {
    let rows = [
        ("under_hour", "Under an hour", "good"),
        ("under_day", "Under a day", "open"),
        ("under_week", "Under a week", "doubt"),
        ("older", "Older", "bad"),
    ];
    let rows = rows.map(|(age, name, tone)| {
        let count = cases.iter().map(|kind| number(kind, age)).sum();
        bar(name, count, tone)
    });
    bars("Open exceptions by age", &rows)
}

/// The kinds of which most cases are open.
fn kinds(cases: &[Value]) -> Markup {
    const SHOWN_MAX: usize = 5;
    if cases.is_empty() {
        return html! { p.meta { "Nothing needs a person. What a machine cannot finish comes here, by its kind." } };
    }
    let mut kinds: Vec<&Value> = cases.iter().collect();
    kinds.sort_by_key(|kind| std::cmp::Reverse(number(kind, "count")));
    let tone = |kind: &Value| match text(kind, "severity") {
        "high" => "bad",
        _ => "doubt",
    };
    let rows = kinds.into_iter().take(SHOWN_MAX);
    let rows = rows.map(|kind| {
        bar(
            &plain(text(kind, "kind")),
            number(kind, "count"),
            tone(kind),
        )
    });
    bars("Open exceptions by kind", &rows.collect::<Vec<_>>())
}
