//! A client of the HTTP API that needs no socket.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
};
use http_body_util::BodyExt;
use lombard_core::tenant::TenantId;
use lombard_service::{
    access::Access,
    app::App,
    http::{Api, router},
    tenants::{Scope, create_key},
};
use serde_json::Value;
use tower::ServiceExt;

/// A tenant's client.
pub struct Client {
    router: Router,
    key: String,
}

/// An answer.
#[derive(Debug)]
pub struct Answered {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answered {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The JSON of an answer with this status.
    pub fn expect(self, status: u16) -> Value {
        let shown = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status.as_u16(), status, "{shown}");
        self.json()
    }
}

impl Client {
    pub async fn new(app: &App, tenant: TenantId) -> Self {
        let (_, secret) = create_key(app, tenant, "test", Access::of(Scope::Write))
            .await
            .unwrap();
        Self {
            router: router(Api::new(app.clone())),
            key: secret.expose().to_owned(),
        }
    }

    pub async fn send(&self, request: Request<Body>) -> Answered {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Answered {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes().to_vec(),
        }
    }

    pub fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.key))
    }

    pub async fn get(&self, path: &str) -> Answered {
        let request = self.request("GET", path).body(Body::empty()).unwrap();
        self.send(request).await
    }

    pub async fn json(&self, method: &str, path: &str, key: &str, body: &Value) -> Answered {
        let request = self
            .request(method, path)
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", key)
            .body(Body::from(body.to_string()))
            .unwrap();
        self.send(request).await
    }

    pub async fn post(&self, path: &str, key: &str, body: &Value) -> Answered {
        self.json("POST", path, key, body).await
    }
}
