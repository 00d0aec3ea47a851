//! What somebody did, on record: who, what, on what, when, why, under which trace, and what came
//! of it.
//!
//! **Shape.** One record for each deed that moves no money by itself but must be answered for:
//! a card number read back, somebody erased, a key made, a proposal approved. It is written in
//! the commit of the deed, or before the deed's fruit is handed out, so that nothing is done that
//! is not on record. PCI DSS 10.2.2 names the members.
//!
//! **Proof.** Each record is a leaf of the verifiable log, by its hash ([`Audit::leaf`]): one that is
//! changed, left out or put in later is found, and the log says nothing of what is in it.
//!
//! **Invariants.** A record never changes and has no personal data: people are named by the ids
//! of their credentials, things by theirs.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    id::{Id, Named},
    proof::leaf::AuditLeaf,
    store::{Body, Key, WriteSet, encode},
    tenant::TenantId,
    time::Timestamp,
};

/// One deed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// `aud_…`.
    pub id: Id<Audit>,
    /// For whom it was done.
    pub tenant: TenantId,
    /// When.
    pub at: Timestamp,
    /// Who: `key/key_…`, `operator/opr_…`, `agent/agt_…`, `worker/…`.
    pub who: String,
    /// What, such as `token.detokenize`.
    pub what: String,
    /// On what: an id.
    pub on: String,
    /// Why, in the doer's words or as a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Under which trace (W3C trace id).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// From where: a network address, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// What came of it: `done`, or the code of the refusal.
    pub outcome: String,
}

impl Named for Audit {
    const PREFIX: &'static str = "aud";
}

/// What kind of somebody did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doer {
    /// A person.
    Human,
    /// A program with a key of its own, or a part of this one.
    Workload,
    /// A program that decides for itself what to ask for.
    Agent,
}

/// What the records sort under in their partitions, by which readers of the change feed know them.
pub const SORT: &str = "audit";

/// The outcome of what was carried out.
pub const DONE: &str = "done";

impl Audit {
    /// A deed that was carried out; its other members can be set on it.
    #[must_use]
    pub fn new(id: Id<Self>, tenant: TenantId, at: Timestamp, who: &str, what: &str) -> Self {
        Self {
            id,
            tenant,
            at,
            who: who.to_owned(),
            what: what.to_owned(),
            on: String::new(),
            why: None,
            trace: None,
            origin: None,
            outcome: DONE.to_owned(),
        }
    }

    /// On what it was done.
    #[must_use]
    pub fn on(mut self, thing: impl ToString) -> Self {
        self.on = thing.to_string();
        self
    }

    /// Why it was done.
    #[must_use]
    pub fn because(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// What came of it.
    #[must_use]
    pub fn outcome(mut self, code: &str) -> Self {
        code.clone_into(&mut self.outcome);
        self
    }

    /// The same, under a trace.
    #[must_use]
    pub fn traced(mut self, trace: Option<String>) -> Self {
        self.trace = trace;
        self
    }

    /// What kind of somebody did it: what stands before the slash says so.
    #[must_use]
    pub fn doer(&self) -> Doer {
        match self.who.split('/').next().unwrap_or_default() {
            "operator" | "user" => Doer::Human,
            "agent" => Doer::Agent,
            _ => Doer::Workload,
        }
    }

    /// What the verifiable log says of it: that there is a record with this hash.
    #[must_use]
    pub fn leaf(&self) -> AuditLeaf {
        let digest = Sha256::digest(encode(self));
        let digest = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        AuditLeaf::new(self.at, self.id.to_string(), digest, Some(self.tenant))
    }

    /// Where it is kept.
    #[must_use]
    pub fn key(&self) -> Key {
        key(self.tenant, self.id)
    }

    /// The record, in the tenant's list.
    #[must_use]
    pub fn body(&self) -> Body {
        Body::of(self).listed(Key::new(&list(self.tenant), self.id.text().as_str()))
    }
}

/// Where a deed is kept.
#[must_use]
pub fn key(tenant: TenantId, id: Id<Audit>) -> Key {
    Key::new(&format!("{}/{id}", tenant.short()), SORT)
}

/// The list of a tenant's deeds, in order of their ids.
#[must_use]
pub fn list(tenant: TenantId) -> String {
    format!("{}/audit", tenant.short())
}

/// Adds a record to the commit of its deed.
pub fn enter(writes: &mut WriteSet, record: &Audit) {
    if !crate::planted!(AuditUnwritten) {
        writes.create(record.key(), record.body());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_the_slash_says_who_it_is() {
        for (who, doer) in [
            ("operator/opr_1", Doer::Human),
            ("agent/agt_1", Doer::Agent),
            ("key/key_1", Doer::Workload),
            ("worker/exceptions", Doer::Workload),
        ] {
            let (tenant, at) = (TenantId::new(1), Timestamp::from_unix_ms(7));
            let record = Audit::new(Id::from_bits(5), tenant, at, who, "key.create").on("key_1");
            assert_eq!(record.doer(), doer, "{who}");
            let leaf = record.leaf();
            assert_eq!((leaf.digest.len(), leaf.at), (64, at));
        }
    }
}
