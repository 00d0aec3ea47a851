//! Slow, salted hashes of secrets: PBKDF2 with HMAC-SHA-256 (NIST SP 800-132), on a thread for
//! blocking work, so that it holds no request up but its own.
//!
//! **Bounds.** At most [`AT_ONCE_MAX`] are computed at once, however many ask: whoever guesses
//! secrets makes others wait to prove theirs, and takes no more of the machine than that.

use std::num::NonZeroU32;

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::{
    pbkdf2,
    rand::{SecureRandom, SystemRandom},
};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// How many hashes are computed at once.
const AT_ONCE_MAX: usize = 2;
static PLACES: Semaphore = Semaphore::const_new(AT_ONCE_MAX);
const BYTES: usize = 32;

/// How slow a hash is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// Of what a person chose, which can be guessed.
    Chosen,
    /// Of 256 random bits. Nobody guesses them, whatever the hash: the rounds are for the day on
    /// which the bits turn out not to have been random.
    Random,
}

impl Cost {
    /// How often it is hashed. Tests hash thousands of secrets that are none.
    const fn rounds(self) -> u32 {
        match self {
            _ if cfg!(debug_assertions) => 100,
            Self::Chosen => 600_000,
            Self::Random => 50_000,
        }
    }
}

/// The hash of a secret, and what it takes to hash another in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hashed {
    rounds: u32,
    salt: String,
    hash: String,
}

/// The system gives no randomness.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the operating system gives no randomness")]
pub struct NoRandomness;

/// The hash of a secret, with a salt of its own.
///
/// # Errors
/// [`NoRandomness`].
pub async fn hash(secret: &str, cost: Cost) -> Result<Hashed, NoRandomness> {
    let mut salt = [0; 16];
    let filled = SystemRandom::new().fill(&mut salt);
    filled.map_err(|_| NoRandomness)?;
    let rounds = cost.rounds();
    let bytes = derive(secret, &salt, rounds).await;
    Ok(Hashed {
        rounds,
        salt: STANDARD.encode(salt),
        hash: STANDARD.encode(bytes.as_slice()),
    })
}

/// Whether a secret is the one of a hash, in a time that does not say how nearly.
pub async fn verify(secret: &str, known: &Hashed) -> bool {
    let salt = STANDARD.decode(&known.salt).unwrap_or_default();
    let bytes = derive(secret, &salt, known.rounds).await;
    let wanted = STANDARD.decode(&known.hash).unwrap_or_default();
    subtle::ConstantTimeEq::ct_eq(bytes.as_slice(), wanted.as_slice()).into()
}

/// Takes as long as verifying a secret against a hash of [`Cost::Chosen`] does: for names that are
/// nobody's, so that nobody learns which are somebody's.
pub async fn verify_nothing(secret: &str) {
    let _ = derive(secret, &[0; 16], Cost::Chosen.rounds()).await;
}

async fn derive(secret: &str, salt: &[u8], rounds: u32) -> Zeroizing<Vec<u8>> {
    let (secret, salt) = (Zeroizing::new(secret.to_owned()), salt.to_owned());
    let rounds = NonZeroU32::new(rounds).unwrap_or(NonZeroU32::MIN);
    // The semaphore is never closed; were it, nothing would have to wait.
    let _place = PLACES.acquire().await;
    let work = move || {
        let mut bytes = Zeroizing::new(vec![0; BYTES]);
        let way = pbkdf2::PBKDF2_HMAC_SHA256;
        pbkdf2::derive(way, rounds, &salt, secret.as_bytes(), &mut bytes);
        bytes
    };
    // It ends by itself and cannot panic; without an answer nothing is equal to it.
    tokio::task::spawn_blocking(work).await.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_secret_is_known_again_and_no_other_is() {
        for cost in [Cost::Chosen, Cost::Random] {
            let known = hash("correct horse", cost).await.unwrap();
            assert!(verify("correct horse", &known).await);
            assert!(!verify("correct hors", &known).await);
            let again = hash("correct horse", cost).await.unwrap();
            assert_ne!(known, again, "each has its salt");
            assert!(!serde_json::to_string(&known).unwrap().contains("horse"));
        }
    }
}
