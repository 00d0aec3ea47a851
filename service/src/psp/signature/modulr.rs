//! Modulr: an HTTP signature in the `Authorization` header, HMAC-SHA1 over the lines `date: …` and
//! `x-mod-nonce: …`, in base64 that is escaped for URLs.
//!
//! The body is not signed. What such a delivery says is therefore asked for again at the provider
//! before money follows from it, and it should be let in over TLS from the provider's addresses only.

use lombard_core::{psp::map::Webhook, time::Timestamp};
use percent_encoding::percent_decode_str;
use ring::hmac;

use super::{Delivery, Refusal, encoded, fresh, mac};

/// Verifies one.
pub fn verify(
    webhook: &Webhook,
    keys: &[String],
    delivery: Delivery<'_>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let header = delivery.header(&webhook.header)?;
    let (date, nonce) = (delivery.header("date")?, delivery.header("x-mod-nonce")?);
    fresh(webhook, mac::moment("date", date)?, now)?;
    let signature = part(header, "signature").ok_or_else(|| {
        Refusal::Malformed(format!("the header {} has no signature", webhook.header))
    })?;
    let algorithm = match part(header, "algorithm") {
        Some("hmac-sha1") | None => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Some("hmac-sha256") => hmac::HMAC_SHA256,
        Some("hmac-sha512") => hmac::HMAC_SHA512,
        Some(other) => return Err(Refusal::Malformed(format!("algorithm {other:?}"))),
    };
    let keys: Vec<_> = { keys.iter() }
        .map(|key| key.trim().as_bytes().to_vec())
        .collect();
    let content = format!("date: {date}\nx-mod-nonce: {nonce}");
    let offered = percent_decode_str(signature).decode_utf8().ok();
    let offered = offered.and_then(|text| encoded::base64(&text));
    mac::matched(algorithm, &keys, content.as_bytes(), offered.into_iter())
}

/// `name="value"` of a list that is separated by commas.
fn part<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let list = header.trim().trim_start_matches("Signature ");
    let mut parts = list
        .split(',')
        .filter_map(|part| part.trim().split_once('='));
    let value = parts.find_map(|(there, value)| (there == name).then_some(value))?;
    Some(value.trim_matches('"'))
}
