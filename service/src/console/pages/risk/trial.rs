//! Trying a condition on what was paid, and proposing it when it does what it should.

use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{AT, reason, report, rule_of};
use crate::console::{
    Console,
    ask::{ApiRouter, Refused},
    form::Fields,
    layout,
    parts::{heading, list, number, query},
    session::Session,
    words::escaped,
};

/// The page: a condition, and below it what it would have done.
pub async fn page(
    State(console): State<Console>,
    session: Session,
    RawQuery(asked): RawQuery,
) -> Result<Markup, Refused> {
    let api = &console.api;
    let asked = Fields::parse(&asked.unwrap_or_default());
    let condition = asked.get("condition");
    let tried = match condition {
        "" => None,
        condition => {
            let query = query(&[("condition", condition)]);
            let path = format!("/v1/risk/backtest?{query}limit=20000");
            Some(api.get::<Value>(&session, &path).await)
        }
    };
    let newest = newest(api, &session, asked.get("name")).await?;
    let content = html! {
        (heading(&html! { "Try a rule" }, &html! {}))
        section.card {
            form method="get" action="/console/risk/try" {
                input type="hidden" name="name" value=(asked.get("name"));
                input type="hidden" name="says" value=(asked.get("says"));
                label.field { "Condition" textarea name="condition" rows="4" maxlength="2000" required spellcheck="false" { (condition) } }
                p.meta { "Amounts are whole minor units, such as " code { "new_payee && amount > 50000" } ". docs/risk-rules.md has the language, docs/risk-features.md every feature." }
                button.main type="submit" { "Run the back-test" }
            }
        }
        @match &tried {
            None => {}
            Some(Err(refused)) => { div.note data-tone="bad" role="alert" { p { (refused.detail) } } }
            Some(Ok(found)) => {
                section.card {
                    h2 { "What it would have done" }
                    (report(&found["report"]))
                    p.meta {
                        "Of the oldest 20,000 payments, each with what was known when it was made; "
                        (number(found, "unjudged")) " more were never judged."
                    }
                }
                @if session.may("POST", "/v1/risk/rules") {
                    section.card { h2 { "Propose it" } (proposal(&console.sessions.fresh_key(), &asked, newest)) }
                }
            }
        }
    };
    Ok(layout::page(session.access(), AT, "Try a rule", &content))
}

/// The newest version of a rule, 0 when there is none.
async fn newest(api: &ApiRouter, session: &Session, name: &str) -> Result<u64, Refused> {
    if name.is_empty() {
        return Ok(0);
    }
    match rule_of(api, session, name).await {
        Ok(rule) => {
            let last = list(&rule, "versions").last();
            Ok(last.map_or(0, |version| number(version, "version")))
        }
        Err(refused) if refused.status == StatusCode::NOT_FOUND => Ok(0),
        Err(refused) => Err(refused),
    }
}

fn proposal(key: &str, asked: &Fields, newest: u64) -> Markup {
    let actions = [
        ("review", "Review: an analyst must look."),
        ("challenge", "Challenge: the payer must authenticate."),
        ("decline", "Decline: it is refused."),
        ("approve", "Approve: an exception to the model."),
    ];
    html! {
        form method="post" action="/console/risk/propose" {
            input type="hidden" name="key" value=(key);
            input type="hidden" name="condition" value=(asked.get("condition"));
            input type="hidden" name="after_version" value=(newest);
            label.field { "Name" input name="name" maxlength="100" required value=(asked.get("name")) readonly[newest > 0]; }
            fieldset {
                legend { "It asks for" }
                @for (at, (name, about)) in actions.into_iter().enumerate() {
                    label.choice { input type="radio" name="action" value=(name) required checked[at == 0]; span { (about) } }
                }
            }
            label.field { "What is told to whoever asks why" input name="says" maxlength="500" required value=(asked.get("says")); }
            (reason())
            p.meta { "It decides nothing until somebody else puts it in force." }
            button.main type="submit" { "Propose version " (newest + 1) }
        }
    }
}

/// Proposes it.
pub async fn propose(
    State(api): State<ApiRouter>,
    session: Session,
    fields: Fields,
) -> Result<Response, Refused> {
    let mut body = json!({"after_version": fields.get("after_version").parse::<u32>().ok()});
    for name in ["name", "condition", "action", "says", "reason"] {
        body[name] = json!(fields.get(name));
    }
    let path = "/v1/risk/rules";
    api.post(&session, path, fields.get("key"), &body).await?;
    let name = escaped(fields.get("name"));
    Ok(Redirect::to(&format!("/console/risk/rules/{name}?done=propose")).into_response())
}
