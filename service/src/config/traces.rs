//! Settings of traces.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where traces are told, and which.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TracesConfig {
    /// The collector's base URL, as `http://127.0.0.1:4318`; traces are off without one.
    pub endpoint: Option<String>,
    /// What is sent to it as `Authorization`.
    pub authorization: Option<String>,
    /// Of how many traces one is kept, whatever becomes of it; 0 for none.
    pub one_in: u32,
    /// From how many milliseconds on something is slow, so that its trace is kept.
    pub slow_ms: u64,
}

impl Default for TracesConfig {
    fn default() -> Self {
        Self {
            endpoint: None,
            authorization: None,
            one_in: 1,
            slow_ms: 1_000,
        }
    }
}

impl fmt::Debug for TracesConfig {
    /// All but the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TracesConfig")
            .field("endpoint", &self.endpoint)
            .field("one_in", &self.one_in)
            .field("slow_ms", &self.slow_ms)
            .finish_non_exhaustive()
    }
}
