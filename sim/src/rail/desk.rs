//! Where Lombard's messages arrive: genuine, valid, then to whom they are for.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use lombard_core::{
    iso20022::{Message, Refusal},
    rail::Rail,
};
use lombard_service::rails::signature;

use super::{
    inquiries, instructions,
    state::{Outage, Shared},
};

/// The most bytes of a message.
const BODY_BYTES_MAX: usize = 128 * 1024;
/// How long silence lasts. Longer than anybody waits, and not for ever, so that the simulator
/// can be stopped.
const SILENCE: Duration = Duration::from_secs(30);

/// The route of the gateway.
pub fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/{rail}/messages", post(take))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(shared)
}

/// What is said at once to a message.
pub enum Said {
    /// A message.
    Xml(String),
    /// Taken; the answer comes later, or there is none.
    Taken,
    /// Nothing, for as long as anybody listens.
    Silence,
    /// Half a response.
    Broken,
    /// Something that is no message.
    Garbage,
    /// An error of ours.
    Error,
    /// The message asks for what we cannot do.
    Refused(&'static str),
}

async fn take(
    State(shared): State<Arc<Shared>>,
    Path(rail): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some((rail, _)) = rail
        .parse::<Rail>()
        .ok()
        .and_then(|rail| Some((rail, Shared::dialect(rail)?)))
    else {
        return problem(StatusCode::NOT_FOUND, "rail_unknown", "no such rail");
    };
    let outage = shared.rules.lock().outage.get(&rail).copied();
    match outage {
        None | Some(Outage::None) => {}
        Some(Outage::Unavailable) => {
            return problem(StatusCode::SERVICE_UNAVAILABLE, "outage", "out of order");
        }
        Some(Outage::Hang) => return say(Said::Silence).await,
        Some(Outage::Drop) => return say(Said::Broken).await,
    }
    let header = headers
        .get(signature::HEADER)
        .and_then(|value| value.to_str().ok());
    if let Err(error) = shared.signer.verify(header, shared.host().now(), &body) {
        shared.books.lock().counts(rail).forged += 1;
        return problem(
            StatusCode::UNAUTHORIZED,
            "signature_invalid",
            &error.to_string(),
        );
    }
    let message = match Message::parse(&body) {
        Ok(message) => message,
        Err(refusal) => {
            shared.books.lock().counts(rail).invalid += 1;
            return refused(&refusal);
        }
    };
    let said = match message {
        Message::CreditTransfer(mut all) if all.len() == 1 => {
            instructions::transfer(&shared, rail, all.remove(0)).await
        }
        Message::Return(mut all) if all.len() == 1 => {
            instructions::comes_back(&shared, rail, all.remove(0)).await
        }
        Message::StatusRequest(mut all) if all.len() == 1 => {
            inquiries::enquiry(&shared, rail, all.remove(0))
        }
        Message::RecallRequest(mut all) if all.len() == 1 => {
            inquiries::recall(&shared, rail, all.remove(0))
        }
        Message::RecallAnswer(_) => {
            shared.books.lock().counts(rail).recall_answers += 1;
            Ok(Said::Taken)
        }
        Message::StatusReport(_) => Ok(Said::Refused("a status report is for whoever paid")),
        _ => Ok(Said::Refused("one transaction in each message")),
    };
    match said {
        Ok(said) => say(said).await,
        Err(refusal) => refused(&refusal),
    }
}

async fn say(said: Said) -> Response {
    match said {
        Said::Xml(xml) => ([(header::CONTENT_TYPE, "application/xml")], xml).into_response(),
        Said::Taken => StatusCode::ACCEPTED.into_response(),
        Said::Silence => silence().await,
        Said::Broken => broken(),
        Said::Garbage => "this is not a message".into_response(),
        Said::Error => problem(StatusCode::INTERNAL_SERVER_ERROR, "malfunction", "an error"),
        Said::Refused(why) => problem(StatusCode::UNPROCESSABLE_ENTITY, "message_refused", why),
    }
}

/// An answer that does not come.
pub async fn silence() -> Response {
    tokio::time::sleep(SILENCE).await;
    StatusCode::GATEWAY_TIMEOUT.into_response()
}

/// An answer whose connection breaks.
pub fn broken() -> Response {
    let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    // A length that is never reached: whoever reads cannot take the part for the whole.
    let body = Body::from_stream(OneError(Some(broken)));
    ([(header::CONTENT_LENGTH, "1000")], body).into_response()
}

/// A body that breaks off before its first byte.
struct OneError(Option<std::io::Error>);

impl tokio_stream::Stream for OneError {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.take().map(Err))
    }
}

fn refused(refusal: &Refusal) -> Response {
    problem(
        StatusCode::UNPROCESSABLE_ENTITY,
        "message_invalid",
        &refusal.to_string(),
    )
}

/// An RFC 9457 problem document.
pub fn problem(status: StatusCode, code: &str, detail: &str) -> Response {
    let body = serde_json::json!({
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "code": code,
        "detail": detail,
    });
    let kind = [(header::CONTENT_TYPE, "application/problem+json")];
    (status, kind, body.to_string()).into_response()
}
