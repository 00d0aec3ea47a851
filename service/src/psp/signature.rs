//! Whether a delivery was signed by the provider that it claims to be of.
//!
//! **Shape.** [`verify`] takes a delivery as it arrived (raw bytes; nothing is parsed before it is
//! known whose it is, except what must be to know it), the provider's scheme, the keys that hold
//! now, and the time. Several keys hold while one is being replaced.
//!
//! **Invariants.** Signatures are compared in constant time. A time counts only where it is signed.
//! Why a delivery was refused is for our log and our tools; the sender is told 401 and nothing else.

mod adyen;
mod encoded;
mod jws;
mod mac;
mod modulr;
mod public_key;
mod stripe;

use lombard_core::{
    psp::map::{Event, Scheme, Webhook},
    time::Timestamp,
};

/// A delivery as it arrived.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// `POST`.
    pub method: &'a str,
    /// The path that it was sent to, without the query.
    pub path: &'a str,
    /// Names in lower case, and values.
    pub headers: &'a [(String, String)],
    /// The bytes of the body.
    pub body: &'a [u8],
}

impl<'a> Delivery<'a> {
    /// A header's value.
    ///
    /// # Errors
    /// [`Refusal::NoHeader`].
    pub fn header(&self, name: &str) -> Result<&'a str, Refusal> {
        let named = self.headers.iter().find(|(there, _)| there == name);
        let value = named.map(|(_, value)| value.as_str());
        value.ok_or_else(|| Refusal::NoHeader(name.to_owned()))
    }
}

/// Why a delivery is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no key to verify with.
    #[error("no key is configured for this provider")]
    NoKey,
    /// A key cannot be used.
    #[error("a configured key cannot be used: {0}")]
    BadKey(String),
    /// A header is missing.
    #[error("the header {0} is missing")]
    NoHeader(String),
    /// A header, or the part of the body with the signature, cannot be read.
    #[error("{0}")]
    Malformed(String),
    /// It is too old, or from the future.
    #[error("sent {0} s from now, and {1} s are allowed")]
    Stale(u64, u64),
    /// No signature fits any key.
    #[error("no signature fits any of the keys")]
    NoMatch,
}

/// Believes a delivery, or says why not.
///
/// # Errors
/// [`Refusal`].
pub fn verify(
    webhook: &Webhook,
    event: &Event,
    keys: &[String],
    delivery: Delivery<'_>,
    now: Timestamp,
) -> Result<(), Refusal> {
    if keys.iter().all(|key| key.trim().is_empty()) {
        return Err(Refusal::NoKey);
    }
    match webhook.scheme {
        Scheme::Hmac => mac::verify(webhook, keys, delivery, now),
        Scheme::Stripe => stripe::verify(webhook, keys, delivery, now),
        Scheme::Adyen => adyen::verify(event, keys, delivery),
        Scheme::StandardWebhooks => mac::standard(webhook, keys, delivery, now),
        Scheme::Modulr => modulr::verify(webhook, keys, delivery, now),
        Scheme::RsaSha256Body => public_key::body(webhook, keys, delivery),
        Scheme::Paypal => public_key::paypal(webhook, keys, delivery, now),
        Scheme::JwsEs512Detached => jws::verify(webhook, keys, delivery, now),
    }
}

/// Whether a time is near enough; a scheme without a tolerance does not ask.
fn fresh(webhook: &Webhook, sent_ms: u64, now: Timestamp) -> Result<(), Refusal> {
    let apart_s = now.unix_ms().abs_diff(sent_ms) / 1000;
    let allowed = webhook.tolerance_seconds;
    if allowed > 0 && apart_s > allowed {
        return Err(Refusal::Stale(apart_s, allowed));
    }
    Ok(())
}
