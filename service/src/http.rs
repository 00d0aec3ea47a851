//! The HTTP API: `/v1` in JSON, with its documentation.
//!
//! **Shape.** One module a resource; each gives an [`OpenApiRouter`] of its routes, so that what
//! is served and what `/openapi.json` says come from the same place. Around all of them lies
//! [`observe`], which gives every request a trace, writes refusals as problem documents, turns a
//! panic into one, and logs.
//!
//! **Adding a resource.** Write `fn routes() -> OpenApiRouter<Api>` and merge it in
//! [`resources`]. A handler takes [`Call`] (who calls, checked; and the trace), [`IdempotencyKey`]
//! on every POST, [`Json`] for its body, [`PathId`] for an id, and answers
//! `Result<Response, Problem>`. What all operations have in common (headers, refusals, the
//! security scheme) is added to the document by [`openapi`].
//!
//! **Invariants.** No route reads the clock or draws an id but by the host. No header and no
//! log line repeats what a body said.

pub mod body;
pub mod call;
pub mod error;
mod exceptions;
pub mod idempotency;
pub mod input;
pub mod json;
pub mod log;
pub mod observe;
pub mod once;
pub mod openapi;
pub mod page;
mod parties;
pub mod peer;
pub mod prefer;
pub mod problem;
mod proposals;
pub mod query;
pub mod reply;
pub mod running;
pub mod serve;
mod settings;
mod standing;
pub mod trace;
pub mod wire;

mod accounts;
mod batches;
mod charges;
mod credentials;
mod events;
mod health;
mod holds;
mod ledger;
mod operations;
pub(crate) mod payments;
mod reconciliation;
mod risk;
mod vault;
mod views;
mod webhooks;

use std::sync::{Arc, OnceLock};

use axum::{Extension, Router, middleware};
use lombard_core::{
    bank::uk::weights::Weights,
    command::{Act, Reply},
    idempotency::Idempotency,
    psp::Providers,
    tenant::TenantId,
};
use tokio::sync::Semaphore;
use utoipa_axum::router::OpenApiRouter;

pub use call::{Call, PathId};
pub use error::ErrorCode;
pub use idempotency::IdempotencyKey;
pub use json::Json;
pub use page::{Cursor, Page, Paging};
pub use problem::Problem;
pub use reply::reply;
pub use serve::serve;

use body::Room;
use running::{Running, Turn};

use crate::{
    app::App,
    console,
    parties::{Local, Provider},
    proof::Log,
    roster::Roster,
    tenants::Keys,
    vault::Tokens,
};

/// How many requests may wait for an outcome at once (`Prefer: wait`). Beyond it a request is
/// answered at once, as if it had not asked to wait.
const WAITING_MAX: usize = 2_000;

/// What the routes share. Cheap to clone.
#[derive(Clone)]
pub struct Api(Arc<Shared>);

struct Shared {
    app: App,
    keys: Keys,
    waiting: Semaphore,
    room: Room,
    running: Running,
    weights: Option<Weights>,
    uploads: batches::Uploads,
    log: OnceLock<Arc<Log>>,
    tokens: OnceLock<Tokens>,
    providers: OnceLock<Providers>,
    roster: OnceLock<Arc<Roster>>,
    identifier: OnceLock<Box<dyn Provider>>,
}

