//! Labels: what became of a payment, told when it is known. They flow to the profiles through the
//! change feed like everything else, so they are learned when they came and not before.

use lombard_core::store::Key;
use lombard_core::{id::Id, payment::Payment, plan::keys, tenant::TenantId, time::Timestamp};
use lombard_risk::features::Outcome;
use serde::{Deserialize, Serialize};

/// Who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A chargeback.
    Chargeback,
    /// A claim of authorised push payment fraud that was confirmed.
    Claim,
    /// An analyst who looked at it.
    Analyst,
    /// The customer, or another bank.
    Report,
    /// Nobody complained in time.
    Silence,
}

/// What became of a payment. It never changes: what was learned cannot be unlearned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// Of which payment.
    pub payment: Id<Payment>,
    /// Who says so.
    pub source: Source,
    /// When it was told.
    pub told_at: Timestamp,
    /// By whom.
    pub by: String,
    /// What the profiles learn of it.
    pub outcome: Outcome,
}

/// Where it is kept: beside the decision.
#[must_use]
pub fn key(tenant: TenantId, id: Id<Payment>) -> Key {
    Key::new(keys::decision(tenant, id).partition(), SORT)
}

/// The place among the payment's records of risk.
pub(super) const SORT: &str = "label";
