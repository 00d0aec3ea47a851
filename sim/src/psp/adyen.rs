//! Payments and what is done to them, in Adyen's shapes. What became of a capture, a cancel or a refund
//! is told by webhooks alone.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};

use super::{
    Shared,
    books::{Charge, Refused, State as Standing},
    desk::{Asked, Done, carry_out},
    news::Notice,
};

const NAME: &str = "adyen";

/// The routes.
pub fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/payments", post(pay))
        .route("/payments/{id}/{what}", post(modify))
        .with_state(shared)
}

async fn pay(State(shared): State<Arc<Shared>>, headers: HeaderMap, bytes: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let text = |at: &str| {
        body.pointer(at)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let Some(amount) = body.pointer("/amount/value").and_then(Value::as_u64) else {
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(refusal("100"))).into_response();
    };
    let asked = asked(&headers, "pay".to_owned(), &bytes, Some(amount));
    carry_out(&shared, asked, reused, |books, behaviour| {
        let is_manual = text("/additionalData/manualCapture") == "true";
        let mut charge = Charge {
            provider: NAME,
            id: books.fresh("PSP"),
            attempt: text("/reference"),
            amount,
            currency: text("/amount/currency"),
            state: Standing::Authorised,
            captured: 0,
            refunded: 0,
            declined: behaviour.decline.clone(),
        };
        if charge.declined.is_some() {
            charge.state = Standing::Declined;
        }
        let mut notices = vec![about(&charge, "AUTHORISATION", None, amount)];
        if charge.state == Standing::Authorised && !is_manual {
            (charge.state, charge.captured) = (Standing::Captured, amount);
            let part = books.fresh("PSP");
            notices.push(about(&charge, "CAPTURE", Some(&part), amount));
        }
        books.take(charge.clone());
        let result = match &charge.declined {
            Some(why) => {
                json!({"resultCode": "Refused", "refusalReason": why, "refusalReasonCode": "2"})
            }
            None => json!({"resultCode": "Authorised"}),
        };
        let mut answer = json!({"pspReference": charge.id, "merchantReference": charge.attempt});
        for (name, value) in result.as_object().into_iter().flatten() {
            answer[name] = value.clone();
        }
        (StatusCode::OK, answer, notices)
    })
    .await
}

async fn modify(
    State(shared): State<Arc<Shared>>,
    Path((id, what)): Path<(String, String)>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let amount = body.pointer("/amount/value").and_then(Value::as_u64);
    let reference = body
        .pointer("/reference")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let asked = asked(&headers, format!("{what} {id}"), &bytes, None);
    carry_out(&shared, asked, reused, |books, behaviour| {
        if let Some(code) = &behaviour.decline {
            return (StatusCode::UNPROCESSABLE_ENTITY, refusal(code), Vec::new());
        }
        let mut part = books.fresh("PSP");
        let outcome = match what.as_str() {
            "captures" => books.capture(&id, amount).map(|it| {
                let captured = it.captured;
                (it, "CAPTURE", captured)
            }),
            "cancels" => books.void(&id).map(|it| {
                let amount = it.amount;
                (it, "CANCELLATION", amount)
            }),
            "refunds" => {
                let refund = books.refund("PSP", &id, amount.unwrap_or_default(), reference);
                refund.map(|(charge, refund)| {
                    part = refund.id;
                    (charge, "REFUND", refund.amount)
                })
            }
            _ => Err(Refused::Absent),
        };
        received(outcome, &part, reference)
    })
    .await
}

/// All that is said at once is that it was received.
fn received(outcome: Result<(Charge, &str, u64), Refused>, part: &str, reference: &str) -> Done {
    match outcome {
        Ok((charge, event, amount)) => {
            let notice = Notice::adyen(&charge, event, Some(part), reference, amount);
            let answer = json!({
                "pspReference": part, "paymentPspReference": charge.id, "status": "received",
                "reference": reference,
            });
            (StatusCode::CREATED, answer, vec![notice])
        }
        Err(why) => {
            let code = match why {
                Refused::Absent => "167",
                Refused::State => "702",
                Refused::Amount => "136",
            };
            (StatusCode::UNPROCESSABLE_ENTITY, refusal(code), Vec::new())
        }
    }
}

fn about(charge: &Charge, event: &str, part: Option<&str>, amount: u64) -> Notice {
    Notice::adyen(charge, event, part, &charge.attempt, amount)
}

/// Adyen's id of the dispute of a charge.
pub fn dispute_id(charge: &Charge) -> String {
    format!("DIS{}", charge.id)
}

/// What Adyen tells of a dispute of a charge.
pub fn disputed(charge: &Charge, event: &str) -> Notice {
    about(charge, event, Some(&dispute_id(charge)), charge.captured)
}

fn asked<'a>(headers: &'a HeaderMap, what: String, body: &[u8], charge: Option<u64>) -> Asked<'a> {
    let what = format!("{what} {}", String::from_utf8_lossy(body));
    Asked {
        provider: NAME,
        headers,
        what,
        charge,
    }
}

/// The same key for another request.
fn reused() -> (StatusCode, Value) {
    (StatusCode::UNPROCESSABLE_ENTITY, refusal("704"))
}

fn refusal(code: &str) -> Value {
    json!({"status": 422, "errorCode": code, "errorType": "validation"})
}
