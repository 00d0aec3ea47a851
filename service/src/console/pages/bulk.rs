//! The same done about many cases: first what would become of each, then, as it was shown, it is done.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::decide::meaning;
use crate::console::{
    Console,
    ask::Refused,
    form::Fields,
    layout,
    parts::{heading, id, list, number, pill, text},
    session::Session,
};

/// The prefix of the boxes that name cases.
pub const PICK: &str = "pick.";

/// What can be done about many: the value of the choice, and its words.
pub const DEEDS: [(&str, &str); 7] = [
    ("claim", "Take them"),
    ("comment", "Comment"),
    ("snooze", "Snooze for a day"),
    ("resolve:reprocess", "Do again what was given up"),
    ("resolve:enquire", "Ask the rail again"),
    ("resolve:ask", "Note that the other side was asked"),
    ("resolve:ignore", "Close them"),
];

/// Says what would become of each, or does it.
pub async fn act(
    State(console): State<Console>,
    session: Session,
    fields: Fields,
) -> Result<Response, Refused> {
    let picked: Vec<(&str, &str)> = fields.after(PICK).collect();
    if picked.is_empty() {
        return Ok(Redirect::to("/console/exceptions").into_response());
    }
    let dry = fields.get("run").is_empty();
    let cases: Vec<Value> = { picked.iter() }
        .map(|(id, seen)| {
            if dry {
                json!({"id": id})
            } else {
                json!({"id": id, "seen": seen})
            }
        })
        .collect();
    let (deed, action) = match fields.get("deed").split_once(':') {
        Some((deed, action)) => (deed, Some(action)),
        None => (fields.get("deed"), None),
    };
    let note = fields.get("note");
    let mut body = json!({"cases": cases, "deed": deed, "note": note, "dry_run": dry});
    if let Some(action) = action {
        body["action"] = action.into();
    }
    let until = match fields.get("until") {
        "" => console.sessions.now().plus_ms(24 * 3_600_000).to_string(),
        until => until.to_owned(),
    };
    if deed == "snooze" {
        body["until"] = until.clone().into();
    }
    // A dry run is asked for anew each time; a run acts once for its form.
    let key = match dry {
        true => console.sessions.fresh_key(),
        false => fields.get("key").to_owned(),
    };
    let answer = { console.api }
        .post(&session, "/v1/exceptions/bulk", &key, &body)
        .await?;
    let again = Again {
        key: console.sessions.fresh_key(),
        fields: &fields,
        until: &until,
    };
    Ok(shown(&session, &answer, dry.then_some(&again)).into_response())
}

/// What the run repeats of the dry run.
struct Again<'a> {
    key: String,
    fields: &'a Fields,
    until: &'a str,
}

fn shown(session: &Session, answer: &Value, again: Option<&Again<'_>>) -> Markup {
    let all = list(answer, "data");
    let count = |outcome: &str| {
        all.iter()
            .filter(|it| text(it, "outcome") == outcome)
            .count()
    };
    let ready = count("would");
    let title = match again {
        Some(_) => html! { (ready) " of " (all.len()) " cases can be done" },
        None => {
            html! { (count("done")) " done, " (count("proposed")) " proposed, " (count("refused")) " left alone" }
        }
    };
    let content = html! {
        (heading(&title, &html! { a.button href="/console/exceptions" { "Back to the queue" } }))
        @if again.is_some() { p.lead { "Nothing was done yet. This is what would become of each." } }
        div.scroll tabindex="0" { table {
            thead { tr { th scope="col" { "Case" } th scope="col" { "Outcome" } th scope="col" { "What" } } }
            tbody { @for one in all { tr {
                td { (id("exceptions", text(one, "id"))) }
                td { (pill(text(one, "outcome"), tone(text(one, "outcome")))) }
                td {
                    (text(one, "detail"))
                    @if number(one, "transactions") > 0 { (number(one, "transactions")) " transactions would be posted" }
                    @if one["needs_approval"] == true { ", once a second person agrees" }
                }
            } } }
        } }
        @if let Some(again) = again.filter(|_| ready > 0) { (run(all, again, ready)) }
    };
    layout::page(
        session.access(),
        "/console/exceptions",
        "Many cases",
        &content,
    )
}

fn run(all: &[Value], again: &Again<'_>, ready: usize) -> Markup {
    let deed = again.fields.get("deed");
    let word = match deed.split_once(':') {
        Some((_, action)) => meaning(action).0,
        None => { DEEDS.iter().find(|(value, _)| *value == deed) }.map_or("Do it", |it| it.1),
    };
    html! {
        form.run method="post" action="/console/exceptions/bulk" {
            input type="hidden" name="key" value=(again.key);
            input type="hidden" name="run" value="yes";
            input type="hidden" name="until" value=(again.until);
            @for name in ["deed", "note"] { input type="hidden" name=(name) value=(again.fields.get(name)); }
            @for one in all.iter().filter(|it| text(it, "outcome") == "would") {
                input type="hidden" name=(format!("{PICK}{}", text(one, "id"))) value=(text(one, "seen"));
            }
            button.main type="submit" { (word) ": " (ready) @if ready == 1 { " case" } @else { " cases" } }
        }
    }
}

fn tone(outcome: &str) -> &'static str {
    match outcome {
        "done" => "good",
        "refused" => "bad",
        "proposed" => "doubt",
        _ => "open",
    }
}
