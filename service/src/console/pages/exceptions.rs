//! What a person must look at: the queue, and one case.

use axum::extract::{Path, RawQuery, State};
use maud::{Markup, html};
use serde_json::Value;

use crate::console::{
    ask::{ApiRouter, Refused},
    form::Fields,
    layout,
    parts::{empty, facts, heading, id, list, next, pill, text, time, whole_id},
    runbook,
    session::Session,
    words::{escaped, plain},
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
            div.scroll { table {
                thead { tr { th scope="col" { "Case" } th scope="col" { "Kind" } th scope="col" { "State" } th scope="col" { "Subject" } th scope="col" { "Why" } th scope="col" { "Opened (UTC)" } } }
                tbody {
                    @for exception in list(&page, "data") {
                        tr {
                            td { (id("exceptions", text(exception, "id"))) }
                            td { (plain(text(exception, "kind"))) }
                            td { (state(exception)) }
                            td { (subject(text(exception, "subject"))) }
                            td { (text(exception, "reason")) }
                            td { (time(text(exception, "opened_at"))) }
                        }
                    }
                }
            } }
        }
        (next("/console/exceptions", &[], &page))
    };
    Ok(layout::page("/console/exceptions", "Exceptions", &content))
}

fn state(exception: &Value) -> Markup {
    let state = text(exception, "state");
    pill(state, if state == "resolved" { "good" } else { "doubt" })
}

/// A subject that has a page leads to it.
fn subject(subject: &str) -> Markup {
    match subject.split_once('_') {
        Some(("pay", _)) => id("payments", subject),
        Some(("acc", _)) => id("accounts", subject),
        Some(("whk", _)) => id("webhooks", subject),
        _ => html! { code { (subject) } },
    }
}

/// One case.
pub async fn one(
    State(api): State<ApiRouter>,
    session: Session,
    Path(exception): Path<String>,
) -> Result<Markup, Refused> {
    let path = format!("/v1/exceptions/{}", escaped(&exception));
    let exception: Value = api.get(&session, &path).await?;
    let evidence = exception["evidence"].as_object();
    let content = html! {
        (heading(&html! { (plain(text(&exception, "kind"))) (state(&exception)) }, &html! {}))
        p.lead { (text(&exception, "reason")) }
        section.card { h2 { "Facts" } (facts(&[
            ("Case", whole_id(text(&exception, "id"))),
            ("Subject", subject(text(&exception, "subject"))),
            ("Opened", time(text(&exception, "opened_at"))),
        ])) }
        section.card {
            h2 { "Evidence" }
            @for (name, value) in evidence.into_iter().flatten() {
                (facts(&[(name.as_str(), html! { code { (value.as_str().unwrap_or_default()) } })]))
            }
            @if evidence.is_none_or(serde_json::Map::is_empty) { p.meta { "None was kept." } }
        }
        section.card.runbook { (runbook::of(&exception)) }
    };
    Ok(layout::page("/console/exceptions", "Exception", &content))
}
