//! What was done, by whom, when and why; and the proof that the record is as it was written.

use axum::extract::{Path, RawQuery, State};
use maud::{Markup, html};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::exceptions::subject;
use crate::console::{
    ask::{ApiRouter, Refused},
    form::Fields,
    layout,
    parts::{empty, facts, heading, list, next, pill, text, time, whole_id},
    proof::{self, verified},
    session::Session,
    words::{escaped, plain},
};

const HERE: &str = "/console/audit";

/// The list.
pub async fn page(
    State(api): State<ApiRouter>,
    session: Session,
    RawQuery(asked): RawQuery,
) -> Result<Markup, Refused> {
    let fields = Fields::parse(&asked.unwrap_or_default());
    let cursor = [("cursor", fields.get("cursor"))];
    let page = api.list(&session, "/v1/audit", &cursor).await?;
    let content = html! {
        (heading(&html! { "Audit" }, &html! {}))
        p.meta { "Deeds that move no money by themselves and must be answered for. Each is a leaf of the verifiable log; payments and postings prove themselves in the ledger." }
        @if list(&page, "data").is_empty() {
            (empty("Nothing was put on record yet.", &html! { "Keys made, cases resolved, tokens read back and subjects erased come here." }))
        } @else { (table(list(&page, "data"))) }
        (next(HERE, &[], &page))
    };
    Ok(layout::page(session.access(), HERE, "Audit", &content))
}

fn table(deeds: &[Value]) -> Markup {
    html! {
        div.scroll tabindex="0" { table {
            thead { tr { th scope="col" { "What" } th scope="col" { "On" } th scope="col" { "Why" } th scope="col" { "Who" } th scope="col" { "Outcome" } th scope="col" { "When (UTC)" } th scope="col" { "Proof" } } }
            tbody {
                @for deed in deeds {
                    tr {
                        td { (plain(text(deed, "what"))) }
                        td { (subject(text(deed, "on"))) }
                        td { (text(deed, "why")) }
                        td { code { (text(deed, "who")) } }
                        td { (outcome(deed)) }
                        td { (time(text(deed, "at"))) }
                        td { a href=(format!("{HERE}/{}", text(deed, "id"))) aria-label=(format!("Verify {}", text(deed, "id"))) { "Verify" } }
                    }
                }
            }
        } }
    }
}

fn outcome(deed: &Value) -> Markup {
    let word = text(deed, "outcome");
    pill(word, if word == "done" { "good" } else { "bad" })
}

/// The proof of one deed.
pub async fn one(
    State(api): State<ApiRouter>,
    session: Session,
    Path(deed): Path<String>,
) -> Result<Markup, Refused> {
    let path = format!("/v1/audit/{}/proof", escaped(&deed));
    let proof: Value = api.get(&session, &path).await?;
    let unchanged = is_unchanged(&proof);
    let holds = unchanged && verified(&proof);
    let content = html! {
        (heading(&html! { "Deed on record" }, &html! {}))
        section.card { h2 { "The record" } (record_of(&proof)) }
        section.card {
            h2 { "Proof" }
            (proof::verdict(holds, &html! {
                @if unchanged { "The record that is kept is not under the checkpoint's root." }
                @else { "The record that is kept is not the one that the log fixed." }
            }))
            (proof::shown(&proof))
        }
    };
    Ok(layout::page(
        session.access(),
        HERE,
        "Deed on record",
        &content,
    ))
}

/// The record that is kept, as it was written.
fn record_of(proof: &Value) -> Markup {
    let record: Value = serde_json::from_str(text(proof, "record")).unwrap_or_default();
    let why = text(&record, "why");
    facts(&[
        ("Deed", whole_id(text(proof, "deed"))),
        ("What", html! { (plain(text(&record, "what"))) }),
        ("On", subject(text(&record, "on"))),
        ("Who", whole_id(text(&record, "who"))),
        (
            "Why",
            html! { @if why.is_empty() { span.meta { "Nothing was said" } } @else { (why) } },
        ),
    ])
}

/// Whether the record has the hash that the leaf fixed, counted here and not taken on trust.
fn is_unchanged(proof: &Value) -> bool {
    let leaf: Value = serde_json::from_str(text(proof, "leaf")).unwrap_or_default();
    let digest = Sha256::digest(text(proof, "record"));
    text(&leaf, "digest") == hex::encode(digest)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_that_was_changed_is_seen() {
        let digest = hex::encode(Sha256::digest("{}"));
        let leaf = format!("{{\"digest\":\"{digest}\"}}");
        assert!(is_unchanged(&json!({"record": "{}", "leaf": leaf})));
        assert!(!is_unchanged(&json!({"record": "{ }", "leaf": leaf})));
        assert!(!is_unchanged(&json!({"record": "{}", "leaf": ""})));
    }
}
