//! Is it alive, and can it work?

use std::time::Duration;

use axum::{extract::State, response::Response};
use lombard_core::store::Key;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Api, ErrorCode, Problem, reply::shown};

/// Within this time the store has answered, or we are not ready.
const READY_WITHIN: Duration = Duration::from_secs(1);

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(alive))
        .routes(routes!(ready))
}

/// How it is.
#[derive(Serialize, ToSchema)]
struct Health {
    /// Always `ok`; what is not is a problem.
    #[schema(pattern = "^ok$")]
    status: &'static str,
}

/// Whether the process runs
#[utoipa::path(get, path = "/healthz", tag = "health",
    responses((status = 200, description = "It runs.", body = Health)))]
async fn alive() -> Response {
    shown(&Health { status: "ok" })
}

/// Whether requests can be taken
///
/// Reads a record from the store, and asks it whether it has stopped taking writes, as it does
/// after a write of its log has failed, and while its index finds no room; and whether something
/// in it was found damaged.
#[utoipa::path(get, path = "/readyz", tag = "health",
    responses((status = 200, description = "The store answers.", body = Health)))]
async fn ready(State(api): State<Api>) -> Result<Response, Problem> {
    let store = &api.app().store;
    if let Some(reason) = store.refuses().or_else(|| store.damaged()) {
        return Err(Problem::saying(
            ErrorCode::Unavailable,
            reason.to_string().into(),
        ));
    }
    let key = Key::new("health", "ready");
    match tokio::time::timeout(READY_WITHIN, api.app().get(&key)).await {
        Ok(read) => read
            .map(|_| shown(&Health { status: "ok" }))
            .map_err(Problem::from),
        Err(_) => Err(Problem::new(ErrorCode::Unavailable)),
    }
}
