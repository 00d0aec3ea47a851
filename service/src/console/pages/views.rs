//! Saved views above a list: those that somebody keeps, and keeping the filters that he looks at.

use axum::{
    extract::{Path, State},
    response::Redirect,
};
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::console::{
    Console,
    ask::{ApiRouter, Refused},
    form::Fields,
    parts::{action, list, text},
    session::Session,
    words::escaped,
};

/// The views of a list beside each other, and a form that keeps the one that is looked at. `query` is
/// what the list was asked for.
pub async fn bar(
    console: &Console,
    session: &Session,
    of: &str,
    query: &str,
) -> Result<Markup, Refused> {
    if !session.may("GET", "/v1/views") {
        return Ok(html! {});
    }
    let kept: Value = console.api.get(session, "/v1/views").await?;
    let all = list(&kept, "data").iter();
    let own: Vec<&Value> = all.filter(|view| text(view, "list") == of).collect();
    let here = |view: &Value| text(view, "query") == query;
    let known = own.iter().find(|view| here(view));
    let key = console.sessions.fresh_key();
    let hidden = html! {
        input type="hidden" name="list" value=(of);
        input type="hidden" name="query" value=(query);
    };
    let keep = html! {
        form method="post" action="/console/views" {
            (hidden)
            input type="hidden" name="key" value=(key);
            div.field { label for="view-name" { "Name" } input #view-name name="name" maxlength="60" required autocomplete="off"; }
            p.meta { "It is kept for you alone." }
            button.main type="submit" { "Save the view" }
        }
    };
    Ok(html! {
        div.views {
            nav aria-label="Saved views" {
                a href=(format!("/console/{of}")) aria-current=[query.is_empty().then_some("page")] { "All" }
                @for view in &own {
                    a href=(format!("/console/{of}?{}", text(view, "query"))) aria-current=[here(view).then_some("page")] { (text(view, "name")) }
                }
            }
            @if let Some(view) = known {
                form method="post" action=(format!("/console/views/{}/delete", text(view, "id"))) {
                    (hidden)
                    button.quiet type="submit" { "Delete this view" }
                }
            } @else if !query.is_empty() {
                (action("Save these filters", false, &keep))
            }
        }
    })
}

/// The list that a form came from. It is one of ours whatever the form says.
fn back(fields: &Fields, query: &str) -> Redirect {
    let of = match fields.get("list") {
        "exceptions" => "exceptions",
        _ => "payments",
    };
    Redirect::to(&format!("/console/{of}?{query}"))
}

/// Keeps a view.
pub async fn keep(
    State(api): State<ApiRouter>,
    session: Session,
    fields: Fields,
) -> Result<Redirect, Refused> {
    let of = |name| fields.get(name);
    let body = json!({"list": of("list"), "name": of("name"), "query": of("query")});
    api.post(&session, "/v1/views", of("key"), &body).await?;
    // The API took it as a query, so it is one.
    Ok(back(&fields, of("query")))
}

/// Deletes one.
pub async fn delete(
    State(api): State<ApiRouter>,
    session: Session,
    Path(view): Path<String>,
    fields: Fields,
) -> Result<Redirect, Refused> {
    let path = format!("/v1/views/{}", escaped(&view));
    api.delete(&session, &path).await?;
    Ok(back(&fields, ""))
}
