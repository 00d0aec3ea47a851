//! What an operator can set. Every value has a default, so that nothing need be set to start.

use std::{collections::BTreeMap, path::PathBuf};

use lombard_core::rail::Rail;
use serde::{Deserialize, Serialize};

/// The configuration of a running Lombard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The rails that are switched on, by name, and how each is reached.
    pub rails: BTreeMap<Rail, RailConfig>,
    /// Limits of the HTTP server.
    pub http: HttpConfig,
    /// Batches of payments.
    pub batches: BatchesConfig,
    /// How webhooks are sent.
    pub webhooks: WebhooksConfig,
    /// The verifiable log.
    pub proof: ProofConfig,
    /// The vault.
    pub vault: VaultConfig,
}

/// Batches of payments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatchesConfig {
    /// The folder in which files are kept, encrypted, until all their rows are decided. Without one they are
    /// gone with the process that took them.
    pub spool: Option<PathBuf>,
}

/// The vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VaultConfig {
    /// For how many days after the last payment somebody's data is kept although he wants to be
    /// forgotten: five years by UK MLR 2017 reg. 40.
    pub retention_days: u64,
    /// How many tokens one credential may read back within an hour before a person is alerted.
    pub detokenize_per_hour_max: u64,
}

impl Default for VaultConfig {
    fn default() -> Self {
        Self {
            retention_days: 5 * 365 + 2,
            detokenize_per_hour_max: 100,
        }
    }
}

/// The verifiable log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProofConfig {
    /// The log's name in its checkpoints, by which the world knows it: the address at which it is
    /// served, without a scheme. It is read once, when the log's first key is made.
    pub origin: Option<String>,
    /// A file with the policy: the witnesses to ask, and how many of them are enough.
    pub policy: Option<String>,
    /// A folder or a URL outside our own trust, to which checkpoints are copied once a minute.
    pub export: Option<String>,
}

/// How webhooks are sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhooksConfig {
    /// Whether endpoints may be on private or loopback addresses, and be reached by plain `http`.
    /// For a laptop and for tests: otherwise a tenant could reach into the operator's network.
    pub allow_private: bool,
    /// After how many milliseconds without an answer a try has failed.
    pub timeout_ms: u64,
    /// For how many days a delivery that ended is kept, to be looked at and replayed.
    pub kept_days: u32,
}

impl Default for WebhooksConfig {
    fn default() -> Self {
        Self {
            allow_private: false,
            // The least that Standard Webhooks recommends.
            timeout_ms: 15_000,
            kept_days: 30,
        }
    }
}

/// How a rail's gateway is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RailConfig {
    /// Base URL of the gateway; messages are posted to `{url}/{rail}/messages`.
    pub url: String,
    /// The key that signs messages in both directions (HMAC-SHA256), as text.
    pub secret: String,
    /// How many calls may be under way at once.
    #[serde(default = "default_concurrency")]
    pub concurrency: usize,
    /// Our BIC (SEPA) or our sort code (FPS), as the scheme knows us.
    pub own_agent: String,
}

const fn default_concurrency() -> usize {
    64
}

/// Limits of the HTTP server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpConfig {
    /// The most bytes of a request's body, except for batches.
    pub body_bytes_max: usize,
    /// The most bytes of a batch's body.
    pub batch_bytes_max: usize,
    /// After how many milliseconds a request whose body is not there yet is dropped.
    pub body_timeout_ms: u64,
    /// After how many milliseconds a connection is closed that has sent no complete request head,
    /// or is idle.
    pub head_timeout_ms: u64,
    /// After how many milliseconds a connection is closed whose peer takes nothing of its answer.
    pub write_timeout_ms: u64,
    /// How many connections may be open at once.
    pub connections_max: usize,
    /// How many requests one API key may make in a second, and at once; 0 for any number.
    pub requests_per_second_max: u32,
    /// Of how many ordinary requests one is logged; 1 logs all, 0 none. Slow requests and failures
    /// always are, of refusals for now (503) one in five seconds.
    pub log_one_in: u32,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            body_bytes_max: 64 * 1024,
            batch_bytes_max: 1024 * 1024 * 1024,
            body_timeout_ms: 10_000,
            head_timeout_ms: 30_000,
            write_timeout_ms: 30_000,
            connections_max: 4096,
            // More than one machine does, so that what there is can be used by whoever is there;
            // who has several customers sets what each of them was promised.
            requests_per_second_max: 100_000,
            log_one_in: 100,
        }
    }
}
