//! TrueLayer: a detached JWS (RFC 7515, appendix F) with ES512. What is signed is the method and
//! path, the headers that the signature names, each on its line, and the body.
//!
//! The key is one of ours: a public key in PEM, or a JWK set (RFC 7517) in which `kid` chooses. The
//! address of a key set in the delivery (`jku`) is never followed.

use lombard_core::{psp::map::Webhook, time::Timestamp};
use p521::{
    ecdsa::{Signature, VerifyingKey, signature::Verifier},
    pkcs8::DecodePublicKey,
};
use serde_json::Value;

use super::{Delivery, Refusal, encoded, fresh, mac};

/// Verifies one.
pub fn verify(
    webhook: &Webhook,
    keys: &[String],
    delivery: Delivery<'_>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let jws = delivery.header(&webhook.header)?;
    let malformed = |why: &str| Refusal::Malformed(format!("{}: {why}", webhook.header));
    let (head, signature) = { jws.split_once("..") }
        .ok_or_else(|| malformed("not a detached JWS (header..signature)"))?;
    let decoded =
        encoded::base64url(head).ok_or_else(|| malformed("its header is not base64url"))?;
    let header: Value =
        serde_json::from_slice(&decoded).map_err(|_| malformed("its header is not JSON"))?;
    let text = |name: &str| header.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("alg") != "ES512" {
        return Err(malformed("`alg` is not ES512"));
    }
    let named: Vec<_> = { text("tl_headers").split(',') }
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    check_time(webhook, &named, delivery, now)?;
    let content = signing_input(head, &named, delivery)?;
    let signature = { encoded::base64url(signature) }
        .and_then(|bytes| Signature::from_slice(&bytes).ok())
        .ok_or(Refusal::NoMatch)?;
    for key in keys {
        let key = verifying_key(key, text("kid"))?;
        if key.is_some_and(|key| key.verify(&content, &signature).is_ok()) {
            return Ok(());
        }
    }
    Err(Refusal::NoMatch)
}

/// The time header counts if it is among those that are signed; a delivery whose time is not
/// signed could be replayed for ever.
fn check_time(
    webhook: &Webhook,
    signed: &[&str],
    delivery: Delivery<'_>,
    now: Timestamp,
) -> Result<(), Refusal> {
    const TIME: &str = "x-tl-webhook-timestamp";
    if webhook.tolerance_seconds == 0 {
        return Ok(());
    }
    if !signed.iter().any(|name| name.eq_ignore_ascii_case(TIME)) {
        return Err(Refusal::Malformed(format!("{TIME} is not signed")));
    }
    fresh(webhook, mac::moment(TIME, delivery.header(TIME)?)?, now)
}

fn signing_input(head: &str, named: &[&str], delivery: Delivery<'_>) -> Result<Vec<u8>, Refusal> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let mut payload =
        format!("{} {}\n", delivery.method.to_uppercase(), delivery.path).into_bytes();
    for name in named {
        let value = delivery.header(&name.to_lowercase())?;
        payload.extend_from_slice(format!("{name}: {value}\n").as_bytes());
    }
    payload.extend_from_slice(delivery.body);
    Ok(format!("{head}.{}", URL_SAFE_NO_PAD.encode(payload)).into_bytes())
}

/// The key for a `kid`; `None` when a set does not have it.
fn verifying_key(written: &str, kid: &str) -> Result<Option<VerifyingKey>, Refusal> {
    let bad = |why: &str| Refusal::BadKey(why.to_owned());
    if written.contains("-----BEGIN") {
        let key = VerifyingKey::from_public_key_pem(written.trim());
        return key
            .map(Some)
            .map_err(|_| bad("not a P-521 public key in PEM"));
    }
    let set: Value = serde_json::from_str(written).map_err(|_| bad("neither PEM nor a JWK set"))?;
    let keys = set.get("keys").and_then(Value::as_array);
    let keys = keys.ok_or_else(|| bad("a JWK set has `keys`"))?;
    let Some(key) = keys
        .iter()
        .find(|key| key.get("kid").and_then(Value::as_str) == Some(kid))
    else {
        return Ok(None);
    };
    let coordinate = |name: &str| {
        let bytes = encoded::base64url(key.get(name)?.as_str()?)?;
        let pad = 66usize.checked_sub(bytes.len())?;
        Some([vec![0; pad], bytes].concat())
    };
    let point = coordinate("x").zip(coordinate("y"));
    let (x, y) = point.ok_or_else(|| bad("a P-521 key has `x` and `y`"))?;
    let sec1 = [vec![4], x, y].concat();
    let key = VerifyingKey::from_sec1_bytes(&sec1);
    key.map(Some)
        .map_err(|_| bad("`x` and `y` are no point of P-521"))
}
