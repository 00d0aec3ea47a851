//! One payment: how it stands, why, what happened, what is in the books, and what can be done.

mod beside;

use axum::{
    extract::{Path, RawQuery, State},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde_json::{Value, json};

use beside::Beside;

use super::payments::party;
use crate::console::{
    Console,
    ask::{ApiRouter, Refused},
    form::Fields,
    layout, live,
    parts::{
        action, facts, heading, id, list, live_sign, money, number, pill, status, text, time,
        whole_id,
    },
    session::Session,
    words::{amount, escaped, plain},
};

/// The page.
pub async fn page(
    State(console): State<Console>,
    session: Session,
    Path(payment): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Markup, Refused> {
    let api = &console.api;
    let path = format!("/v1/payments/{}", escaped(&payment));
    let timeline_path = format!("{path}/timeline");
    let payment: Value = api.get(&session, &path).await?;
    let ledger = format!("/v1/ledger?payment={}&limit=100", text(&payment, "id"));
    let (timeline, books) = tokio::try_join!(
        api.get::<Value>(&session, &timeline_path),
        api.get::<Value>(&session, &ledger),
    )?;
    let entries = list(&books, "data");
    let beside = Beside::of(api, &session, &payment).await;
    let done = Fields::parse(&query.unwrap_or_default());
    let proofs = match done.get("verify") {
        "" => None,
        _ => Some(beside::proofs(&console, &session, entries).await),
    };
    let key = console.sessions.fresh_key();
    let title = html! {
        (money(number(&payment, "amount"), text(&payment, "currency"))) (status(&payment))
    };
    let content = html! {
        (heading(&title, &html! { (live_sign()) (actions(&session, &payment, &key)) }))
        @if !done.get("done").is_empty() {
            div.note data-tone="good" role="status" { p { (done_words(done.get("done"))) } }
        }
        (why(&payment))
        div.columns {
            section.card { h2 { "Timeline" } (timeline_of(&timeline, text(&payment, "trace_id"))) }
            section.card { h2 { "Facts" } (facts_of(&payment)) }
        }
        section.card #books {
            h2 { "In the books" }
            @if let Some(proofs) = &proofs { (proofs) }
            (books_of(entries))
            @if !entries.is_empty() {
                p.run { a.button href=(format!("/console/payments/{}?verify=now#books", text(&payment, "id"))) { "Verify the proofs" } }
            }
        }
        (beside.cards(&payment))
    };
    let watched = [("of", "payment"), ("id", text(&payment, "id"))];
    Ok(layout::page(
        session.access(),
        "/console/payments",
        "Payment",
        &live::watched(&watched, &content),
    ))
}

/// Why it waits or ended, in a sentence that says what can be done.
fn why(payment: &Value) -> Markup {
    let reason = text(payment, "reason");
    let words = match (text(payment, "status"), text(payment, "pending")) {
        _ if payment["in_doubt"] == true => {
            "The rail did not answer in time. Money may have moved, so it is asked again with growing pauses; do not send it a second time."
        }
        (_, "verification") => "It waits until a person confirms it.",
        (_, "funds") => "It waits until the debtor's account has the money.",
        ("AUTH_PENDING", _) => "It has left, and the rail owes an answer.",
        ("INITIATED", _) => "It is accepted and about to leave.",
        ("FAILED", _) => "It failed; no money moved.",
        ("REVERSED", _) => "The money moved, and moved back.",
        _ => return html! {},
    };
    let tone = if text(payment, "status") == "FAILED" {
        "bad"
    } else {
        "open"
    };
    html! {
        div.note data-tone=(tone) {
            p {
                (words)
                @if !reason.is_empty() { " Reason: " strong { (plain(reason)) } }
                @if !text(payment, "reason_code").is_empty() { " (" code { (text(payment, "reason_code")) } ")" }
            }
        }
    }
}

/// A trace is told where it is another than the payment's own.
fn timeline_of(timeline: &Value, own: &str) -> Markup {
    html! {
        ol.timeline {
            @for event in list(timeline, "data") {
                @let tone = match text(event, "status") {
                    "CLEARED" | "SETTLED" => "good", "FAILED" => "bad", "REVERSED" => "back", _ => "open",
                };
                li data-tone=(tone) {
                    div.what { (plain(text(event, "type").trim_start_matches("payment."))) }
                    @if !text(event, "reason").is_empty() {
                        div { (plain(text(event, "reason"))) @if !text(event, "reason_code").is_empty() { " (" code { (text(event, "reason_code")) } ")" } }
                    }
                    div.meta { (time(text(event, "at"))) " by " (text(event, "actor")) }
                    @if !text(event, "trace_id").is_empty() && text(event, "trace_id") != own { div.meta { "Trace " code { (text(event, "trace_id")) } } }
                }
            }
        }
    }
}

fn facts_of(payment: &Value) -> Markup {
    let plain_text = |name: &str| html! { (text(payment, name)) };
    let mut rows = vec![
        ("Payment", whole_id(text(payment, "id"))),
        ("From", party(&payment["debtor"])),
        ("To", party(&payment["creditor"])),
        (
            "Rail",
            html! { (text(payment, "rail")) ", " (text(payment, "direction")) },
        ),
        ("End-to-end id", whole_id(text(payment, "end_to_end_id"))),
    ];
    for (name, member) in [
        ("Rail's reference", "rail_reference"),
        ("Trace", "trace_id"),
    ] {
        if !text(payment, member).is_empty() {
            rows.push((name, whole_id(text(payment, member))));
        }
    }
    for (name, member) in [("Original", "original"), ("Batch", "batch")] {
        if !text(payment, member).is_empty() {
            let to = if member == "batch" {
                "batches"
            } else {
                "payments"
            };
            rows.push((name, id(to, text(payment, member))));
        }
    }
    for (name, member) in [
        ("Created", "created_at"),
        ("Left", "submitted_at"),
        ("Ends", "expires_at"),
    ] {
        if !text(payment, member).is_empty() {
            rows.push((name, time(text(payment, member))));
        }
    }
    let returned = number(payment, "returned_amount");
    if returned > 0 {
        rows.push(("Returned", money(returned, text(payment, "currency"))));
    }
    if payment["recall"].is_object() {
        rows.push(("Recall", pill(text(&payment["recall"], "state"), "doubt")));
    }
    rows.push(("If funds lack", plain_text("on_insufficient_funds")));
    facts(&rows)
}

fn books_of(transactions: &[Value]) -> Markup {
    html! {
        div.scroll tabindex="0" { table {
            thead { tr {
                th scope="col" { "Transaction" } th scope="col" { "Journal" } th scope="col" { "Account" }
                th scope="col" { "Layer" } th.right scope="col" { "Debit" } th.right scope="col" { "Credit" } th scope="col" { "At (UTC)" }
            } }
            tbody {
                @for transaction in transactions {
                    @for (at, leg) in list(transaction, "legs").iter().enumerate() {
                        @let figure = amount(number(leg, "amount"), text(leg, "currency"));
                        tr {
                            td { @if at == 0 { (id("ledger", text(transaction, "id"))) } }
                            td { @if at == 0 { (plain(text(transaction, "journal"))) } }
                            td { (id("accounts", text(leg, "account"))) }
                            td { (text(leg, "layer")) }
                            td.right.figure { @if text(leg, "side") == "debit" { (figure) } }
                            td.right.figure { @if text(leg, "side") == "credit" { (figure) } }
                            td { @if at == 0 { (time(text(transaction, "at"))) } }
                        }
                    }
                }
            }
        } }
        @if transactions.is_empty() { p.meta { "Nothing was entered for it." } }
    }
}

/// What can be asked of it as it stands. Each form names the state that it was made from.
fn actions(session: &Session, payment: &Value, key: &str) -> Markup {
    let (status, direction) = (text(payment, "status"), text(payment, "direction"));
    let waits =
        matches!(status, "INITIATED" | "AUTH_PENDING") && text(payment, "submitted_at").is_empty();
    let moved = matches!(status, "CLEARED" | "SETTLED");
    let verifies = text(payment, "pending") == "verification";
    let doubts = payment["in_doubt"] == true;
    let may = |to: &str| session.may("POST", &format!("/v1/payments/{{id}}/{to}"));
    let form = |act: &str, inside: &Markup, word: &str, danger: bool| {
        html! {
            form method="post" action=(format!("/console/payments/{}/{act}", text(payment, "id"))) {
                input type="hidden" name="key" value=(format!("{key}-{act}"));
                input type="hidden" name="seen" value=(text(payment, "updated_at"));
                (inside)
                button.main.danger[danger] type="submit" { (word) }
            }
        }
    };
    let reason = |codes: &[&str]| {
        html! {
            div.field {
                label for="reason" { "Reason" }
                select #reason name="reason" { @for code in codes { option value=(code) { (plain(code)) } } }
            }
        }
    };
    html! {
        @if doubts && may("enquiry") {
            (action("Ask the rail", false, &form("enquiry", &html! { p { "Asks the rail now what became of it, and takes in what it says. It is asked by itself too, with growing pauses." } }, "Ask the rail now", false)))
        }
        @if verifies && may("verification") {
            (action("Approve", false, &form("approve", &html! { p { "Confirm that it may be paid." } }, "Approve", false)))
            (action("Refuse", true, &form("refuse", &html! { p { "It fails; no money moves." } }, "Refuse", true)))
        }
        @if waits && may("cancel") {
            (action("Cancel", true, &form("cancel", &html! { p { "It has not left. It fails, and what is held is released." } }, "Cancel the payment", true)))
        }
        @if moved && direction == "in" && may("returns") {
            (action("Return", true, &form("returns", &html! {
                p { "Pays the money back to whom it came from." }
                (remaining(payment))
                (reason(&["customer_requested", "duplicate", "fraud_suspected", "account_closed"]))
            }, "Return the money", true)))
        }
        @if moved && direction == "out" && may("recall") {
            (action("Ask it back", true, &form("recall", &html! {
                p { "Asks the payee's bank to return the money. It may refuse." }
                (reason(&["duplicate", "fraud_suspected", "technical_error", "customer_requested"]))
            }, "Ask for a recall", true)))
        }
    }
}

/// How much may be returned, and a field for less.
fn remaining(payment: &Value) -> Markup {
    let gone = number(payment, "returned_amount") + number(payment, "returning_amount");
    let left = number(payment, "amount").saturating_sub(gone);
    html! {
        div.field {
            label for="amount" { "Minor units of " (text(payment, "currency")) ", at most " (left) }
            input #amount name="amount" inputmode="numeric" pattern="[0-9]+" value=(left) required;
        }
    }
}

fn done_words(done: &str) -> &'static str {
    match done {
        "approve" => "Approved.",
        "refuse" => "Refused.",
        "cancel" => "Cancelled.",
        "enquiry" => "The rail was asked. This is what it says.",
        "returns" => "The return is on its way.",
        "recall" => "The recall was asked for.",
        "stale" => {
            "The payment changed since the page was made, so nothing was done. This is how it stands now."
        }
        _ => "Done.",
    }
}

/// Does what a form asks, unless the payment changed since the page was made.
pub async fn act(
    State(api): State<ApiRouter>,
    session: Session,
    Path((payment, act)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Refused> {
    let path = format!("/v1/payments/{}", escaped(&payment));
    let (to, body) = match act.as_str() {
        "approve" => ("verification", json!({"result": "passed"})),
        "refuse" => ("verification", json!({"result": "refused"})),
        "cancel" => ("cancel", Value::Null),
        "enquiry" => ("enquiry", Value::Null),
        "recall" => ("recall", json!({"reason": fields.get("reason")})),
        "returns" => {
            let amount = fields.get("amount").parse::<u64>().ok();
            (
                "returns",
                json!({"amount": amount, "reason": fields.get("reason")}),
            )
        }
        _ => return Ok(axum::http::StatusCode::NOT_FOUND.into_response()),
    };
    let now: Value = api.get(&session, &path).await?;
    let act = if text(&now, "updated_at") == fields.get("seen") {
        let to = format!("{path}/{to}");
        api.post(&session, &to, fields.get("key"), &body).await?;
        act.as_str()
    } else {
        "stale"
    };
    let back = format!("/console/payments/{}?done={act}", escaped(&payment));
    Ok(Redirect::to(&back).into_response())
}
