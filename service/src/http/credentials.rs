//! Who may do what: API keys, the mandates of machines that pay, and the record of deeds.

mod audit;
mod issued;
mod keys;
mod mandates;
mod own;
mod people;

use utoipa_axum::{router::OpenApiRouter, routes};

use super::Api;

/// API keys and the record of deeds: what the vault by itself has too.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(keys::create, keys::list))
        .routes(routes!(keys::revoke))
        .routes(routes!(keys::rotate))
        .routes(routes!(audit::list))
        .routes(routes!(own::get))
        .routes(routes!(people::create, people::list))
        .routes(routes!(people::reset))
}

/// The mandates of machines that pay.
pub fn mandates() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(mandates::create, mandates::list))
        .routes(routes!(mandates::get))
        .routes(routes!(mandates::revoke))
}
