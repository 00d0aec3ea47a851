//! The figures of a run, and the middle one of several.

use std::collections::BTreeMap;

use serde::Serialize;

use super::load::Measured;

/// One run.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// 2xx answers per second of the measured time.
    pub payments_per_second: f64,
    /// Half of the answers took no longer, in milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 answers took no longer.
    pub p99_ms: f64,
    /// 999 of 1000 answers took no longer.
    pub p999_ms: f64,
    /// The slowest answer.
    pub max_ms: f64,
    /// 2xx answers in all, the warm-up among them.
    pub accepted: u64,
    /// Other answers, by status.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: BTreeMap<u16, u64>,
    /// Calls without an answer.
    pub unknown: u64,
    /// Processor time of the server per payment, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_cpu_us: Option<f64>,
    /// The same of the load generator, which shares the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_cpu_us: Option<f64>,
}

impl Figures {
    /// The figures of what was measured.
    #[must_use]
    pub fn of(measured: &Measured) -> Self {
        Self {
            payments_per_second: round(measured.per_second(), 1),
            p50_ms: round(measured.latency_ms(0.5), 3),
            p99_ms: round(measured.latency_ms(0.99), 3),
            p999_ms: round(measured.latency_ms(0.999), 3),
            max_ms: round(measured.latency_ms(1.0), 3),
            accepted: measured.accepted,
            refused: measured.refused.clone(),
            unknown: measured.broken,
            server_cpu_us: None,
            client_cpu_us: None,
        }
    }
}

/// The run in the middle by rate; of an even number the slower one.
///
/// # Panics
/// When there was no run.
#[must_use]
pub fn median(runs: &[Figures]) -> &Figures {
    let mut sorted: Vec<&Figures> = runs.iter().collect();
    sorted.sort_by(|a, b| a.payments_per_second.total_cmp(&b.payments_per_second));
    sorted[(sorted.len() - 1) / 2]
}

/// To `places` decimals: more would only look exact.
#[must_use]
pub fn round(value: f64, places: i32) -> f64 {
    let scale = 10_f64.powi(places);
    (value * scale).round() / scale
}
