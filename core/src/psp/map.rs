//! What one provider's statuses and events mean, and where its webhooks keep their parts.
//!
//! **Shape.** A [`Map`] is a checked file. [`Map::means`] answers for a status or event with its
//! context; [`crate::psp::read::events`] takes a webhook's body apart.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    file,
    news::{Certifies, News},
};
use crate::{lifecycle::Status, reason::Retry};

/// A file that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Broken(pub(super) String);

/// One provider and API version.
#[derive(Clone, Debug)]
pub struct Map {
    /// Its name, as in `/v1/psp/{name}/webhooks`.
    pub provider: String,
    /// Its name for people.
    pub title: String,
    /// Where its statuses are published.
    pub source: String,
    /// When that was read: `YYYY-MM-DD`.
    pub read_on: String,
    /// The API versions that this file is about, as prefixes; empty: the provider has none.
    pub versions: Vec<String>,
    /// How its webhooks are signed and answered; absent: it sends none.
    pub webhook: Option<Webhook>,
    /// Where a webhook keeps its parts.
    pub event: Event,
    /// What each status or event means.
    pub rows: Vec<Row>,
}

/// How a provider's webhooks are signed and answered.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// How they are signed.
    pub scheme: Scheme,
    /// The header with the signature, in lower case.
    #[serde(default)]
    pub header: String,
    /// `hmac` only: `sha1`, `sha256` (the default) or `sha512`.
    #[serde(default)]
    pub algorithm: Algorithm,
    /// `hmac` only: how the signature is written.
    #[serde(default)]
    pub encoding: Encoding,
    /// `hmac` only: how the secret is written.
    #[serde(default)]
    pub key: Encoding,
    /// `hmac` only: what is signed, with `{body}`, `{method}`, `{path}` and `{header:NAME}` filled in.
    #[serde(default = "whole_body")]
    pub content: String,
    /// `hmac` only: what stands before each signature in its header, such as `sha256=`.
    #[serde(default)]
    pub prefix: String,
    /// `hmac` only: what stands between signatures, when the header may hold several.
    #[serde(default)]
    pub separator: String,
    /// The header with the time of the delivery: seconds or milliseconds since 1970, RFC 3339 or an
    /// HTTP date. It counts only if it is signed.
    #[serde(default)]
    pub timestamp: String,
    /// How far the time of a delivery may be from ours, in seconds; 0: it says no time.
    #[serde(default)]
    pub tolerance_seconds: u64,
    /// The status of the answer that the provider takes for "received".
    #[serde(default = "ok")]
    pub answer_status: u16,
    /// The body of that answer. `{/Pointer}` is filled in from the delivery.
    #[serde(default)]
    pub answer_body: String,
}

/// How deliveries are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// A MAC (RFC 2104) in a header, over what `content` says.
    #[default]
    Hmac,
    /// `t=…,v1=…`: HMAC-SHA256 over the time, a full stop and the body.
    Stripe,
    /// A MAC inside each event, over some of its fields.
    Adyen,
    /// Standard Webhooks 1.0.0.
    StandardWebhooks,
    /// An HTTP signature (draft-cavage) over `date` and `x-mod-nonce`; the body is not signed.
    Modulr,
    /// RSA (PKCS #1 v1.5) with SHA-256 over the body, base64.
    RsaSha256Body,
    /// RSA with SHA-256 over id, time, webhook id and the body's CRC-32.
    Paypal,
    /// A detached JWS (RFC 7515, appendix F) with ES512 over method, path, headers and body.
    JwsEs512Detached,
}

/// A hash for MACs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// SHA-1: for those who sign with nothing better.
    Sha1,
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How bytes are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// As is usual: of a key the text itself, of a signature hexadecimal.
    #[default]
    Plain,
    /// Hexadecimal.
    Hex,
    /// Base64.
    Base64,
}

fn whole_body() -> String {
    "{body}".to_owned()
}

const fn ok() -> u16 {
    200
}

/// Where a webhook keeps its parts: JSON pointers (RFC 6901), the first that is there counts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Event {
    /// The list of events in a delivery; empty: the delivery is the event.
    pub each: String,
    /// Where in an element of that list the event is.
    pub item: String,
    /// What makes the event's durable id: joined with a colon.
    pub id: Vec<String>,
    /// What makes its name: joined with a full stop.
    pub name: Vec<String>,
    /// The API version it was written in.
    pub version: String,
    /// The provider's id of the payment.
    pub payment: Vec<String>,
    /// Our own reference, as we gave it to the provider.
    pub reference: Vec<String>,
    /// The provider's id of the part (capture, refund, dispute) that it speaks of.
    pub part: Vec<String>,
    /// The amount.
    pub amount: Vec<String>,
    /// The currency, ISO 4217, in either case.
    pub currency: Vec<String>,
    /// Whether amounts are in `minor` units or `major` ones.
    pub unit: Unit,
    /// When it happened: seconds since 1970, or RFC 3339.
    pub occurred: Vec<String>,
}

/// How a provider writes amounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// `1050` is 10.50 euros.
    #[default]
    Minor,
    /// `10.5` or `"10.50"` is 10.50 euros.
    Major,
}

/// What one status or event means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Whose status it is, in the provider's words (`payment_intent`), or `event`.
    pub object: String,
    /// The provider's word.
    pub status: String,
    /// What else must hold: a path in the event, and one of these values.
    pub when: Vec<Condition>,
    /// Ours.
    pub news: News,
    /// What it is good for as evidence.
    pub certifies: Certifies,
    /// Where the payment should stand when it comes; elsewhere it is late, early or repeated.
    pub from: Vec<Status>,
    /// Whether the provider will say nothing else of this part.
    pub is_final: bool,
    /// Whether a machine may try again.
    pub retry: Retry,
    /// What an operator should know.
    pub hint: String,
    /// Where its amount is, if not where the provider's events usually have it.
    #[serde(skip)]
    pub amount: Option<String>,
    /// Where its part's id is, if not where the provider's events usually have it.
    #[serde(skip)]
    pub part: Option<String>,
}

/// One thing that must hold of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// Where to look: a JSON pointer.
    pub at: String,
    /// One of these, as text; `null` for what is absent or null.
    pub is: Vec<String>,
}

/// What a map says of a status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning<'a> {
    /// This row.
    Known(&'a Row),
    /// Nothing: a person must look before anything follows from it.
    Quarantined {
        /// Why.
        why: String,
    },
}

impl Map {
    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it, and in which line or row.
    pub fn parse(text: &str) -> Result<Self, Broken> {
        file::parse(text)
    }

    /// What a status or event means.
    ///
    /// `name` is an event (`charge.refunded`), a status with its object (`refund.failed`) or a bare
    /// status (`succeeded`), which is looked for in the objects in the order of the file. `context`
    /// is the event, or what is known of it.
    #[must_use]
    pub fn means(&self, name: &str, context: &Value) -> Meaning<'_> {
        super::lookup::means(self, name, context)
    }

    /// Whether the file is about an API version.
    #[must_use]
    pub fn covers(&self, version: &str) -> bool {
        self.versions.is_empty()
            || self
                .versions
                .iter()
                .any(|v| version.starts_with(v.as_str()))
    }
}
