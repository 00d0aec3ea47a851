//! The HTTP call to a provider.
//!
//! **Three truths.** What certainly was not acted on is [`RailError::NotSent`]: there was no
//! connection, or the provider did not look at what we sent. What may have been is
//! [`RailError::Unknown`]. Anything else is the provider's answer. Redirects are not followed, and
//! neither body is ever logged: cards are in one of them.

use std::{fmt, sync::Arc, time::Duration};

use lombard_core::saga;
use reqwest::{Client, RequestBuilder, StatusCode, redirect};
use serde_json::Value;

use crate::rails::{RailError, gateway::use_ring};

/// The most bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 512 * 1024;

/// What a provider said.
pub struct Said {
    /// The status of its answer.
    pub status: StatusCode,
    /// The answer; null when it is no JSON.
    pub body: Value,
}

impl Said {
    /// A text of the answer, by its JSON pointer.
    pub fn text(&self, pointer: &str) -> Option<&str> {
        self.body.pointer(pointer)?.as_str()
    }
}

/// A client for a provider.
///
/// # Errors
/// When no HTTP client can be made on this system.
pub fn client() -> Result<Client, reqwest::Error> {
    use_ring();
    Client::builder()
        .timeout(Duration::from_millis(saga::RAIL_TIMEOUT_MS))
        .connect_timeout(Duration::from_millis(saga::RAIL_TIMEOUT_MS / 3))
        .tcp_nodelay(true)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .build()
}

/// Sends a request.
///
/// # Errors
/// See [`RailError`].
pub async fn call(request: RequestBuilder) -> Result<Said, RailError> {
    let mut response = match request.send().await {
        Ok(response) => response,
        // No connection, no request. Anything later may have been acted on.
        Err(error) if error.is_connect() || error.is_builder() => {
            return Err(RailError::NotSent(Arc::new(error.without_url())));
        }
        Err(error) => return Err(unknown(error)),
    };
    let status = response.status();
    if matches!(
        status,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS
    ) {
        return Err(RailError::NotSent(Arc::new(CallError::Status(status))));
    }
    // A conflict is another request under the same key that is still under way.
    if status.is_server_error() || status.is_redirection() || status == StatusCode::CONFLICT {
        return Err(RailError::Unknown(Arc::new(CallError::Status(status))));
    }
    let mut bytes = Vec::new();
    while let Some(part) = response.chunk().await.map_err(unknown)? {
        if bytes.len() + part.len() > ANSWER_BYTES_MAX {
            return Err(RailError::Unknown(Arc::new(CallError::TooLong)));
        }
        bytes.extend_from_slice(&part);
    }
    match serde_json::from_slice(&bytes) {
        Ok(body) => Ok(Said { status, body }),
        Err(error) => Err(RailError::Unknown(Arc::new(error))),
    }
}

fn unknown(error: reqwest::Error) -> RailError {
    RailError::Unknown(Arc::new(error.without_url()))
}

/// Why a call gave nothing, beside what the HTTP client says.
#[derive(Debug)]
enum CallError {
    Status(StatusCode),
    TooLong,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "the provider answered {status}"),
            Self::TooLong => f.write_str("the provider's answer does not end"),
        }
    }
}

impl std::error::Error for CallError {}
