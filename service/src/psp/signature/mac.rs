//! MACs in a header: the general form, and Standard Webhooks, which is a case of it.

use lombard_core::{
    psp::map::{Algorithm, Encoding, Webhook},
    time::Timestamp,
};
use ring::hmac;

use super::{Delivery, Refusal, encoded, fresh};

/// The general form.
pub fn verify(
    webhook: &Webhook,
    keys: &[String],
    delivery: Delivery<'_>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let header = delivery.header(&webhook.header)?;
    if !webhook.timestamp.is_empty() {
        let sent = delivery.header(&webhook.timestamp)?;
        fresh(webhook, moment(&webhook.timestamp, sent)?, now)?;
    }
    let content = fill(&webhook.content, delivery)?;
    let keys = keys.iter().map(|key| encoded::key(key, webhook.key));
    let keys: Vec<_> = keys.collect::<Result<_, _>>()?;
    let offered = match webhook.separator.as_str() {
        "" => vec![header],
        by => header.split(by).collect(),
    };
    let offered = offered
        .into_iter()
        .filter_map(|one| one.trim().strip_prefix(&webhook.prefix));
    let offered = offered.filter_map(|one| encoded::signature(one, webhook.encoding));
    matched(algorithm(webhook.algorithm), &keys, &content, offered)
}

/// Standard Webhooks 1.0.0: `v1,` before each signature, over id, time and body.
pub fn standard(
    webhook: &Webhook,
    keys: &[String],
    delivery: Delivery<'_>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let keys: Vec<_> = { keys.iter() }
        .map(|key| key.trim().trim_start_matches("whsec_").to_owned())
        .collect();
    let general = Webhook {
        header: "webhook-signature".to_owned(),
        key: Encoding::Base64,
        encoding: Encoding::Base64,
        content: "{header:webhook-id}.{header:webhook-timestamp}.{body}".to_owned(),
        prefix: "v1,".to_owned(),
        separator: " ".to_owned(),
        timestamp: "webhook-timestamp".to_owned(),
        ..webhook.clone()
    };
    verify(&general, &keys, delivery, now)
}

/// Whether any signature is the MAC of the content under any key.
pub fn matched(
    algorithm: hmac::Algorithm,
    keys: &[Vec<u8>],
    content: &[u8],
    offered: impl Iterator<Item = Vec<u8>>,
) -> Result<(), Refusal> {
    let keys: Vec<_> = { keys.iter() }
        .map(|key| hmac::Key::new(algorithm, key))
        .collect();
    // `ring` compares in constant time.
    let fits = |one: Vec<u8>| {
        keys.iter()
            .any(|key| hmac::verify(key, content, &one).is_ok())
    };
    // A handful is enough for any rotation; more would be work for a stranger's asking.
    if offered.take(16).any(fits) {
        Ok(())
    } else {
        Err(Refusal::NoMatch)
    }
}

const fn algorithm(named: Algorithm) -> hmac::Algorithm {
    match named {
        Algorithm::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Algorithm::Sha256 => hmac::HMAC_SHA256,
        Algorithm::Sha512 => hmac::HMAC_SHA512,
    }
}

pub fn moment(header: &str, text: &str) -> Result<u64, Refusal> {
    encoded::moment_ms(text)
        .ok_or_else(|| Refusal::Malformed(format!("the header {header} holds no time")))
}

/// What was signed: the template, with its parts filled in.
fn fill(template: &str, delivery: Delivery<'_>) -> Result<Vec<u8>, Refusal> {
    let mut content = Vec::with_capacity(template.len() + delivery.body.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let bad = || Refusal::Malformed(format!("`content` of the file: {template:?}"));
        let (name, after) = after.split_once('}').ok_or_else(bad)?;
        content.extend_from_slice(before.as_bytes());
        match name {
            "body" => content.extend_from_slice(delivery.body),
            "method" => content.extend_from_slice(delivery.method.as_bytes()),
            "path" => content.extend_from_slice(delivery.path.as_bytes()),
            _ => {
                let header = name.strip_prefix("header:").ok_or_else(bad)?;
                content.extend_from_slice(delivery.header(&header.to_lowercase())?.as_bytes());
            }
        }
        rest = after;
    }
    content.extend_from_slice(rest.as_bytes());
    Ok(content)
}
