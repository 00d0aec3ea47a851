//! One account: its balance now or as of a moment, and its entries, newest first.

use axum::extract::{Path, RawQuery, State};
use maud::{Markup, html};
use serde_json::Value;

use crate::console::{
    ask::{ApiRouter, Refused},
    form::Fields,
    layout,
    parts::{facts, heading, id, list, money, next, number, pill, query, text, time, whole_id},
    session::Session,
    words::{amount, escaped, plain},
};

/// The page.
pub async fn page(
    State(api): State<ApiRouter>,
    session: Session,
    Path(account): Path<String>,
    RawQuery(asked): RawQuery,
) -> Result<Markup, Refused> {
    let fields = Fields::parse(&asked.unwrap_or_default());
    let path = format!("/v1/accounts/{}", escaped(&account));
    // A field of a day and a time says no zone; the console is in UTC.
    let at = match fields.get("at") {
        "" => String::new(),
        at if at.len() == 16 => format!("{at}:00Z"),
        at => at.to_owned(),
    };
    let asked = format!("{path}?{}", query(&[("at", &at)]));
    let entries = format!("{path}/entries");
    let cursor = [("cursor", fields.get("cursor"))];
    let (account, entries) = tokio::try_join!(
        api.get::<Value>(&session, &asked),
        api.list(&session, &entries, &cursor),
    )?;
    let currency = text(&account, "currency");
    let balance = &account["balance"];
    let content = html! {
        (heading(&html! { (text(&account, "name")) (pill(text(&account, "state"), "open")) }, &html! {}))
        div.cards {
            @for (name, member) in [
                ("Available", "available"), ("Credits posted", "credits_posted"), ("Debits posted", "debits_posted"),
                ("Held", "debits_pending"),
            ] {
                div.card { div.name { (name) } div.value { (money(number(balance, member), currency)) } }
            }
        }
        form.filters {
            div {
                label for="at" { "Balance as of (UTC)" }
                input #at type="datetime-local" name="at" value=(fields.get("at"));
            }
            button type="submit" { "Show" }
            @if !at.is_empty() { a.button href=(format!("/console/accounts/{}", text(&account, "id"))) { "Now" } }
        }
        section.card {
            h2 { "Entries" }
            (table(list(&entries, "data"), currency))
        }
        (next(&format!("/console/accounts/{}", text(&account, "id")), &[], &entries))
        section.card { h2 { "Facts" } (facts(&[
            ("Account", whole_id(text(&account, "id"))),
            ("Kind", html! { (text(&account, "kind")) }),
            ("Currency", html! { (currency) }),
            ("Opened", time(text(&account, "created_at"))),
            ("Balance at", time(text(balance, "at"))),
        ])) }
    };
    Ok(layout::page(
        session.access(),
        "/console/accounts",
        "Account",
        &content,
    ))
}

fn table(entries: &[Value], currency: &str) -> Markup {
    html! {
        div.scroll tabindex="0" { table {
            thead { tr {
                th.right scope="col" { "No." } th scope="col" { "At (UTC)" } th scope="col" { "Journal" } th scope="col" { "Payment" }
                th scope="col" { "Legs" } th.right scope="col" { "Available after" } th scope="col" { "Transaction" }
            } }
            tbody {
                @for entry in entries {
                    tr {
                        td.right.figure { (number(entry, "number")) }
                        td { (time(text(entry, "at"))) }
                        td { (plain(text(entry, "journal"))) }
                        td { @if !text(entry, "payment").is_empty() { (id("payments", text(entry, "payment"))) } }
                        td {
                            @for leg in list(entry, "legs") {
                                div.figure { (text(leg, "side")) " " (text(leg, "layer")) " " (amount(number(leg, "amount"), currency)) }
                            }
                        }
                        td.right { (money(number(&entry["after"], "available"), currency)) }
                        td { (id("ledger", text(entry, "transaction"))) }
                    }
                }
            }
        } }
        @if entries.is_empty() { p.meta { "Nothing was entered yet." } }
    }
}
