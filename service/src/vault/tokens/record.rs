//! A token as it is stored.

use lombard_core::{
    id::{Id, Named},
    store::{Body, Key},
    tenant::TenantId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{Kind, Scope};
use crate::vault::subjects::Subject;

/// Stands for something that only the vault knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// `tok_…`: 128 random bits, and no time in them.
    pub id: Id<Token>,
    /// Whose.
    pub tenant: TenantId,
    /// About whom.
    pub subject: Id<Subject>,
    /// What kind of thing it stands for.
    pub kind: Kind,
    /// The thing, sealed.
    pub sealing: Sealing,
    /// What it may be used for.
    pub scope: Scope,
    /// Since when.
    pub created_at: Timestamp,
}

impl Named for Token {
    const PREFIX: &'static str = "tok";
}

/// What is sealed of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealing {
    /// Under which of its subject's keys.
    pub number: u32,
    /// What may be shown of it.
    pub shown: String,
    /// The thing itself.
    pub matter: String,
}

impl Token {
    /// Its record, in the list of its subject.
    #[must_use]
    pub fn body(&self) -> Body {
        let list = listed(self.tenant, self.subject);
        Body::of(self).listed(Key::new(&list, self.id.text().as_str()))
    }
}

/// Where a token is kept.
#[must_use]
pub fn key(tenant: TenantId, id: Id<Token>) -> Key {
    Key::new(&format!("{}/{id}", tenant.short()), "token")
}

/// The list of a subject's tokens.
#[must_use]
pub fn listed(tenant: TenantId, subject: Id<Subject>) -> String {
    format!("{}/{subject}#tokens", tenant.short())
}

/// What a part of a token is bound to.
pub(super) fn bound(tenant: TenantId, id: Id<Token>, what: &str) -> Vec<u8> {
    format!("lombard token {}/{id}/{what}", tenant.short()).into_bytes()
}
