//! The port of key-encryption keys: what wraps the data keys of subjects, and never leaves.
//!
//! **Shape.** A data key belongs to one subject of one tenant (the [`Context`]); it is made by
//! [`Keys::generate`], kept only in its wrapped form, and unwrapped when it is needed. On a
//! laptop a sealed key file does this ([`super::file_keys`]); on AWS it is KMS, whose encryption
//! context is the same pair.
//!
//! **Invariants.** What was wrapped in one context does not unwrap in another. After
//! [`Keys::destroy`] nothing unwraps the data key any more, from whatever copy: that is what
//! erasing a person rests on. An adapter whose key service cannot forget a single data key (KMS) rests on
//! the record alone: there it is complete when the backups of the record have ended. Data keys are wiped
//! from memory when they are dropped, and show themselves to nobody.

use std::fmt;

use futures_util::future::BoxFuture;
use lombard_core::{tenant::TenantId, time::Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::ports::Cause;

/// Bytes of a data key.
pub const KEY_BYTES: usize = 32;

/// To whom a data key belongs. Bound in when it is wrapped.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Context {
    /// The tenant.
    pub tenant: TenantId,
    /// The subject, as text.
    pub subject: String,
}

/// A key for the data of one subject.
#[derive(Clone)]
pub struct DataKey(Zeroizing<[u8; KEY_BYTES]>);

impl DataKey {
    /// Takes the bytes over.
    #[must_use]
    pub const fn new(bytes: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(…)")
    }
}

/// A data key as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrapped {
    /// Which key-encryption key wrapped it.
    pub key: String,
    /// Which further secret went into the wrapping, where the adapter has such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<u64>,
    /// What only the adapter reads, in base64.
    pub data: String,
}

/// What may be told of a key-encryption key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyInfo {
    /// Its name.
    pub id: String,
    /// Since when it is there; the epoch when the adapter does not know.
    pub created_at: Timestamp,
    /// Whether new data keys are wrapped by it.
    pub newest: bool,
}

/// Why a key operation failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KeysError {
    /// There is no such key-encryption key, or the data key was destroyed.
    #[error("the key {0} is not there (any more)")]
    Gone(String),
    /// The data was wrapped for another context, or changed.
    #[error("the wrapped key is not genuine")]
    NotGenuine,
    /// The adapter cannot be reached or cannot write; it may be asked again.
    #[error("the keys are not available")]
    Unavailable(#[source] Cause),
}

/// Key-encryption keys.
pub trait Keys: Send + Sync + 'static {
    /// Makes a data key and wraps it with the newest key.
    fn generate<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<(DataKey, Wrapped), KeysError>>;

    /// Wraps a data key of other keys with the newest key: how a vault is moved.
    fn wrap<'a>(
        &'a self,
        context: &'a Context,
        key: &'a DataKey,
    ) -> BoxFuture<'a, Result<Wrapped, KeysError>>;

    /// Gives a data key back.
    fn unwrap<'a>(
        &'a self,
        context: &'a Context,
        wrapped: &'a Wrapped,
    ) -> BoxFuture<'a, Result<DataKey, KeysError>>;

    /// Wraps the same data key with the newest key; `None` when it is the one already.
    fn rewrap<'a>(
        &'a self,
        context: &'a Context,
        wrapped: &'a Wrapped,
    ) -> BoxFuture<'a, Result<Option<Wrapped>, KeysError>>;

    /// Makes sure that nothing unwraps the data key ever again, as far as the adapter can. May be asked
    /// twice.
    fn destroy<'a>(
        &'a self,
        context: &'a Context,
        wrapped: &'a Wrapped,
    ) -> BoxFuture<'a, Result<(), KeysError>>;

    /// Makes a new key-encryption key, which wraps from now on.
    fn rotate(&self, now: Timestamp) -> BoxFuture<'_, Result<KeyInfo, KeysError>>;

    /// The keys that there are, oldest first.
    fn describe(&self) -> BoxFuture<'_, Result<Vec<KeyInfo>, KeysError>>;
}
