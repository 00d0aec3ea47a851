//! Was this asked before, and was it this? Keys, fingerprints and kept answers.
//!
//! A key belongs to a tenant and an operation. What it was used for is remembered by fingerprint,
//! and the answer is kept byte for byte in the commit that carried the request out, so a retry
//! is told exactly what the first caller was told, or would have been. An outcome is kept as long
//! as what it made can be asked for: it is never deleted before its subject.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::{id::digest_text, store::Key, tenant::TenantId, time::Timestamp};

/// SHA-256 of the canonical request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of a request in canonical form: parsed, defaults filled in, written again by us, so that
    /// white space and the order of members do not matter.
    #[must_use]
    pub fn of(canonical: &[u8]) -> Self {
        Self(Sha256::digest(canonical).into())
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        let digits = b"0123456789abcdef";
        let pair = |byte: u8| {
            [
                digits[usize::from(byte >> 4)],
                digits[usize::from(byte & 15)],
            ]
        };
        let mut text = String::with_capacity(64);
        for [high, low] in fingerprint.0.into_iter().map(pair) {
            text.push(char::from(high));
            text.push(char::from(low));
        }
        text
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err("expected 64 hexadecimal digits");
        }
        for (byte, place) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[place..place + 2], 16)
                .map_err(|_| "expected 64 hexadecimal digits")?;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from(*self))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A caller's wish to be answered once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// What is asked, such as `payments.create`. The same key serves each operation once.
    pub operation: &'static str,
    /// The caller's key, 1 to 255 printable characters.
    pub key: String,
    /// What was asked, exactly.
    pub fingerprint: Fingerprint,
}

impl Idempotency {
    /// Where the outcome is kept.
    #[must_use]
    pub fn record_key(&self, tenant: TenantId) -> Key {
        let digest = digest_text(&[self.operation, &self.key]);
        Key::joined(&[tenant.short(), "/key_", &digest], "outcome")
    }
}

/// What a key remembers.
#[derive(Clone, Debug, Deserialize)]
pub struct Outcome {
    /// What was asked.
    pub fingerprint: Fingerprint,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The body of the answer, as it was sent.
    pub body: Box<RawValue>,
    /// When it was first answered.
    pub at: Timestamp,
}

impl Outcome {
    /// The record of an answer whose body is JSON, as all answers are.
    ///
    /// Put together as text: the body was written by us a moment ago, and taking it in as a
    /// value would read it all again.
    #[must_use]
    pub fn encode(fingerprint: Fingerprint, status: u16, at: Timestamp, body: &[u8]) -> Vec<u8> {
        debug_assert!(
            serde_json::from_slice::<&RawValue>(body).is_ok(),
            "an answer is JSON"
        );
        let fingerprint = String::from(fingerprint);
        let at = at.unix_ms();
        let head =
            format!(r#"{{"fingerprint":"{fingerprint}","status":{status},"at":{at},"body":"#);
        let mut bytes = Vec::with_capacity(head.len() + body.len() + 1);
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(body);
        bytes.push(b'}');
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_reads_back() {
        let fingerprint = Fingerprint::of(b"pay");
        assert_eq!(
            Fingerprint::try_from(fingerprint.to_string()),
            Ok(fingerprint)
        );
        assert!(Fingerprint::try_from("é".repeat(32)).is_err());
        assert!(Fingerprint::try_from("g".repeat(64)).is_err());
    }

    #[test]
    fn an_outcome_reads_back() {
        let fingerprint = Fingerprint::of(b"pay");
        let body = br#"{"id":"pay_1","amount":12}"#;
        let bytes = Outcome::encode(fingerprint, 201, Timestamp::from_unix_ms(7), body);
        let outcome: Outcome = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(outcome.body.get().as_bytes(), body);
        assert_eq!((outcome.fingerprint, outcome.status), (fingerprint, 201));
        assert_eq!(outcome.at.unix_ms(), 7);
    }

    #[test]
    fn a_key_serves_each_operation_and_tenant_once() {
        let wish = |operation, key: &str| Idempotency {
            operation,
            key: key.to_owned(),
            fingerprint: Fingerprint::of(b""),
        };
        let (a, b) = (TenantId::new(1), TenantId::new(2));
        let key = wish("payments.create", "k").record_key(a);
        assert_eq!(key, wish("payments.create", "k").record_key(a));
        assert_ne!(key, wish("payments.create", "k").record_key(b));
        assert_ne!(key, wish("payments.cancel", "k").record_key(a));
        assert_ne!(key, wish("payments.create", "K").record_key(a));
    }
}
