//! What somebody did, on record: who, what, on what, when, why, under which trace, and what came
//! of it.
//!
//! **Shape.** One record for each deed that moves no money by itself but must be answered for:
//! a card number read back, somebody erased, a key made, a proposal approved. It is written in
//! the commit of the deed, or before the deed's fruit is handed out, so that nothing is done that
//! is not on record. PCI DSS 10.2.2 names the members.
//!
//! **Invariants.** A record never changes and has no personal data: people are named by the ids
//! of their credentials, things by theirs.

use serde::{Deserialize, Serialize};

use crate::{
    id::{Id, Named},
    store::{Body, Key},
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
    Key::new(&format!("{}/{id}", tenant.short()), "audit")
}

/// The list of a tenant's deeds, in order of their ids.
#[must_use]
pub fn list(tenant: TenantId) -> String {
    format!("{}/audit", tenant.short())
}
