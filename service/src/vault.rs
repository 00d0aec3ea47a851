//! The vault of a single machine: AES-256-GCM under a key for each subject, and a keyed hash.
//!
//! **Shape.** One file, readable by its owner alone, holds the sealing keys by id and the
//! blinding key; it is created at the first start. From a sealing key, a key for each tenant and
//! subject is derived (HMAC-SHA256 as the PRF of NIST SP 800-108), so that no AES-GCM key ever
//! comes near the number of messages after which random nonces would have to be feared. Tenant
//! and subject are bound in as associated data too: a ciphertext moved to another payment does
//! not open.
//!
//! **Invariants.** The newest key seals; every key in the file opens. Losing the file is losing
//! the data: back it up, and not beside the store. Nothing here shows a key: `Debug` says only
//! how many there are, and the keys are wiped from memory when the vault is dropped.

mod file;

use std::{fmt, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use lombard_core::{payment::Sealed, tenant::TenantId};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use zeroize::Zeroizing;

pub use file::OpenVaultError;
use file::{Secret, Secrets};

use crate::ports::{Vault, VaultError};

/// See the module.
pub struct LocalVault {
    secrets: Secrets,
    random: SystemRandom,
}

impl fmt::Debug for LocalVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalVault({} keys)", self.secrets.sealing.len())
    }
}

impl LocalVault {
    /// The vault whose keys are in `path`, with fresh keys if there is no such file.
    ///
    /// # Errors
    /// [`OpenVaultError`]: the file cannot be read or made, is not a key file, or can be read by
    /// others than its owner.
    pub fn open(path: &Path) -> Result<Self, OpenVaultError> {
        let random = SystemRandom::new();
        let secrets = Secrets::load_or_create(path, &random)?;
        Ok(Self { secrets, random })
    }

    /// The key of a subject, out of a sealing key.
    fn key_of(secret: &Secret, bound: &[u8]) -> Result<LessSafeKey, VaultError> {
        let prf = hmac::Key::new(hmac::HMAC_SHA256, secret.bytes());
        let derived = hmac::sign(&prf, bound);
        UnboundKey::new(&AES_256_GCM, derived.as_ref())
            .map(LessSafeKey::new)
            .map_err(|_| VaultError::NoKey(secret.id().to_owned()))
    }
}

/// Tenant and subject as one text that no other pair gives: a tenant's part has a fixed length.
fn bound(tenant: TenantId, subject: &str) -> Vec<u8> {
    let mut bound = Vec::with_capacity(64);
    bound.extend_from_slice(b"lombard seal ");
    bound.extend_from_slice(tenant.short().as_bytes());
    bound.push(b'/');
    bound.extend_from_slice(subject.as_bytes());
    bound
}

impl Vault for LocalVault {
    fn seal(&self, tenant: TenantId, subject: &str, plain: &[u8]) -> Result<Sealed, VaultError> {
        let secret = self.secrets.newest();
        let no_key = || VaultError::NoKey(secret.id().to_owned());
        let bound = bound(tenant, subject);
        let key = Self::key_of(secret, &bound)?;
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| no_key())?;
        let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let tag = key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(&bound),
                &mut sealed[NONCE_LEN..],
            )
            .map_err(|_| no_key())?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(Sealed {
            key: secret.id().to_owned(),
            data: STANDARD.encode(&sealed),
        })
    }

    fn open(
        &self,
        tenant: TenantId,
        subject: &str,
        sealed: &Sealed,
    ) -> Result<Vec<u8>, VaultError> {
        let secret = self
            .secrets
            .find(&sealed.key)
            .ok_or_else(|| VaultError::NoKey(sealed.key.clone()))?;
        let bound = bound(tenant, subject);
        let key = Self::key_of(secret, &bound)?;
        let mut data = Zeroizing::new(
            STANDARD
                .decode(&sealed.data)
                .map_err(|_| VaultError::NotGenuine)?,
        );
        let (nonce, matter) = data
            .split_at_mut_checked(NONCE_LEN)
            .ok_or(VaultError::NotGenuine)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| VaultError::NotGenuine)?;
        let plain = key
            .open_in_place(nonce, Aad::from(&bound), matter)
            .map_err(|_| VaultError::NotGenuine)?;
        Ok(plain.to_vec())
    }

    fn blind(&self, domain: &str, text: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secrets.blinding.bytes());
        let mut context = hmac::Context::with_key(&key);
        // The length goes in too, so that domain and text cannot run together.
        context.update(&(domain.len() as u64).to_be_bytes());
        context.update(domain.as_bytes());
        context.update(text.as_bytes());
        hex(context.sign().as_ref())
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from(b"0123456789abcdef"[usize::from(nibble)]));
        }
    }
    text
}

#[cfg(test)]
mod tests;
