//! Webhook endpoints: made, changed, looked at; their deliveries, replayed.

mod act;
mod create;
mod deliveries;
mod manage;
mod view;

use lombard_core::id::Id;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Api, Call, Problem};
use crate::hooks::endpoint::{self, Endpoint};

/// The routes of webhook endpoints.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(create::create, manage::list))
        .routes(routes!(manage::get, manage::change, manage::delete))
        .routes(routes!(create::rotate))
        .routes(routes!(deliveries::list))
        .routes(routes!(act::replay))
        .routes(routes!(act::test))
}

/// The caller's endpoint of an id.
async fn find(api: &Api, call: &Call, id: Id<Endpoint>) -> Result<Endpoint, Problem> {
    let found = api.app().value(&endpoint::key(call.tenant(), id)).await?;
    found.ok_or(Problem::not_found())
}
