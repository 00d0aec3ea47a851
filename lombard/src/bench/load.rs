//! A closed loop of load: each connection sends its next request when it has the answer to the
//! last. So the rate is what the server reaches at that many connections, and a slow server is
//! asked less often; the latencies are those of the requests that were sent.
//!
//! All connections run on one thread of their own runtime, as `wrk -t1` does. Every answer's
//! status is looked at; what is not a 2xx is counted, and its latency is not.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use hdrhistogram::Histogram;

use super::wire::Connection;

/// Requests, whole, one after the other.
pub trait Requests: Clone + Send + 'static {
    /// The bytes of the `n`th.
    fn fill(&mut self, n: u64) -> &[u8];
}

/// What to send, to whom, how and for how long.
#[derive(Clone, Debug)]
pub struct Load<R> {
    /// The server.
    pub address: SocketAddr,
    /// The requests.
    pub requests: R,
    /// How many connections at once.
    pub connections: usize,
    /// For how long it is sent without being measured: connections open, caches fill.
    pub warm_up: Duration,
    /// For how long it is measured.
    pub measured: Duration,
}

/// What came of it.
#[derive(Debug)]
pub struct Measured {
    /// Latencies of the 2xx answers within the measured time, in microseconds.
    pub latency_us: Histogram<u64>,
    /// The measured time.
    pub elapsed: Duration,
    /// 2xx answers in all, those of the warm-up and of the last moment among them.
    pub accepted: u64,
    /// Answers that were not 2xx, by status.
    pub refused: BTreeMap<u16, u64>,
    /// Calls without an understandable answer, whose outcome is therefore unknown.
    pub broken: u64,
}

impl Measured {
    fn new() -> Result<Self> {
        // Up to a minute, to three digits.
        let latency_us = Histogram::new_with_bounds(1, 60_000_000, 3)?;
        Ok(Self {
            latency_us,
            elapsed: Duration::ZERO,
            accepted: 0,
            refused: BTreeMap::new(),
            broken: 0,
        })
    }

    /// 2xx answers per second of the measured time.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        self.latency_us.len() as f64 / self.elapsed.as_secs_f64()
    }

    /// The latency below which `quantile` of the answers were, in milliseconds.
    #[must_use]
    pub fn latency_ms(&self, quantile: f64) -> f64 {
        self.latency_us.value_at_quantile(quantile) as f64 / 1000.0
    }

    fn merge(&mut self, other: Self) -> Result<()> {
        self.latency_us.add(other.latency_us)?;
        self.accepted += other.accepted;
        self.broken += other.broken;
        for (status, count) in other.refused {
            *self.refused.entry(status).or_default() += count;
        }
        Ok(())
    }
}

/// Sends the load, on a thread of its own, and waits for the end.
///
/// # Errors
/// When not even one connection could be made.
pub fn run<R: Requests>(load: &Load<R>) -> Result<Measured> {
    let load = load.clone();
    let thread = std::thread::Builder::new().name("load".into());
    let thread = thread.spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build()?;
        runtime.block_on(all(load))
    })?;
    thread
        .join()
        .map_err(|_| anyhow::anyhow!("the load generator failed"))?
}

async fn all<R: Requests>(load: Load<R>) -> Result<Measured> {
    let next = Arc::new(AtomicU64::new(0));
    let begin = Instant::now() + load.warm_up;
    let end = begin + load.measured;
    let mut connections = tokio::task::JoinSet::new();
    for _ in 0..load.connections {
        let connection = Connection::open(load.address).await;
        let connection =
            connection.with_context(|| format!("cannot connect to {}", load.address))?;
        connections.spawn(one(load.clone(), connection, next.clone(), begin, end));
    }
    let mut measured = Measured::new()?;
    while let Some(one) = connections.join_next().await {
        measured.merge(one??)?;
    }
    measured.elapsed = load.measured;
    Ok(measured)
}

async fn one<R: Requests>(
    mut load: Load<R>,
    mut connection: Connection,
    next: Arc<AtomicU64>,
    begin: Instant,
    end: Instant,
) -> Result<Measured> {
    let mut measured = Measured::new()?;
    let mut sent = Instant::now();
    while sent < end {
        let request = load.requests.fill(next.fetch_add(1, Ordering::Relaxed));
        let status = connection.call(request).await.map(|answer| answer.status);
        let answered = Instant::now();
        match status {
            Ok(200..=299) => {
                measured.accepted += 1;
                if sent >= begin && answered <= end {
                    let us = (answered - sent).as_micros() as u64;
                    measured.latency_us.saturating_record(us);
                }
            }
            Ok(status) => *measured.refused.entry(status).or_default() += 1,
            Err(_) => {
                measured.broken += 1;
                match Connection::open(load.address).await {
                    Ok(fresh) => connection = fresh,
                    Err(_) => break,
                }
            }
        }
        sent = answered;
    }
    Ok(measured)
}
