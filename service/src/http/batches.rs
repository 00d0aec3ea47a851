//! Batches: files of payments taken in, looked at, and reported on.

mod accept;
mod look;
mod upload;
mod view;

use lombard_core::{id::Id, payment::Batch};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Api, Call, Problem};
use crate::batch::record::{self, Record};

pub use upload::Uploads;
pub(in crate::http) use upload::receive;

/// The routes of batches.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(upload::create, look::list))
        .routes(routes!(look::get))
        .routes(routes!(look::rows))
        .routes(routes!(look::report))
}

/// The caller's batch of an id.
async fn find(api: &Api, call: &Call, id: Id<Batch>) -> Result<Record, Problem> {
    let found = api.app().value(&record::key(call.tenant(), id)).await?;
    found.ok_or(Problem::not_found())
}
