//! What both providers have in common: a key is carried out once, and the answer comes as it is told.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::Value;

use super::{
    Shared,
    behaviour::{Answer, Behaviour},
    books::Books,
    news::Notice,
};
use crate::rail::desk::{broken, silence};

/// A request that changes something.
pub struct Asked<'a> {
    /// Of which provider.
    pub provider: &'static str,
    /// Under which key.
    pub headers: &'a HeaderMap,
    /// What: where, and the body as it came.
    pub what: String,
    /// How much, of a charge.
    pub charge: Option<u64>,
}

/// What was done: the answer, and what webhooks tell of it.
pub type Done = (StatusCode, Value, Vec<Notice>);

/// Carries a request out, once for its key.
pub async fn carry_out(
    shared: &Arc<Shared>,
    asked: Asked<'_>,
    reused: impl FnOnce() -> (StatusCode, Value),
    act: impl FnOnce(&mut Books, &Behaviour) -> Done,
) -> Response {
    let behaviour = behaviour(shared, asked.charge);
    match behaviour.answer {
        Answer::Lost => return silence().await,
        Answer::Refused => return StatusCode::TOO_MANY_REQUESTS.into_response(),
        _ => {}
    }
    let key = asked
        .headers
        .get("idempotency-key")
        .and_then(|it| it.to_str().ok());
    let key = key.map(|key| format!("{}/{key}", asked.provider));
    let (status, body) = {
        let mut books = shared.books.lock();
        let before = key
            .as_ref()
            .and_then(|key| books.answered(key, &asked.what));
        match before {
            Some(Ok(answer)) => answer,
            Some(Err(())) => reused(),
            None => {
                let (status, body, notices) = act(&mut books, &behaviour);
                if let Some(key) = key {
                    books.keep(key, asked.what, (status, body.clone()));
                }
                drop(books);
                shared.tell(notices, &behaviour.news);
                (status, body)
            }
        }
    };
    tokio::time::sleep(Duration::from_millis(behaviour.delay_ms)).await;
    match behaviour.answer {
        Answer::Never => silence().await,
        Answer::Broken => broken(),
        Answer::Error => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Answer::Now | Answer::Lost | Answer::Refused => (status, Json(body)).into_response(),
    }
}

/// A rule for the next request, or what a charge's amount asks for the first time that it comes.
fn behaviour(shared: &Shared, charge: Option<u64>) -> Behaviour {
    let next = shared.next.lock().pop_front();
    let magic = || {
        let behaviour = Behaviour::of_amount(charge?)?;
        shared.treated.lock().insert(charge?).then_some(behaviour)
    };
    next.or_else(magic).unwrap_or_default()
}
