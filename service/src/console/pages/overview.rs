//! What is going on: what is pending and why, what needs a person, how the installation does.

mod running;

use std::collections::BTreeMap;

use axum::extract::State;
use lombard_core::time::Timestamp;
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
    words::plain,
};

/// How many of the newest are looked at. A list that is longer says so.
const LOOKED_AT: usize = 100;

/// The page.
pub async fn page(State(console): State<Console>, session: Session) -> Result<Markup, Refused> {
    let api = &console.api;
    let pending = format!("/v1/payments?status=AUTH_PENDING&limit={LOOKED_AT}");
    let recent = format!("/v1/payments?limit={LOOKED_AT}");
    let exceptions = format!("/v1/exceptions?standing=active&limit={LOOKED_AT}");
    let (pending, recent, exceptions, operations) = tokio::try_join!(
        api.get::<Value>(&session, &pending),
        api.get::<Value>(&session, &recent),
        api.get::<Value>(&session, &exceptions),
        api.get::<Value>(&session, "/v1/operations"),
    )?;
    // A server may keep no log of its own, and have nobody who judges payments.
    let log = api.get::<Value>(&session, "/v1/log").await.ok();
    let risk = api.get::<Value>(&session, "/v1/risk/health").await.ok();
    let newest = list(&recent, "data");
    let (waiting, cases) = (list(&pending, "data"), list(&exceptions, "data"));
    let content = html! {
        div.cards {
            (in_flight(&pending))
            (waiting_for(&pending, "verification", "Wait for a person"))
            (waiting_for(&pending, "funds", "Wait for funds"))
            (in_doubt(&pending))
            (open(&exceptions))
            (cost_of(&operations["cost"]))
            @if let Some(log) = &log { (behind(log)) }
        }
        div.charts {
            section.card { h2 { "Pending, by what they wait for" } (reasons(waiting)) }
            section.card { h2 { "The last " (newest.len()) " payments" } (outcomes(newest)) }
            section.card { h2 { "Open exceptions, by age" } (ages(cases, console.sessions.now())) }
            section.card { h2 { "Open exceptions, by kind" } (kinds(cases)) }
            section.card { h2 { "Error budgets" } (running::objectives(&operations)) }
            section.card { h2 { "Rails and providers" } (running::ways(&operations, waiting)) }
            section.card #cost { h2 { "What a payment costs" } (running::cost(&operations["cost"])) }
            section.card { h2 { "What risk decided" } (running::risk(risk.as_ref())) }
        }
        section.card {
            h2 { "Newest payments" }
            @if newest.is_empty() { (first_payment()) } @else {
                div.scroll tabindex="0" { (table(&newest[..newest.len().min(12)])) }
            }
        }
    };
    let content = html! {
        (heading(&html! { "Overview" }, &live_sign()))
        (live::watched(&[("of", "overview")], &content))
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

/// A count of a list that may be longer than what was looked at.
fn counted(count: usize, page: &Value) -> String {
    let more = page.get("has_more") == Some(&Value::Bool(true));
    format!("{count}{}", if more { "+" } else { "" })
}

/// The money of payments whose outcome is open, by currency.
fn in_flight(pending: &Value) -> Markup {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for payment in list(pending, "data") {
        let sum = sums.entry(text(payment, "currency")).or_default();
        *sum = sum.saturating_add(number(payment, "amount"));
    }
    let more = pending.get("has_more") == Some(&Value::Bool(true));
    html! {
        a.card href="/console/payments?status=AUTH_PENDING" {
            div.name { "Money in flight" @if more { ", of the newest " (LOOKED_AT) } }
            @if sums.is_empty() { div.value { "None" } }
            @for (currency, sum) in &sums { div.value { (money(*sum, currency)) } }
        }
    }
}

/// The kinds of which most cases are open.
fn kinds(exceptions: &[Value]) -> Markup {
    const SHOWN_MAX: usize = 5;
    let mut counts: BTreeMap<&str, (usize, bool)> = BTreeMap::new();
    for exception in exceptions {
        let high = text(exception, "severity") == "high";
        let count = counts.entry(text(exception, "kind")).or_insert((0, high));
        count.0 += 1;
    }
    if counts.is_empty() {
        return html! { p.meta { "Nothing needs a person." } };
    }
    let mut rows: Vec<_> = counts.into_iter().collect();
    rows.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    rows.truncate(SHOWN_MAX);
    let rows: Vec<_> = { rows.into_iter() }
        .map(|(kind, (count, high))| Bar {
            name: plain(kind),
            count,
            tone: if high { "bad" } else { "doubt" },
        })
        .collect();
    bars("Open exceptions by kind", &rows)
}

fn waiting_for(pending: &Value, reason: &str, name: &str) -> Markup {
    let count = { list(pending, "data").iter() }
        .filter(|payment| text(payment, "pending") == reason)
        .count();
    let to = format!("/console/payments?status=AUTH_PENDING&pending={reason}");
    card(&to, name, &counted(count, pending))
}

/// Payments of which money may have moved.
fn in_doubt(pending: &Value) -> Markup {
    let doubts = list(pending, "data").iter();
    let count = doubts.filter(|payment| payment["in_doubt"] == true).count();
    let to = "/console/payments?status=AUTH_PENDING&pending=rails";
    card(to, "In doubt at a rail", &counted(count, pending))
}

fn cost_of(cost: &Value) -> Markup {
    let pico = number(cost, "per_payment_pico");
    html! {
        a.card href="#cost" {
            div.name { "A payment costs" }
            div.value { span.money { span.figure { (running::millionths(pico)) } " " abbr { "millionths of a " (text(cost, "currency")) } } }
        }
    }
}

fn open(exceptions: &Value) -> Markup {
    let count = list(exceptions, "data").len();
    card(
        "/console/exceptions",
        "Exceptions to do",
        &counted(count, exceptions),
    )
}

fn behind(log: &Value) -> Markup {
    let value = match number(log, "lag_ms") {
        lag if lag < 1_000 => format!("{lag} ms"),
        lag => format!("{} s", lag / 1_000),
    };
    card("/console/log", "Log behind the ledger", &value)
}

/// How many of the payments stand where.
fn outcomes(payments: &[Value]) -> Markup {
    let rows = [
        ("CLEARED", "Cleared", "good"),
        ("SETTLED", "Settled", "good"),
        ("INITIATED", "Initiated", "open"),
        ("AUTH_PENDING", "Pending", "open"),
        ("FAILED", "Failed", "bad"),
        ("REVERSED", "Reversed", "back"),
    ];
    let bar = |(status, name, tone): (&str, &str, &'static str)| Bar {
        name: name.to_owned(),
        count: { payments.iter() }
            .filter(|payment| text(payment, "status") == status)
            .count(),
        tone,
    };
    bars("Payments by status", &rows.map(bar))
}

/// What payments wait for, those of which money may have moved by themselves.
fn reasons(pending: &[Value]) -> Markup {
    let in_doubt = |payment: &Value| payment["in_doubt"] == true;
    let count = |reason: &str| {
        let waits = |payment: &&Value| !in_doubt(payment) && text(payment, "pending") == reason;
        pending.iter().filter(waits).count()
    };
    let bar = |name: &str, count: usize, tone| Bar {
        name: name.to_owned(),
        count,
        tone,
    };
    let doubts = pending.iter().filter(|payment| in_doubt(payment)).count();
    bars(
        "Pending payments by reason",
        &[
            bar("A person", count("verification"), "open"),
            bar("Funds", count("funds"), "open"),
            bar("A rail", count("rails"), "open"),
            bar("In doubt", doubts, "doubt"),
        ],
    )
}

/// How long open cases have been waiting.
fn ages(exceptions: &[Value], now: Timestamp) -> Markup {
    const HOUR_MS: u64 = 3_600_000;
    let bounds = [
        ("Under an hour", HOUR_MS, "good"),
        ("Under a day", 24 * HOUR_MS, "open"),
        ("Under a week", 7 * 24 * HOUR_MS, "doubt"),
        ("Older", u64::MAX, "bad"),
    ];
    let mut counts = bounds.map(|_| 0);
    for exception in exceptions {
        let opened = Timestamp::parse_rfc3339(text(exception, "opened_at"));
        let age = opened.map_or(0, |opened| now.ms_since(opened));
        let place = bounds.iter().position(|(_, below, _)| age < *below);
        counts[place.unwrap_or(bounds.len() - 1)] += 1;
    }
    let rows = bounds.iter().zip(counts);
    let rows: Vec<_> = rows
        .map(|((name, _, tone), count)| Bar {
            name: (*name).to_owned(),
            count,
            tone,
        })
        .collect();
    bars("Open exceptions by age", &rows)
}
