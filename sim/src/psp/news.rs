//! Webhooks to Lombard, in each provider's shape and signed as it signs.

use std::{sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Client;
use serde_json::{Value, json};
use sha2::Sha256;
use tracing::warn;

use super::{PspConfig, Shared, behaviour::News, books::Charge};

/// Tries of a delivery before it is given up.
const TRIES_MAX: u32 = 8;
/// Between news that come backwards, in milliseconds.
const STEP_MS: u64 = 150;
/// As which merchant Adyen knows Lombard.
const MERCHANT: &str = "Lombard";

/// Something to tell.
pub struct Notice {
    provider: &'static str,
    body: Value,
}

impl Notice {
    /// An event of Stripe's about an object.
    pub fn stripe(number: u64, kind: &str, object: Value) -> Self {
        let id = format!("evt_{number:08}");
        let body = json!({
            "id": id, "object": "event", "api_version": "2025-09-30.clover", "livemode": false,
            "type": kind, "data": {"object": object},
        });
        Self {
            provider: "stripe",
            body,
        }
    }

    /// An event of Adyen's about a charge, or about something that was done to it (`part`).
    pub fn adyen(
        charge: &Charge,
        event: &str,
        part: Option<&str>,
        reference: &str,
        amount: u64,
    ) -> Self {
        let success = if charge.declined.is_some() {
            "false"
        } else {
            "true"
        };
        let body = json!({
            "eventCode": event, "success": success,
            "pspReference": part.unwrap_or(&charge.id),
            "originalReference": part.map_or("", |_| &charge.id),
            "merchantAccountCode": MERCHANT, "merchantReference": reference,
            "amount": {"value": amount, "currency": charge.currency},
            "reason": charge.declined,
        });
        Self {
            provider: "adyen",
            body,
        }
    }
}

/// A client for deliveries.
pub fn client() -> Client {
    lombard_service::rails::gateway::use_ring();
    let client = Client::builder()
        .timeout(Duration::from_secs(10))
        .no_proxy()
        .build();
    client.unwrap_or_default()
}

impl Shared {
    /// Tells Lombard, as often and as late as `how` says.
    pub fn tell(self: &Arc<Self>, notices: Vec<Notice>, how: &News) {
        let count = notices.len() as u64;
        for (place, notice) in notices.into_iter().enumerate() {
            let notice = Arc::new(notice);
            let turn = if how.backwards {
                (count - place as u64) * STEP_MS
            } else {
                0
            };
            for _ in 0..how.times {
                let (shared, notice) = (Arc::clone(self), Arc::clone(&notice));
                let wait = Duration::from_millis(how.late_ms + turn);
                tokio::spawn(async move {
                    tokio::time::sleep(wait).await;
                    shared.deliver(&notice).await;
                });
            }
        }
    }

    async fn deliver(&self, notice: &Notice) {
        let base = self.config.lombard_url.trim_end_matches('/');
        let url = format!("{base}/v1/psp/{}/webhooks", notice.provider);
        let (header, body) = signed(notice, &self.config);
        for tried in 0..TRIES_MAX {
            let mut request = self.http.post(&url).body(body.clone());
            if let Some(header) = &header {
                request = request.header("stripe-signature", header);
            }
            match request.send().await {
                Ok(answer) if answer.status().is_success() => return,
                _ => tokio::time::sleep(Duration::from_millis(50 << tried)).await,
            }
        }
        warn!(provider = notice.provider, "a webhook was not taken");
    }
}

/// The signature, where it is in a header, and the body.
fn signed(notice: &Notice, config: &PspConfig) -> (Option<String>, String) {
    let now = config.host.now().unix_ms() / 1000;
    let mut body = notice.body.clone();
    if notice.provider == "stripe" {
        body["created"] = now.into();
        let body = body.to_string();
        let mac = mac(config.stripe_secret.as_bytes(), &format!("{now}.{body}"));
        let digits: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        return (Some(format!("t={now},v1={digits}")), body);
    }
    let fields = [
        "/pspReference",
        "/originalReference",
        "/merchantAccountCode",
        "/merchantReference",
        "/amount/value",
        "/amount/currency",
        "/eventCode",
        "/success",
    ];
    let text = fields.map(|at| match body.pointer(at) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    });
    let key = bytes_of(&config.adyen_secret);
    let signature = BASE64_STANDARD.encode(mac(&key, &text.join(":")));
    body["additionalData"] = json!({"hmacSignature": signature});
    let body = json!({"live": "false", "notificationItems": [{"NotificationRequestItem": body}]});
    (None, body.to_string())
}

fn bytes_of(digits: &str) -> Vec<u8> {
    let pair = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    (0..digits.len()).step_by(2).filter_map(pair).collect()
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
