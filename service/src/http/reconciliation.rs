//! Reconciliation: a statement or report arrives and is held against the payments.

mod days;
mod runs;
mod sources;

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api, Call, ErrorCode, IdempotencyKey, Problem, batches::receive, once::after, query::Query,
    reply::reply,
};
use crate::reconcile::{self, Failure, Report, Source, kept};

/// The routes of reconciliation.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(runs::list))
        .routes(routes!(runs::get))
        .routes(routes!(sources::list))
        .routes(routes!(days::list, days::close))
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unknown => Self::saying(ErrorCode::InvalidFile, failure.to_string().into()),
            Failure::Io(error) => Self::new(ErrorCode::Internal).because(Arc::new(error)),
            Failure::Read(error) => error.into(),
            Failure::Commit(error) => error.into(),
            Failure::Execute(error) => error.into(),
        }
    }
}

/// The name of a source.
fn source_name(text: &str) -> Result<String, String> {
    Source::may_be_called(text)
        .then(|| text.to_owned())
        .ok_or_else(|| "expected 1 to 60 of a-z, 0-9, `_`, `.`, `-`".to_owned())
}

/// Reconcile a statement
///
/// A bank statement (camt.052, .053, .054, MT940, MT942, BAI2) or a report of Stripe, Adyen, PayPal
/// or Checkout.com. Payments that are found in it are settled, what does not agree becomes an
/// exception. The same file, or another with the same lines, changes nothing a second time. See
/// `docs/reconciliation.md`.
#[utoipa::path(post, path = "/v1/reconciliation/statements", tag = "reconciliation",
    params(("source" = inline(String), Query, description = "Whose statement it is, a name of your own.", min_length = 1, max_length = 60, pattern = "^[a-z0-9_.-]{1,60}$")),
    request_body(description = "The file, of any of the formats.", content((String = "application/octet-stream"))),
    responses((status = 200, description = "What it came to.", body = Report)))]
async fn create(
    State(api): State<Api>,
    call: Call,
    key: IdempotencyKey,
    mut query: Query,
    request: Request,
) -> Result<Response, Problem> {
    let name = query.take_with("source", source_name)?;
    query.finish()?;
    let name = name.ok_or_else(|| Problem::parameter("source", "the parameter is missing"))?;
    let mut spool = receive(api.app(), request).await?;
    let digest = hex::encode(spool.digest);
    let wish = key.wish("reconciliation.statements", &(&name, &digest));
    let source = Source::of(&api.app().config, name);
    let work = async {
        let input = spool.read().map_err(Failure::from)?;
        let tenant = call.tenant();
        let report = reconcile::reconcile(api.app(), tenant, &source, input).await?;
        kept::keep(api.app(), tenant, &call.caller().actor, digest, &report).await?;
        Ok(report)
    };
    Ok(reply(after(&api, call.tenant(), &wish, 200, work).await?))
}
