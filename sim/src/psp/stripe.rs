//! PaymentIntents and refunds in Stripe's shapes.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, Query, RawForm, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};

use super::{
    Shared,
    books::{Books, Charge, Refund, Refused, State as Standing},
    desk::{Asked, carry_out},
    news::Notice,
};

const NAME: &str = "stripe";

/// The routes.
pub fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/payment_intents", post(create))
        .route("/v1/payment_intents/search", get(search))
        .route("/v1/payment_intents/{id}", get(look))
        .route("/v1/payment_intents/{id}/capture", post(capture))
        .route("/v1/payment_intents/{id}/cancel", post(cancel))
        .route("/v1/refunds", post(refund).get(refunds))
        .with_state(shared)
}

/// A form's members.
struct Form(Vec<(String, String)>);

impl Form {
    fn of(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }

    fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    fn attempt(&self) -> &str {
        self.text("metadata[lombard_attempt]").unwrap_or_default()
    }
}

async fn create(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    RawForm(bytes): RawForm,
) -> Response {
    let form = Form::of(&bytes);
    let (Some(amount), Some(currency)) = (form.number("amount"), form.text("currency")) else {
        return refuse("parameter_missing");
    };
    let has_card = form
        .text("payment_method")
        .or(form.text("payment_method_data[card][number]"));
    if has_card.is_none() {
        return refuse("parameter_missing");
    }
    let asked = asked(&headers, "create", &bytes, Some(amount));
    carry_out(&shared, asked, reused, |books, behaviour| {
        let is_manual = form.text("capture_method") == Some("manual");
        let state = match (&behaviour.decline, is_manual) {
            (Some(_), _) => Standing::Declined,
            (None, true) => Standing::Authorised,
            (None, false) => Standing::Captured,
        };
        let charge = Charge {
            provider: NAME,
            id: books.fresh("pi_"),
            attempt: form.attempt().to_owned(),
            amount,
            currency: currency.to_ascii_uppercase(),
            state,
            captured: if state == Standing::Captured {
                amount
            } else {
                0
            },
            refunded: 0,
            declined: behaviour.decline.clone(),
        };
        books.take(charge.clone());
        let notices = vec![event(books, "created", &charge), told(books, &charge)];
        match &behaviour.decline {
            Some(code) => {
                let (status, mut body) = error("card_error", "card_declined", Some(&charge));
                body["error"]["decline_code"] = code.as_str().into();
                (status, body, notices)
            }
            None => (StatusCode::OK, intent(&charge), notices),
        }
    })
    .await
}

async fn capture(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    RawForm(bytes): RawForm,
) -> Response {
    let amount = Form::of(&bytes).number("amount_to_capture");
    let asked = asked(&headers, &format!("capture {id}"), &bytes, None);
    carry_out(&shared, asked, reused, |books, behaviour| {
        if let Some(code) = &behaviour.decline {
            let (status, body) = error("invalid_request_error", code, books.charge(&id));
            return (status, body, Vec::new());
        }
        let captured = books.capture(&id, amount);
        done(books, &id, captured)
    })
    .await
}

async fn cancel(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    RawForm(bytes): RawForm,
) -> Response {
    let asked = asked(&headers, &format!("cancel {id}"), &bytes, None);
    carry_out(&shared, asked, reused, |books, _| {
        let voided = books.void(&id);
        done(books, &id, voided)
    })
    .await
}

async fn refund(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    RawForm(bytes): RawForm,
) -> Response {
    let form = Form::of(&bytes);
    let id = form.text("payment_intent").unwrap_or_default().to_owned();
    let amount = form.number("amount").unwrap_or_default();
    let asked = asked(&headers, "refund", &bytes, None);
    carry_out(&shared, asked, reused, |books, _| {
        match books.refund("re_", &id, amount, form.attempt()) {
            Ok((charge, refund)) => {
                let notices = vec![
                    Notice::stripe(number(books), "refund.created", refunded(&charge, &refund)),
                    Notice::stripe(number(books), "charge.refunded", charged(&charge)),
                ];
                (StatusCode::OK, refunded(&charge, &refund), notices)
            }
            Err(why) => {
                let (status, body) =
                    error("invalid_request_error", code_of(&why), books.charge(&id));
                (status, body, Vec::new())
            }
        }
    })
    .await
}

async fn look(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    match shared.books.lock().charge(&id) {
        Some(charge) => Json(intent(charge)).into_response(),
        None => refuse("resource_missing"),
    }
}

async fn search(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    let query = query.iter().find(|(name, _)| name == "query");
    let attempt = query
        .and_then(|(_, text)| text.split('\'').nth(3))
        .unwrap_or_default();
    let books = shared.books.lock();
    let ours = books
        .charges()
        .filter(|it| it.provider == NAME && it.attempt == attempt);
    let data: Vec<Value> = ours.map(intent).collect();
    Json(json!({"object": "search_result", "data": data, "has_more": false})).into_response()
}

