//! Around every request: its trace, its refusal written out, a net under panics, its metrics, and
//! the log.
//!
//! **The log.** One line for each request that is logged, with method, route (never the path or
//! the query, which name things), status, milliseconds, trace and code. Failures of ours and slow
//! requests are always logged, but of those refused for now (503) one in five seconds; of the others one in [`HttpConfig::log_one_in`], because at tens
//! of thousands of requests a second a line for each costs more than the payment.
//!
//! [`HttpConfig::log_one_in`]: crate::config::HttpConfig::log_one_in

use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::Response,
};
use futures_util::FutureExt;
use tracing::{error, info, warn};

use crate::{
    duty,
    metrics::{
        METRICS,
        kinds::{self, Answered, Route, Took},
        label::Shed,
    },
    seldom::Seldom,
    slo::Slo,
    traces::Span,
};

use super::{
    Api,
    error::ErrorCode,
    peer::Peer,
    problem::{Problem, chain},
    trace::{TRACEPARENT, TraceContext},
};

/// Bytes of all header names and values together.
const HEADER_BYTES_MAX: usize = 16 * 1024;
/// Says on what is read that something in the store is damaged, so that a list may lack items.
const WARNING: HeaderName = HeaderName::from_static("lombard-warning");
/// Requests that were refused for now.
static REFUSALS: Seldom = Seldom::new();
/// The route whose answers are promised; see [`Slo::Served`].
const PAYMENTS: &str = "/v1/payments";
/// From here on a request is slow, and logged.
const SLOW: Duration = Duration::from_secs(1);

/// The path leads nowhere.
pub async fn no_such_path() -> Problem {
    Problem::not_found()
}

/// The resource does not take the method.
pub async fn no_such_method() -> Problem {
    Problem::new(ErrorCode::MethodNotAllowed)
}

/// See the module.
pub async fn observe(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let trace = TraceContext::of(request.headers(), api.app().host.random());
    request.extensions_mut().insert(trace);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let peer = request.extensions().get::<Peer>().cloned();
    let route_text = route.as_ref().map_or("none", MatchedPath::as_str);
    let mut span = Span::serve(method.as_str(), route_text, &trace);
    let mut response = if header_bytes(request.headers()) > HEADER_BYTES_MAX {
        Err(Problem::new(ErrorCode::HeadersTooLarge))
    } else if let Some(wait_ms) = asks_too_often(&api, peer.as_ref()) {
        Err(Problem::new(ErrorCode::RateLimited).after_ms(wait_ms))
    } else {
        AssertUnwindSafe(span.run(duty::on("api", next.run(request))))
            .catch_unwind()
            .await
            .map_err(|_| Problem::new(ErrorCode::Internal))
    }
    .unwrap_or_else(axum::response::IntoResponse::into_response);
    let problem = response.extensions_mut().remove::<Problem>();
    if let Some(problem) = &problem {
        response = written(problem, response, &trace);
    }
    // The digits and hyphens of a trace are always a header's value.
    if let Ok(value) = HeaderValue::from_bytes(&trace.header()) {
        response.headers_mut().insert(TRACEPARENT, value);
    }
    if method == Method::GET && api.app().store.damaged().is_some() {
        let warning = HeaderValue::from_static("store_damaged");
        response.headers_mut().insert(WARNING, warning);
    }
    guard(
        response.headers_mut(),
        peer.is_some_and(|peer| peer.encrypted),
    );
    let seen = Seen {
        method: &method,
        route: route_text,
        status: response.status(),
        took: started.elapsed(),
        trace: &trace,
        problem: problem.as_ref(),
    };
    seen.count();
    seen.trace(&mut span);
    seen.log(api.app().config.http.log_one_in);
    response
}

/// How long the peer must wait, if he asks too often.
fn asks_too_often(api: &Api, peer: Option<&Peer>) -> Option<u64> {
    let app = api.app();
    peer?.asks(app.host.now(), &app.config.http).err()
}

/// Headers by which browsers neither guess what an answer is, nor keep it, nor frame it, nor tell
/// others where they found it; and come back encrypted if they came so.
fn guard(headers: &mut HeaderMap, encrypted: bool) {
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let hsts = (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    for (name, value) in fixed.into_iter().chain(encrypted.then_some(hsts)) {
        // A route that knows better has said so.
        let value = HeaderValue::from_static(value);
        headers.entry(name).or_insert(value);
    }
}

fn header_bytes(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum()
}

/// The problem's document, with what headers the response had beside it (such as `Allow`).
fn written(problem: &Problem, response: Response, trace: &TraceContext) -> Response {
    let mut document = problem.render(trace);
    for (name, value) in response.headers() {
        if name != header::CONTENT_LENGTH {
            document.headers_mut().insert(name.clone(), value.clone());
        }
    }
    document
}

/// One request, as the log tells of it.
struct Seen<'a> {
    method: &'a Method,
    route: &'a str,
    status: StatusCode,
    took: Duration,
    trace: &'a TraceContext,
    problem: Option<&'a Problem>,
}

impl Seen<'_> {
    fn count(&self) {
        let (method, route) = (kinds::method(self.method.as_str()), self.route.to_owned());
        let by_route = Route { method, route };
        METRICS
            .http_request_duration
            .get_or_create(&by_route)
            .took(self.took);
        let served = !self.status.is_server_error();
        if *self.method == Method::POST && self.route == PAYMENTS {
            Slo::Served.note(served);
        }
        let answered = Answered {
            method,
            route: by_route.route,
            status: kinds::class(self.status.as_u16()),
        };
        METRICS.http_requests.get_or_create(&answered).inc();
        let shed = match self.problem.map(|problem| problem.code) {
            Some(ErrorCode::RateLimited) => Shed::RateLimited,
            Some(ErrorCode::Overloaded) => Shed::Overloaded,
            _ => return,
        };
        METRICS.requests_shed.of((shed,)).inc();
    }

    fn trace(&self, span: &mut Span) {
        span.count("http.response.status_code", self.status.as_u16());
        let Some(problem) = self.problem else { return };
        span.set("error.type", problem.code.code());
        if self.status.is_server_error() {
            span.fail(problem.code.code());
        }
    }

    fn log(&self, one_in: u32) {
        let method = self.method.as_str();
        let (route, status) = (self.route, self.status.as_u16());
        let code = self.problem.map_or("none", |problem| problem.code.code());
        let latency_ms = self.took.as_micros() as f64 / 1000.0;
        if self.status.is_server_error() {
            // While there is no room for writes, each of them is refused in the same words.
            let refused = self.status == StatusCode::SERVICE_UNAVAILABLE;
            let Some(held_back) = (if refused { REFUSALS.may() } else { Some(0) }) else {
                return;
            };
            let cause = self.problem.and_then(|problem| problem.cause.as_ref());
            let cause = cause.map_or_else(String::new, |cause| chain(cause.as_ref()));
            error!(target: "lombard::access", method, route, status, latency_ms, code, cause, held_back, trace_id = self.trace.trace_id());
        } else if self.took >= SLOW && !self.status.is_client_error() {
            // A request that was at fault is mostly slow because its peer is.
            warn!(target: "lombard::access", method, route, status, latency_ms, code, trace_id = self.trace.trace_id());
        } else if one_in != 0 && self.trace.draws(one_in) {
            info!(target: "lombard::access", method, route, status, latency_ms, code, trace_id = self.trace.trace_id());
        }
    }
}
