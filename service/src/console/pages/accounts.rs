//! The accounts: customers', and those of the house.

use axum::extract::{RawQuery, State};
use maud::{Markup, html};
use serde_json::Value;

use crate::console::{
    ask::{ApiRouter, Refused},
    form::Fields,
    layout,
    parts::{empty, heading, id, list, money, next, number, pill, text},
    session::Session,
};

/// The page.
pub async fn page(
    State(api): State<ApiRouter>,
    session: Session,
    RawQuery(asked): RawQuery,
) -> Result<Markup, Refused> {
    let fields = Fields::parse(&asked.unwrap_or_default());
    let filters = [("kind", fields.get("kind")), ("name", fields.get("name"))];
    let mut asked = filters.to_vec();
    asked.push(("cursor", fields.get("cursor")));
    let page = api.list(&session, "/v1/accounts", &asked).await?;
    let content = html! {
        (heading(&html! { "Accounts" }, &html! {}))
        form.filters action="/console/accounts" {
            div {
                label for="kind" { "Kind" }
                select #kind name="kind" {
                    option value="" { "Any" }
                    @for (kind, word) in [("constrained", "Customers', never overdrawn"), ("house", "The house's")] {
                        option value=(kind) selected=[(fields.get("kind") == kind).then_some("selected")] { (word) }
                    }
                }
            }
            div { label for="name" { "Name" } input #name name="name" value=(fields.get("name")); }
            button type="submit" { "Apply" }
        }
        @if list(&page, "data").is_empty() {
            (empty("No account fits.", &html! { "Open one with " code { "POST /v1/accounts" } "." }))
        } @else {
            div.scroll tabindex="0" { (table(list(&page, "data"))) }
        }
        (next("/console/accounts", &filters, &page))
    };
    Ok(layout::page(
        session.access(),
        "/console/accounts",
        "Accounts",
        &content,
    ))
}

fn table(accounts: &[Value]) -> Markup {
    html! {
        table {
            thead { tr {
                th scope="col" { "Account" } th scope="col" { "Name" } th scope="col" { "Kind" } th scope="col" { "State" }
                th.right scope="col" { "Debits" } th.right scope="col" { "Credits" } th.right scope="col" { "Available" }
            } }
            tbody {
                @for account in accounts {
                    @let balance = &account["balance"];
                    @let currency = text(account, "currency");
                    tr {
                        td { (id("accounts", text(account, "id"))) }
                        td { (text(account, "name")) }
                        td { (text(account, "kind")) }
                        td { (pill(text(account, "state"), if text(account, "state") == "open" { "good" } else { "back" })) }
                        td.right { (money(number(balance, "debits_posted"), currency)) }
                        td.right { (money(number(balance, "credits_posted"), currency)) }
                        td.right { (money(number(balance, "available"), currency)) }
                    }
                }
            }
        }
    }
}
