//! Sends the spans that are kept to a collector: OTLP over HTTP, in protobuf.
//!
//! **Invariant.** A collector that is slow or gone costs spans, never payments: it is tried
//! [`TRIES_MAX`] times, what it does not take is dropped, and what waits meanwhile is bounded. Each
//! span that is not told is counted, by why.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use reqwest::{Client, StatusCode, header, redirect::Policy};
use tokio::sync::{mpsc, watch};
use tracing::warn;

use super::{
    QUEUE_MAX, TRACER, Tracer,
    keep::Keep,
    otlp::{self, Anchor},
    span::Ended,
};
use crate::{
    config::{Environment, TracesConfig},
    metrics::{METRICS, label::SpanEnd},
    ports::{Cause, Host},
    rails::gateway::use_ring,
    seldom::Seldom,
};

/// Spans in one request.
const BATCH_MAX: usize = 512;
/// Spans that are taken in at once.
const TAKE_MAX: usize = 1024;
/// How often it is looked which traces' time has come.
const TICK: Duration = Duration::from_millis(500);
/// How long the collector may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How often one request is made. OTLP says of which answers it may be made again.
const TRIES_MAX: u32 = 3;

/// Sends spans.
struct Exporter {
    http: Client,
    url: String,
    authorization: Option<String>,
    environment: &'static str,
    host: Arc<dyn Host>,
    anchor: Anchor,
    keep: Keep,
    failures: Seldom,
}

/// Switches traces on, if the configuration names a collector, and gives the work that sends
/// them, until `stop` turns true. A process traces to one collector: the first that is named.
///
/// # Errors
/// When no HTTP client can be made on this system.
pub fn start(
    config: &TracesConfig,
    environment: Environment,
    host: Arc<dyn Host>,
    stop: watch::Receiver<bool>,
) -> Result<Option<BoxFuture<'static, ()>>, Cause> {
    let Some(endpoint) = &config.endpoint else {
        return Ok(None);
    };
    use_ring();
    let http = Client::builder()
        .timeout(TIMEOUT)
        .redirect(Policy::none())
        .no_proxy()
        .build()
        .map_err(|error| -> Cause { Arc::new(error) })?;
    let (queue, spans) = mpsc::channel(QUEUE_MAX);
    let exporter = Exporter {
        http,
        url: format!("{}/v1/traces", endpoint.trim_end_matches('/')),
        authorization: config.authorization.clone(),
        environment: match environment {
            Environment::Test => "test",
            Environment::Live => "live",
        },
        anchor: Anchor::new(Instant::now(), host.now()),
        host: Arc::clone(&host),
        keep: Keep::new(config.one_in, Duration::from_millis(config.slow_ms)),
        failures: Seldom::new(),
    };
    if TRACER.set(Tracer { host, queue }).is_err() {
        return Ok(None);
    }
    Ok(Some(Box::pin(exporter.run(spans, stop))))
}

impl Exporter {
    async fn run(mut self, mut spans: mpsc::Receiver<Ended>, mut stop: watch::Receiver<bool>) {
        let mut taken = Vec::with_capacity(TAKE_MAX);
        let mut tick = tokio::time::interval(TICK);
        while !*stop.borrow() {
            tokio::select! {
                biased;
                changed = stop.changed() => if changed.is_err() { break },
                _ = tick.tick() => {
                    let decided = self.keep.decide(Instant::now());
                    self.tell(decided).await;
                }
                _ = spans.recv_many(&mut taken, TAKE_MAX) => self.gather(&mut taken),
            }
        }
        spans.close();
        while spans.recv_many(&mut taken, TAKE_MAX).await > 0 {
            self.gather(&mut taken);
        }
        let rest = self.keep.finish();
        self.tell(rest).await;
    }

    fn gather(&mut self, taken: &mut Vec<Ended>) {
        let now = Instant::now();
        taken.drain(..).for_each(|span| self.keep.take(span, now));
    }

    async fn tell(&mut self, (kept, left_out): (Vec<Ended>, u64)) {
        let count = |end, spans| METRICS.spans.of((end,)).inc_by(spans);
        count(SpanEnd::LeftOut, left_out);
        self.anchor = self.anchor.checked(Instant::now(), self.host.now());
        for batch in kept.chunks(BATCH_MAX) {
            let request = otlp::request(batch, &self.anchor, self.environment);
            let end = match self.post(request).await {
                Ok(()) => SpanEnd::Told,
                Err(error) => {
                    if let Some(held_back) = self.failures.may() {
                        warn!(%error, held_back, "the collector does not take traces");
                    }
                    SpanEnd::Refused
                }
            };
            count(end, batch.len() as u64);
        }
    }

    async fn post(&self, request: Vec<u8>) -> Result<(), NotTaken> {
        let request = bytes::Bytes::from(request);
        let mut tries = 0;
        loop {
            let mut post = self.http.post(&self.url).body(request.clone());
            post = post.header(header::CONTENT_TYPE, "application/x-protobuf");
            if let Some(authorization) = &self.authorization {
                post = post.header(header::AUTHORIZATION, authorization);
            }
            let error = match post.send().await.map(|answer| answer.status()) {
                Ok(status) if status.is_success() => return Ok(()),
                Ok(status) if !may_be_repeated(status) => return Err(NotTaken::Status(status)),
                Ok(status) => NotTaken::Status(status),
                Err(error) => NotTaken::Call(error.without_url()),
            };
            tries += 1;
            if tries == TRIES_MAX {
                return Err(error);
            }
            let longest = 100_u128 << tries;
            let pause = (self.host.random() % longest) as u64;
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }
}

/// The answers of which OTLP/HTTP says that the request may be made again.
fn may_be_repeated(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// Why the collector did not take a request.
#[derive(Debug, thiserror::Error)]
enum NotTaken {
    #[error("it answers {0}")]
    Status(StatusCode),
    #[error(transparent)]
    Call(reqwest::Error),
}
