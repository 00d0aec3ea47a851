//! Accounts: opened, looked up with where they stand, their entries, closed.
//!
//! The house accounts of the chart are there from the tenant's first day. They are addressed by
//! id like any other, or by their place in the chart, `rail/role/currency`, in bodies as it is
//! and in paths with `%2F` for the slashes.

mod entries;
mod factors;
mod list;
mod open;

use utoipa_axum::{router::OpenApiRouter, routes};

use super::Api;

/// The routes of accounts.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(open::open, list::list))
        .routes(routes!(list::get))
        .routes(routes!(entries::entries))
        .routes(routes!(open::close))
        .routes(routes!(factors::enrol))
}
