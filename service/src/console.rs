//! The console: what operations people see, and what they can do, as pages.
//!
//! **Shape.** Pages are made on the server and complete without JavaScript. The console reaches
//! everything through the API's own routes ([`ask`]), in the same process, with the credential of who
//! is signed in: what it shows and does, the API shows and does, with the same checks. There is no
//! other way in.
//!
//! **Invariants.** No page holds script or style of its own: the content security policy allows
//! only the console's own files. A form names the state that it was made from, and carries its own
//! idempotency key: sent twice it acts once. A session ends when it has been idle for
//! [`session::IDLE_MAX`], and with the credential that it stands for, which never reaches the browser.

mod ask;
mod assets;
mod chart;
mod form;
mod kept;
mod layout;
mod live;
mod pages;
mod parts;
mod proof;
mod runbook;
mod session;
mod words;

use std::sync::Arc;

use axum::{
    Router,
    extract::FromRef,
    http::{HeaderValue, header},
    middleware,
    response::Response,
    routing::{get, post},
};

use tokio::sync::Semaphore;

use crate::http::Api;
use ask::ApiRouter;
use session::Sessions;

/// What may be loaded by a page of the console: its own style and script, its own images, nothing
/// from elsewhere; and nobody may frame it.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What the pages share. Cheap to clone.
#[derive(Clone)]
struct Console {
    api: ApiRouter,
    sessions: Arc<Sessions>,
    streams: Arc<Semaphore>,
    shared: Api,
}

impl FromRef<Console> for ApiRouter {
    fn from_ref(console: &Console) -> Self {
        console.api.clone()
    }
}

/// The console's routes, over the API's. What they share with the API is who is who.
pub fn routes(api: Router, shared: Api) -> Router {
    let console = Console {
        api: ApiRouter::new(api),
        sessions: Arc::new(Sessions::new(shared.app().host.clone())),
        streams: Arc::new(Semaphore::new(live::STREAMS_MAX)),
        shared,
    };
    Router::new()
        .route("/console", get(pages::overview::page))
        .route("/console/", get(pages::overview::page))
        .route(
            "/console/sign-in",
            get(pages::sign_in::page).post(pages::sign_in::by_key),
        )
        .route(
            "/console/sign-in/person",
            post(pages::sign_in::person::enter),
        )
        .route(
            "/console/sign-in/begin",
            post(pages::sign_in::person::begin),
        )
        .route(
            "/console/sign-in/provider",
            get(pages::sign_in::provider::go),
        )
        .route(
            "/console/sign-in/return",
            get(pages::sign_in::provider::back),
        )
        .route("/console/sign-out", post(pages::sign_in::leave))
        .route("/console/search", get(pages::search::go))
        .route("/console/payments", get(pages::payments::page))
        .route("/console/payments.csv", get(pages::payments::csv))
        .route("/console/payments/{id}", get(pages::payment::page))
        .route("/console/payments/{id}/{act}", post(pages::payment::act))
        .route("/console/accounts", get(pages::accounts::page))
        .route("/console/accounts/{id}", get(pages::account::page))
        .route("/console/ledger/{id}", get(pages::transaction::page))
        .route("/console/log", get(pages::log::page))
        .route("/console/exceptions", get(pages::exceptions::page))
        .route("/console/exceptions/bulk", post(pages::bulk::act))
        .route("/console/exceptions/{id}", get(pages::case::page))
        .route("/console/exceptions/{id}/{act}", post(pages::case::act))
        .route("/console/reconciliation", get(pages::reconciliation::page))
        .route(
            "/console/reconciliation/{id}",
            get(pages::reconciliation::one),
        )
        .route("/console/risk", get(pages::risk::page))
        .route("/console/risk/try", get(pages::risk::trial::page))
        .route("/console/risk/propose", post(pages::risk::trial::propose))
        .route("/console/risk/rules/{name}", get(pages::risk::rule::page))
        .route(
            "/console/risk/rules/{name}/{act}",
            post(pages::risk::rule::act),
        )
        .route("/console/risk/lists", post(pages::risk::list::made))
        .route("/console/risk/lists/{name}", get(pages::risk::list::page))
        .route(
            "/console/risk/lists/{name}/{act}",
            post(pages::risk::list::act),
        )
        .route("/console/views", post(pages::views::keep))
        .route("/console/views/{id}/delete", post(pages::views::delete))
        .route("/console/audit", get(pages::audit::page))
        .route("/console/audit/{id}", get(pages::audit::one))
        .route("/console/settings", get(pages::settings::page))
        .route("/console/batches", get(pages::batches::page))
        .route("/console/batches/{id}", get(pages::batches::one))
        .route("/console/webhooks", get(pages::webhooks::page))
        .route("/console/webhooks/{id}", get(pages::webhooks::one))
        .route("/console/webhooks/{id}/{act}", post(pages::webhooks::act))
        .route("/console/style.css", get(assets::style))
        .route("/console/keys.js", get(assets::keys))
        .route("/console/live.js", get(assets::live))
        .route(live::PATH, get(live::stream))
        .layer(middleware::map_response(guarded))
        .with_state(console)
}

/// Headers that every answer of the console carries.
async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}
