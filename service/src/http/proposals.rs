//! Operations that take two: proposed by one, approved or rejected by another. See
//! [`crate::proposals`].

mod decide;
mod propose;
mod view;

use axum::Router;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Api;
use crate::tenants::Caller;

/// The routes of proposals.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(propose::propose, view::list))
        .routes(routes!(view::get))
        .routes(routes!(decide::approve))
        .routes(routes!(decide::reject))
}

/// The routes by which an approved operation is carried out: the API's own, in this process.
#[derive(Clone)]
pub struct Inner(pub Router);

/// That a request was approved, and as whom it is carried out. Only this process puts it among a
/// request's extensions; nothing that comes over a connection does.
#[derive(Clone)]
pub struct Approved(pub Caller);