impl Api {
    /// The API over an application, without a table of the UK modulus check.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self::with_weights(app, None)
    }

    /// The same with the table.
    #[must_use]
    pub fn with_weights(app: App, weights: Option<Weights>) -> Self {
        Self(Arc::new(Shared {
            keys: Keys::of(&app.config),
            app,
            waiting: Semaphore::new(WAITING_MAX),
            room: Room::default(),
            running: Running::default(),
            weights,
            uploads: batches::Uploads::default(),
            log: OnceLock::new(),
            tokens: OnceLock::new(),
            providers: OnceLock::new(),
            roster: OnceLock::new(),
            identifier: OnceLock::new(),
        }))
    }

    /// The table of the UK modulus check, if one is loaded.
    #[must_use]
    pub fn weights(&self) -> Option<&Weights> {
        self.0.weights.as_ref()
    }

    /// The files that are arriving.
    fn uploads(&self) -> &batches::Uploads {
        &self.0.uploads
    }

    /// The same, with the verifiable log that this server keeps.
    #[must_use]
    pub fn with_log(self, log: Arc<Log>) -> Self {
        // Set once, before anything is served.
        let _ = self.0.log.set(log);
        self
    }

    /// The same, with the vault's tokens.
    #[must_use]
    pub fn with_tokens(self, tokens: Tokens) -> Self {
        // Set once, before anything is served.
        let _ = self.0.tokens.set(tokens);
        self
    }

    /// The same, with providers beside those that are built in.
    #[must_use]
    pub fn with_providers(self, providers: Providers) -> Self {
        // Set once, before anything is served.
        let _ = self.0.providers.set(providers);
        self
    }

    /// The same, with what is known of all payments.
    #[must_use]
    pub fn with_roster(self, roster: Arc<Roster>) -> Self {
        // Set once, before anything is served.
        let _ = self.0.roster.set(roster);
        self
    }

    /// What is known of all payments, if this server keeps it.
    fn roster(&self) -> Option<&Arc<Roster>> {
        self.0.roster.get()
    }

    /// The same, with somebody else than us who says whether people are who they say.
    #[must_use]
    pub fn with_identifier(self, identifier: Box<dyn Provider>) -> Self {
        // Set once, before anything is served.
        let _ = self.0.identifier.set(identifier);
        self
    }

    /// Who says whether somebody is who he says.
    pub(crate) fn identifier(&self) -> &dyn Provider {
        let days = self.0.app.config.parties.valid_days;
        let identifier = &self.0.identifier;
        &**identifier.get_or_init(|| Box::new(Local { days }))
    }

    /// What the payment service providers mean.
    pub(crate) fn providers(&self) -> &Providers {
        self.0.providers.get_or_init(Providers::built_in)
    }

    /// The vault's tokens, if the vault runs here.
    #[must_use]
    pub fn tokens(&self) -> Option<&Tokens> {
        self.0.tokens.get()
    }

    /// The verifiable log, if this server keeps one.
    #[must_use]
    pub fn log(&self) -> Option<&Arc<Log>> {
        self.0.log.get()
    }

    /// The ports.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.0.app
    }

    /// The room for bodies.
    pub(crate) fn room(&self) -> &Room {
        &self.0.room
    }

    /// The right to carry a wish out while nobody else does.
    ///
    /// # Errors
    /// `request_running` when somebody else does for too long.
    pub async fn turn(&self, tenant: TenantId, wish: &Idempotency) -> Result<Turn<'_>, Problem> {
        self.0.running.turn(tenant, wish).await
    }

    /// Carries out an act for a caller, once for its wish.
    ///
    /// # Errors
    /// `request_running`, and the refusals and failures of the bank.
    pub async fn execute(&self, call: Call, wish: Idempotency, act: Act) -> Result<Reply, Problem> {
        let _turn = self.turn(call.tenant(), &wish).await?;
        Ok(self.app().execute(call.command(wish, act)).await?)
    }

    /// The keys that were seen lately.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.0.keys
    }
}

/// Everything that is served under `/v1`, and health. Other resources are merged here.
fn resources() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(openapi::frame())
        .merge(log::routes())
        .merge(webhooks::routes())
        .merge(vault::routes())
        .merge(credentials::routes())
        .merge(credentials::mandates())
        .merge(proposals::routes())
        .merge(exceptions::routes())
        .merge(reconciliation::routes())
        .merge(payments::routes())
        .merge(charges::routes())
        .merge(batches::routes())
        .merge(accounts::routes())
        .merge(ledger::routes())
        .merge(holds::routes())
        .merge(events::routes())
        .merge(parties::routes())
        .merge(risk::routes())
        .merge(settings::routes())
        .merge(standing::routes())
        .merge(operations::routes())
        .merge(views::routes())
        .merge(health::routes())
}

/// The vault's own API: tokens, subjects, keys, credentials, the log of its deeds and health, and
/// nothing else.
pub fn vault_router(api: Api) -> Router {
    let routes = OpenApiRouter::new()
        .merge(vault::routes())
        .merge(credentials::routes())
        .merge(proposals::routes())
        .merge(log::routes())
        .merge(health::routes());
    let (routes, _) = routes.split_for_parts();
    with_inner(observed(routes.merge(log::files()), api))
}

/// The routes, which carry out themselves what was approved.
fn with_inner(routes: Router) -> Router {
    let inner = proposals::Inner(routes.clone());
    routes.layer(Extension(inner))
}

/// The routes, each request of which is observed.
fn observed(routes: Router<Api>, api: Api) -> Router {
    routes
        .fallback(observe::no_such_path)
        .method_not_allowed_fallback(observe::no_such_method)
        .layer(middleware::from_fn_with_state(
            api.clone(),
            observe::observe,
        ))
        .with_state(api)
}

/// The whole API, the counter for what rails' gateways say, and the console over the API.
pub fn router(api: Api) -> Router {
    let (routes, _) = resources().split_for_parts();
    let shared = api.clone();
    let routes = routes
        .merge(openapi::routes())
        .merge(log::files())
        .merge(crate::rails::inbound::routes())
        .merge(crate::psp::webhooks::routes());
    let routes = with_inner(observed(routes, api));
    console::routes(routes.clone(), shared).fallback_service(routes)
}
