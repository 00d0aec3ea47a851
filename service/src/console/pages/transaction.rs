//! One transaction of the ledger, and its proof, which is verified when it is asked for.

use axum::extract::{Path, State};
use maud::{Markup, html};
use serde_json::Value;

use crate::console::{
    ask::{ApiRouter, Refused},
    layout,
    parts::{facts, heading, id, list, number, text, time, whole_id},
    proof::{self, verified},
    session::Session,
    words::{amount, escaped, plain},
};

/// The page.
pub async fn page(
    State(api): State<ApiRouter>,
    session: Session,
    Path(transaction): Path<String>,
) -> Result<Markup, Refused> {
    let path = format!("/v1/ledger/{}", escaped(&transaction));
    let transaction: Value = api.get(&session, &path).await?;
    // A transaction is in the log a moment after it is in the books.
    let proof = api
        .get::<Value>(&session, &format!("{path}/proof"))
        .await
        .ok();
    let content = html! {
        (heading(&html! { (plain(text(&transaction, "journal"))) }, &html! {}))
        section.card {
            h2 { "Legs" }
            (legs(list(&transaction, "legs"), |account| id("accounts", account)))
        }
        section.card { h2 { "Facts" } (facts_of(&transaction)) }
        section.card { h2 { "Proof" } (proof_of(proof.as_ref())) }
    };
    Ok(layout::page(
        session.access(),
        "/console/accounts",
        "Transaction",
        &content,
    ))
}

/// Legs as rows, each account shown as `account` does.
pub fn legs(legs: &[Value], account: impl Fn(&str) -> Markup) -> Markup {
    html! {
        div.scroll tabindex="0" { table {
            thead { tr { th scope="col" { "Account" } th scope="col" { "Layer" } th.right scope="col" { "Debit" } th.right scope="col" { "Credit" } th scope="col" { "Currency" } } }
            tbody {
                @for leg in legs {
                    @let figure = amount(number(leg, "amount"), text(leg, "currency"));
                    tr {
                        td { (account(text(leg, "account"))) }
                        td { (text(leg, "layer")) }
                        td.right.figure { @if text(leg, "side") == "debit" { (figure) } }
                        td.right.figure { @if text(leg, "side") == "credit" { (figure) } }
                        td { (text(leg, "currency")) }
                    }
                }
            }
        } }
    }
}

fn facts_of(transaction: &Value) -> Markup {
    let payment = text(transaction, "payment");
    let mut rows = vec![
        ("Transaction", whole_id(text(transaction, "id"))),
        ("At", time(text(transaction, "at"))),
    ];
    if !payment.is_empty() {
        rows.push(("Payment", id("payments", payment)));
    }
    if !text(transaction, "trace_id").is_empty() {
        rows.push(("Trace", whole_id(text(transaction, "trace_id"))));
    }
    facts(&rows)
}

fn proof_of(proof: Option<&Value>) -> Markup {
    let Some(proof) = proof else {
        return html! { p { "It is not in the log yet. A checkpoint covers it within a second; load the page again." } };
    };
    html! {
        (proof::verdict(verified(proof), &html! { "The path does not lead to the checkpoint's root." }))
        (proof::shown(proof))
    }
}
