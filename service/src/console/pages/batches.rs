//! Files of payments, and what became of their rows.

use axum::extract::{Path, RawQuery, State};
use maud::{Markup, html};
use serde_json::Value;

use crate::console::{
    ask::{ApiRouter, Refused},
    form::Fields,
    layout,
    parts::{empty, facts, heading, id, list, next, number, pill, text, time, whole_id},
    session::Session,
    words::{escaped, plain},
};

/// The files.
pub async fn page(
    State(api): State<ApiRouter>,
    session: Session,
    RawQuery(asked): RawQuery,
) -> Result<Markup, Refused> {
    let fields = Fields::parse(&asked.unwrap_or_default());
    let cursor = [("cursor", fields.get("cursor"))];
    let page = api.list(&session, "/v1/batches", &cursor).await?;
    let content = html! {
        (heading(&html! { "Batches" }, &html! {}))
        @if list(&page, "data").is_empty() {
            (empty("No file was sent yet.", &html! { "Send one: " code { "lombard pay FILE" } ". It may be pain.001, CSV or JSON Lines." }))
        } @else {
            div.scroll tabindex="0" { table {
                thead { tr {
                    th scope="col" { "Batch" } th scope="col" { "State" } th scope="col" { "Format" } th.right scope="col" { "Rows" } th.right scope="col" { "Cleared" }
                    th.right scope="col" { "Pending" } th.right scope="col" { "Failed" } th.right scope="col" { "Rejected" } th scope="col" { "Sent (UTC)" }
                } }
                tbody {
                    @for batch in list(&page, "data") {
                        tr {
                            td { (id("batches", text(batch, "id"))) }
                            td { (state(batch)) }
                            td { (text(batch, "format")) }
                            @for member in ["rows", "cleared", "pending", "failed", "rejected"] {
                                td.right.figure { (number(&batch["counts"], member)) }
                            }
                            td { (time(text(batch, "created_at"))) }
                        }
                    }
                }
            } }
        }
        (next("/console/batches", &[], &page))
    };
    Ok(layout::page(
        session.access(),
        "/console/batches",
        "Batches",
        &content,
    ))
}

fn state(batch: &Value) -> Markup {
    let state = text(batch, "state");
    let tone = match state {
        "completed" => "good",
        "interrupted" => "doubt",
        _ => "open",
    };
    pill(state, tone)
}

/// One file.
pub async fn one(
    State(api): State<ApiRouter>,
    session: Session,
    Path(batch): Path<String>,
    RawQuery(asked): RawQuery,
) -> Result<Markup, Refused> {
    let fields = Fields::parse(&asked.unwrap_or_default());
    let path = format!("/v1/batches/{}", escaped(&batch));
    let rows = format!("{path}/rows");
    let cursor = [("cursor", fields.get("cursor"))];
    let (batch, rows) = tokio::try_join!(
        api.get::<Value>(&session, &path),
        api.list(&session, &rows, &cursor)
    )?;
    let counts = &batch["counts"];
    let content = html! {
        (heading(&html! { "Batch" (state(&batch)) }, &html! {}))
        div.cards {
            @for member in ["rows", "cleared", "pending", "failed", "rejected", "duplicates"] {
                div.card { div.name { (plain(member)) } div.value { (number(counts, member)) } }
            }
        }
        section.card {
            h2 { "Rows" }
            (table(list(&rows, "data")))
        }
        (next(&format!("/console/batches/{}", text(&batch, "id")), &[], &rows))
        section.card { h2 { "Facts" } (facts(&[
            ("Batch", whole_id(text(&batch, "id"))),
            ("Format", html! { (text(&batch, "format")) " " (text(&batch, "message")) }),
            ("SHA-256", whole_id(text(&batch, "sha256"))),
            ("Sent", time(text(&batch, "created_at"))),
        ])) }
    };
    Ok(layout::page(
        session.access(),
        "/console/batches",
        "Batch",
        &content,
    ))
}

fn table(rows: &[Value]) -> Markup {
    html! {
        div.scroll tabindex="0" { table {
            thead { tr { th.right scope="col" { "Row" } th scope="col" { "Outcome" } th scope="col" { "Payment" } th scope="col" { "Status" } th scope="col" { "End-to-end id" } th scope="col" { "Why" } } }
            tbody {
                @for row in rows {
                    tr {
                        td.right.figure { (number(row, "row")) }
                        td { (pill(text(row, "outcome"), if text(row, "outcome") == "rejected" { "bad" } else { "open" })) }
                        td { @if !text(row, "payment").is_empty() { (id("payments", text(row, "payment"))) } }
                        td { (plain(text(row, "status"))) }
                        td { code { (text(row, "end_to_end_id")) } }
                        td { (text(row, "detail")) }
                    }
                }
            }
        } }
    }
}
