//! What is going on: what is pending and why, what needs a person, how the log stands.

use axum::extract::State;
use maud::{Markup, html};
use serde_json::Value;

use super::payments::table;
use crate::console::{
    ask::{ApiRouter, Refused},
    layout,
    parts::{heading, list, number, text},
    session::Session,
};

/// How many of the newest are looked at. A list that is longer says so.
const LOOKED_AT: usize = 100;

/// The page.
pub async fn page(State(api): State<ApiRouter>, session: Session) -> Result<Markup, Refused> {
    let pending = format!("/v1/payments?status=AUTH_PENDING&limit={LOOKED_AT}");
    let recent = format!("/v1/payments?limit={LOOKED_AT}");
    let exceptions = format!("/v1/exceptions?limit={LOOKED_AT}");
    let (pending, recent, exceptions) = tokio::try_join!(
        api.get::<Value>(&session, &pending),
        api.get::<Value>(&session, &recent),
        api.get::<Value>(&session, &exceptions),
    )?;
    // A server may keep no log of its own.
    let log = api.get::<Value>(&session, "/v1/log").await.ok();
    let newest = list(&recent, "data");
    let content = html! {
        (heading(&html! { "Overview" }, &html! {}))
        div.cards {
            (waiting(&pending, "verification", "Wait for a person"))
            (waiting(&pending, "funds", "Wait for funds"))
            (waiting(&pending, "rails", "Wait for a rail"))
            (open(&exceptions))
            @if let Some(log) = &log { (behind(log)) }
        }
        div.columns {
            section.card {
                h2 { "Newest payments" }
                div.scroll { (table(&newest[..newest.len().min(12)])) }
            }
            section.card {
                h2 { "The last " (newest.len()) " payments" }
                (outcomes(newest))
            }
        }
    };
    Ok(layout::page("/console", "Overview", &content))
}

fn card(to: &str, name: &str, value: &str) -> Markup {
    html! { a.card href=(to) { div.name { (name) } div.value { (value) } } }
}

/// A count of a list that may be longer than what was looked at.
fn counted(count: usize, page: &Value) -> String {
    let more = page.get("has_more") == Some(&Value::Bool(true));
    format!("{count}{}", if more { "+" } else { "" })
}

fn waiting(pending: &Value, reason: &str, name: &str) -> Markup {
    let count = { list(pending, "data").iter() }
        .filter(|payment| text(payment, "pending") == reason)
        .count();
    let to = format!("/console/payments?status=AUTH_PENDING&pending={reason}");
    card(&to, name, &counted(count, pending))
}

fn open(exceptions: &Value) -> Markup {
    let count = { list(exceptions, "data").iter() }
        .filter(|exception| text(exception, "state") != "resolved")
        .count();
    card(
        "/console/exceptions",
        "Exceptions",
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

/// How many of the payments stand where, as bars with their figures beside them.
fn outcomes(payments: &[Value]) -> Markup {
    let rows = [
        ("CLEARED", "Cleared", "good"),
        ("SETTLED", "Settled", "good"),
        ("INITIATED", "Initiated", "open"),
        ("AUTH_PENDING", "Pending", "open"),
        ("FAILED", "Failed", "bad"),
        ("REVERSED", "Reversed", "back"),
    ];
    let count = |status: &str| {
        payments
            .iter()
            .filter(|p| text(p, "status") == status)
            .count()
    };
    let most = rows
        .iter()
        .map(|(status, ..)| count(status))
        .max()
        .unwrap_or(0)
        .max(1);
    html! {
        svg.bars viewBox="0 0 360 168" role="img" aria-label="Payments by status" {
            @for (at, (status, name, tone)) in rows.iter().enumerate() {
                @let y = at * 28;
                @let width = count(status) * 220 / most;
                text x="0" y=(y + 18) { (name) }
                rect class=(tone) x="84" y=(y + 6) width=(width.max(1)) height="16" rx="3" {
                    title { (name) ": " (count(status)) }
                }
                text x=(92 + width) y=(y + 18) { (count(status)) }
            }
        }
    }
}
