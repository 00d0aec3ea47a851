//! Adyen's standard webhooks: a MAC in each event, HMAC-SHA256 in base64 under a key written in
//! hexadecimal, over eight fields joined with colons, as they stand and without escaping.
//!
//! Every event of a delivery must be signed: one that is not makes the delivery unbelievable.

use lombard_core::psp::map::{Encoding, Event};
use ring::hmac;
use serde_json::Value;

use super::{Delivery, Refusal, encoded, mac};

/// The fields, in the order in which they are signed.
const SIGNED: [&str; 8] = [
    "/pspReference",
    "/originalReference",
    "/merchantAccountCode",
    "/merchantReference",
    "/amount/value",
    "/amount/currency",
    "/eventCode",
    "/success",
];

/// Verifies each event of a delivery.
pub fn verify(event: &Event, keys: &[String], delivery: Delivery<'_>) -> Result<(), Refusal> {
    let malformed = |why: &str| Refusal::Malformed(why.to_owned());
    let body: Value =
        serde_json::from_slice(delivery.body).map_err(|_| malformed("the body is not JSON"))?;
    let keys = keys.iter().map(|key| encoded::key(key, Encoding::Hex));
    let keys: Vec<_> = keys.collect::<Result<_, _>>()?;
    let list = body.pointer(&event.each).and_then(Value::as_array);
    // One event by itself, outside a list, is signed in the same way.
    let single = [body.clone()];
    let items = list.map_or(&single[..], Vec::as_slice);
    if items.is_empty() {
        return Err(malformed("the delivery holds no event"));
    }
    for item in items {
        one(item.pointer(&event.item).unwrap_or(item), &keys)?;
    }
    Ok(())
}

fn one(item: &Value, keys: &[Vec<u8>]) -> Result<(), Refusal> {
    let signature = item.pointer("/additionalData/hmacSignature");
    let Some(signature) = signature.and_then(Value::as_str) else {
        let why = "an event carries no additionalData.hmacSignature".to_owned();
        return Err(Refusal::Malformed(why));
    };
    let fields = SIGNED.map(|at| match item.pointer(at) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    });
    let content = fields.join(":");
    let offered = encoded::base64(signature).into_iter();
    mac::matched(hmac::HMAC_SHA256, keys, content.as_bytes(), offered)
}
