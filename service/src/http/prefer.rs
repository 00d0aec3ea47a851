//! `Prefer: wait=N` (RFC 7240): the caller would rather wait for the outcome.
//!
//! The command is carried out as always, and its first answer is what its key remembers. The
//! answer to *this* request is then the payment as it stands when it is decided, or when the time
//! is up. A repeated request that asks to wait is answered the same way, from the payment that
//! the key remembers; a repeated request that does not is answered with the remembered bytes.
//!
//! Waiting is asking the store again, after 2 ms at first and then half as long again each time,
//! at most [`PAUSE_MS_MAX`]: it works alike on every store, and a record that just changed is in
//! memory.

use std::time::{Duration, Instant};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts},
    response::Response,
};
use lombard_core::{command::Reply, id::Id, payment::Payment, plan::keys, tenant::TenantId};
use serde::Deserialize;

use super::{Api, problem::Problem, reply::reply, wire};

/// The longest wait, in seconds. A longer wish is granted this far.
pub const WAIT_S_MAX: u64 = 30;
const PAUSE_MS_FIRST: u64 = 2;
const PAUSE_MS_MAX: u64 = 100;
const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// How many seconds the caller would wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait(pub Option<u64>);

impl<S: Send + Sync> FromRequestParts<S> for Wait {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(asked(&parts.headers)))
    }
}

/// The first `wait` among the preferences. What cannot be read is ignored, as RFC 7240 asks.
fn asked(headers: &HeaderMap) -> Option<u64> {
    let values = headers.get_all(PREFER).iter();
    let mut preferences = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    preferences.find_map(|preference| {
        let (name, value) = preference.split(';').next()?.split_once('=')?;
        let value = value.trim().trim_matches('"');
        let wait = name.trim().eq_ignore_ascii_case("wait");
        let digits = value.bytes().all(|byte| byte.is_ascii_digit());
        (wait && digits && !value.is_empty())
            .then(|| value.parse::<u64>().unwrap_or(u64::MAX).min(WAIT_S_MAX))
    })
}

/// Answers a command about a payment, after waiting if the caller asked for it.
///
/// # Errors
/// When the payment cannot be read again.
pub async fn answer(
    api: &Api,
    tenant: TenantId,
    wait: Wait,
    answer: Reply,
) -> Result<Response, Problem> {
    let Some(seconds) = wait.0 else {
        return Ok(reply(answer));
    };
    let Ok(_place) = api.0.waiting.try_acquire() else {
        return Ok(reply(answer));
    };
    let mut shown = answer;
    // A replayed answer is of the past even when it needs no waiting.
    let decided = shown
        .stage
        .is_some_and(lombard_core::lifecycle::Stage::is_decided);
    if !decided && let Some(id) = payment_of(&shown.body) {
        let until = Instant::now() + Duration::from_secs(seconds);
        if let Some(payment) = watch(api, tenant, id, until).await? {
            let body = wire::Wire.payment(&payment);
            shown.body = body.into();
        }
    }
    let mut response = reply(shown);
    if let Ok(applied) = HeaderValue::try_from(format!("wait={seconds}")) {
        response.headers_mut().insert(PREFERENCE_APPLIED, applied);
    }
    let vary = HeaderValue::from_static("Prefer");
    response.headers_mut().insert(header::VARY, vary);
    Ok(response)
}

/// The payment that an answer tells of.
fn payment_of(body: &[u8]) -> Option<Id<Payment>> {
    #[derive(Deserialize)]
    struct Named {
        id: Id<Payment>,
    }
    serde_json::from_slice::<Named>(body)
        .ok()
        .map(|named| named.id)
}

/// The payment when it is decided, or as it is when the time is up.
async fn watch(
    api: &Api,
    tenant: TenantId,
    id: Id<Payment>,
    until: Instant,
) -> Result<Option<Payment>, Problem> {
    let key = keys::payment(tenant, id);
    let mut pause_ms = PAUSE_MS_FIRST;
    loop {
        let payment: Option<Payment> = api.app().value(&key).await?;
        let now = Instant::now();
        let open = payment.as_ref().is_some_and(|it| !it.stage.is_decided());
        if !open || now >= until {
            return Ok(payment);
        }
        let pause = Duration::from_millis(pause_ms).min(until - now);
        tokio::time::sleep(pause).await;
        pause_ms = (pause_ms + pause_ms.div_ceil(2)).min(PAUSE_MS_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_found_among_preferences() {
        let read = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(PREFER, value.parse().unwrap());
            }
            asked(&headers)
        };
        assert_eq!(read(&["wait=5"]), Some(5));
        assert_eq!(read(&["respond-async, Wait = \"7\"; foo=bar"]), Some(7));
        assert_eq!(
            read(&["return=minimal", "wait=99999999999999999999999"]),
            Some(WAIT_S_MAX)
        );
        for none in ["", "wait", "wait=", "wait=-1", "wait=1.5", "waiting=3"] {
            assert_eq!(read(&[none]), None, "{none}");
        }
    }
}
