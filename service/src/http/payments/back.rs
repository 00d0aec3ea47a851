//! Money that goes back, or is asked back: returns, recalls and their answers.

use axum::{extract::State, response::Response};
use lombard_core::{
    command::{Act, ReturnPayment},
    id::Id,
    money::Amount,
    payment::{AskedBy, Payment},
    reason::Reason,
    scheme::Rules,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{act::done, list::find};
use crate::http::{
    Api, Call, ErrorCode, IdempotencyKey, Json, PathId, Problem,
    json::MaybeJson,
    prefer::Wait,
    wire::{PaymentView, scalar},
};

/// How much goes back, and why.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateReturn)]
struct ReturnBody {
    /// All that remains when absent.
    #[schema(value_type = Option<scalar::Amount>)]
    amount: Option<Amount>,
    /// `customer_requested` when absent.
    #[schema(value_type = Option<scalar::ReturnReason>)]
    reason: Option<Reason>,
}

/// Return a payment
///
/// Sends the money of an incoming or internal payment back, in full or in part, as a payment of
/// its own. However many returns are asked for, never more goes back than came. This is also how
/// a customer is refunded.
#[utoipa::path(post, path = "/v1/payments/{id}/returns", tag = "payments",
    params(("id" = inline(scalar::PaymentId), Path, description = "The payment whose money goes back."),
           ("Prefer", Header)),
    request_body(content = Option<ReturnBody>, description = "All of it, when absent."),
    responses((status = 201, description = "The return, a payment of its own.", body = PaymentView)))]
pub async fn give_back(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Payment>,
    key: IdempotencyKey,
    wait: Wait,
    MaybeJson(body): MaybeJson,
) -> Result<Response, Problem> {
    let body: ReturnBody = body.parse()?;
    let reason = body.reason.unwrap_or(Reason::CustomerRequested);
    if reason == Reason::Recalled {
        let detail = "a recall is granted by answering it, at `recall/answer`";
        return Err(Problem::field("/reason", detail));
    }
    let wish = key.wish("payments.return", &(id, body.amount, reason));
    let act = give_back_act(&api, id, body.amount, reason);
    done(&api, call, wish, act, wait).await
}

fn give_back_act(api: &Api, original: Id<Payment>, amount: Option<Amount>, reason: Reason) -> Act {
    let host = &api.app().host;
    Act::Return(ReturnPayment {
        id: Id::new(host.now(), host.random()),
        original,
        amount,
        reason,
    })
}

/// Why the money is asked back.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateRecall)]
struct RecallBody {
    #[schema(value_type = scalar::RecallReason)]
    reason: Reason,
}

/// Recall a payment
///
/// Asks the other bank for the money of an outgoing payment that has cleared. The answer comes
/// as an event: a return, or a refusal.
#[utoipa::path(post, path = "/v1/payments/{id}/recall", tag = "payments",
    params(("id" = inline(scalar::PaymentId), Path, description = "The payment.")),
    request_body = RecallBody,
    responses((status = 201, description = "The recall is on its way.", body = PaymentView)))]
pub async fn recall(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Payment>,
    key: IdempotencyKey,
    body: Json,
) -> Result<Response, Problem> {
    let RecallBody { reason } = body.parse()?;
    let code = reason.iso_cancellation_code().ok_or_else(|| {
        let detail = format!("the schemes know no recall for `{reason}`");
        Problem::saying(ErrorCode::SchemeRule, detail.into()).at("/reason")
    })?;
    let wish = key.wish("payments.recall", &(id, reason));
    let act = Act::AskRecall(id, reason, code.to_owned());
    done(&api, call, wish, act, Wait(None)).await
}

/// The answer to the other bank's recall.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RecallAnswerBody {
    answer: RecallDecision,
    code: Option<String>,
}

/// The answer to the other bank's recall.
#[derive(ToSchema)]
#[schema(as = RecallAnswer)]
#[serde(untagged)]
#[allow(dead_code)] // Only described.
enum RecallAnswerChoice {
    Accept(RecallAccepted),
    Refuse(RecallRefused),
}

/// All that remains of the money goes back.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)] // Only described.
struct RecallAccepted {
    /// `accept`.
    #[schema(pattern = "^accept$")]
    answer: String,
}

/// It does not.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)] // Only described.
struct RecallRefused {
    /// `refuse`.
    #[schema(pattern = "^refuse$")]
    answer: String,
    /// Why: a code of the scheme (ISO 20022), `CUST` when absent.
    #[schema(pattern = "^[A-Z0-9]{4}$")]
    code: Option<String>,
}

/// What is decided.
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum RecallDecision {
    /// All that remains of the money goes back.
    Accept,
    /// It does not.
    Refuse,
}

/// Answer a recall
///
/// For an incoming payment whose sender asks for the money back. Accepting returns what remains
/// of it and answers with the return; refusing answers with the payment.
#[utoipa::path(post, path = "/v1/payments/{id}/recall/answer", tag = "payments",
    params(("id" = inline(scalar::PaymentId), Path, description = "The payment."),
           ("Prefer", Header)),
    request_body = RecallAnswerChoice,
    responses((status = 200, description = "It is refused: the payment.", body = PaymentView),
              (status = 201, description = "It is accepted: the return.", body = PaymentView)))]
pub async fn answer_recall(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Payment>,
    key: IdempotencyKey,
    wait: Wait,
    body: Json,
) -> Result<Response, Problem> {
    let body: RecallAnswerBody = body.parse()?;
    let payment = find(&api, &call, id).await?;
    // Our own recall is the other bank's to answer.
    if payment
        .recall
        .as_ref()
        .is_none_or(|it| it.asked_by == AskedBy::Us)
    {
        return Err(Problem::new(ErrorCode::RecallNotOpen));
    }
    let wish = key.wish("payments.recall_answer", &(id, &body));
    let act = match (body.answer, body.code) {
        (RecallDecision::Accept, None) => give_back_act(&api, id, None, Reason::Recalled),
        (RecallDecision::Accept, Some(_)) => {
            return Err(Problem::field("/code", "only a refusal has a code"));
        }
        (RecallDecision::Refuse, code) => Act::RefuseRecall(id, refusal(&payment, code)?),
    };
    done(&api, call, wish, act, wait).await
}

/// The code of a refusal, if the scheme has it.
fn refusal(payment: &Payment, code: Option<String>) -> Result<String, Problem> {
    let code = code.unwrap_or_else(|| "CUST".to_owned());
    let known =
        Rules::of(payment.rail).map_or(&[] as &[_], |rules| rules.recall_refusal_codes.value);
    if known.contains(&code.as_str()) {
        return Ok(code);
    }
    let detail = format!("a recall is refused with one of {}", known.join(", "));
    Err(Problem::saying(ErrorCode::SchemeRule, detail.into()).at("/code"))
}
