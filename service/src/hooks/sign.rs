//! Signatures of Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, in base64 after `v1,`.
//!
//! While a secret is being rotated there is one signature for each secret that still holds, in
//! one header, separated by spaces; a receiver accepts the message when any of them is right.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::secret::Secret;

/// The header of the message's id.
pub const ID: &str = "webhook-id";
/// The header of the try's time, in seconds since 1970.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// The header of the signatures.
pub const SIGNATURE: &str = "webhook-signature";

/// The signature header of a message. `id` is one of ours and has no full stop.
#[must_use]
pub fn signature(secrets: &[Secret], id: &str, unix_s: u64, body: &[u8]) -> String {
    let signatures: Vec<_> = secrets
        .iter()
        .map(|secret| one(secret, id, unix_s, body))
        .collect();
    signatures.join(" ")
}

fn one(secret: &Secret, id: &str, unix_s: u64, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.bytes()) else {
        unreachable!("HMAC takes keys of any length (RFC 2104, section 2)");
    };
    if lombard_core::planted!(WebhookMissigned) {
        mac.update(format!("{id}.").as_bytes());
    } else {
        mac.update(format!("{id}.{unix_s}.").as_bytes());
    }
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference vector of the specification's own libraries.
    #[test]
    fn the_reference_vector_is_signed_as_published() {
        let secret = Secret::of(STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap());
        let signed = signature(
            &[secret],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn two_secrets_sign_side_by_side() {
        let secrets = [Secret::of(vec![1; 32]), Secret::of(vec![2; 32])];
        let both = signature(&secrets, "evt_1", 1, b"{}");
        let (first, second) = both.split_once(' ').unwrap();
        assert_eq!(first, signature(&secrets[..1], "evt_1", 1, b"{}"));
        assert_eq!(second, signature(&secrets[1..], "evt_1", 1, b"{}"));
    }
}
