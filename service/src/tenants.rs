//! Tenants and their API keys.
//!
//! **Shape.** A key is `sk_test_` or `sk_live_`, the 26 digits of its id, by which its record is
//! found and which may be shown, and 256 random bits in hexadecimal. It is shown once, when it is
//! made; of it is stored a slow, salted hash ([`crate::password`]). Whoever showed a key is
//! remembered by the key's SHA-256, in memory alone, so that the slow hash is computed once for
//! each key and process, and a request costs a look into a map.
//!
//! **Without a text.** A credential can be another's to prove: a token that an issuer signed, or a
//! person who signs in ([`Bearer`]). All else about it is the same.
//!
//! **Test and live.** An installation is the one or the other ([`Environment`]). It makes keys of
//! its own kind and knows no others, so that a key that was put into the wrong place does nothing.
//!
//! **Bounds.** Known keys are looked up again after [`REMEMBERED_MS`], and at most
//! [`REMEMBERED_MAX`] are remembered, so a revoked key is refused everywhere after at most that
//! long, and at once where it was revoked.

mod demo;
mod keeper;
mod keys;
mod known;
mod pace;
mod records;

use std::{fmt, sync::Arc};

use ipnet::IpNet;
use lombard_core::{
    id::{Id, Named},
    mandate::Mandate,
    tenant::TenantId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use demo::{DemoTenant, demo, demo_id};
pub use keeper::keeper;
pub use keys::{
    FirstKeys, KeyWish, begin, create_key, find_key, first_keys, fresh_id, list_keys, made_by_us,
    new_key, of_bearer, person, place, revoke_key, token_place,
};
pub use known::{Caller, Keys, REMEMBERED_MAX, REMEMBERED_MS, Shown};
pub use pace::Pace;
pub use records::{TenantError, all, create_tenant, ids, open_accounts_of, open_house_accounts};

use crate::{access::Access, config::Environment, password::Hashed};

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
    /// How its bearer proves that it is his.
    #[serde(default, skip_serializing_if = "Bearer::is_text")]
    pub bearer: Bearer,
    /// The slow hash of its text, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<Hashed>,
    /// The part of its text that may be shown, by which its owner tells it from others.
    pub hint: String,
    /// From where alone it is taken; from everywhere when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<IpNet>,
    /// Since when.
    pub created_at: Timestamp,
    /// Since when it is refused, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// From when on it is refused, if its time is limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Timestamp>,
    /// The key that takes its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<Id<ApiKey>>,
    /// Of a machine that pays: its mandate, who gave it, and the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Agent>,
}

/// How the bearer of a credential proves that it is his.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bearer {
    /// By its text.
    #[default]
    Text,
    /// By a token that an issuer signed.
    Token {
        /// The issuer, as its tokens name it.
        issuer: String,
        /// Of whom the token speaks: its `sub`.
        subject: String,
    },
    /// By signing in ([`crate::identity::person`]).
    Person,
}

impl Bearer {
    /// Whether it is its text.
    #[must_use]
    pub const fn is_text(&self) -> bool {
        matches!(self, Self::Text)
    }

    /// As it is written in the API.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Text => "key",
            Self::Token { .. } => "token",
            Self::Person => "person",
        }
    }
}

/// A machine that pays under a mandate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Under which mandate.
    pub mandate: Id<Mandate>,
    /// Who gave it.
    pub human: String,
    /// The agent's name.
    pub name: String,
}

impl Agent {
    /// The agent of a mandate.
    #[must_use]
    pub fn of(mandate: &Mandate) -> Self {
        Self {
            mandate: mandate.id,
            human: mandate.human.clone(),
            name: mandate.agent.clone(),
        }
    }
}

impl ApiKey {
    /// Whether it is good for anything at a moment.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expires| now < expires)
    }

    /// Who its bearer is, for timelines and records.
    #[must_use]
    pub fn actor(&self) -> Arc<str> {
        let kind = match self.bearer {
            Bearer::Person => "operator",
            Bearer::Text | Bearer::Token { .. } => "key",
        };
        format!("{kind}/{}", self.id).into()
    }
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

/// Digits of an id, after its prefix.
const ID_DIGITS: usize = 26;
/// Hexadecimal digits of 256 random bits.
const SECRET_DIGITS: usize = 64;

/// A key in clear: given to its owner once.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey(Zeroizing<String>);

impl SecretKey {
    /// Of [`SECRET_DIGITS`] that nobody can foretell.
    fn of(environment: Environment, id: Id<ApiKey>, secret: &str) -> Self {
        let (prefix, id) = (environment.key_prefix(), id.to_string());
        let digits = id.trim_start_matches("key_");
        Self(Zeroizing::new(format!("{prefix}{digits}{secret}")))
    }

    /// The text, to be shown once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The part that may be shown.
    fn hint(&self) -> &str {
        &self.0[..self.0.len() - SECRET_DIGITS]
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// The id in a key's text, if the text is a key of this environment.
fn id_in(environment: Environment, text: &str) -> Option<Id<ApiKey>> {
    let rest = text.strip_prefix(environment.key_prefix())?;
    if rest.len() != ID_DIGITS + SECRET_DIGITS || !rest.is_ascii() {
        return None;
    }
    format!("key_{}", &rest[..ID_DIGITS]).parse().ok()
}
