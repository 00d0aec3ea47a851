//! What one proposes and another approves (maker-checker).
//!
//! **Shape.** An operator names the operations that take two ([`ApprovalsConfig::operations`]). A
//! call of such an operation is refused unless it was proposed: its method, path and body are
//! kept, sealed, with a digest of all three. Whoever approves names the digest, so that he
//! approves what he saw; the operation is then carried out with exactly what was kept, as the
//! maker, if the maker may still do it.
//!
//! **Invariants.** A proposal never changes but by its one decision. Its maker does not decide.
//! It expires. The operation is carried out once, under the proposal's id as its key: where a
//! crash came between the decision and the deed, approving again carries it out.
//!
//! [`ApprovalsConfig::operations`]: crate::config::ApprovalsConfig::operations

use lombard_core::{
    id::{Id, Named},
    payment::Sealed,
    store::{Body, Key},
    tenant::TenantId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::tenants::ApiKey;

/// For how long a proposal can be approved, in milliseconds: a day.
pub const STANDS_MS: u64 = 24 * 60 * 60 * 1000;

/// An operation that waits for a second person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// `prp_…`.
    pub id: Id<Proposal>,
    /// By which key it was proposed.
    pub maker: Id<ApiKey>,
    /// The operation's method.
    pub method: String,
    /// Its path, with ids filled in.
    pub path: String,
    /// Its body, sealed.
    pub body: Sealed,
    /// SHA-256 over method, path and body, in hexadecimal.
    pub digest: String,
    /// Since when.
    pub created_at: Timestamp,
    /// From when on it cannot be approved.
    pub expires_at: Timestamp,
    /// What was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// The HTTP status that the operation was answered with, once it was carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<u16>,
}

impl Named for Proposal {
    const PREFIX: &'static str = "prp";
}

/// A decision, by somebody else than the maker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Whether it was approved.
    pub approved: bool,
    /// By whom.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// Where a proposal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It can be approved.
    Open,
    /// It was approved, and is being carried out.
    Approved,
    /// It was approved and carried out, with whatever answer.
    Done,
    /// It was rejected.
    Rejected,
    /// Nobody decided in time.
    Expired,
}

impl Proposal {
    /// Where it stands at a moment.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> State {
        match &self.decision {
            Some(decision) if !decision.approved => State::Rejected,
            Some(_) if self.answered.is_some() => State::Done,
            Some(_) => State::Approved,
            None if self.expires_at <= now => State::Expired,
            None => State::Open,
        }
    }

    /// Its record, in the tenant's list.
    #[must_use]
    pub fn record(&self, tenant: TenantId) -> Body {
        Body::of(self).listed(Key::new(&list(tenant), self.id.text().as_str()))
    }
}

/// Where a proposal is kept.
#[must_use]
pub fn key(tenant: TenantId, id: Id<Proposal>) -> Key {
    Key::new(&format!("{}/{id}", tenant.short()), "proposal")
}

/// The list of a tenant's proposals.
#[must_use]
pub fn list(tenant: TenantId) -> String {
    format!("{}/proposals", tenant.short())
}

/// What an approval is bound to.
#[must_use]
pub fn digest(method: &str, path: &str, body: &[u8]) -> String {
    let mut hash = Sha256::new();
    for part in [method.as_bytes(), path.as_bytes(), body] {
        // The length goes in too, so that no two lists of parts read the same.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

/// Whether a route, such as `/v1/payments/{id}/returns`, is the one of a path.
#[must_use]
pub fn leads(route: &str, path: &str) -> bool {
    let (mut route, mut path) = (route.split('/'), path.split('/'));
    loop {
        match (route.next(), path.next()) {
            (None, None) => return true,
            (Some(want), Some(have)) if want.starts_with('{') && !have.is_empty() => {}
            (Some(want), Some(have)) if want == have => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_leads_to_its_paths_alone() {
        let route = "/v1/payments/{id}/returns";
        assert!(leads(route, "/v1/payments/pay_1/returns"));
        for other in [
            "/v1/payments//returns",
            "/v1/payments/pay_1",
            "/v1/payments/pay_1/returns/",
            "/v1/payments/pay_1/cancel",
            "/v1/payments/a/b/returns",
        ] {
            assert!(!leads(route, other), "{other}");
        }
    }

    #[test]
    fn a_digest_says_where_each_part_ends() {
        assert_ne!(digest("POST", "/a", b"b"), digest("POST", "/ab", b""));
        assert_eq!(digest("POST", "/a", b"b"), digest("POST", "/a", b"b"));
    }
}
