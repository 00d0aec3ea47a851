//! One try: a signed POST, its answer's status, and nothing more of the answer.
//!
//! Redirects are not followed, proxies of the environment are not used (they would resolve names
//! behind the [`Guard`]'s back), and the answer's body is thrown away: up to [`ANSWER_MAX`] bytes
//! are read so that the connection can be used again, and none is kept.

use std::{error::Error, time::Duration};

use futures_util::future::BoxFuture;
use lombard_core::time::Timestamp;
use reqwest::{Client, Response, StatusCode, header, redirect::Policy};

use super::{
    delivery::{Attempt, Failure},
    guard::{Guard, NameRefused},
    sign,
};
use crate::{config::WebhooksConfig, ports::Cause};

/// Bytes of an answer that are read for the sake of the connection.
const ANSWER_MAX: usize = 64 * 1024;
/// How long an answer's body may take for the sake of the connection.
const DRAIN: Duration = Duration::from_millis(500);
/// Part of the time-out that a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(60);

/// Carries messages to endpoints: over HTTP, or in a simulation that has no network.
pub trait Courier: Send + Sync + 'static {
    /// The longest that a try takes.
    fn timeout(&self) -> Duration;

    /// Makes one try and says what became of it.
    fn send<'a>(&'a self, message: Outgoing<'a>) -> BoxFuture<'a, (Attempt, Sent)>;
}

/// Makes tries over HTTP.
pub struct Sender {
    client: Client,
    guard: Guard,
    timeout: Duration,
}

/// What an endpoint made of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It took it (2xx).
    Taken,
    /// It wants no more (410).
    Gone,
    /// Anything else, or no answer.
    Failed {
        /// How long it asks to be left alone, in milliseconds.
        retry_after_ms: Option<u64>,
    },
}

/// A message on its way.
#[derive(Debug)]
pub struct Outgoing<'a> {
    /// Where to.
    pub url: &'a str,
    /// The message's id.
    pub id: &'a str,
    /// When the try is made.
    pub at: Timestamp,
    /// The signature header.
    pub signature: String,
    /// The span of the try, for endpoints that trace.
    pub traceparent: Option<String>,
    /// The body, as it was signed.
    pub body: Vec<u8>,
}

impl Sender {
    /// A sender with connections of its own.
    ///
    /// # Errors
    /// When the system's certificates cannot be read.
    pub fn new(config: &WebhooksConfig) -> Result<Self, Cause> {
        // Whoever was first in this process has installed the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let guard = Guard::of(config);
        let timeout = Duration::from_millis(config.timeout_ms);
        let client = Client::builder()
            .user_agent(concat!(
                "Lombard/",
                env!("CARGO_PKG_VERSION"),
                " (webhooks)"
            ))
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(guard)
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            .timeout(timeout)
            .pool_idle_timeout(IDLE)
            .build()
            .map_err(|error| -> Cause { std::sync::Arc::new(error) })?;
        Ok(Self {
            client,
            guard,
            timeout,
        })
    }

    async fn call(&self, message: Outgoing<'_>) -> (Attempt, Sent) {
        let started = std::time::Instant::now();
        let mut attempt = Attempt {
            at: message.at,
            latency_ms: 0,
            status: None,
            failure: None,
        };
        let result = self.post(message).await;
        attempt.latency_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let sent = match result {
            Ok(response) => {
                attempt.status = Some(response.status().as_u16());
                let sent = judge(&response);
                drain(response).await;
                sent
            }
            Err(failure) => {
                attempt.failure = Some(failure);
                Sent::Failed {
                    retry_after_ms: None,
                }
            }
        };
        (attempt, sent)
    }

    async fn post(&self, message: Outgoing<'_>) -> Result<Response, Failure> {
        // The operator may have shut what was open when the endpoint was made.
        let url = self
            .guard
            .check(message.url)
            .map_err(|_| Failure::Refused)?;
        let seconds = message.at.unix_ms() / 1000;
        let mut request = self.client.post(url);
        if let Some(traceparent) = message.traceparent {
            request = request.header("traceparent", traceparent);
        }
        request
            .header(header::CONTENT_TYPE, "application/json")
            .header(sign::ID, message.id)
            .header(sign::TIMESTAMP, seconds)
            .header(sign::SIGNATURE, message.signature)
            .body(message.body)
            .send()
            .await
            .map_err(|error| failure(&error))
    }
}

impl Courier for Sender {
    fn timeout(&self) -> Duration {
        self.timeout
    }

    fn send<'a>(&'a self, message: Outgoing<'a>) -> BoxFuture<'a, (Attempt, Sent)> {
        Box::pin(self.call(message))
    }
}

fn judge(response: &Response) -> Sent {
    match response.status() {
        status if status.is_success() => Sent::Taken,
        StatusCode::GONE => Sent::Gone,
        _ => Sent::Failed {
            retry_after_ms: retry_after_ms(response),
        },
    }
}

/// `Retry-After` in seconds. Its other form, a date, is not honoured: it needs the clocks to agree.
fn retry_after_ms(response: &Response) -> Option<u64> {
    let value = response.headers().get(header::RETRY_AFTER)?;
    let seconds: u64 = value.to_str().ok()?.trim().parse().ok()?;
    seconds.checked_mul(1000)
}

/// Reads a short answer to its end; the connection of a long or slow one is dropped instead.
async fn drain(mut response: Response) {
    let whole = async {
        let mut read = 0;
        while let Ok(Some(chunk)) = response.chunk().await {
            read += chunk.len();
            if read > ANSWER_MAX {
                return;
            }
        }
    };
    // What was decided stays decided, however long the rest takes.
    let _ = tokio::time::timeout(DRAIN, whole).await;
}

fn failure(error: &reqwest::Error) -> Failure {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(inner) = cause {
        if inner.is::<NameRefused>() {
            return Failure::Refused;
        }
        cause = inner.source();
    }
    if error.is_timeout() {
        Failure::TimedOut
    } else if error.is_connect() {
        Failure::NotConnected
    } else {
        Failure::Broken
    }
}