async fn refunds(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    let id = query.iter().find(|(name, _)| name == "payment_intent");
    let id = id.map(|(_, id)| id.as_str()).unwrap_or_default();
    let books = shared.books.lock();
    let data: Vec<Value> = match books.charge(id) {
        Some(charge) => books.refunds(id).map(|it| refunded(charge, it)).collect(),
        None => Vec::new(),
    };
    Json(json!({"object": "list", "data": data, "has_more": false})).into_response()
}

fn asked<'a>(headers: &'a HeaderMap, what: &str, body: &[u8], charge: Option<u64>) -> Asked<'a> {
    let what = format!("{what} {}", String::from_utf8_lossy(body));
    Asked {
        provider: NAME,
        headers,
        what,
        charge,
    }
}

fn done(
    books: &mut Books,
    id: &str,
    outcome: Result<Charge, Refused>,
) -> (StatusCode, Value, Vec<Notice>) {
    match outcome {
        Ok(charge) => {
            let notice = told(books, &charge);
            (StatusCode::OK, intent(&charge), vec![notice])
        }
        Err(why) => {
            let (status, body) = error("invalid_request_error", code_of(&why), books.charge(id));
            (status, body, Vec::new())
        }
    }
}

const fn code_of(why: &Refused) -> &'static str {
    match why {
        Refused::Absent => "resource_missing",
        Refused::State => "payment_intent_unexpected_state",
        Refused::Amount => "amount_too_large",
    }
}

fn refuse(code: &str) -> Response {
    let (status, body) = error("invalid_request_error", code, None);
    (status, Json(body)).into_response()
}

/// The same key for another request.
fn reused() -> (StatusCode, Value) {
    error("idempotency_error", "idempotency_key_in_use", None)
}

fn error(kind: &str, code: &str, charge: Option<&Charge>) -> (StatusCode, Value) {
    let status = match (kind, code) {
        ("card_error", _) => StatusCode::PAYMENT_REQUIRED,
        (_, "resource_missing") => StatusCode::NOT_FOUND,
        _ => StatusCode::BAD_REQUEST,
    };
    let mut body = json!({"error": {"type": kind, "code": code, "message": code}});
    if let Some(charge) = charge {
        body["error"]["payment_intent"] = intent(charge);
    }
    (status, body)
}

fn number(books: &mut Books) -> u64 {
    books.fresh("").parse().unwrap_or_default()
}

fn event(books: &mut Books, what: &str, charge: &Charge) -> Notice {
    Notice::stripe(
        number(books),
        &format!("payment_intent.{what}"),
        intent(charge),
    )
}

/// What Stripe tells of where a charge stands.
fn told(books: &mut Books, charge: &Charge) -> Notice {
    let what = match charge.state {
        Standing::Authorised => "amount_capturable_updated",
        Standing::Captured => "succeeded",
        Standing::Voided => "canceled",
        Standing::Declined => "payment_failed",
    };
    event(books, what, charge)
}

/// A PaymentIntent.
fn intent(charge: &Charge) -> Value {
    let (status, capturable) = match charge.state {
        Standing::Authorised => ("requires_capture", charge.amount),
        Standing::Captured => ("succeeded", 0),
        Standing::Voided => ("canceled", 0),
        Standing::Declined => ("requires_payment_method", 0),
    };
    let error = charge.declined.as_ref();
    json!({
        "id": charge.id, "object": "payment_intent", "livemode": false, "status": status,
        "amount": charge.amount, "amount_capturable": capturable, "amount_received": charge.captured,
        "currency": charge.currency.to_ascii_lowercase(),
        "metadata": {"lombard_attempt": charge.attempt},
        "last_payment_error": error.map(|code| {
            json!({"type": "card_error", "code": "card_declined", "decline_code": code})
        }),
    })
}

/// A refund.
fn refunded(charge: &Charge, refund: &Refund) -> Value {
    json!({
        "id": refund.id, "object": "refund", "status": "succeeded", "amount": refund.amount,
        "currency": charge.currency.to_ascii_lowercase(), "payment_intent": charge.id,
        "metadata": {"lombard_attempt": refund.attempt},
    })
}

/// The Charge object that stands behind a PaymentIntent.
fn charged(charge: &Charge) -> Value {
    json!({
        "id": format!("ch_{}", charge.id), "object": "charge", "payment_intent": charge.id,
        "amount": charge.captured, "amount_captured": charge.captured,
        "amount_refunded": charge.refunded, "captured": true,
        "currency": charge.currency.to_ascii_lowercase(),
        "metadata": {"lombard_attempt": charge.attempt},
    })
}

/// Stripe's id of the dispute of a charge.
pub fn dispute_id(charge: &Charge) -> String {
    format!("dp_{}", charge.id)
}

/// What Stripe tells of a dispute of a charge.
pub fn disputed(books: &mut Books, charge: &Charge, what: &str, status: &str) -> Notice {
    let dispute = json!({
        "id": dispute_id(charge), "object": "dispute", "payment_intent": charge.id,
        "amount": charge.captured, "currency": charge.currency.to_ascii_lowercase(),
        "status": status, "metadata": {},
    });
    Notice::stripe(number(books), &format!("charge.dispute.{what}"), dispute)
}
