//! Asking a payer to authenticate, and taking his answer in.

use axum::{extract::State, response::Response};
use lombard_core::{
    command::Act,
    payment::Payment,
    plan::keys,
    sca::{challenge::Binding, outcome},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::act::done;
use crate::{
    factors::{self, FactorError},
    http::{
        Api, Call, ErrorCode, IdempotencyKey, Json, PathId, Problem,
        input::Text,
        json::Nothing,
        prefer::Wait,
        wire::{PaymentView, scalar},
    },
};

/// Ask the payer to authenticate
///
/// For a payment whose `authentication` is required. The challenge stands for five minutes and is
/// bound to the amount and the payee, which must be shown to the payer. Another one brings no new
/// tries.
#[utoipa::path(post, path = "/v1/payments/{id}/challenge", tag = "payments",
    params(("id" = inline(scalar::PaymentId), Path, description = "The payment.")),
    request_body(content = Option<Nothing>, description = "Nothing, or an empty object."),
    responses((status = 200, description = "The payer is to be asked.", body = PaymentView)))]
pub async fn challenge(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Payment>,
    key: IdempotencyKey,
    _: Nothing,
) -> Result<Response, Problem> {
    let wish = key.wish("payments.challenge", &id);
    done(&api, call, wish, Act::Challenge(id), Wait(None)).await
}

/// The payer's answer: PIN and one-time password, or for a card the result of 3-D Secure.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChallengeAnswer)]
pub struct AnswerBody<'a> {
    /// `linked` of the challenge that the payer was shown.
    #[schema(value_type = String, pattern = "^[0-9a-f]{64}$")]
    linked: Binding,
    /// What he knows.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, pattern = "^[0-9]{4,12}$")]
    pin: Option<Text<'a>>,
    /// What his generator shows.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, pattern = "^[0-9]{6}$")]
    code: Option<Text<'a>>,
    /// `transStatus` of EMV 3-D Secure, for a payment by card.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, pattern = "^[YACDNRUIS]$", nullable = false)]
    trans_status: Option<Text<'a>>,
}

/// Answer a challenge
///
/// Right, the payment goes on. Wrong, it waits and has a try less, and nothing says which part
/// was wrong; after five wrong answers it fails. An answer to another challenge than the one that
/// stands, or after its five minutes, changes nothing.
#[utoipa::path(post, path = "/v1/payments/{id}/challenge/answer", tag = "payments",
    params(("id" = inline(scalar::PaymentId), Path, description = "The payment."),
           ("Prefer", Header)),
    request_body = AnswerBody,
    responses((status = 200, description = "The answer is taken in.", body = PaymentView)))]
pub async fn answer(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Payment>,
    key: IdempotencyKey,
    wait: Wait,
    json: Json,
) -> Result<Response, Problem> {
    let request: AnswerBody<'_> = json.parse()?;
    let (app, tenant) = (api.app(), call.tenant());
    let wish = key.wish_blinded(
        "payments.challenge_answer",
        &(id, &request),
        &*app.vault,
        tenant,
    );
    // A retry must not be counted, nor use the password up, a second time.
    let answered = app.get(&wish.record_key(tenant)).await?.is_some();
    let right = !answered && is_right(&api, &call, id, &request).await?;
    let act = Act::AnswerChallenge(id, request.linked, right);
    done(&api, call, wish, act, wait).await
}

async fn is_right(
    api: &Api,
    call: &Call,
    id: lombard_core::id::Id<Payment>,
    request: &AnswerBody<'_>,
) -> Result<bool, Problem> {
    let (app, tenant) = (api.app(), call.tenant());
    let payment: Option<Payment> = app.value(&keys::payment(tenant, id)).await?;
    let payment = payment.ok_or(Problem::not_found())?;
    let asked = payment.sca.as_ref();
    let by_card = asked.is_some_and(|state| {
        use lombard_core::sca::Channel;
        matches!(
            state.ask.channel,
            Channel::RemoteCard | Channel::Contactless
        )
    });
    match (&request.pin, &request.code, &request.trans_status) {
        (Some(pin), Some(code), None) => {
            // Nothing is proved, and no password used up, for what is not asked.
            let standing = asked.and_then(|state| state.challenge.as_ref());
            if standing.is_none_or(|standing| standing.binding != request.linked) {
                return Ok(false);
            }
            let account = payment.debtor.account().ok_or(Problem::not_found())?;
            let proved = factors::prove(app, tenant, account, pin.as_str(), code.as_str()).await;
            Ok(proved?)
        }
        (None, None, Some(status)) if by_card => {
            let said = outcome::three_ds(status.as_str());
            let said = said.ok_or_else(|| {
                Problem::field("/trans_status", "EMV 3-D Secure has no such status")
            })?;
            Ok(said == outcome::ThreeDs::Authenticated)
        }
        _ => Err(Problem::field(
            "",
            "an answer is `pin` with `code`, or for a card `trans_status` alone",
        )),
    }
}

impl From<FactorError> for Problem {
    fn from(error: FactorError) -> Self {
        match error {
            FactorError::Commit(error) => error.into(),
            FactorError::Vault(error) => error.into(),
            FactorError::None => Self::saying(
                ErrorCode::NotApplicable,
                "the account's payer has no factors; enrol them first".into(),
            ),
            error @ FactorError::Random(_) => {
                Self::new(ErrorCode::Internal).because(std::sync::Arc::new(error))
            }
        }
    }
}
