//! Answers: what the plan wrote, and what was read for a caller.

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use lombard_core::{command::Reply, store::encode};
use serde::Serialize;

use super::idempotency::IDEMPOTENCY_REPLAYED;

/// The answer to a command: the bytes that were committed with it, as they are.
#[must_use]
pub fn reply(reply: Reply) -> Response {
    // A plan gives only statuses that there are.
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    let mut response = body(status, Bytes::from_owner(reply.body));
    if reply.replayed {
        let yes = HeaderValue::from_static("true");
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED, yes);
    }
    response
}

/// A value that was read.
#[must_use]
pub fn shown<T: Serialize>(value: &T) -> Response {
    body(StatusCode::OK, encode(value).into())
}

/// The answer to a wish that made a secret: the first shows it, in `whole`; of a repeated one it
/// is gone.
#[must_use]
pub fn shown_once<T: Serialize>(kept: Reply, whole: &T) -> Response {
    if kept.replayed {
        return reply(kept);
    }
    let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
    body(status, encode(whole).into())
}

/// JSON that was written already.
#[must_use]
pub fn body(status: StatusCode, json: Bytes) -> Response {
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    // Everything here is somebody's own, and may be otherwise a moment later.
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-store"),
    );
    response
}

/// What a scheme will do to texts on their way: `rule;field`, separated by commas.
const LOMBARD_WARNING: HeaderName = HeaderName::from_static("lombard-warning");

/// Says in a header what the rails will not carry as it was given.
pub fn warn<'a>(response: &mut Response, warned: impl Iterator<Item = (&'a str, &'a str)>) {
    let said: Vec<String> = warned
        .map(|(rule, field)| format!("{rule};{field}"))
        .collect();
    if let Ok(value) = HeaderValue::try_from(said.join(", "))
        && !said.is_empty()
    {
        response.headers_mut().insert(LOMBARD_WARNING, value);
    }
}
