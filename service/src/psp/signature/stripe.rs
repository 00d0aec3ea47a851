//! Stripe: `t=…,v1=…[,v1=…]`, HMAC-SHA256 in hexadecimal over the time, a full stop and the body.
//! Schemes other than `v1` are passed over.

use lombard_core::{psp::map::Webhook, time::Timestamp};
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
    let parts = || {
        header
            .split(',')
            .filter_map(|part| part.trim().split_once('='))
    };
    let time = parts().find_map(|(name, value)| (name == "t").then_some(value));
    let time = time.filter(|time| time.bytes().all(|byte| byte.is_ascii_digit()));
    let seconds = time.and_then(|time| time.parse::<u64>().ok());
    let (Some(time), Some(seconds)) = (time, seconds) else {
        let why = format!("the header {} names no time `t`", webhook.header);
        return Err(Refusal::Malformed(why));
    };
    fresh(webhook, seconds.saturating_mul(1000), now)?;
    let content = [time.as_bytes(), b".", delivery.body].concat();
    let keys: Vec<_> = { keys.iter() }
        .map(|key| key.trim().as_bytes().to_vec())
        .collect();
    let offered = parts().filter(|(name, _)| *name == "v1");
    let offered = offered.filter_map(|(_, value)| encoded::hex(value));
    mac::matched(hmac::HMAC_SHA256, &keys, &content, offered)
}
