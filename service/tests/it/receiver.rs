//! A receiver of webhooks on a port of its own that answers as a test tells it to.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response},
};
use parking_lot::Mutex;
use tokio::net::TcpListener;

/// How a request is answered.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    Status(u16),
    /// With a `Location` or `Retry-After`.
    With(u16, &'static str, &'static str),
    /// After so many milliseconds, 200.
    Slowly(u64),
    /// Never.
    Hang,
    /// 200 with a body that does not end.
    Flood,
}

/// One request that came.
#[derive(Clone, Debug)]
pub struct Received {
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

#[derive(Default)]
struct Shared {
    received: Mutex<Vec<Received>>,
    answers: Mutex<VecDeque<Answer>>,
    usual: Mutex<Option<Answer>>,
}

pub struct Receiver {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

impl Receiver {
    pub async fn start(usual: Answer) -> Self {
        let shared = Arc::new(Shared::default());
        *shared.usual.lock() = Some(usual);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(take).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, shared }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// How the next requests are answered, before the usual answer holds again.
    pub fn then(&self, answers: impl IntoIterator<Item = Answer>) {
        self.shared.answers.lock().extend(answers);
    }

    pub fn usually(&self, answer: Answer) {
        *self.shared.usual.lock() = Some(answer);
    }

    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().clone()
    }

    /// Waits until so many requests came, and not for more than 10 s.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        let started = Instant::now();
        while self.shared.received.lock().len() < count {
            assert!(
                started.elapsed() < Duration::from_secs(10),
                "{} of {count} requests came",
                self.received().len()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.received()
    }
}

async fn take(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    shared.received.lock().push(Received { headers, body });
    let next = shared.answers.lock().pop_front();
    let usual = *shared.usual.lock();
    let plain = |status: u16| Response::builder().status(status);
    let built = match next.or(usual) {
        None => plain(500).body(Body::empty()),
        Some(Answer::Status(status)) => plain(status).body(Body::from("noted")),
        Some(Answer::With(status, name, value)) => {
            plain(status).header(name, value).body(Body::empty())
        }
        Some(Answer::Slowly(ms)) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            plain(200).body(Body::empty())
        }
        Some(Answer::Hang) => {
            std::future::pending::<()>().await;
            plain(200).body(Body::empty())
        }
        Some(Answer::Flood) => {
            let chunk = || Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 8192]));
            let endless = futures_util::stream::repeat_with(chunk);
            plain(200).body(Body::from_stream(endless))
        }
    };
    built.unwrap()
}
