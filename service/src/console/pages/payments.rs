//! The list of payments, its filters, and the same as CSV.

use axum::{
    extract::{RawQuery, State},
    http::header,
    response::{IntoResponse, Response},
};
use lombard_core::rail::Rail;
use maud::{Markup, html};
use serde_json::Value;

use super::views;
use crate::console::{
    Console,
    ask::{ApiRouter, Refused},
    form::Fields,
    layout,
    parts::{empty, heading, id, list, money, next, number, query, status, text, time},
    session::Session,
};

/// The statuses, as the API names them.
const STATUSES: [&str; 6] = [
    "INITIATED",
    "AUTH_PENDING",
    "CLEARED",
    "SETTLED",
    "FAILED",
    "REVERSED",
];

/// What is asked of the list.
struct Asked {
    fields: Fields,
}

impl Asked {
    fn of(query: Option<String>) -> Self {
        let fields = Fields::parse(&query.unwrap_or_default());
        Self { fields }
    }

    fn filters(&self) -> [(&'static str, &str); 9] {
        [
            "status",
            "pending",
            "rail",
            "account",
            "amount",
            "last4",
            "end_to_end_id",
            "created_from",
            "created_before",
        ]
        .map(|name| (name, self.fields.get(name)))
    }

    /// The API's list with these filters. A day alone means its beginning.
    fn path(&self, limit: u32) -> String {
        let days = self.filters().map(|(name, value)| match value.len() {
            10 if name.starts_with("created") => (name, format!("{value}T00:00:00Z")),
            _ => (name, value.to_owned()),
        });
        let mut asked: Vec<_> = { days.iter() }
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        asked.push(("cursor", self.fields.get("cursor")));
        format!("/v1/payments?{}limit={limit}", query(&asked))
    }
}

/// The page.
pub async fn page(
    State(console): State<Console>,
    session: Session,
    RawQuery(query): RawQuery,
) -> Result<Markup, Refused> {
    let asked = Asked::of(query);
    let page: Value = console.api.get(&session, &asked.path(50)).await?;
    let filters = asked.filters();
    let asked_for = crate::console::parts::query(&filters);
    let asked_for = asked_for.trim_end_matches('&');
    let csv = format!("/console/payments.csv?{asked_for}");
    let content = html! {
        (heading(&html! { "Payments" }, &html! { a.button href=(csv) { "Export CSV" } }))
        (views::bar(&console, &session, "payments", asked_for).await?)
        (form(&asked))
        @if list(&page, "data").is_empty() {
            (empty(if page["has_more"] == true { "None was found so far; older ones may fit." } else { "No payment fits." }, &html! {
                "Widen the filters, or make one: " code { "POST /v1/payments" } ", or " code { "lombard pay FILE" } "."
            }))
        } @else {
            div.scroll tabindex="0" { (table(list(&page, "data"))) }
        }
        (next("/console/payments", &filters, &page))
    };
    Ok(layout::page(
        session.access(),
        "/console/payments",
        "Payments",
        &content,
    ))
}

fn form(asked: &Asked) -> Markup {
    let get = |name| asked.fields.get(name);
    let chosen = |name, value: &str| (get(name) == value).then_some("selected");
    html! {
        form.filters action="/console/payments" {
            div {
                label for="status" { "Status" }
                select #status name="status" {
                    option value="" { "Any" }
                    @for name in STATUSES { option value=(name) selected=[chosen("status", name)] { (name) } }
                }
            }
            div {
                label for="pending" { "Waits for" }
                select #pending name="pending" {
                    option value="" { "Anything" }
                    @for name in ["verification", "funds", "rails"] {
                        option value=(name) selected=[chosen("pending", name)] { (name) }
                    }
                }
            }
            div {
                label for="rail" { "Rail" }
                select #rail name="rail" {
                    option value="" { "Any" }
                    @for rail in Rail::ALL { option value=(rail.name()) selected=[chosen("rail", rail.name())] { (rail) } }
                }
            }
            div {
                label for="end_to_end_id" { "Reference" }
                input #end_to_end_id name="end_to_end_id" value=(get("end_to_end_id")) maxlength="35";
            }
            div {
                label for="amount" { "Minor units" }
                input #amount name="amount" value=(get("amount")) inputmode="numeric" pattern="[0-9]+" placeholder="12345 is 123.45";
            }
            div {
                label for="last4" { "Last four" }
                input #last4 name="last4" value=(get("last4")) maxlength="4" pattern="[0-9A-Z]{4}" placeholder="5678";
            }
            div {
                label for="account" { "Account" }
                input #account name="account" value=(get("account")) placeholder="acc_…";
            }
            div {
                label for="from" { "From day" }
                input #from type="date" name="created_from" value=(get("created_from"));
            }
            div {
                label for="before" { "Before day" }
                input #before type="date" name="created_before" value=(get("created_before"));
            }
            button type="submit" { "Apply" }
        }
    }
}

