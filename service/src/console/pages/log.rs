//! The verifiable log: how far it is, who signs it, and how to check it elsewhere.

use axum::extract::State;
use maud::{Markup, html};
use serde_json::Value;

use crate::console::{
    ask::{ApiRouter, Refused},
    layout,
    parts::{facts, heading, list, number, pill, text, whole_id},
    session::Session,
};

/// The page.
pub async fn page(State(api): State<ApiRouter>, session: Session) -> Result<Markup, Refused> {
    let log: Value = api.get(&session, "/v1/log").await?;
    let checkpoint = &log["checkpoint"];
    let witnessed = checkpoint["witnessed"] == true;
    let state = if witnessed {
        pill("witnessed", "good")
    } else {
        pill("not_witnessed", "doubt")
    };
    let content = html! {
        (heading(&html! { "Verifiable log" (state) }, &html! {}))
        div.cards {
            div.card { div.name { "Leaves" } div.value { (number(checkpoint, "size")) } }
            @for (name, of) in [("Behind the ledger", "lag_ms"), ("From books to log", "inclusion_ms")] {
                // Only who makes the log grow knows.
                @if log.get(of).is_some() {
                    div.card { div.name { (name) } div.value { (number(&log, of)) " ms" } }
                }
            }
        }
        section.card {
            h2 { "Checkpoint" }
            (facts(&[("Log", whole_id(text(&log, "origin"))), ("Root", whole_id(text(checkpoint, "root")))]))
            pre { (text(checkpoint, "note")) }
        }
        section.card {
            h2 { "Check it without us" }
            p { "Tiles and checkpoint are plain files in the formats of C2SP. Anybody with the key can verify them:" }
            pre { "lombard verify URL --key key.txt\n" @for key in list(&log, "keys") { (key.as_str().unwrap_or_default()) "\n" } }
        }
    };
    Ok(layout::page(
        session.access(),
        "/console/log",
        "Verifiable log",
        &content,
    ))
}
