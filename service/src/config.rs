//! What an operator can set. Every value has a default, so that nothing need be set to start.

mod fetch;
mod parties;
mod psp;
mod risk;
mod sign_in;
mod traces;

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc};

use lombard_core::{
    matching,
    rail::Rail,
    sca::rules::{Counting, Rules, Thresholds},
};
use serde::{Deserialize, Serialize};

pub use self::{
    fetch::{FetchConfig, SftpConfig},
    parties::PartiesConfig,
    psp::PspConfig,
    risk::RiskConfig,
    sign_in::{SignInConfig, TokensConfig},
    traces::TracesConfig,
};
use crate::{access::GRANTING, proposals::leads};

/// The configuration of a running Lombard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether this is an installation for trying things out, or one that moves money.
    pub environment: Environment,
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
    /// How people are told of exceptions.
    pub alerts: AlertsConfig,
    /// What takes a second person.
    pub approvals: ApprovalsConfig,
    /// Strong customer authentication: thresholds, and which counters bind.
    pub sca: ScaConfig,
    /// The payment service providers whose webhooks are taken, by name.
    pub psp: BTreeMap<String, PspConfig>,
    /// Statements.
    pub reconciliation: ReconciliationConfig,
    /// Traces.
    pub traces: TracesConfig,
    /// Who judges payments.
    pub risk: RiskConfig,
    /// What payments ask of their parties.
    pub parties: PartiesConfig,
    /// How people sign in to the console.
    pub sign_in: SignInConfig,
    /// The issuers whose tokens are taken as credentials, by a name.
    pub tokens: BTreeMap<String, TokensConfig>,
}

/// How people are told of exceptions that cannot wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlertsConfig {
    /// Where people find the console: the beginning of its addresses.
    pub console: Option<String>,
    /// Where people find the repository of the runbooks: the beginning of its addresses.
    pub runbooks: Option<String>,
    /// An address that takes each alert as JSON.
    pub webhook_url: Option<String>,
    /// What is sent to it as a bearer token.
    pub webhook_key: Option<String>,
    /// The address of an incoming webhook of Slack.
    pub slack_url: Option<String>,
    /// The integration key of a service of PagerDuty (Events API v2).
    pub pagerduty_key: Option<String>,
    /// Where PagerDuty takes events.
    pub pagerduty_url: String,
}

impl Default for AlertsConfig {
    fn default() -> Self {
        Self {
            console: None,
            runbooks: None,
            webhook_url: None,
            webhook_key: None,
            slack_url: None,
            pagerduty_key: None,
            pagerduty_url: "https://events.pagerduty.com/v2/enqueue".to_owned(),
        }
    }
}

/// Whether real money is moved. Keys of the one kind are not known by the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// For trying things out.
    #[default]
    Test,
    /// For real.
    Live,
}

impl Environment {
    /// The letters that every key begins with, so that people and scanners know a leaked one for
    /// what it is.
    #[must_use]
    pub const fn key_prefix(self) -> &'static str {
        match self {
            Self::Test => "sk_test_",
            Self::Live => "sk_live_",
        }
    }
}

/// What takes a second person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApprovalsConfig {
    /// Payments above so many minor units, of whatever currency, wait until somebody else than
    /// who ordered them approves them; none does when it is 0.
    pub payments_above: u64,
    /// Operations that nobody does alone, such as `POST /v1/payments/{id}/returns`: each is
    /// proposed by one and approved by another.
    pub operations: Vec<String>,
}

impl ApprovalsConfig {
    /// Whether nobody calls a route alone.
    #[must_use]
    pub fn holds(&self, method: &str, route: &str) -> bool {
        let mut parted = self.operations.iter().filter_map(|it| it.split_once(' '));
        parted.any(|own| own == (method, route))
    }

    /// The route of an operation, if it takes two, always or for some ([`GRANTING`]).
    #[must_use]
    pub fn route(&self, method: &str, path: &str) -> Option<&str> {
        let parted = self.operations.iter().filter_map(|it| it.split_once(' '));
        let mut routes = parted.chain(GRANTING).filter(|(own, _)| *own == method);
        routes.find_map(|(_, route)| leads(route, path).then_some(route))
    }
}

/// Strong customer authentication.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScaConfig {
    /// For which payments it is decided whether the payer must authenticate.
    pub decide: Decide,
    /// Which counters of Art. 11 and 16 bind: `both`, `amount` or `count`.
    pub counting: Counting,
    /// Thresholds beside the built-in ones, each from its day on.
    pub thresholds: Vec<Thresholds>,
}

/// For which payments it is decided whether the payer must authenticate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decide {
    /// For those whose order says how the payer gave it. Of the others whoever calls the API has
    /// made sure: he knows the payer, and we cannot ask somebody whom we do not know.
    #[default]
    Stated,
    /// For all; one whose order says nothing is taken for a remote credit transfer to which no
    /// exemption but that of low value applies.
    All,
}

impl ScaConfig {
    /// The rules that are to be applied.
    #[must_use]
    pub fn rules(&self) -> Arc<Rules> {
        let mut rules = Rules {
            counting: self.counting,
            ..Rules::default()
        };
        rules.thresholds.extend(self.thresholds.iter().cloned());
        Arc::new(rules)
    }
}

/// Statements of banks and reports of providers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReconciliationConfig {
    /// What each source may do otherwise than our books, by the source's name.
    pub sources: BTreeMap<String, SourceConfig>,
}

/// A source of statements.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SourceConfig {
    /// The rails whose payments must stand in its statements; all that carry their currency when
    /// empty.
    pub rails: Vec<Rail>,
    /// The accounts that its statements are of; any when empty.
    pub accounts: Vec<String>,
    /// A file that says what the columns of its tables are.
    pub mapping: Option<String>,
    /// Its tolerances.
    pub rules: matching::Rules,
    /// Where its files are fetched, if they are not sent.
    pub fetch: Option<FetchConfig>,
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
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
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

impl fmt::Debug for RailConfig {
    /// All but the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RailConfig")
            .field("url", &self.url)
            .field("concurrency", &self.concurrency)
            .field("own_agent", &self.own_agent)
            .finish_non_exhaustive()
    }
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
    /// The same of one network address, whoever asks from there. An IPv6 address counts by its
    /// first 64 bits, which one customer has.
    pub requests_per_second_per_address_max: u32,
    /// How many keys that were not seen yet one network address may show in a second, and at
    /// once: each costs a slow hash. 0 for any number.
    pub new_keys_per_second_per_address_max: u32,
    /// Of how many ordinary requests one is logged; 1 logs all, 0 none. Slow requests and failures
    /// always are, of refusals for now (503) one in five seconds.
    pub log_one_in: u32,
    /// Encryption of connections.
    pub tls: TlsConfig,
}

/// Encryption of connections. None unless `certificate` and `key` are set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// A PEM file with the server's certificate and those between it and its authority.
    pub certificate: Option<PathBuf>,
    /// A PEM file with the certificate's private key.
    pub key: Option<PathBuf>,
    /// A PEM file with the authorities by which clients must be certified; when it is set,
    /// nobody is served without a certificate.
    pub client_authorities: Option<PathBuf>,
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
            requests_per_second_per_address_max: 100_000,
            new_keys_per_second_per_address_max: 20,
            log_one_in: 100,
            tls: TlsConfig::default(),
        }
    }
}
