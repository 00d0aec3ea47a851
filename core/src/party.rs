//! Who pays and who is paid: what is known of a customer or payee, and what a payment asks of that.
//!
//! **Shape.** A [`Profile`] is the record of one person or firm: its documents (what they are, never
//! what they say), what was decided about it, and its sides, by which payments find it: ids of
//! accounts here, fingerprints of accounts elsewhere. Each side has a [`Standing`] of its own, written
//! in the same commit, so that a payment reads one record for each side. A [`Rule`] says in which states
//! a payment is held or refused; the rules that fit a payment stay with it as its [`Check`].
//!
//! **Invariants.** No personal data: a profile names a token of the vault. A verification that is past
//! its time is none, by the clock of the decision and without a timer. A standing is read under guard,
//! so no payment goes ahead by a state that was taken back before its commit.

mod check;

use serde::{Deserialize, Serialize};

use crate::{
    id::{Id, Named},
    payment::Party,
    store::{Body, Key, WriteSet},
    tenant::TenantId,
    time::Timestamp,
};

pub use check::{Check, Found, NAME_MAX, Outcome, Rule, Side};

/// The most documents of a profile.
pub const DOCUMENTS_MAX: usize = 20;
/// The most sides of a profile; each is a record in the commit of a decision.
pub const SIDES_MAX: usize = 20;
/// The most decisions that a profile shows; the record of deeds has all of them.
pub const DECISIONS_MAX: usize = 20;
/// From so long before its end on a verification is due to be made again, in milliseconds: 30 days.
pub const REVIEW_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// What is known of a customer or payee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// `pty_…`.
    pub id: Id<Profile>,
    /// A person or a firm.
    pub kind: Kind,
    /// Where its data lives, such as `uk` or `eu-west-2`.
    pub region: String,
    /// The tenant's own reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The vault's token for its name and the like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// By what payments find it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sides: Vec<String>,
    /// By what it proved itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<Document>,
    /// The latest decisions, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Named for Profile {
    const PREFIX: &'static str = "pty";
}

/// What somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A person: know your customer.
    Person,
    /// A firm: know your business.
    Business,
}

/// How far somebody is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// There is no profile.
    Unknown,
    /// Nothing was decided yet, or it is to be decided anew.
    Pending,
    /// It is who it says.
    Verified,
    /// It is not, or must not be dealt with.
    Rejected,
    /// It was verified, and too long ago.
    Expired,
}

/// A document, as far as it may be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// What it is.
    pub kind: DocumentKind,
    /// ISO 3166 code of who issued it.
    pub country: String,
    /// The vault's token for its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// Its last day, after which it proves nothing; the moment at which that day has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good_until: Option<Timestamp>,
    /// When it was taken in.
    pub added_at: Timestamp,
}

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// A passport.
    Passport,
    /// A national identity card.
    IdentityCard,
    /// A driving licence.
    DrivingLicence,
    /// A bill or statement with the address.
    ProofOfAddress,
    /// An extract of the register of companies.
    CompanyRegister,
    /// Who owns and controls a firm.
    Ownership,
}

/// What was decided about a profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// [`State::Pending`], [`State::Verified`] or [`State::Rejected`].
    pub state: State,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Until when a verification is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
}

impl Profile {
    /// How far it is known at a moment.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> State {
        self.standing().state(now)
    }

    /// Whether its verification should be made again: it ended, or ends soon.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        let until = self.standing().valid_until;
        until.is_some_and(|until| until <= now.plus_ms(REVIEW_MS))
    }

    /// What its sides say of it.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let last = self.decisions.last();
        Standing {
            party: self.id,
            state: last.map_or(State::Pending, |it| it.state),
            valid_until: last.and_then(|it| it.valid_until),
        }
    }

    /// Takes a decision in.
    pub fn decide(&mut self, decision: Decision) {
        self.updated_at = self.updated_at.max(decision.at);
        self.decisions.push(decision);
        let beyond = self.decisions.len().saturating_sub(DECISIONS_MAX);
        self.decisions.drain(..beyond);
    }

    /// Writes it, and what its sides say of it.
    pub fn store(&self, tenant: TenantId, writes: &mut WriteSet) {
        let listed = Key::new(&list(tenant), self.id.text().as_str());
        writes.put(&key(tenant, self.id), Body::of(self).listed(listed));
        for side in &self.sides {
            writes.put(&side_key(tenant, side), Body::of(&self.standing()));
        }
    }

    /// The records that a change of it replaces.
    #[must_use]
    pub fn keys(&self, tenant: TenantId) -> Vec<Key> {
        let sides = self.sides.iter().map(|side| side_key(tenant, side));
        std::iter::once(key(tenant, self.id)).chain(sides).collect()
    }
}

/// What the side of a payment says of whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Whose.
    pub party: Id<Profile>,
    /// What was decided of it.
    pub state: State,
    /// Until when that is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
}

impl Standing {
    /// The state at a moment.
    #[must_use]
    pub fn state(self, now: Timestamp) -> State {
        let over = self.valid_until.is_some_and(|until| until <= now);
        match self.state {
            State::Verified if over => State::Expired,
            state => state,
        }
    }
}

/// By what the standing of a side of a payment is kept: an account's id here, a fingerprint elsewhere.
#[must_use]
pub fn side_of(party: &Party) -> String {
    match party {
        Party::Account(account) => account.to_string(),
        Party::External(external) => external.fingerprint.clone(),
    }
}

/// What standings sort under in their partitions.
pub const STANDING_SORT: &str = "standing";

/// Where a profile is kept.
#[must_use]
pub fn key(tenant: TenantId, id: Id<Profile>) -> Key {
    Key::joined(&[tenant.short(), "/", id.text().as_str()], "profile")
}

/// Where the standing of a side is kept.
#[must_use]
pub fn side_key(tenant: TenantId, side: &str) -> Key {
    Key::joined(&[tenant.short(), "/side#", side], STANDING_SORT)
}

/// The tenant and the side of a standing's key.
#[must_use]
pub fn side_of_key(key: &Key) -> Option<(TenantId, &str)> {
    if key.sort() != STANDING_SORT {
        return None;
    }
    let (tenant, side) = key.partition().split_once("/side#")?;
    Some((tenant.parse().ok()?, side))
}

/// The list of a tenant's profiles.
#[must_use]
pub fn list(tenant: TenantId) -> String {
    [tenant.short(), "/parties"].concat()
}

/// The list of payments that wait for the standing of a side.
#[must_use]
pub fn waiting_list(tenant: TenantId, side: &str) -> String {
    [tenant.short(), "/side#", side, "#waiting"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_unix_ms(ms)
    }

    #[test]
    fn a_verification_ends_by_the_clock() {
        let standing = Standing {
            party: Id::from_bits(1),
            state: State::Verified,
            valid_until: Some(at(100)),
        };
        assert_eq!(standing.state(at(99)), State::Verified);
        assert_eq!(standing.state(at(100)), State::Expired);
        let rejected = Standing {
            state: State::Rejected,
            ..standing
        };
        assert_eq!(rejected.state(at(100)), State::Rejected);
    }

    #[test]
    fn a_standing_is_found_by_its_key() {
        let tenant = TenantId::new(7);
        let key = side_key(tenant, "acc_1");
        assert_eq!(side_of_key(&key), Some((tenant, "acc_1")));
        assert_eq!(side_of_key(&super::key(tenant, Id::from_bits(1))), None);
    }
}
