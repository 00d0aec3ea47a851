//! Cancelling a payment, and answering its verification.

use axum::{extract::State, response::Response};
use lombard_core::{
    command::{Act, Verification},
    id::Id,
    idempotency::Idempotency,
    lifecycle::Stage,
    payment::Payment,
    plan::keys,
    reason::Reason,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::list::find;
use crate::{
    access::Grant,
    http::{
        Api, Call, ErrorCode, IdempotencyKey, Json, PathId, Problem,
        json::Nothing,
        once::after,
        prefer::{self, Wait},
        reply::reply,
        wire::{PaymentView, scalar},
    },
    tenants::Scope,
    worker::timers,
};

/// Carries an act out and answers, after waiting if the caller would rather.
pub async fn done(
    api: &Api,
    call: Call,
    wish: Idempotency,
    act: Act,
    wait: Wait,
) -> Result<Response, Problem> {
    let tenant = call.tenant();
    let reply = api.execute(call, wish, act).await?;
    prefer::answer(api, tenant, wait, reply).await
}

/// Cancel a payment
///
/// Possible until it has left for the rail.
#[utoipa::path(post, path = "/v1/payments/{id}/cancel", tag = "payments",
    params(("id" = inline(scalar::PaymentId), Path, description = "The payment.")),
    request_body(content = Option<Nothing>, description = "Nothing, or an empty object."),
    responses((status = 200, description = "It is cancelled.", body = PaymentView)))]
pub async fn cancel(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Payment>,
    key: IdempotencyKey,
    _: Nothing,
) -> Result<Response, Problem> {
    let wish = key.wish("payments.cancel", &id);
    done(&api, call, wish, Act::Cancel(id), Wait(None)).await
}

/// Ask the rail again
///
/// Of a payment in doubt, what became of it. It is asked by itself too, with growing pauses; this
/// does not wait for the next. What the rail says is taken in; when it says nothing, nothing changes.
#[utoipa::path(post, path = "/v1/payments/{id}/enquiry", tag = "payments",
    params(("id" = inline(scalar::PaymentId), Path, description = "The payment.")),
    request_body(content = Option<Nothing>, description = "Nothing, or an empty object."),
    responses((status = 200, description = "The payment, as it stands after the rail was asked.", body = PaymentView)))]
pub async fn enquire(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Payment>,
    key: IdempotencyKey,
    _: Nothing,
) -> Result<Response, Problem> {
    let wish = key.wish("payments.enquiry", &id);
    let work = async {
        if find(&api, &call, id).await?.stage != Stage::InDoubt {
            let why = "the payment is not in doubt";
            return Err(Problem::saying(ErrorCode::WrongState, why.into()));
        }
        let asked = timers::enquire(api.app(), call.tenant(), id).await;
        asked.map_err(|cause| Problem::new(ErrorCode::Unavailable).because(cause))?;
        let payment = find(&api, &call, id).await?;
        // Our own views have no serialisation that fails.
        Ok(serde_json::to_value(PaymentView::of(&payment)).unwrap_or_default())
    };
    Ok(reply(after(&api, call.tenant(), &wish, 200, work).await?))
}

/// Above a limit it takes who may approve; otherwise who may change things, or reviews.
async fn may_answer(api: &Api, call: &Call, id: Id<Payment>) -> Result<(), Problem> {
    let payment: Option<Payment> = api.app().value(&keys::payment(call.tenant(), id)).await?;
    let payment = payment.ok_or(Problem::not_found())?;
    let access = &call.caller().access;
    let may = match payment.approval {
        Some(_) => access.grants.has(Grant::Approve),
        None => access.scope == Scope::Write || access.grants.has(Grant::Review),
    };
    if may {
        Ok(())
    } else {
        Err(Problem::new(ErrorCode::Forbidden))
    }
}

/// What came of a verification.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct VerificationBody {
    result: VerificationResult,
    reason: Option<Reason>,
}

/// What came of a verification.
#[derive(ToSchema)]
#[schema(as = VerificationAnswer)]
#[serde(untagged)]
#[allow(dead_code)] // Only described.
enum VerificationChoice {
    Passed(VerificationPassed),
    Refused(VerificationRefused),
}

/// The payment goes on.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)] // Only described.
struct VerificationPassed {
    /// `passed`.
    #[schema(pattern = "^passed$")]
    result: String,
}

/// The payment fails.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)] // Only described.
struct VerificationRefused {
    /// `refused`.
    #[schema(pattern = "^refused$")]
    result: String,
    /// `verification_failed` when absent.
    #[schema(value_type = Option<scalar::ReasonCode>)]
    reason: Option<Reason>,
}

/// Whether the payment may go on.
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum VerificationResult {
    /// Go on.
    Passed,
    /// Do not.
    Refused,
}

/// Answer a verification
///
/// For a payment that is pending for `verification`: it goes on, or it fails.
#[utoipa::path(post, path = "/v1/payments/{id}/verification", tag = "payments",
    params(("id" = inline(scalar::PaymentId), Path, description = "The payment."),
           ("Prefer", Header)),
    request_body = VerificationChoice,
    responses((status = 200, description = "The answer is taken in.", body = PaymentView)))]
pub async fn verify(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Payment>,
    key: IdempotencyKey,
    wait: Wait,
    body: Json,
) -> Result<Response, Problem> {
    let body: VerificationBody = body.parse()?;
    let answer = match (body.result, body.reason) {
        (VerificationResult::Passed, None) => Verification::Passed,
        (VerificationResult::Refused, reason) => {
            Verification::Refused(reason.unwrap_or(Reason::VerificationFailed))
        }
        (VerificationResult::Passed, Some(_)) => {
            return Err(Problem::field("/reason", "only a refusal has a reason"));
        }
    };
    may_answer(&api, &call, id).await?;
    let wish = key.wish("payments.verification", &(id, &body));
    done(&api, call, wish, Act::Verify(id, answer), wait).await
}
