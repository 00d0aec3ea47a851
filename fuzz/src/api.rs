//! The API in memory, asked what bytes say.

use std::{cell::RefCell, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Method, Request, Uri, header},
};
use http_body_util::BodyExt;
use lombard_service::{
    app::App,
    config::Config,
    host::SystemHost,
    http::{Api, router, wire::Wire},
    memory::Memory,
    optimistic::Optimistic,
    ports::{Host, Store, Vault},
    rails, tenants,
    vault::LocalVault,
};
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// Where bodies are posted, with their type. `{account}` is a funded account.
const ROUTES: [(&str, &str); 14] = [
    ("/v1/payments", "application/json"),
    ("/v1/accounts", "application/json"),
    ("/v1/ledger", "application/json"),
    ("/v1/holds", "application/json"),
    ("/v1/webhook_endpoints", "application/json"),
    ("/v1/payments/{none}/cancel", "application/json"),
    ("/v1/payments/{none}/returns", "application/json"),
    ("/v1/payments/{none}/recall", "application/json"),
    ("/v1/payments/{none}/recall/answer", "application/json"),
    ("/v1/payments/{none}/verification", "application/json"),
    ("/v1/accounts/{account}/close", "application/json"),
    ("/v1/batches", "text/csv"),
    ("/v1/batches", "application/x-ndjson"),
    ("/v1/batches", "application/xml"),
];
const NONE: &str = "pay_00000000000000000000000000";
/// What a world gathers stays in its memory; after so many requests another is begun.
const REQUESTS_MAX: u64 = 2_000;

struct World {
    runtime: Runtime,
    router: Router,
    key: String,
    account: String,
    requests: u64,
}

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

fn in_world(ask: impl FnOnce(&World) -> Request<Body>) {
    WORLD.with_borrow_mut(|world| {
        if world.as_ref().is_none_or(|it| it.requests >= REQUESTS_MAX) {
            *world = Some(World::begin());
        }
        let Some(world) = world else { return };
        world.requests += 1;
        let request = ask(world);
        world.answer(request);
    });
}

/// Posts a body to the route of a number.
pub fn post(route: usize, body: &[u8]) {
    let (path, kind) = ROUTES[route % ROUTES.len()];
    in_world(|world| {
        let path = path.replace("{account}", &world.account);
        let request = Request::post(path.replace("{none}", NONE))
            .header(header::AUTHORIZATION, format!("Bearer {}", world.key))
            .header(header::CONTENT_TYPE, kind)
            .header("idempotency-key", format!("k{}", world.requests));
        request
            .body(Body::from(body.to_vec()))
            .expect("these headers are valid")
    });
}

/// Sends headers and a query, in the order of the target's description.
pub fn headers(lines: &[&[u8]]) {
    let value = |n: usize| HeaderValue::from_bytes(lines.get(n)?).ok();
    let query = lines.get(4).and_then(|line| std::str::from_utf8(line).ok());
    let uri = query.and_then(|query| format!("/v1/payments?{query}").parse::<Uri>().ok());
    in_world(|world| {
        let (method, uri) = match uri {
            Some(uri) => (Method::GET, uri),
            None => (Method::POST, Uri::from_static("/v1/payments")),
        };
        let mut request = Request::new(Body::from("{}"));
        (*request.method_mut(), *request.uri_mut()) = (method, uri);
        let ours = HeaderValue::try_from(format!("Bearer {}", world.key)).ok();
        let named = [
            ("traceparent", value(0)),
            ("idempotency-key", value(1)),
            ("prefer", value(2)),
            (
                "authorization",
                value(3).filter(|it| !it.is_empty()).or(ours),
            ),
            (
                "content-type",
                Some(HeaderValue::from_static("application/json")),
            ),
        ];
        for (name, value) in named {
            value.and_then(|value| request.headers_mut().insert(name, value));
        }
        request
    });
}

impl World {
    fn begin() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let vault = LocalVault::open(&folder.path().join("keys")).expect("a vault");
        let host: Arc<dyn Host> = Arc::new(SystemHost::default());
        let store: Arc<dyn Store> = Arc::new(Memory::default());
        let bank = Optimistic::new(store.clone(), host.clone(), Arc::new(Wire));
        let vault: Arc<dyn Vault> = Arc::new(vault);
        let config = config();
        let app = App {
            rails: Arc::new(rails::connect(&config, &store, &vault, &host).expect("rails")),
            store,
            bank: Arc::new(bank),
            host,
            vault,
            risk: None,
            config: Arc::new(config),
        };
        let demo = runtime.block_on(tenants::demo(&app)).expect("a tenant");
        Self {
            runtime,
            router: router(Api::new(app)),
            key: demo.key.expose().to_owned(),
            account: demo.account.to_string(),
            requests: 0,
        }
    }

    /// Asks, and holds the answer against what every answer must be.
    fn answer(&self, request: Request<Body>) {
        let asked = format!("{} {}", request.method(), request.uri());
        self.runtime.block_on(async {
            let answered = self.router.clone().oneshot(request).await;
            let (parts, body) = answered.expect("a router always answers").into_parts();
            let status = parts.status.as_u16();
            let known = matches!(
                status,
                200..=202 | 400 | 401 | 404 | 409 | 413 | 415 | 422 | 431
            );
            assert!(known, "{asked}: {status}");
            assert!(parts.headers.contains_key("traceparent"), "{asked}");
            let body = body.collect().await.expect("a body").to_bytes();
            let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
            assert!(status < 400 || body["code"].is_string(), "{asked}: {body}");
        });
    }
}

/// Both rails are on, and nobody is at their other end: no worker runs here.
fn config() -> Config {
    let rail = |agent: &str| serde_json::json!({"url": "http://127.0.0.1:9/", "secret": "s", "own_agent": agent});
    serde_json::from_value(serde_json::json!({
        "rails": {"fps": rail("040004"), "sepa_inst": rail("LOMBGB2LXXX")},
        "http": {"requests_per_second_max": 0, "log_one_in": 0},
    }))
    .expect("these settings are valid")
}
