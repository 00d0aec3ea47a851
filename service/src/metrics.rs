//! What is counted, for whoever keeps this running.
//!
//! **Shape.** [`catalogue`] lists every metric once: name, kind, unit, labels, help. The list makes
//! the fields of [`Metrics`], `docs/metrics.md`, and what dashboards and alert rules may name; there
//! is no other way to make one. What happens is counted where it happens; what stands (depths,
//! lags, sizes) is looked up when somebody asks ([`sample`]).
//!
//! **Bounds.** A label's values are an enum ([`label::Label`]) and every series is made at the
//! start, so nothing that a caller sends can become a series, and a rate begins at zero instead of
//! at nothing. The one open label, the route, has the routes as they are declared.
//!
//! **Cost.** Counting is an atomic addition, observing a duration a short lock of that series alone.
//!
//! **Why they are the process's.** Like logs, metrics are asked for in places that know nothing of an
//! application: the store's writer thread, a breaker, a socket. They decide nothing.

mod catalogue;
pub mod kinds;
pub mod label;
mod page;
pub mod process;
pub mod sample;
pub mod serve;

use std::sync::LazyLock;

pub use catalogue::{Metrics, Row, catalogue};
pub use page::page;

/// The metrics of this process.
pub static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// The media type of [`Metrics::text`].
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
