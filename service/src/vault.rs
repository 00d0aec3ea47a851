//! The vault: sealing, keyed hashes, and tokens for card numbers, bank accounts and personal data.
//!
//! **Shape.** Tokens ([`tokens`]) and the subjects that they are about ([`subjects`]) are records
//! in the vault's own store; each subject has data keys, wrapped by the key-encryption keys of
//! the port [`keys::Keys`], so that erasing somebody ([`erasure`]) is destroying keys, and both
//! kinds of key can be exchanged while everything runs ([`rotation`]).
//!
//! [`LocalVault`] is the port [`Vault`] of a single machine. One file, readable by its owner
//! alone, holds the sealing keys by id and the blinding key; it is created at the first start.
//! What it seals is bound to tenant and subject: a ciphertext moved to another payment does not
//! open. See [`envelope`].
//!
//! **Invariants.** The newest key seals; every key in the file opens. Losing the file is losing
//! the data: back it up, and not beside the store. Nothing here shows a key: `Debug` says only
//! how many there are, and the keys are wiped from memory when the vault is dropped.

pub(crate) mod envelope;
pub mod erasure;
mod file;
mod file_keys;
pub mod keys;
pub mod rotation;
mod shred;
pub mod subjects;
pub mod tokens;

use std::{fmt, path::Path, sync::Arc};

use lombard_core::{payment::Sealed, tenant::TenantId};
use ring::{hmac, rand::SystemRandom};

pub use file::{KeyFile, OpenVaultError};
pub use file_keys::FileKeys;
pub use subjects::{Subject, Subjects};
pub use tokens::{Token, Tokens};

use crate::ports::{Vault, VaultError};

/// See the module.
pub struct LocalVault {
    keys: Arc<KeyFile>,
    random: SystemRandom,
}

impl fmt::Debug for LocalVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalVault({} keys)", self.keys.read().sealing.len())
    }
}

impl LocalVault {
    /// The vault whose keys are in `path`, with fresh keys if there is no such file.
    ///
    /// # Errors
    /// [`OpenVaultError`]: the file cannot be read or made, is not a key file, or can be read by
    /// others than its owner.
    pub fn open(path: &Path) -> Result<Self, OpenVaultError> {
        KeyFile::open(path).map(|keys| Self::over(Arc::new(keys)))
    }

    /// The vault of a key file that is open.
    #[must_use]
    pub fn over(keys: Arc<KeyFile>) -> Self {
        let random = SystemRandom::new();
        Self { keys, random }
    }

    /// The key file.
    #[must_use]
    pub const fn key_file(&self) -> &Arc<KeyFile> {
        &self.keys
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
        let secrets = self.keys.read();
        let secret = secrets.newest();
        let key = secret.id().to_owned();
        let bound = bound(tenant, subject);
        match envelope::seal(secret.bytes(), &bound, plain, &self.random) {
            Ok(data) => Ok(Sealed { key, data }),
            Err(_) => Err(VaultError::NoKey(key)),
        }
    }

    fn open(
        &self,
        tenant: TenantId,
        subject: &str,
        sealed: &Sealed,
    ) -> Result<Vec<u8>, VaultError> {
        let secrets = self.keys.read();
        let secret = secrets
            .find(&sealed.key)
            .ok_or_else(|| VaultError::NoKey(sealed.key.clone()))?;
        let plain = envelope::open(secret.bytes(), &bound(tenant, subject), &sealed.data);
        plain
            .map(|plain| plain.to_vec())
            .map_err(|_| VaultError::NotGenuine)
    }

    fn blind(&self, domain: &str, text: &str) -> String {
        let secrets = self.keys.read();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secrets.blinding.bytes());
        let mut context = hmac::Context::with_key(&key);
        // The length goes in too, so that domain and text cannot run together.
        context.update(&(domain.len() as u64).to_be_bytes());
        context.update(domain.as_bytes());
        context.update(text.as_bytes());
        hex::encode(context.sign())
    }
}

#[cfg(test)]
mod tests;
