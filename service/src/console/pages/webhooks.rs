//! Webhook endpoints, and what became of what was sent to them.

use axum::{
    extract::{Path, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::console::{
    Console,
    ask::{ApiRouter, Refused},
    form::Fields,
    layout,
    parts::{action, empty, facts, heading, id, list, next, number, pill, text, time, whole_id},
    session::Session,
    words::{escaped, plain},
};

/// The endpoints.
pub async fn page(State(api): State<ApiRouter>, session: Session) -> Result<Markup, Refused> {
    let page: Value = api.get(&session, "/v1/webhook_endpoints?limit=100").await?;
    let content = html! {
        (heading(&html! { "Webhooks" }, &html! {}))
        @if list(&page, "data").is_empty() {
            (empty("Nobody is told of events yet.", &html! {
                "Add an endpoint with " code { "POST /v1/webhook_endpoints" } ". Deliveries are signed by the Standard Webhooks specification."
            }))
        } @else {
            div.scroll tabindex="0" { table {
                thead { tr { th scope="col" { "Endpoint" } th scope="col" { "State" } th scope="col" { "Address" } th scope="col" { "Events" } th scope="col" { "Added (UTC)" } } }
                tbody {
                    @for endpoint in list(&page, "data") {
                        tr {
                            td { (id("webhooks", text(endpoint, "id"))) }
                            td { (state(endpoint)) }
                            td { code { (text(endpoint, "url")) } }
                            td { (list(endpoint, "events").iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")) }
                            td { (time(text(endpoint, "created_at"))) }
                        }
                    }
                }
            } }
        }
    };
    Ok(layout::page(
        session.access(),
        "/console/webhooks",
        "Webhooks",
        &content,
    ))
}

fn state(endpoint: &Value) -> Markup {
    let state = text(endpoint, "state");
    pill(state, if state == "enabled" { "good" } else { "doubt" })
}

/// One endpoint.
pub async fn one(
    State(console): State<Console>,
    session: Session,
    Path(endpoint): Path<String>,
    RawQuery(asked): RawQuery,
) -> Result<Markup, Refused> {
    let api = &console.api;
    let fields = Fields::parse(&asked.unwrap_or_default());
    let path = format!("/v1/webhook_endpoints/{}", escaped(&endpoint));
    let deliveries = format!("{path}/deliveries");
    let cursor = [("cursor", fields.get("cursor"))];
    let (endpoint, deliveries) = tokio::try_join!(
        api.get::<Value>(&session, &path),
        api.list(&session, &deliveries, &cursor)
    )?;
    let at = format!("/console/webhooks/{}", text(&endpoint, "id"));
    let key = console.sessions.fresh_key();
    let send = |act: &str, words: &str, button: &str| {
        html! {
            form method="post" action=(format!("{at}/{act}")) {
                input type="hidden" name="key" value=(format!("{key}-{act}"));
                p { (words) }
                @if act == "replay" {
                    div.field { label for="since" { "Events since (UTC)" } input #since type="datetime-local" name="since" required; }
                }
                button.main type="submit" { (button) }
            }
        }
    };
    let actions = html! {
        @if session.may("POST", "/v1/webhook_endpoints/{id}/test") {
            (action("Send a test", false, &send("test", "Sends an event of its own, once.", "Send a test event")))
        }
        @if session.may("POST", "/v1/webhook_endpoints/{id}/replay") {
            (action("Send again", false, &send("replay", "Sends what happened since then once more, under the same ids.", "Send again")))
        }
    };
    let content = html! {
        (heading(&html! { "Endpoint" (state(&endpoint)) }, &actions))
        @if !fields.get("done").is_empty() {
            div.note data-tone="good" role="status" { p { @if fields.get("done") == "test" { "The test event was sent; see below." } @else { "They are being sent again." } } }
        }
        section.card { h2 { "Deliveries" } (table(list(&deliveries, "data"))) }
        (next(&at, &[], &deliveries))
        section.card { h2 { "Facts" } (facts(&[
            ("Endpoint", whole_id(text(&endpoint, "id"))),
            ("Address", html! { code { (text(&endpoint, "url")) } }),
            ("Description", html! { (text(&endpoint, "description")) }),
            ("Added", time(text(&endpoint, "created_at"))),
        ])) }
    };
    Ok(layout::page(
        session.access(),
        "/console/webhooks",
        "Webhook endpoint",
        &content,
    ))
}

fn table(deliveries: &[Value]) -> Markup {
    html! {
        div.scroll tabindex="0" { table {
            thead { tr { th scope="col" { "Event" } th scope="col" { "State" } th scope="col" { "Payment" } th.right scope="col" { "Tries" } th scope="col" { "Last try" } th scope="col" { "Next (UTC)" } } }
            tbody {
                @for delivery in deliveries {
                    @let tries = list(delivery, "attempts");
                    @let last = tries.last().unwrap_or(&Value::Null);
                    tr {
                        td { (plain(text(delivery, "type"))) }
                        td { (pill(text(delivery, "state"), match text(delivery, "state") { "delivered" => "good", "failed" => "bad", _ => "open" })) }
                        td { @if !text(delivery, "payment").is_empty() { (id("payments", text(delivery, "payment"))) } }
                        td.right.figure { (tries.len()) }
                        td {
                            @if last["status"].is_number() { (number(last, "status")) " in " (number(last, "latency_ms")) " ms" }
                            @else { (plain(text(last, "failure"))) }
                        }
                        td { @if !text(delivery, "next_try_at").is_empty() { (time(text(delivery, "next_try_at"))) } }
                    }
                }
            }
        } }
        @if deliveries.is_empty() { p.meta { "Nothing was sent yet." } }
    }
}

/// Sends a test event, or what happened again.
pub async fn act(
    State(api): State<ApiRouter>,
    session: Session,
    Path((endpoint, act)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Refused> {
    let path = format!("/v1/webhook_endpoints/{}/{act}", escaped(&endpoint));
    let body = match act.as_str() {
        "test" => Value::Null,
        "replay" => json!({"since": format!("{}:00Z", fields.get("since"))}),
        _ => return Ok(StatusCode::NOT_FOUND.into_response()),
    };
    api.post(&session, &path, fields.get("key"), &body).await?;
    let back = format!("/console/webhooks/{}?done={act}", escaped(&endpoint));
    Ok(Redirect::to(&back).into_response())
}
