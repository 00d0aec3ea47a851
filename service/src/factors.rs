//! What a payer proves himself by: something he knows (a PIN) and something he has (a generator
//! of one-time passwords, RFC 6238).
//!
//! **Shape.** One record for each account that is paid from. The generator's secret is sealed by
//! the vault; of the PIN there is only a slow, salted hash. [`prove`] takes both and says yes or
//! no, and nothing of which of them was wrong: both are always checked, in the same time.
//!
//! **Invariants.** A one-time password is good once: the step that it was of is noted in the
//! commit that takes it, so of two who send the same one at once one is refused. After
//! [`FAILURES_MAX`] failures in a row nothing is taken for [`LOCKED_MS`].

use std::sync::Arc;

use lombard_core::{
    id::Id,
    ledger::Account,
    payment::Sealed,
    plan::keys,
    store::{Body, Key},
    tenant::TenantId,
    time::Timestamp,
};
use ring::{
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    app::App,
    password::{self, Cost, Hashed, NoRandomness},
    ports::{CommitError, VaultError},
    records::{Then, change},
};

/// Failures in a row after which nothing is taken for a while.
pub const FAILURES_MAX: u32 = 10;
/// For how long, in milliseconds: half an hour.
pub const LOCKED_MS: u64 = 30 * 60 * 1000;
/// Milliseconds of a step (RFC 6238, section 5.2).
const STEP_MS: u64 = 30_000;
/// Bytes of a generator's secret: as many as HMAC-SHA-1 gives (RFC 4226, section 4).
pub(crate) const SECRET_BYTES: usize = 20;

/// The factors of an account's payer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factors {
    /// The generator's secret, sealed.
    secret: Sealed,
    /// The PIN.
    pin: Hashed,
    /// The last step whose password was taken.
    #[serde(default)]
    last_step: u64,
    /// Failures in a row.
    #[serde(default)]
    failures: u32,
    /// Until when nothing is taken.
    #[serde(default)]
    locked_until: Timestamp,
    /// Since when.
    pub created_at: Timestamp,
}

/// Where the factors of an account are kept.
#[must_use]
pub fn place(tenant: TenantId, account: Id<Account>) -> Key {
    Key::new(&keys::account_partition(tenant, account), "factors")
}

/// What the vault seals of them is bound to.
fn bound(account: Id<Account>) -> String {
    format!("{account}/totp")
}

/// Why factors could not be made or proved.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FactorError {
    /// The store did not take it.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The vault did not help.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// No secret could be kept.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// None were made for the account.
    #[error("the account has no factors")]
    None,
}

/// New factors for an account, and the generator's secret, to be shown once.
///
/// # Errors
/// See [`FactorError`].
pub async fn new(
    app: &App,
    tenant: TenantId,
    account: Id<Account>,
    pin: &str,
) -> Result<(Factors, Zeroizing<Vec<u8>>), FactorError> {
    let mut secret = Zeroizing::new(vec![0; SECRET_BYTES]);
    let filled = SystemRandom::new().fill(&mut secret);
    filled.map_err(|_| NoRandomness)?;
    let pin = peppered(app, tenant, account, pin);
    let factors = Factors {
        secret: app.vault.seal(tenant, &bound(account), &secret)?,
        pin: password::hash(&pin, Cost::Chosen).await?,
        last_step: 0,
        failures: 0,
        locked_until: Timestamp::default(),
        created_at: app.host.now(),
    };
    Ok((factors, secret))
}

/// What is hashed of a PIN. There are few PINs, so a hash alone, however slow, could be tried out
/// by whoever has the store; nobody can without the vault's key.
fn peppered(app: &App, tenant: TenantId, account: Id<Account>, pin: &str) -> Zeroizing<String> {
    let text = Zeroizing::new(format!("{tenant}/{account}/{pin}"));
    Zeroizing::new(app.vault.blind("pin", &text))
}

/// Whether PIN and one-time password are the payer's. Each call counts.
///
/// # Errors
/// See [`FactorError`].
pub async fn prove(
    app: &App,
    tenant: TenantId,
    account: Id<Account>,
    pin: &str,
    code: &str,
) -> Result<bool, FactorError> {
    let found: Result<Option<Factors>, _> = app.value(&place(tenant, account)).await;
    let found = found.map_err(|error| CommitError::Unavailable(Arc::new(error)))?;
    let known = found.ok_or(FactorError::None)?;
    let secret = Zeroizing::new(app.vault.open(tenant, &bound(account), &known.secret)?);
    let now = app.host.now();
    // Both, always: how long it takes says nothing of which was wrong.
    let pin = peppered(app, tenant, account, pin);
    let knows = password::verify(&pin, &known.pin).await;
    let step = matching_step(&secret, code, now);
    change(app, &place(tenant, account), |found: Option<Factors>| {
        let Some(mut factors) = found.filter(|it| it.secret == known.secret) else {
            return (Then::Keep, false);
        };
        if now < factors.locked_until {
            return (Then::Keep, false);
        }
        let has = step.is_some_and(|step| step > factors.last_step);
        let proved = knows && has;
        if proved {
            factors.failures = 0;
            factors.last_step = step.unwrap_or(factors.last_step);
        } else {
            factors.failures += 1;
            if factors.failures >= FAILURES_MAX {
                factors.failures = 0;
                factors.locked_until = now.plus_ms(LOCKED_MS);
            }
        }
        (Then::Put(Body::of(&factors)), proved)
    })
    .await
    .map_err(FactorError::from)
}

/// The step whose password `code` is: this one, or one beside it, because clocks differ.
pub(crate) fn matching_step(secret: &[u8], code: &str, now: Timestamp) -> Option<u64> {
    let current = now.unix_ms() / STEP_MS;
    let mut found = None;
    for step in [current.saturating_sub(1), current, current + 1] {
        let wanted = one_time(secret, step);
        if subtle::ConstantTimeEq::ct_eq(wanted.as_bytes(), code.as_bytes()).into() {
            found = Some(step);
        }
    }
    found
}

/// The one-time password of a step: six digits (RFC 4226, section 5.3).
#[must_use]
pub fn one_time(secret: &[u8], step: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag[tag.len() - 1] & 15);
    let word = tag[offset..offset + 4]
        .iter()
        .fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
    format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
}

/// The step of a moment.
#[must_use]
pub const fn step_of(at: Timestamp) -> u64 {
    at.unix_ms() / STEP_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, the rows of SHA-1, of which six digits are the last six.
    #[test]
    fn the_vectors_of_the_rfc() {
        let secret = b"12345678901234567890";
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let at = Timestamp::from_unix_ms(seconds * 1000);
            assert_eq!(one_time(secret, step_of(at)), code);
            assert_eq!(matching_step(secret, code, at), Some(step_of(at)));
            let late = at.plus_ms(2 * STEP_MS);
            assert_eq!(matching_step(secret, code, late), None);
        }
    }
}
