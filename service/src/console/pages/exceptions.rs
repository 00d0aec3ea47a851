//! What a person must look at: the queue.

use axum::extract::{RawQuery, State};
use maud::{Markup, html};
use serde_json::Value;

use crate::console::{
    ask::{ApiRouter, Refused},
    form::Fields,
    layout,
    parts::{empty, heading, id, list, next, pill, text, time},
    session::Session,
    words::plain,
};

/// The queue.
pub async fn page(
    State(api): State<ApiRouter>,
    session: Session,
    RawQuery(asked): RawQuery,
) -> Result<Markup, Refused> {
    let fields = Fields::parse(&asked.unwrap_or_default());
    let cursor = [("cursor", fields.get("cursor"))];
    let page = api.list(&session, "/v1/exceptions", &cursor).await?;
    let content = html! {
        (heading(&html! { "Exceptions" }, &html! {}))
        @if list(&page, "data").is_empty() {
            (empty("Nothing needs a person.", &html! {
                "What a machine cannot finish comes here, with its evidence: payments that no rail will speak of, messages about "
                "payments that nobody made, webhooks given up."
            }))
        } @else {
            div.scroll tabindex="0" { table {
                thead { tr { th scope="col" { "Case" } th scope="col" { "Kind" } th scope="col" { "State" } th scope="col" { "Subject" } th scope="col" { "Why" } th scope="col" { "With" } th scope="col" { "Opened (UTC)" } } }
                tbody {
                    @for exception in list(&page, "data") {
                        tr {
                            td { (id("exceptions", text(exception, "id"))) }
                            td { (plain(text(exception, "kind"))) }
                            td { (state(exception)) }
                            td { (subject(text(exception, "subject"))) }
                            td { (text(exception, "reason")) }
                            td { (text(exception, "assignee")) }
                            td { (time(text(exception, "opened_at"))) }
                        }
                    }
                }
            } }
        }
        (next("/console/exceptions", &[], &page))
    };
    Ok(layout::page(
        &session.access,
        "/console/exceptions",
        "Exceptions",
        &content,
    ))
}

/// Where a case stands.
pub fn state(exception: &Value) -> Markup {
    let state = text(exception, "state");
    pill(state, if state == "resolved" { "good" } else { "doubt" })
}

/// A subject that has a page leads to it.
pub fn subject(subject: &str) -> Markup {
    match subject.split_once('_') {
        Some(("pay", _)) => id("payments", subject),
        Some(("acc", _)) => id("accounts", subject),
        Some(("whk", _)) => id("webhooks", subject),
        _ => html! { code { (subject) } },
    }
}
