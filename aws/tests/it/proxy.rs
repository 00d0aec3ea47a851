//! A proxy that does to calls what networks and services do: it answers 500, throttles, loses the
//! request, or lets it be done and loses the answer.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use tokio::net::TcpListener;

/// What was done to calls.
#[derive(Default)]
pub struct Done {
    pub calls: AtomicU64,
    pub refused: AtomicU64,
    pub throttled: AtomicU64,
    pub lost_before: AtomicU64,
    pub lost_after: AtomicU64,
}

struct Proxy {
    behind: String,
    http: reqwest::Client,
    done: Arc<Done>,
    /// Of how many calls one meets each of the four fates.
    one_in: u64,
    chance: AtomicU64,
}

/// Puts a proxy before an endpoint; its URL.
pub async fn before(endpoint: &str, one_in: u64, seed: u64) -> (String, Arc<Done>) {
    let done = Arc::new(Done::default());
    lombard_service::rails::gateway::use_ring();
    let proxy = Arc::new(Proxy {
        behind: endpoint.to_owned(),
        http: reqwest::Client::builder()
            .timeout(std::time::Duration::from_secs(10))
            .build()
            .expect("a client"),
        done: done.clone(),
        one_in,
        chance: AtomicU64::new(seed),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let router = Router::new().fallback(pass).with_state(proxy);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, done)
}

impl Proxy {
    /// The next number of a fixed sequence (SplitMix64).
    fn draw(&self) -> u64 {
        let mut z = self
            .chance
            .fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

async fn pass(State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
    let done = &proxy.done;
    done.calls.fetch_add(1, Ordering::Relaxed);
    let count = |fate: &AtomicU64| fate.fetch_add(1, Ordering::Relaxed);
    // Fates meet writes alone: a read that fails is read again, and proves little.
    let target = request
        .headers()
        .get("x-amz-target")
        .and_then(|it| it.to_str().ok());
    let writes = target.is_some_and(|it| it.ends_with("WriteItems") || it.ends_with("PutItem"));
    let fate = if writes {
        proxy.draw() % proxy.one_in
    } else {
        u64::MAX
    };
    match fate {
        0 => {
            count(&done.refused);
            return error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError");
        }
        1 => {
            count(&done.throttled);
            return error(StatusCode::BAD_REQUEST, "ThrottlingException");
        }
        2 => {
            count(&done.lost_before);
            return torn();
        }
        _ => {}
    }
    let answer = forward(&proxy, request).await;
    if fate == 3 && answer.status().is_success() {
        count(&done.lost_after);
        return torn();
    }
    answer
}

async fn forward(proxy: &Proxy, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    let url = format!("{}{}", proxy.behind, parts.uri);
    let mut headers = parts.headers;
    headers.remove("host");
    headers.remove("content-length");
    let sent = proxy
        .http
        .request(parts.method, url)
        .headers(headers)
        .body(body);
    let answer = sent.send().await.expect("the emulator answers");
    let (status, headers) = (answer.status(), answer.headers().clone());
    let bytes = answer.bytes().await.expect("a whole answer");
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response.headers_mut().remove("transfer-encoding");
    response
}

fn error(status: StatusCode, code: &str) -> Response {
    let body = format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"no"}}"#);
    (
        status,
        [("content-type", "application/x-amz-json-1.0")],
        body,
    )
        .into_response()
}

/// An answer that breaks off: the connection is closed in the middle of it.
fn torn() -> Response {
    let broken = futures_util::stream::once(async {
        Err::<&'static [u8], _>(std::io::Error::other("the line is dead"))
    });
    Response::new(Body::from_stream(broken))
}
