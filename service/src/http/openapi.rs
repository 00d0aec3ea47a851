//! The OpenAPI 3.1 document: collected from the routes, completed with what all operations have
//! in common, and served with pages to read it by.
//!
//! `openapi.json` in the repository's root is this document, kept fresh by a test, so that a
//! change to the API is a diff that can be reviewed.

mod complete;
mod pages;

use std::sync::OnceLock;

use axum::{Router, body::Bytes, http::StatusCode, response::Response, routing::get};
use utoipa::OpenApi;

use super::{Api, reply::body, wire};

const ABOUT: &str = "\
Payments from a request to the rail and back, on a ledger that can be verified.

Amounts are whole numbers of minor units with an ISO 4217 currency. Times are RFC 3339 in UTC \
with milliseconds. Ids say what they name. Members that do not apply are absent, and unknown \
members in a request are refused.

Every POST carries an `Idempotency-Key` and may be repeated with it. Every refusal is a problem \
document with a stable `code`; see `/docs/errors`. Lists are newest first, with a cursor.";

#[derive(OpenApi)]
#[openapi(
    info(title = "Lombard", description = ABOUT, license(name = "Apache-2.0", identifier = "Apache-2.0")),
    servers((url = "/", description = "This server")),
    tags(
        (name = "payments", description = "Credit transfers, their returns and recalls."),
        (name = "batches", description = "Files of payments: pain.001, CSV, JSON Lines."),
        (name = "accounts", description = "Accounts, their balances and entries."),
        (name = "ledger", description = "Balanced transactions."),
        (name = "charges", description = "Cards charged through payment service providers: authorised, captured, voided, refunded."),
        (name = "holds", description = "Promises of money, posted or voided later."),
        (name = "events", description = "What happened, in one list."),
        (name = "webhooks", description = "Events told to receivers of yours."),
        (name = "vault", description = "Tokens for cards, bank accounts and personal data; subjects and keys."),
        (name = "credentials", description = "API keys, machines' mandates, and the record of deeds."),
        (name = "parties", description = "What is known of payers and payees, and what was decided about them."),
        (name = "approvals", description = "Operations that one proposes and another approves."),
        (name = "risk", description = "What was decided about payments and why, what became of them, what a rule would do."),
        (name = "exceptions", description = "What a person must look at."),
        (name = "reconciliation", description = "Statements held against the payments."),
        (name = "standing", description = "How much stands where."),
        (name = "settings", description = "What the operator set that binds callers."),
        (name = "views", description = "Filters of lists that you keep under a name."),
        (name = "operations", description = "How the installation runs: objectives, rails, cost."),
        (name = "health", description = "Whether the server runs and can work."),
    ),
    components(schemas(super::problem::Document<'static>))
)]
struct Frame;

/// The document without its paths.
pub fn frame() -> utoipa::openapi::OpenApi {
    let mut frame = Frame::openapi();
    wire::schemas(&mut frame);
    frame
}

/// The whole document, as it is served and kept.
#[must_use]
pub fn document() -> &'static str {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let document = complete::complete(super::resources().into_openapi());
        let mut text = format!("{document:#}");
        text.push('\n');
        text
    })
}

/// Whether there is an operation of this name, such as `POST /v1/payments/{id}/returns`.
#[must_use]
pub fn has_operation(name: &str) -> bool {
    let paths = super::resources().into_openapi().paths;
    let (method, path) = name.split_once(' ').unwrap_or_default();
    let item = paths.paths.get(path);
    item.is_some_and(|item| match method {
        "POST" => item.post.is_some(),
        "PATCH" => item.patch.is_some(),
        "DELETE" => item.delete.is_some(),
        _ => false,
    })
}

/// The document and the pages. They need no key: they say nothing of anybody.
pub fn routes() -> Router<Api> {
    Router::new()
        .route("/openapi.json", get(served))
        .route("/docs", get(pages::reference))
        .route("/docs/errors", get(pages::errors))
        .route("/docs/{file}", get(pages::asset))
}

async fn served() -> Response {
    body(StatusCode::OK, Bytes::from_static(document().as_bytes()))
}
