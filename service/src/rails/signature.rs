//! The signature on every message between us and a gateway, in both directions.
//!
//! `Lombard-Signature: t=1795000000,v1=<64 hexadecimal digits>` is HMAC-SHA256, under the secret
//! that both sides share, over the decimal seconds, a full stop, and the body as it was sent. The
//! moment is signed too, so that a message heard on the way is worthless [`FRESH_S`] later; within
//! that window the duplicate checks make a repeated message harmless.

use lombard_core::time::Timestamp;
use ring::hmac;

/// The header's name.
pub const HEADER: &str = "lombard-signature";
/// How far the sender's clock may be from ours, in seconds. As wide as Stripe's, so that a host
/// without a time server is refused only when it is badly off.
pub const FRESH_S: u64 = 300;

/// Why a message is not taken for genuine. Which of them it was is logged and never answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is no header, or it is not written as it should be.
    #[error("the signature is missing or malformed")]
    Malformed,
    /// It was signed too long ago, or in the future.
    #[error("the signature is not of this moment")]
    Stale,
    /// It was signed with another secret, or over another body.
    #[error("the signature is not genuine")]
    Forged,
}

/// A secret, ready for use.
pub struct Signer(hmac::Key);

impl Signer {
    /// A signer with this secret.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))
    }

    /// The header's value for `body`, sent at `now`.
    #[must_use]
    pub fn sign(&self, now: Timestamp, body: &[u8]) -> String {
        let seconds = now.unix_ms() / 1000;
        let mut context = hmac::Context::with_key(&self.0);
        context.update(format!("{seconds}.").as_bytes());
        context.update(body);
        format!("t={seconds},v1={}", hex::encode(context.sign()))
    }

    /// Checks the header of `body`, received at `now`. Several `v1` may stand in it while a
    /// secret is being changed; other members are ignored.
    ///
    /// # Errors
    /// See [`SignatureError`].
    pub fn verify(
        &self,
        header: Option<&str>,
        now: Timestamp,
        body: &[u8],
    ) -> Result<(), SignatureError> {
        let header = header.ok_or(SignatureError::Malformed)?;
        let members = || header.split(',').filter_map(|part| part.split_once('='));
        let seconds = members()
            .find(|(name, _)| name.trim() == "t")
            .and_then(|(_, value)| plain_number(value))
            .ok_or(SignatureError::Malformed)?;
        if seconds.abs_diff(now.unix_ms() / 1000) > FRESH_S {
            return Err(SignatureError::Stale);
        }
        let mut signed = format!("{seconds}.").into_bytes();
        signed.extend_from_slice(body);
        let genuine = members()
            .filter(|(name, _)| name.trim() == "v1")
            .filter_map(|(_, value)| hex::decode(value.trim()).ok())
            .any(|tag| hmac::verify(&self.0, &signed, &tag).is_ok());
        if genuine {
            Ok(())
        } else {
            Err(SignatureError::Forged)
        }
    }
}

/// Digits alone: `+5` and `05` would be signed as another text than they are read.
fn plain_number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_795_000_000_999);

    #[test]
    fn known_answer() {
        // `printf '1795000000.<a/>' | openssl dgst -sha256 -hmac secret`
        assert_eq!(
            Signer::new("secret").sign(NOW, b"<a/>"),
            "t=1795000000,v1=48e10c541789cac3c3024de89d81e76316842adfede63ceb6382fe4e3ae2ea89"
        );
    }

    #[test]
    fn only_the_same_body_secret_and_moment_pass() {
        let signer = Signer::new("secret");
        let header = signer.sign(NOW, b"<a/>");
        let check = |header: &str, now, body: &[u8]| signer.verify(Some(header), now, body);
        assert_eq!(check(&header, NOW, b"<a/>"), Ok(()));
        assert_eq!(check(&header, NOW.plus_ms(299_000), b"<a/>"), Ok(()));
        let late = check(&header, NOW.plus_ms(301_000), b"<a/>");
        assert_eq!(late, Err(SignatureError::Stale));
        assert_eq!(check(&header, NOW, b"<b/>"), Err(SignatureError::Forged));
        let other = Signer::new("other").sign(NOW, b"<a/>");
        assert_eq!(check(&other, NOW, b"<a/>"), Err(SignatureError::Forged));
        let moved = header.replace("t=1795000000", "t=1795000001");
        assert_eq!(check(&moved, NOW, b"<a/>"), Err(SignatureError::Forged));
        for malformed in ["", "t=1", "v1=00", "t=+1795000000,v1=00", "t=x,v1=00"] {
            assert!(check(malformed, NOW, b"<a/>").is_err(), "{malformed}");
        }
        assert_eq!(
            signer.verify(None, NOW, b""),
            Err(SignatureError::Malformed)
        );
    }

    #[test]
    fn either_of_two_secrets_serves_while_one_is_changed() {
        let (old, new) = (Signer::new("old"), Signer::new("new"));
        let tail = new.sign(NOW, b"m");
        let both = format!(
            "{},{}",
            old.sign(NOW, b"m"),
            &tail[tail.find("v1").unwrap()..]
        );
        assert_eq!(old.verify(Some(&both), NOW, b"m"), Ok(()));
        assert_eq!(new.verify(Some(&both), NOW, b"m"), Ok(()));
    }
}
