//! The control API: what tests and demonstrations set and see. It has no key, like the rails' one.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    routing::{get, post},
};
use lombard_core::currency::Currency;
use serde::{Deserialize, Serialize};

use super::{
    Shared, adyen,
    behaviour::{Behaviour, News},
    books::{Charge, What},
    payout, stripe,
};

/// The routes.
pub fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/charges", get(charges))
        .route("/charges/{id}/dispute", post(dispute))
        .route("/next", post(next))
        .route("/payouts/{provider}", post(pay_out))
        .with_state(shared)
}

#[derive(Serialize)]
struct Overview {
    charges: Vec<Charge>,
    /// Requests that came again under their keys.
    repeated: u64,
}

async fn charges(State(shared): State<Arc<Shared>>) -> Json<Overview> {
    let books = shared.books.lock();
    Json(Overview {
        charges: books.charges().cloned().collect(),
        repeated: books.repeated(),
    })
}

/// Sets how the next request is treated.
async fn next(State(shared): State<Arc<Shared>>, Json(behaviour): Json<Behaviour>) -> StatusCode {
    shared.next.lock().push_back(behaviour);
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Of {
    /// ISO 4217, in capitals.
    currency: Currency,
}

/// Pays out what a provider holds of a currency, and gives the provider's report on it.
async fn pay_out(
    State(shared): State<Arc<Shared>>,
    Path(provider): Path<String>,
    Query(Of { currency }): Query<Of>,
) -> Result<String, StatusCode> {
    let now = shared.config.host.now();
    let mut books = shared.books.lock();
    let movements = books.pay_out(&provider, currency.code());
    if movements.is_empty() {
        return Err(StatusCode::NOT_FOUND);
    }
    let number = books.fresh("");
    drop(books);
    let payout = payout::Payout {
        number: &number,
        currency,
        at: now,
        movements: &movements,
    };
    match provider.as_str() {
        "stripe" => Ok(payout.stripe()),
        _ => Ok(payout.adyen()),
    }
}

/// A step of a dispute.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    Opened,
    Taken,
    Won,
    Lost,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Disputed {
    step: Step,
}

/// Tells Lombard a step of a dispute of all that was captured.
async fn dispute(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Json(Disputed { step }): Json<Disputed>,
) -> StatusCode {
    let notice = {
        let mut books = shared.books.lock();
        let Some(charge) = books.charge(&id).cloned() else {
            return StatusCode::NOT_FOUND;
        };
        let moved = match step {
            Step::Taken => Some(What::ChargedBack),
            Step::Won => Some(What::ChargebackReversed),
            Step::Opened | Step::Lost => None,
        };
        if let Some(what) = moved {
            let dispute = if charge.provider == "stripe" {
                stripe::dispute_id(&charge)
            } else {
                adyen::dispute_id(&charge)
            };
            books.moved(what, &dispute, &charge, charge.captured);
        }
        if charge.provider == "stripe" {
            let (what, status) = match step {
                Step::Opened => ("created", "needs_response"),
                Step::Taken => ("funds_withdrawn", "needs_response"),
                Step::Won => ("closed", "won"),
                Step::Lost => ("closed", "lost"),
            };
            stripe::disputed(&mut books, &charge, what, status)
        } else {
            let event = match step {
                Step::Opened => "NOTIFICATION_OF_CHARGEBACK",
                Step::Taken => "CHARGEBACK",
                Step::Won => "CHARGEBACK_REVERSED",
                Step::Lost => "PREARBITRATION_LOST",
            };
            adyen::disputed(&charge, event)
        }
    };
    shared.tell(vec![notice], &News::default());
    StatusCode::NO_CONTENT
}
