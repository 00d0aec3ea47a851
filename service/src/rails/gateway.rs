//! The HTTP call to a rail's gateway: one signed message out, what it says at once back.
//!
//! **Three truths.** What certainly never reached the gateway is [`RailError::NotSent`]; what may
//! have is [`RailError::Unknown`], whatever else is known of the failure. Redirects are not
//! followed: a payment goes where the operator said or nowhere.

use std::{
    fmt,
    sync::{Arc, Once},
    time::{Duration, Instant},
};

use bytes::Bytes;
use lombard_core::{rail::Rail, reason::RailCode, saga};
use parking_lot::Mutex;
use reqwest::{Client, Response, StatusCode, redirect};
use tracing::{info, warn};

use super::{
    RailError, Way,
    breaker::{Breaker, Change, Pass},
    signature::{self, Signer},
};
use crate::{
    config::RailConfig,
    metrics::{
        METRICS,
        kinds::Took,
        label::{self, Label},
    },
    ports::Host,
    slo::Slo,
    traces::{Context, Kind, Span},
};

/// The most bytes of an answer that are read. A status report has some two thousand.
const ANSWER_BYTES_MAX: usize = 128 * 1024;
/// The longest that a caller who waits for the breaker sleeps before it looks again.
const LOOK_AGAIN_MS: u64 = 1_000;

/// The way to one rail's gateway.
pub struct Gateway {
    rail: Rail,
    url: String,
    signer: Signer,
    http: Client,
    host: Arc<dyn Host>,
    breaker: Mutex<Breaker>,
}

/// What a gateway said at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A message.
    Message(Bytes),
    /// It took ours; the answer comes later, as a message to us.
    Nothing,
    /// It refuses ours as no valid message, with its code of why, and has taken nothing.
    Refused(String),
}

impl Gateway {
    /// The gateway of `rail`, as configured.
    ///
    /// # Errors
    /// When no HTTP client can be made on this system.
    pub fn new(
        rail: Rail,
        config: &RailConfig,
        host: Arc<dyn Host>,
    ) -> Result<Self, reqwest::Error> {
        use_ring();
        let http = Client::builder()
            .timeout(Duration::from_millis(saga::RAIL_TIMEOUT_MS))
            .connect_timeout(Duration::from_millis(saga::RAIL_TIMEOUT_MS / 3))
            .pool_max_idle_per_host(config.concurrency)
            .tcp_nodelay(true)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()?;
        let base = config.url.trim_end_matches('/');
        Ok(Self {
            rail,
            url: format!("{base}/{rail}/messages"),
            signer: Signer::new(&config.secret),
            http,
            host,
            breaker: Mutex::default(),
        })
    }

    /// Waits until the breaker lets a call pass. Who is let through calls [`Gateway::post`] or
    /// [`Gateway::unused`].
    pub async fn ready(&self) {
        loop {
            let Pass::Wait(ms) = self.ask() else { return };
            tokio::time::sleep(Duration::from_millis(ms.min(LOOK_AGAIN_MS))).await;
        }
    }

    fn ask(&self) -> Pass {
        let mut breaker = self.breaker.lock();
        let pass = breaker.ask(self.host.now());
        METRICS.rail_breaker.of((self.rail,)).set(breaker.level());
        pass
    }

    fn count(&self, took: Duration, heard: &Result<Heard, RailError>) {
        let call = call_of(heard);
        METRICS.rail_calls.of((self.rail, call)).inc();
        METRICS.rail_call_duration.of((self.rail,)).took(took);
        Slo::RailAnswers.note(heard.is_ok());
    }

    /// How the way to the rail does.
    pub fn way(&self) -> Way {
        Way::of(self.rail, None, &self.breaker, self.host.now())
    }

    /// The call that [`Gateway::ready`] let through is not made.
    pub fn unused(&self) {
        self.breaker.lock().unused(self.host.now());
    }

    /// Sends a message unless the breaker is open.
    ///
    /// # Errors
    /// See [`RailError`]; [`RailError::NotSent`] when the breaker is open.
    pub async fn post_if_closed(&self, xml: String, trace: Trace) -> Result<Heard, RailError> {
        match self.ask() {
            Pass::Go => self.post(xml, trace).await,
            Pass::Wait(_) => Err(RailError::NotSent(Arc::new(CallError::BreakerOpen))),
        }
    }

    /// Sends a message, whatever the breaker says, and notes what became of the call.
    ///
    /// # Errors
    /// See [`RailError`].
    pub async fn post(&self, xml: String, trace: Trace) -> Result<Heard, RailError> {
        let begun = Instant::now();
        let mut span = Span::part("rail.call", Kind::Client);
        span.set("lombard.rail", self.rail);
        let parent = span
            .context()
            .map(Context::header)
            .or_else(|| trace.parent());
        let heard = self.call(xml, parent).await;
        let call = call_of(&heard);
        span.set("lombard.outcome", call.value());
        if matches!(call, label::Call::NotSent | label::Call::Unknown) {
            span.fail(call.value());
        }
        self.count(begun.elapsed(), &heard);
        let change = {
            let mut breaker = self.breaker.lock();
            let change = breaker.note(self.host.now(), heard.is_ok());
            METRICS.rail_breaker.of((self.rail,)).set(breaker.level());
            change
        };
        match change {
            Some(Change::Opened) => {
                METRICS.rail_breaker_opened.of((self.rail,)).inc();
                warn!(rail = %self.rail, "too many errors: calls are held back")
            }
            Some(Change::Closed) => info!(rail = %self.rail, "the rail works again"),
            None => {}
        }
        heard
    }

