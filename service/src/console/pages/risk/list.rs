//! One list: who is on it, who put them there and why, and putting somebody on or taking him off.

use axum::{
    extract::{Path, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde_json::json;

use super::{AT, reason, told};
use crate::console::{
    Console,
    ask::{ApiRouter, Refused},
    form::Fields,
    layout,
    parts::{action, empty, heading, list, next, text, time},
    session::Session,
    words::escaped,
};

/// The page.
pub async fn page(
    State(console): State<Console>,
    session: Session,
    Path(name): Path<String>,
    RawQuery(asked): RawQuery,
) -> Result<Markup, Refused> {
    let asked = Fields::parse(&asked.unwrap_or_default());
    let path = format!("/v1/risk/lists/{}", escaped(&name));
    let cursor = [("cursor", asked.get("cursor"))];
    let entries = console.api.list(&session, &path, &cursor).await?;
    let at = format!("/console/risk/lists/{}", escaped(&name));
    let key = console.sessions.fresh_key();
    let changes = session.may("POST", "/v1/risk/lists/{id}/entries");
    let actions = html! {
        @if changes { (action("Put somebody on it", false, &html! { form method="post" action=(format!("{at}/entries")) {
            input type="hidden" name="key" value=(format!("{key}-entries"));
            label.field { "Who, as the explanation of a decision has it" input name="subject" pattern="[0-9a-f]{16}" required autocomplete="off" spellcheck="false"; }
            label.field { "Until (UTC); empty for good" input type="datetime-local" name="until"; }
            (reason())
            button.main type="submit" { "Put on the list" }
        } })) }
    };
    let content = html! {
        (heading(&html! { "List " (name) }, &actions))
        (told(asked.get("done")))
        @if list(&entries, "data").is_empty() {
            (empty("Nobody is on it.", &html! { "A rule asks it with " code { "in_list('" (name) "', payee)" } "." }))
        } @else {
            div.scroll tabindex="0" { table {
                thead { tr { th scope="col" { "Who" } th scope="col" { "Until (UTC)" } th scope="col" { "Put there" } th scope="col" { "Why" } @if changes { th scope="col" { "Take off" } } } }
                tbody { @for entry in list(&entries, "data") {
                    @let who = text(entry, "subject");
                    tr {
                        td { code { (who) } }
                        td { @if text(entry, "expires_at").is_empty() { "For good" } @else { (time(text(entry, "expires_at"))) @if entry["listed"] == false { " (over)" } } }
                        td { @if text(&entry["added"], "by").is_empty() { span.meta { "By the policy's file" } } @else { (time(text(&entry["added"], "at"))) " by " code { (text(&entry["added"], "by")) } } }
                        td { (text(&entry["added"], "reason")) }
                        @if changes { td { (action(&format!("Take {who} off"), true, &html! { form method="post" action=(format!("{at}/removals")) {
                            input type="hidden" name="key" value=(format!("{key}-{who}"));
                            input type="hidden" name="subject" value=(who);
                            (reason())
                            button.main.danger type="submit" { "Take off the list" }
                        } })) } }
                    }
                } }
            } }
        }
        (next(&at, &[], &entries))
    };
    Ok(layout::page(session.access(), AT, &name, &content))
}

/// The form that makes a list.
pub fn make(key: &str) -> Markup {
    html! { form method="post" action="/console/risk/lists" {
        input type="hidden" name="key" value=(key);
        label.field { "Name" input name="name" maxlength="100" required autocomplete="off"; }
        (reason())
        button.main type="submit" { "Make the list" }
    } }
}

/// Makes a list.
pub async fn made(
    State(api): State<ApiRouter>,
    session: Session,
    fields: Fields,
) -> Result<Response, Refused> {
    let (name, reason) = (fields.get("name"), fields.get("reason"));
    let body = json!({"name": name, "reason": reason});
    let key = fields.get("key");
    api.post(&session, "/v1/risk/lists", key, &body).await?;
    Ok(Redirect::to(&format!("/console/risk/lists/{}", escaped(name))).into_response())
}

/// Puts somebody on a list, or takes him off.
pub async fn act(
    State(api): State<ApiRouter>,
    session: Session,
    Path((name, act)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Refused> {
    let mut body = json!({"subject": fields.get("subject"), "reason": fields.get("reason")});
    let done = match act.as_str() {
        "entries" => "listed",
        "removals" => "taken_off",
        _ => return Ok(StatusCode::NOT_FOUND.into_response()),
    };
    if act == "entries" && !fields.get("until").is_empty() {
        body["expires_at"] = json!(format!("{}:00Z", fields.get("until")));
    }
    let path = format!("/v1/risk/lists/{}/{act}", escaped(&name));
    api.post(&session, &path, fields.get("key"), &body).await?;
    let back = format!("/console/risk/lists/{}?done={done}", escaped(&name));
    Ok(Redirect::to(&back).into_response())
}
