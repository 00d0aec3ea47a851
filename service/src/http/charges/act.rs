//! Capturing, voiding and refunding a charge.

use axum::{extract::State, response::Response};
use lombard_core::{
    command::{Act, ReturnPayment},
    id::Id,
    money::Amount,
    payment::Payment,
    reason::Reason,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::find;
use crate::http::{
    Api, Call, IdempotencyKey, PathId, Problem,
    json::{MaybeJson, Nothing},
    payments::done,
    prefer::Wait,
    wire::{PaymentView, scalar},
};

/// How much.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChargeAmount)]
struct AmountBody {
    /// All that there is when absent.
    #[schema(value_type = Option<scalar::Amount>)]
    amount: Option<Amount>,
}

/// Capture a charge
///
/// Takes the money of an authorised charge with `capture: manual`, or a part of it; the rest is let
/// go of. Once asked for it cannot be asked for again, unless the provider refuses it.
#[utoipa::path(post, path = "/v1/charges/{id}/capture", tag = "charges",
    params(("id" = inline(scalar::PaymentId), Path, description = "The charge."), ("Prefer", Header)),
    request_body(content = Option<AmountBody>, description = "All of it, when absent."),
    responses((status = 200, description = "The provider is asked for it.", body = PaymentView)))]
pub async fn capture(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Payment>,
    key: IdempotencyKey,
    wait: Wait,
    MaybeJson(body): MaybeJson,
) -> Result<Response, Problem> {
    let AmountBody { amount } = body.parse()?;
    find(&api, &call, id).await?;
    let wish = key.wish("charges.capture", &(id, amount));
    done(&api, call, wish, Act::Capture(id, amount), wait).await
}

/// Void a charge
///
/// Lets go of the money of a charge that was not captured.
#[utoipa::path(post, path = "/v1/charges/{id}/void", tag = "charges",
    params(("id" = inline(scalar::PaymentId), Path, description = "The charge."), ("Prefer", Header)),
    request_body(content = Option<Nothing>, description = "Nothing, or an empty object."),
    responses((status = 200, description = "The provider is asked for it.", body = PaymentView)))]
pub async fn void(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Payment>,
    key: IdempotencyKey,
    wait: Wait,
    _: Nothing,
) -> Result<Response, Problem> {
    find(&api, &call, id).await?;
    let wish = key.wish("charges.void", &id);
    done(&api, call, wish, Act::Void(id), wait).await
}

/// Refund a charge
///
/// Gives the money of a captured charge back, in full or in part, as a payment of its own. However
/// many refunds are asked for, never more goes back than was captured.
#[utoipa::path(post, path = "/v1/charges/{id}/refunds", tag = "charges",
    params(("id" = inline(scalar::PaymentId), Path, description = "The charge."), ("Prefer", Header)),
    request_body(content = Option<AmountBody>, description = "All that remains, when absent."),
    responses((status = 201, description = "The refund, a payment of its own.", body = PaymentView)))]
pub async fn refund(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Payment>,
    key: IdempotencyKey,
    wait: Wait,
    MaybeJson(body): MaybeJson,
) -> Result<Response, Problem> {
    let AmountBody { amount } = body.parse()?;
    find(&api, &call, id).await?;
    let wish = key.wish("charges.refund", &(id, amount));
    let host = &api.app().host;
    let act = Act::Return(ReturnPayment {
        id: Id::new(host.now(), host.random()),
        original: id,
        amount,
        reason: Reason::CustomerRequested,
    });
    done(&api, call, wish, act, wait).await
}