    async fn call(&self, xml: String, parent: Option<String>) -> Result<Heard, RailError> {
        let signature = self.signer.sign(self.host.now(), xml.as_bytes());
        let mut request = self
            .http
            .post(&self.url)
            .header(reqwest::header::CONTENT_TYPE, "application/xml")
            .header(signature::HEADER, signature)
            .body(xml);
        if let Some(parent) = parent {
            request = request.header("traceparent", parent);
        }
        match request.send().await {
            Ok(response) => read(response).await,
            // No connection, no message. Anything later may have been taken.
            Err(error) if error.is_connect() || error.is_builder() => {
                Err(RailError::NotSent(Arc::new(error)))
            }
            Err(error) => Err(RailError::Unknown(Arc::new(error))),
        }
    }
}

const fn call_of(heard: &Result<Heard, RailError>) -> label::Call {
    match heard {
        Ok(Heard::Message(_) | Heard::Nothing) => label::Call::Answered,
        Ok(Heard::Refused(_)) | Err(RailError::Refused(_) | RailError::Unspeakable(..)) => {
            label::Call::Refused
        }
        Err(RailError::NotSent(_)) => label::Call::NotSent,
        Err(RailError::Unknown(_)) => label::Call::Unknown,
    }
}

async fn read(mut response: Response) -> Result<Heard, RailError> {
    let status = response.status();
    match status {
        StatusCode::OK => Ok(Heard::Message(body(&mut response).await?)),
        StatusCode::ACCEPTED | StatusCode::NO_CONTENT => Ok(Heard::Nothing),
        StatusCode::BAD_REQUEST
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::UNSUPPORTED_MEDIA_TYPE
        | StatusCode::UNPROCESSABLE_ENTITY => {
            let body = body(&mut response).await.unwrap_or_default();
            Ok(Heard::Refused(refusal_code(status, &body)))
        }
        // It did not even look at the message: our key, our address or our pace is wrong.
        StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN
        | StatusCode::NOT_FOUND
        | StatusCode::METHOD_NOT_ALLOWED
        | StatusCode::TOO_MANY_REQUESTS => {
            Err(RailError::NotSent(Arc::new(CallError::Status(status))))
        }
        // A proxy between us may say this of a message that it has passed on.
        _ => Err(RailError::Unknown(Arc::new(CallError::Status(status)))),
    }
}

async fn body(response: &mut Response) -> Result<Bytes, RailError> {
    let mut whole = Vec::new();
    loop {
        match response.chunk().await {
            Ok(None) => return Ok(whole.into()),
            Ok(Some(part)) if whole.len() + part.len() <= ANSWER_BYTES_MAX => {
                whole.extend_from_slice(&part);
            }
            Ok(Some(_)) => return Err(RailError::Unknown(Arc::new(CallError::TooLong))),
            Err(error) => return Err(RailError::Unknown(Arc::new(error))),
        }
    }
}

/// The `code` of a problem document, or the status, made safe to keep.
fn refusal_code(status: StatusCode, body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Problem {
        code: String,
    }
    let code = serde_json::from_slice::<Problem>(body).map_or_else(
        |_| format!("http-{}", status.as_u16()),
        |problem| problem.code,
    );
    RailCode::sanitised(&code).as_str().to_owned()
}

/// The trace that a message belongs to.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    /// W3C trace id, 32 hexadecimal digits.
    pub id: Option<String>,
    /// Names our part of it; any number other than 0.
    pub span: u64,
}

impl Trace {
    fn parent(&self) -> Option<String> {
        let id = self.id.as_deref()?;
        let proper = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        proper.then(|| format!("00-{id}-{:016x}-01", self.span.max(1)))
    }
}

/// Why a call gave nothing, beside what the HTTP client says.
#[derive(Debug)]
enum CallError {
    BreakerOpen,
    Status(StatusCode),
    TooLong,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BreakerOpen => f.write_str("calls are held back after too many errors"),
            Self::Status(status) => write!(f, "the gateway answered {status}"),
            Self::TooLong => f.write_str("the gateway's answer does not end"),
        }
    }
}

impl std::error::Error for CallError {}

/// Names the TLS provider of the process: HTTP clients here are built without one. Another
/// part of the process may have been first; any provider serves.
pub fn use_ring() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_why_and_stays_safe() {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        assert_eq!(
            refusal_code(status, br#"{"code":"schema","detail":"x"}"#),
            "schema"
        );
        assert_eq!(refusal_code(status, b"<html>"), "http-422");
        assert_eq!(refusal_code(status, br#"{"code":"a\nb"}"#), "a?b");
    }

    #[test]
    fn only_a_proper_trace_travels() {
        let trace = |id: &str, span| Trace {
            id: Some(id.to_owned()),
            span,
        };
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(
            trace(id, 7).parent().as_deref(),
            Some("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000007-01")
        );
        assert_eq!(trace("x\r\ny", 7).parent(), None);
        assert_eq!(Trace::default().parent(), None);
    }
}
