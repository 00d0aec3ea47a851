//! The control API: what tests and demonstrations set and see. It has no key, like the rails' one.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};

use super::{
    Shared, adyen,
    behaviour::{Behaviour, News},
    books::Charge,
    stripe,
};

/// The routes.
pub fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/charges", get(charges))
        .route("/charges/{id}/dispute", post(dispute))
        .route("/next", post(next))
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
