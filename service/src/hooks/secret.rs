//! What an endpoint and we share: 32 random bytes, shown once as `whsec_…`, sealed by the vault
//! afterwards.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use lombard_core::{id::Id, payment::Sealed, tenant::TenantId};
use zeroize::Zeroizing;

use super::endpoint::Endpoint;
use crate::ports::{Host, Vault, VaultError};

const PREFIX: &str = "whsec_";
/// Within the 24 to 64 bytes of the specification.
const BYTES: usize = 32;

/// A signing secret. It shows itself only through [`Secret::reveal`].
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// A new one.
    #[must_use]
    pub fn generate(host: &dyn Host) -> Self {
        let mut bytes = Vec::with_capacity(BYTES);
        while bytes.len() < BYTES {
            bytes.extend_from_slice(&host.random().to_be_bytes());
        }
        Self(Zeroizing::new(bytes))
    }

    /// A secret of these bytes.
    #[must_use]
    pub fn of(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The key of the HMAC.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text that the endpoint's owner is given, once.
    #[must_use]
    pub fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{PREFIX}{}", STANDARD.encode(&*self.0)))
    }

    /// As it is stored.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub fn seal(
        &self,
        vault: &dyn Vault,
        tenant: TenantId,
        endpoint: Id<Endpoint>,
    ) -> Result<Sealed, VaultError> {
        vault.seal(tenant, &endpoint.to_string(), &self.0)
    }

    /// What [`Secret::seal`] gave.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub fn open(
        vault: &dyn Vault,
        tenant: TenantId,
        endpoint: Id<Endpoint>,
        sealed: &Sealed,
    ) -> Result<Self, VaultError> {
        let bytes = vault.open(tenant, &endpoint.to_string(), sealed)?;
        Ok(Self(Zeroizing::new(bytes)))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("whsec_…")
    }
}
