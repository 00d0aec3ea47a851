//! Asking the API, in the same process, as any of its callers would.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower::ServiceExt;

use super::{layout, parts::query, session::Session};
use crate::{
    http::{call::SignedIn, peer::Peer, trace::TRACEPARENT},
    traces,
};

/// The most bytes of an answer of the API; the largest page of a list is far below.
const ANSWER_MAX: usize = 4 * 1024 * 1024;

/// How many rows a page of a list has.
const PAGE: usize = 50;

/// The API's routes.
#[derive(Clone)]
pub struct ApiRouter(Router);

/// Why there is no answer to show.
#[derive(Debug)]
pub struct Refused {
    /// What the API answered.
    pub status: StatusCode,
    /// In a sentence, for who asked.
    pub detail: String,
    /// The trace to find it by in the logs.
    pub trace: Option<String>,
}

impl ApiRouter {
    /// Over these routes.
    pub fn new(router: Router) -> Self {
        Self(router)
    }

    /// What is there.
    pub async fn get<T: DeserializeOwned>(
        &self,
        session: &Session,
        path: &str,
    ) -> Result<T, Refused> {
        let answer = self.send(session.into(), Method::GET, path, None, None);
        typed(path, answer.await?)
    }

    /// What there is for who shows a key.
    pub async fn get_by_key<T: DeserializeOwned>(
        &self,
        key: &str,
        peer: Option<&Peer>,
        path: &str,
    ) -> Result<T, Refused> {
        let answer = self.send(By::Key(key, peer), Method::GET, path, None, None);
        typed(path, answer.await?)
    }

    /// A page of a list, by its filters and the cursor of the page before; empty ones are left out.
    pub async fn list(
        &self,
        session: &Session,
        path: &str,
        filters: &[(&str, &str)],
    ) -> Result<Value, Refused> {
        let query = query(filters);
        self.get(session, &format!("{path}?{query}limit={PAGE}"))
            .await
    }

    /// Does something, once for the key.
    pub async fn post(
        &self,
        session: &Session,
        path: &str,
        key: &str,
        body: &Value,
    ) -> Result<Value, Refused> {
        let body = (!body.is_null()).then(|| body.to_string());
        self.send(session.into(), Method::POST, path, Some(key), body)
            .await
    }

    /// Takes something away; doing it again does no more.
    pub async fn delete(&self, session: &Session, path: &str) -> Result<Value, Refused> {
        self.send(session.into(), Method::DELETE, path, None, None)
            .await
    }

    async fn send(
        &self,
        by: By<'_>,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<String>,
    ) -> Result<Value, Refused> {
        let unusable = |why: String| Refused {
            status: StatusCode::BAD_REQUEST,
            detail: why,
            trace: None,
        };
        let mut request = Request::builder().method(method).uri(path);
        let peer = match by {
            By::Session(session) => {
                request = request.extension(SignedIn(session.caller.clone()));
                session.peer.as_ref()
            }
            By::Key(key, peer) => {
                request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
                peer
            }
        };
        if let Some(peer) = peer {
            request = request.extension(peer.clone());
        }
        if let Some(clicked) = traces::current() {
            request = request.header(TRACEPARENT, clicked.header());
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(body.map_or_else(Body::empty, Body::from));
        let request = request.map_err(|error| unusable(error.to_string()))?;
        let Ok(response) = self.0.clone().oneshot(request).await;
        read(response).await
    }
}

/// By whom is asked.
enum By<'a> {
    /// By somebody signed in.
    Session(&'a Session),
    /// By who shows a key, from somewhere.
    Key(&'a str, Option<&'a Peer>),
}

impl<'a> From<&'a Session> for By<'a> {
    fn from(session: &'a Session) -> Self {
        Self::Session(session)
    }
}

fn typed<T: DeserializeOwned>(path: &str, answer: Value) -> Result<T, Refused> {
    serde_json::from_value(answer).map_err(|error| Refused {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        detail: format!("{path}: {error}"),
        trace: None,
    })
}

async fn read(response: Response) -> Result<Value, Refused> {
    let (parts, body) = response.into_parts();
    let status = parts.status;
    let trace = parts.headers.get("traceparent").and_then(|value| {
        let text = value.to_str().ok()?;
        text.split('-').nth(1).map(str::to_owned)
    });
    let bytes = to_bytes(body, ANSWER_MAX).await.map_err(|error| Refused {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        detail: error.to_string(),
        trace: trace.clone(),
    })?;
    let value = serde_json::from_slice::<Value>(&bytes).unwrap_or_default();
    if status.is_success() {
        return Ok(value);
    }
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let field = text("field");
    let detail = match (text("detail"), field) {
        ("", _) => text("title").to_owned(),
        (detail, "") => detail.to_owned(),
        (detail, field) => format!("{field}: {detail}"),
    };
    Err(Refused {
        status,
        detail,
        trace,
    })
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        if self.status == StatusCode::UNAUTHORIZED {
            return axum::response::Redirect::to("/console/sign-in").into_response();
        }
        (self.status, layout::refused(&self)).into_response()
    }
}
