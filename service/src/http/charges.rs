//! Charges of cards: made, looked up, captured, voided and refunded. Each is a payment, and can be
//! looked up as one.

mod act;
mod create;

use axum::{extract::State, response::Response};
use lombard_core::{
    id::Id,
    payment::{Kind, Payment},
    plan::keys,
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api, Call, Page, Paging, PathId, Problem,
    page::{Verdict, newest_first},
    payments,
    query::Query,
    reply::shown,
    wire::{PaymentView, scalar},
};

/// The routes of charges.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list))
        .routes(routes!(get))
        .routes(routes!(act::capture))
        .routes(routes!(act::void))
        .routes(routes!(act::refund))
}

/// Charges, newest first.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
struct ChargePage<'a> {
    data: Vec<PaymentView<'a>>,
    /// Whether there may be more after them.
    has_more: bool,
    /// Where to go on.
    #[schema(nullable = false, max_length = 100)]
    next_cursor: Option<String>,
}

/// Look a charge up
#[utoipa::path(get, path = "/v1/charges/{id}", tag = "charges",
    params(("id" = inline(scalar::PaymentId), Path, description = "The charge.")),
    responses((status = 200, description = "The charge, a payment.", body = PaymentView)))]
async fn get(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Payment>,
) -> Result<Response, Problem> {
    let charge = find(&api, &call, id).await?;
    Ok(shown(&PaymentView::of(&charge)))
}

/// The caller's charge of an id. Another payment of his is none.
async fn find(api: &Api, call: &Call, id: Id<Payment>) -> Result<Payment, Problem> {
    let payment = payments::find(api, call, id).await?;
    match payment.kind {
        Kind::Charge => Ok(payment),
        Kind::CreditTransfer | Kind::Return => Err(Problem::not_found()),
    }
}

/// List charges
///
/// Newest first.
#[utoipa::path(get, path = "/v1/charges", tag = "charges",
    params(
        ("limit" = inline(Option<u32>), Query, description = "How many at the most; 25 when absent.", minimum = 1, maximum = 100),
        ("cursor" = inline(Option<scalar::PaymentId>), Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page.", body = ChargePage)))]
async fn list(State(api): State<Api>, call: Call, mut query: Query) -> Result<Response, Problem> {
    let paging = Paging::of(&mut query)?;
    query.finish()?;
    let partition = keys::charges_list(call.tenant());
    let all = |_: &Payment| Verdict::Keep;
    let page = newest_first(&api, &partition, paging, all).await?;
    let data: Vec<_> = page.data.iter().map(PaymentView::of).collect();
    Ok(shown(&Page {
        data,
        has_more: page.has_more,
        next_cursor: page.next_cursor,
    }))
}
