//! One rule: its versions with their back-tests and what they did, and how far each is in force.

use axum::{
    extract::{Path, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{AT, hits_of, mode, reason, report, rule_of, told, tone};
use crate::console::{
    Console,
    ask::{ApiRouter, Refused},
    form::Fields,
    layout,
    parts::{action, facts, heading, list, number, pill, query, text, time},
    session::Session,
    words::escaped,
};

/// The newest payments of which hits are counted on a rule's own page.
const HITS_OF: &str = "/v1/risk/hits?limit=5000";

/// The page.
pub async fn page(
    State(console): State<Console>,
    session: Session,
    Path(name): Path<String>,
    RawQuery(asked): RawQuery,
) -> Result<Markup, Refused> {
    let api = &console.api;
    let (rule, hits) = tokio::try_join!(
        rule_of(api, &session, &name),
        api.get::<Value>(&session, HITS_OF)
    )?;
    let asked = Fields::parse(&asked.unwrap_or_default());
    let standing = rule["retired"].is_null();
    let newest = list(&rule, "versions").last().unwrap_or(&Value::Null);
    let at = format!("/console/risk/rules/{}", escaped(&name));
    let key = console.sessions.fresh_key();
    let actions = html! {
        @if standing && session.may("POST", "/v1/risk/rules") {
            a.button href=(format!("/console/risk/try?{}", query(&[("name", &name), ("condition", text(newest, "condition")), ("says", text(newest, "says"))]))) { "Write the next version" }
        }
        @if standing && session.may("POST", "/v1/risk/rules/{id}/retire") {
            (action("Retire", true, &html! { form method="post" action=(format!("{at}/retire")) {
                input type="hidden" name="key" value=(format!("{key}-retire"));
                input type="hidden" name="revision" value=(number(&rule, "revision"));
                p { "It is not asked any more, in any version, for good." }
                (reason())
                button.main.danger type="submit" { "Retire it" }
            } }))
        }
    };
    let content = html! {
        (heading(&html! { (name) }, &actions))
        (told(asked.get("done")))
        @if let Some(retired) = rule.get("retired").filter(|it| !it.is_null()) {
            p.lead { "Retired by " code { (text(retired, "by")) } " at " (time(text(retired, "at"))) ": " (text(retired, "reason")) }
        }
        @for version in list(&rule, "versions").iter().rev() {
            section.card {
                h2 { "Version " (number(version, "version")) " " (mode(version)) }
                (one(version, &hits, &name))
                @if standing && session.may("POST", "/v1/risk/rules/{id}/mode") {
                    (set(version, &rule, &at, &key))
                }
            }
        }
    };
    Ok(layout::page(session.access(), AT, &name, &content))
}

fn one(version: &Value, hits: &Value, name: &str) -> Markup {
    let number_of = number(version, "version");
    let hit = hits_of(hits, name, number_of).unwrap_or(&Value::Null);
    let trial = &version["backtest"];
    let tried = format!(
        "/console/risk/try?{}",
        query(&[("name", name), ("condition", text(version, "condition"))])
    );
    html! {
        (facts(&[
            ("Condition", html! { code { (text(version, "condition")) } }),
            ("Asks for", html! { (pill(text(version, "action"), tone(text(version, "action")))) }),
            ("Says", html! { (text(version, "says")) }),
            ("Written", html! { (time(text(version, "written_at"))) " by " code { (text(version, "author")) } ": " (text(version, "reason")) }),
            ("Mode set", html! { @if text(version, "activated_by").is_empty() { span.meta { "Never" } } @else { (time(text(version, "activated_at"))) " by " code { (text(version, "activated_by")) } } }),
            ("Of the newest payments", html! {
                (number(hits, "payments")) " looked at, " (number(hit, "hits")) " hits, " (number(hit, "decided")) " decided, "
                (number(hit, "frauds_caught")) " known frauds, " (number(hit, "false_positives")) " genuine"
            }),
        ]))
        @if trial.is_object() {
            details { summary { "Back-test when it was proposed" } (report(&trial["report"])) }
        }
        p { a.button href=(tried) { "Run the back-test now" } }
    }
}

fn set(version: &Value, rule: &Value, at: &str, key: &str) -> Markup {
    let number_of = number(version, "version");
    let modes = [
        ("live", "Live: it decides. Not by who wrote it."),
        (
            "percentage",
            "Percentage: it decides about a share. Not by who wrote it.",
        ),
        (
            "shadow",
            "Shadow: it is asked and noted, and decides nothing.",
        ),
        ("off", "Off: it is not asked."),
    ];
    action(
        &format!("Set the mode of version {number_of}"),
        false,
        &html! { form method="post" action=(format!("{at}/mode")) {
            input type="hidden" name="key" value=(format!("{key}-mode-{number_of}"));
            input type="hidden" name="revision" value=(number(rule, "revision"));
            input type="hidden" name="version" value=(number_of);
            fieldset {
                legend { "Mode of version " (number_of) }
                @for (name, about) in modes {
                    label.choice { input type="radio" name="mode" value=(name) required checked[name == text(version, "mode")]; span { (about) } }
                }
            }
            label.field { "Of a percentage: the share of payments" input type="number" name="percent" min="1" max="100"; }
            (reason())
            button.main type="submit" { "Set it" }
        } },
    )
}

/// Sets a mode, or retires the rule.
pub async fn act(
    State(api): State<ApiRouter>,
    session: Session,
    Path((name, act)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Refused> {
    let whole = |name: &str| fields.get(name).parse::<u32>().ok();
    let mut body = json!({"revision": whole("revision"), "reason": fields.get("reason")});
    match act.as_str() {
        "retire" => {}
        "mode" => {
            body["version"] = json!(whole("version"));
            body["mode"] = json!(fields.get("mode"));
            if fields.get("mode") == "percentage" {
                body["percent"] = json!(whole("percent"));
            }
        }
        _ => return Ok(StatusCode::NOT_FOUND.into_response()),
    }
    let path = format!("/v1/risk/rules/{}/{act}", escaped(&name));
    api.post(&session, &path, fields.get("key"), &body).await?;
    let back = format!("/console/risk/rules/{}?done={act}", escaped(&name));
    Ok(Redirect::to(&back).into_response())
}
