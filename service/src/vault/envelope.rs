//! Sealing under a key: AES-256-GCM, with a key of its own for each thing that is sealed.
//!
//! From the key that is given, one for `bound` is derived (HMAC-SHA256 as the PRF of NIST SP
//! 800-108), so that no AES-GCM key ever comes near the number of messages after which random
//! nonces would have to be feared. `bound` is associated data too: a ciphertext that was moved
//! elsewhere does not open.

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use zeroize::Zeroizing;

/// It does not open, or nothing could be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotSealed;

fn key_for(key: &[u8], bound: &[u8]) -> Result<LessSafeKey, NotSealed> {
    let prf = hmac::Key::new(hmac::HMAC_SHA256, key);
    let derived = hmac::sign(&prf, bound);
    UnboundKey::new(&AES_256_GCM, derived.as_ref())
        .map(LessSafeKey::new)
        .map_err(|_| NotSealed)
}

/// Nonce, ciphertext and tag, in base64.
///
/// # Errors
/// When the system gives no randomness.
pub fn seal(
    key: &[u8],
    bound: &[u8],
    plain: &[u8],
    random: &SystemRandom,
) -> Result<String, NotSealed> {
    let mut nonce = [0; NONCE_LEN];
    random.fill(&mut nonce).map_err(|_| NotSealed)?;
    let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plain);
    let tag = key_for(key, bound)?
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(bound),
            &mut sealed[NONCE_LEN..],
        )
        .map_err(|_| NotSealed)?;
    sealed.extend_from_slice(tag.as_ref());
    Ok(STANDARD.encode(&sealed))
}

/// What [`seal`] was given under the same key, bound to the same thing.
///
/// # Errors
/// When it is not what was sealed.
pub fn open(key: &[u8], bound: &[u8], sealed: &str) -> Result<Zeroizing<Vec<u8>>, NotSealed> {
    let mut data = Zeroizing::new(STANDARD.decode(sealed).map_err(|_| NotSealed)?);
    let (nonce, matter) = data.split_at_mut_checked(NONCE_LEN).ok_or(NotSealed)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| NotSealed)?;
    let plain = key_for(key, bound)?
        .open_in_place(nonce, Aad::from(bound), matter)
        .map_err(|_| NotSealed)?;
    Ok(Zeroizing::new(plain.to_vec()))
}
