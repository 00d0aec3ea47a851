//! `Idempotency-Key`: required on every POST.
//!
//! The IETF draft makes the value a structured string, in quotes; most clients send it bare. Both
//! are understood, and the same characters are the same key however they are written.

use axum::{
    extract::FromRequestParts,
    http::{HeaderName, HeaderValue, request::Parts},
};
use lombard_core::{
    idempotency::{Fingerprint, Idempotency},
    limits::IDEMPOTENCY_KEY_MAX,
    store::encode,
    tenant::TenantId,
};
use serde::Serialize;

use super::{error::ErrorCode, problem::Problem};
use crate::ports::Vault;

/// The header, in.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The header, out: the answer is one that was given before.
pub const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What the header may be, as the API's document says it: printable characters, bare or as a quoted
/// string. Blanks around it are not part of it.
pub const PATTERN: &str = concat!(
    r"^[ \t]*(?:",
    r"[!#-~](?:[ -~]{0,253}[!-~])?",
    r#"|"(?:[ !#-\[\]-~]|\\["\\]){1,255}""#,
    r")[ \t]*$",
);

/// The caller's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key's characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The wish to carry out `operation` once. `request` is everything that was asked, the
    /// path's id included, parsed and with defaults filled in; it has no personal data.
    #[must_use]
    pub fn wish<T: Serialize>(self, operation: &'static str, request: &T) -> Idempotency {
        Idempotency {
            operation,
            key: self.0,
            fingerprint: Fingerprint::of(&encode(request)),
        }
    }

    /// The same for a request with personal data. Its fingerprint is kept beside records that say
    /// almost all of it, so that a plain hash could be tried out for the rest; a keyed one cannot.
    #[must_use]
    pub fn wish_blinded<T: Serialize>(
        self,
        operation: &'static str,
        request: &T,
        vault: &dyn Vault,
        tenant: TenantId,
    ) -> Idempotency {
        let request = zeroize::Zeroizing::new(encode(request));
        let text = String::from_utf8_lossy(&request);
        let blind = vault.blind(tenant.short(), &text);
        Idempotency {
            operation,
            key: self.0,
            fingerprint: Fingerprint::of(blind.as_bytes()),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(&IDEMPOTENCY_KEY).iter();
        let problem = |code| Problem::new(code).at("Idempotency-Key");
        let value = values
            .next()
            .ok_or_else(|| problem(ErrorCode::IdempotencyKeyMissing))?;
        let key = match values.next() {
            None => parse(value),
            Some(_) => None,
        };
        key.map(Self)
            .ok_or_else(|| problem(ErrorCode::IdempotencyKeyInvalid))
    }
}

/// The characters of a bare token or of a quoted string (RFC 8941, section 3.3.3).
fn parse(value: &HeaderValue) -> Option<String> {
    let text = value.to_str().ok()?.trim_matches([' ', '\t']);
    let key = match text.strip_prefix('"') {
        Some(quoted) => unquote(quoted.strip_suffix('"')?)?,
        None => text.to_owned(),
    };
    let printable = key.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
    (printable && (1..=IDEMPOTENCY_KEY_MAX).contains(&key.len())).then_some(key)
}

/// Undoes the escapes `\"` and `\\`; there are no others, and a bare quote ends the string.
fn unquote(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(char) = rest.next() {
        match char {
            '"' => return None,
            '\\' => plain.push(rest.next().filter(|next| matches!(next, '"' | '\\'))?),
            char => plain.push(char),
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, string::string_regex};

    use super::*;

    proptest! {
        #[test]
        fn what_the_document_allows_is_understood(
            text in string_regex(PATTERN.trim_matches(['^', '$'])).unwrap()
        ) {
            prop_assert!(parse(&HeaderValue::from_str(&text).unwrap()).is_some(), "{text:?}");
        }
    }

    fn read(value: &str) -> Option<String> {
        parse(&HeaderValue::from_str(value).unwrap())
    }

    #[test]
    fn bare_and_quoted_are_the_same_key() {
        let key = Some("8e03978e-40d5-43e8-bc93-6894a57f9324".to_owned());
        assert_eq!(read("8e03978e-40d5-43e8-bc93-6894a57f9324"), key);
        assert_eq!(read("\"8e03978e-40d5-43e8-bc93-6894a57f9324\""), key);
        assert_eq!(read(r#""a\"b\\c""#), Some(r#"a"b\c"#.to_owned()));
    }

    #[test]
    fn malformed_keys_are_refused() {
        let long = "k".repeat(IDEMPOTENCY_KEY_MAX);
        assert_eq!(read(&long), Some(long.clone()));
        let longer = format!("{long}k");
        for bad in [
            "", " ", "\"", "\"\"", "\"a", r#""a"b""#, r#""a\""#, r#""a\n""#, "a\tb", &longer,
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(parse(&HeaderValue::from_bytes(&[0xff]).unwrap()), None);
    }
}
