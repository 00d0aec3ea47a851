//! What a person must look at: the queue.

use axum::extract::{RawQuery, State};
use lombard_core::time::Timestamp;
use maud::{Markup, html};
use serde_json::Value;

use super::{
    bulk::{DEEDS, PICK},
    views,
};
use crate::{
    console::{
        Console,
        ask::Refused,
        form::Fields,
        layout, live,
        parts::{empty, heading, id, list, live_sign, money, next, pill, text},
        session::Session,
        words::{plain, span},
    },
    exceptions::Kind,
};

/// The queue's parts: what the API calls them, and their words.
const PARTS: [(&str, &str); 5] = [
    ("active", "To do"),
    ("waiting_for_approval", "Waiting for approval"),
    ("snoozed", "Snoozed"),
    ("resolved", "Resolved"),
    ("all", "All"),
];

/// The queue.
pub async fn page(
    State(console): State<Console>,
    session: Session,
    RawQuery(asked): RawQuery,
) -> Result<Markup, Refused> {
    let fields = Fields::parse(&asked.unwrap_or_default());
    let part = match fields.get("standing") {
        "" => "active",
        part => part,
    };
    let kind = fields.get("kind");
    let filters = [
        ("standing", if part == "all" { "" } else { part }),
        ("kind", kind),
    ];
    let asked = [filters[0], filters[1], ("cursor", fields.get("cursor"))];
    let page = console.api.list(&session, "/v1/exceptions", &asked).await?;
    let asked_for = match (fields.get("standing"), kind) {
        ("", "") => String::new(),
        _ => format!("standing={part}&kind={kind}"),
    };
    let now = console.sessions.now();
    let bulk = session.may("POST", "/v1/exceptions/bulk") && !matches!(part, "resolved" | "all");
    let content = html! {
        (heading(&html! { "Exceptions" }, &html! { (live_sign()) (kinds(part, kind)) }))
        (views::bar(&console, &session, "exceptions", &asked_for).await?)
        nav.tabs aria-label="Parts of the queue" {
            @for (value, word) in PARTS {
                a href=(format!("/console/exceptions?standing={value}&kind={kind}")) aria-current=[(value == part).then_some("page")] { (word) }
            }
        }
        (live::watched(&[("of", "exceptions"), filters[0], filters[1]], &queue(part, list(&page, "data"), bulk, now)))
        (next("/console/exceptions", &[("standing", part), ("kind", kind)], &page))
    };
    Ok(layout::page(
        session.access(),
        "/console/exceptions",
        "Exceptions",
        &content,
    ))
}

/// The cases of a part of the queue, to be picked from where that is any use.
fn queue(part: &str, cases: &[Value], bulk: bool, now: Timestamp) -> Markup {
    html! {
        @if cases.is_empty() {
            (nothing(part))
        } @else if bulk {
            form method="post" action="/console/exceptions/bulk" {
                (table(cases, true, now))
                (together())
            }
        } @else {
            (table(cases, false, now))
        }
    }
}

fn kinds(part: &str, chosen: &str) -> Markup {
    html! {
        form.inline action="/console/exceptions" {
            input type="hidden" name="standing" value=(part);
            label.hidden for="kind" { "Kind" }
            select #kind name="kind" {
                option value="" { "Every kind" }
                @for kind in Kind::ALL.map(Kind::name) {
                    option value=(kind) selected[kind == chosen] { (plain(kind)) }
                }
            }
            button type="submit" { "Show" }
        }
    }
}

fn nothing(part: &str) -> Markup {
    match part {
        "active" => empty(
            "Nothing needs a person.",
            &html! {
                "What a machine cannot finish comes here, with its evidence: payments that no rail will speak of, messages about "
                "payments that nobody made, webhooks given up."
            },
        ),
        "waiting_for_approval" => empty(
            "Nothing waits for a second person.",
            &html! { "What moves more than one may move alone comes here when it is proposed." },
        ),
        "snoozed" => empty(
            "Nothing is snoozed.",
            &html! { "A case that stands aside comes back by itself when its time has passed." },
        ),
        _ => empty(
            "There is none.",
            &html! { "Cases come here when they are done with." },
        ),
    }
}

fn table(cases: &[Value], picks: bool, now: Timestamp) -> Markup {
    html! {
        div.scroll tabindex="0" { table {
            thead { tr {
                @if picks { th.pick scope="col" { span.hidden { "Pick" } } }
                th scope="col" { "Case" } th scope="col" { "Kind" } th scope="col" { "Standing" } th scope="col" { "Subject" }
                th.right scope="col" { "At stake" } th.right scope="col" { "Open for" } th scope="col" { "With" } th scope="col" { "Why" }
            } }
            tbody {
                @for case in cases {
                    @let name = text(case, "id");
                    tr {
                        @if picks { td.pick { input type="checkbox" name=(format!("{PICK}{name}")) aria-label=(format!("Pick {name}")); } }
                        td { (id("exceptions", name)) }
                        td.nowrap { (plain(text(case, "kind"))) @if text(case, "severity") == "high" { " " (pill("high", "bad")) } }
                        td { (standing(case)) }
                        td { (subject(text(case, "subject"))) }
                        td.right { (at_stake(case)) }
                        td.right.figure title=(text(case, "opened_at")) { (age(case, now)) }
                        td { (text(case, "assignee")) }
                        td.cut title=(text(case, "reason")) { (text(case, "reason")) }
                    }
                }
            }
        } }
    }
}

/// What can be done about those that were picked.
fn together() -> Markup {
    html! {
        div.together {
            div { label for="deed" { "About those picked" }
                select #deed name="deed" { @for (value, word) in DEEDS { option value=(value) { (word) } } } }
            div.wide { label for="why" { "Why; it is kept" } input #why name="note" maxlength="1000" required; }
            button type="submit" { "See what it would do" }
        }
    }
}

/// Where a case stands with those who work the queue.
pub fn standing(case: &Value) -> Markup {
    let name = text(case, "standing");
    let tone = match name {
        "resolved" => "good",
        "claimed" | "snoozed" => "open",
        _ => "doubt",
    };
    pill(name, tone)
}

/// The money that a case is about, where its evidence says so.
pub fn at_stake(case: &Value) -> Markup {
    let evidence = &case["evidence"];
    let amount = text(evidence, "amount").trim_start_matches('-').parse();
    match (amount, text(evidence, "currency")) {
        (Ok(minor), currency) if !currency.is_empty() => money(minor, currency),
        _ => html! { "–" },
    }
}

/// For how long it has been open.
fn age(case: &Value, now: Timestamp) -> String {
    let opened = Timestamp::parse_rfc3339(text(case, "opened_at"));
    span(opened.map_or(0, |opened| now.ms_since(opened)))
}

/// A subject that has a page leads to it; of what a source told of it, the source is left out.
pub fn subject(subject: &str) -> Markup {
    let named = subject.rsplit_once('/').map_or(subject, |(_, named)| named);
    if named.starts_with("pay_") {
        return id("payments", named);
    }
    match subject.split_once('_') {
        Some(("acc", _)) => id("accounts", subject),
        Some(("whk", _)) => id("webhooks", subject),
        _ => html! { code { (subject) } },
    }
}