/// Payments as rows.
pub fn table(payments: &[Value]) -> Markup {
    html! {
        table {
            thead { tr {
                th scope="col" { "Payment" }
                th scope="col" { "Status" }
                th.right scope="col" { "Amount" }
                th scope="col" { "Reference" }
                th scope="col" { "Rail" }
                th scope="col" { "To" }
                th scope="col" { "Created (UTC)" }
            } }
            tbody {
                @for payment in payments {
                    tr {
                        td { (id("payments", text(payment, "id"))) }
                        td { (status(payment)) }
                        td.right { (money(number(payment, "amount"), text(payment, "currency"))) }
                        td.cut title=(text(payment, "end_to_end_id")) { (text(payment, "end_to_end_id")) }
                        td { (text(payment, "rail")) }
                        td { (party(&payment["creditor"])) }
                        td { (time(text(payment, "created_at"))) }
                    }
                }
            }
        }
    }
}

/// An account of ours, or the end of an account number elsewhere.
pub fn party(party: &Value) -> Markup {
    let (account, last4) = (text(party, "account"), text(party, "last4"));
    html! {
        @if !account.is_empty() { (id("accounts", account)) }
        @else if !last4.is_empty() { span.nowrap { "•••• " (last4) " " abbr { (text(party, "country")) } } }
        @else { "—" }
    }
}

/// The columns of the export.
const COLUMNS: [&str; 9] = [
    "id",
    "status",
    "pending",
    "amount",
    "currency",
    "rail",
    "end_to_end_id",
    "created_at",
    "reason",
];
/// The most pages of 100 that one export holds.
const EXPORT_PAGES_MAX: usize = 100;

/// The list as CSV (RFC 4180): up to 10,000 payments, amounts in minor units.
pub async fn csv(
    State(api): State<ApiRouter>,
    session: Session,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let asked = Asked::of(query);
    let mut writer = csv::Writer::from_writer(Vec::new());
    let broken = |error: csv::Error| Refused {
        status: axum::http::StatusCode::INTERNAL_SERVER_ERROR,
        detail: error.to_string(),
        trace: None,
    };
    writer.write_record(COLUMNS).map_err(broken)?;
    let mut cursor = String::new();
    for _ in 0..EXPORT_PAGES_MAX {
        let path = format!("{}{cursor}", asked.path(100));
        let page: Value = api.get(&session, &path).await?;
        for payment in list(&page, "data") {
            let cells = COLUMNS.map(|name| match &payment[name] {
                Value::String(text) => safe(text),
                Value::Null => String::new(),
                other => other.to_string(),
            });
            writer.write_record(cells).map_err(broken)?;
        }
        if page["has_more"] != true {
            break;
        }
        cursor = format!("&cursor={}", text(&page, "next_cursor"));
    }
    let bytes = writer.into_inner().unwrap_or_default();
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"payments.csv\"",
        ),
    ];
    Ok((headers, bytes).into_response())
}

/// A cell that no spreadsheet takes for a formula.
fn safe(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}
