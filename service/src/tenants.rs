//! Tenants and their API keys.
//!
//! **Shape.** A key is `sk_test_` and 256 random bits in hexadecimal. It is shown once, when it
//! is made, and stored only as its SHA-256. A slow, salted hash is for passwords, which people
//! choose and which can be guessed; nobody guesses 256 bits, and a fast hash lets every request
//! be checked. Looking a key up by its hash needs no comparison in constant time: what an
//! attacker could learn by timing is the hash of a guess that he made himself.
//!
//! **Bounds.** Known keys are remembered for [`REMEMBERED_MS`], at most [`REMEMBERED_MAX`] of
//! them, so a revoked key is refused everywhere after at most that long, and at once where it
//! was revoked.

mod demo;
mod known;
mod pace;
mod records;

use std::{fmt, sync::Arc};

use lombard_core::{
    command::{Act, Command, OpenAccount, Rejection},
    currency::Currency,
    id::{Id, Named},
    journal::{self, Role},
    rail::Rail,
    store::{Body, Key, Snapshot},
    tenant::TenantId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

pub use demo::{DemoTenant, demo};
pub use known::{Caller, Keys, REMEMBERED_MAX, REMEMBERED_MS};
pub use pace::Pace;
pub use records::{
    TenantError, create_key, create_key_with, create_tenant, ids, open_house_accounts, revoke_key,
};

use crate::access::Access;

/// Somebody whose payments Lombard makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// `ten_…`.
    pub id: TenantId,
    /// What it is called.
    pub name: String,
    /// Since when.
    pub created_at: Timestamp,
}

/// What is stored of an API key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// `key_…`: names the key in timelines and logs.
    pub id: Id<ApiKey>,
    /// Whose.
    pub tenant: TenantId,
    /// What it is for.
    pub name: String,
    /// What it may do.
    #[serde(flatten)]
    pub access: Access,
    /// Its first characters, by which its owner tells it from others.
    pub hint: String,
    /// Since when.
    pub created_at: Timestamp,
    /// Since when it is refused, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

impl Named for ApiKey {
    const PREFIX: &'static str = "key";
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Everything.
    Write,
    /// Only look.
    Read,
}

/// The letters that every key begins with, so that scanners recognise a leaked one.
pub const KEY_PREFIX: &str = "sk_test_";
const HINT_LENGTH: usize = KEY_PREFIX.len() + 4;

/// A key in clear: given to its owner once.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey(Zeroizing<String>);

impl SecretKey {
    fn of(high: u128, low: u128) -> Self {
        Self(Zeroizing::new(format!("{KEY_PREFIX}{high:032x}{low:032x}")))
    }

    /// The text, to be shown once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn hint(&self) -> String {
        self.0[..HINT_LENGTH].to_owned()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// SHA-256 of a key's text.
fn digest(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}
