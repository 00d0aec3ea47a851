//! What an action on a case would do, shown before it is done: the journal, where the payment would stand,
//! and whether a second person must agree.

use std::collections::BTreeMap;

use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde_json::Value;

use super::{case::seen, transaction::legs};
use crate::console::{
    Console,
    ask::Refused,
    form::Fields,
    layout,
    parts::{empty, heading, id, list, query, text},
    session::Session,
    words::{escaped, plain},
};

/// Whether an action posts something, or moves a payment, by what a person says.
pub fn moves(action: &str) -> bool {
    !matches!(action, "ask" | "ignore" | "enquire" | "reprocess")
}

/// An action in words, and what it does.
pub fn meaning(action: &str) -> (&'static str, &'static str) {
    match action {
        "link" => ("Link", "The line is this payment; it is settled by it."),
        "write_off" => (
            "Write off",
            "The money is posted as a loss, or a gain, of ours.",
        ),
        "suspense" => (
            "Suspense",
            "The money waits in suspense until it is known whose it is.",
        ),
        "compensate" => (
            "Compensate",
            "The money left, so the payer's account is debited for it.",
        ),
        "mark_paid" => (
            "Mark as paid",
            "The rail's own records say that it was paid.",
        ),
        "mark_not_paid" => (
            "Mark as not paid",
            "The rail's own records say that it was not; what is held is released.",
        ),
        "resubmit" => (
            "Send again",
            "It goes out under the key that it had; a rail that saw it pays it once.",
        ),
        "enquire" => (
            "Ask again",
            "The rail or the other bank is asked once more; an answer closes the case.",
        ),
        "reprocess" => (
            "Do it again",
            "What a worker gave up is done again from the step that failed.",
        ),
        "ask" => ("Asked", "The other side was asked; the case stays open."),
        "ignore" => ("Close", "Nothing is left to be done; no money moves."),
        _ => ("Other", "As the runbook says."),
    }
}

/// The page that a form of the case leads to.
pub async fn page(
    console: &Console,
    session: &Session,
    exception: &str,
    fields: &Fields,
) -> Result<Response, Refused> {
    let api = &console.api;
    let path = format!("/v1/exceptions/{}", escaped(exception));
    let case: Value = api.get(session, &path).await?;
    let action = fields.get("action");
    let asked = query(&["action", "payment", "reference"].map(|name| (name, fields.get(name))));
    let preview = format!("{path}/preview?{}", asked.trim_end_matches('&'));
    let preview: Value = api.get(session, &preview).await?;
    let journal = list(&preview, "journal");
    let mut names = BTreeMap::new();
    for leg in journal.iter().flat_map(|it| list(it, "legs")) {
        let account = text(leg, "account");
        if !names.contains_key(account) {
            let path = format!("/v1/accounts/{}", escaped(account));
            let found = api.get::<Value>(session, &path).await.ok();
            let name = found.map_or_else(String::new, |it| text(&it, "name").to_owned());
            names.insert(account.to_owned(), name);
        }
    }
    let account = |of: &str| {
        let name = names.get(of).map_or("", String::as_str);
        html! { @if !name.is_empty() { (name) " " } (id("accounts", of)) }
    };
    let (word, about) = meaning(action);
    let title = html! { (word) };
    let content = html! {
        (heading(&title, &html! { a.button href=(format!("/console/exceptions/{exception}")) { "Back to the case" } }))
        p.lead { (about) }
        @if preview["needs_approval"] == true {
            div.note data-tone="doubt" { p {
                "It is more than one person may move alone. It is proposed now, and done when another one who may approve asks for the same."
            } }
        }
        section.card {
            h2 { "What would be posted" }
            @if journal.is_empty() {
                (empty("Nothing is posted.", &html! { "The books stay as they are." }))
            }
            @for transaction in journal {
                h3 { (plain(text(transaction, "journal"))) }
                (legs(list(transaction, "legs"), account))
            }
            (stands(text(&preview, "status"), text(&preview, "status_after")))
        }
        section.card { (confirm(console, &case, fields, text(&preview, "seen"), &preview)) }
    };
    let at = "/console/exceptions";
    Ok(layout::page(session.access(), at, word, &content).into_response())
}

/// Where the payment stands and would stand, if the case is about one.
fn stands(before: &str, after: &str) -> Markup {
    match (before, after) {
        ("", _) => html! {},
        _ if before == after => html! { p.meta { "The payment stays " strong { (before) } "." } },
        _ => html! {
            p.meta { "The payment is " strong { (before) } " and would be " strong { (after) } "." }
        },
    }
}

/// The form that does it, while case and preview are as they are shown.
fn confirm(
    console: &Console,
    case: &Value,
    fields: &Fields,
    shown: &str,
    preview: &Value,
) -> Markup {
    let (word, _) = meaning(fields.get("action"));
    let proposes = preview["needs_approval"] == true;
    html! {
        form method="post" action=(format!("/console/exceptions/{}/resolve", text(case, "id"))) {
            input type="hidden" name="key" value=(console.sessions.fresh_key());
            input type="hidden" name="seen" value=(seen(case));
            input type="hidden" name="shown" value=(shown);
            @for name in ["action", "payment", "reference"] {
                input type="hidden" name=(name) value=(fields.get(name));
            }
            @if !fields.get("reference").is_empty() { p { "Evidence: " strong { (fields.get("reference")) } } }
            label.field { "Why; it is kept"
                textarea name="note" rows="2" maxlength="1000" required { (fields.get("note")) }
            }
            button.main type="submit" { @if proposes { "Propose: " (word.to_lowercase()) } @else { (word) } }
        }
    }
}
