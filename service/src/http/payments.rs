//! Payments: made, looked up, cancelled, verified, returned and recalled.

mod act;
mod back;
mod challenge;
mod create;
mod list;

pub use act::done;
pub use create::{CreatePayment, answered};
pub use list::{READ_MAX, events_of, find};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Api;

/// The routes of payments.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(list::get))
        .routes(routes!(list::timeline))
        .routes(routes!(act::cancel))
        .routes(routes!(act::verify))
        .routes(routes!(act::enquire))
        .routes(routes!(challenge::challenge))
        .routes(routes!(challenge::answer))
        .routes(routes!(back::give_back))
        .routes(routes!(back::recall))
        .routes(routes!(back::answer_recall))
}
