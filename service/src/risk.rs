//! Risk inline: between tokenisation and the ledger a payment is judged, and what was decided
//! travels in its command.
//!
//! **Shape.** The [`Desk`] has the profiles in memory and a policy; it builds the payment's event,
//! asks rules and model, and answers. The plan stores the decision with the payment, in the same
//! commit, and counts it against its limits there. [`fold`] reads those stored decisions from the
//! change feed, looks at each payment a second time, and folds it into the profiles; it saves them
//! to the same store, each with the place in the feed that it has come to, and a start loads them
//! and goes on from there. [`label`] is what became of a payment, [`claim`] the case of one that deceit brought about, [`judgement`] labels what
//! happened to payments by itself, [`history`] tries rules on what is stored, [`portfolio`] adds up what of all payments was fraud, [`policies`] are what each tenant made of the policy that it began with, [`archive`] keeps every policy and model that ever decided, so that [`replay`] can
//! make a decision again. [`elsewhere`] is the port of a model that runs somewhere else.
//!
//! **Invariants.** A payment is folded once: a profile that was saved further on than the cursor
//! passes over what it has seen. A judgement waits for the profiles and for a model elsewhere, for
//! both together no longer than the limit of time, and never for the store. Who is paid is known
//! here by hashes alone.
//!
//! **Absent.** What the desk itself computes is bounded by the bounds of rules and trees and is not
//! cut off: a decision that took longer than the limit is a decision all the same, and is counted.

pub mod archive;
pub mod claim;
pub mod desk;
pub mod elsewhere;
pub mod fold;
pub mod history;
pub mod judgement;
pub mod label;
pub mod order;
pub mod policies;
pub mod portfolio;
pub mod replay;
pub mod tally;

use lombard_core::{id::Id, payment::Payment, risk::Assessment, store::Key, tenant::TenantId};
use lombard_risk::{
    decision::Decision,
    features::{Event, Kind, event::mix},
};
use serde::{Deserialize, Serialize};

pub use desk::{Desk, Parts};
pub use order::Order;

use crate::app::App;

/// What risk says of an order, where risk is asked. Where there is a record under `before` already,
/// it was carried out and is only repeated: nobody judges it again.
pub async fn assess(
    app: &App,
    tenant: TenantId,
    order: &Order<'_>,
    screening: Option<u8>,
    before: &Key,
) -> Option<Assessment> {
    let desk = app.risk.as_ref()?;
    // If that cannot be read, judging twice does less harm than not judging.
    if matches!(app.get(before).await, Ok(Some(_))) {
        return None;
    }
    let assessed = desk.assess(tenant, order, screening, app.host.now());
    Some(assessed.await)
}

/// What is stored of a judgement: enough to fold the payment, and to judge it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Whose payment.
    pub tenant: TenantId,
    /// Which.
    pub payment: Id<Payment>,
    /// The payment as risk sees it.
    pub event: Event,
    /// Its rail.
    pub rail: String,
    /// Its currency.
    pub currency: String,
    /// What was decided.
    #[serde(flatten)]
    pub decision: Decision,
}

impl Judged {
    /// How many times its payer's usual amount the payment was, as was known when it was made; 1
    /// when nothing was.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // A ratio.
    pub fn times_typical(&self) -> f32 {
        let payers = [Kind::Customer, Kind::Card, Kind::Account];
        let payer = payers
            .into_iter()
            .find(|kind| self.event.subject(*kind).is_some());
        let known = payer.zip(self.decision.vector.as_ref());
        let times =
            known.and_then(|(kind, vector)| vector.get(&format!("{}_times_typical", kind.name())));
        times.unwrap_or(1.0) as f32
    }
}

/// 64 bits of a payment's id.
#[must_use]
#[allow(clippy::cast_possible_truncation)] // Both halves go in.
fn hash(id: Id<Payment>) -> u64 {
    let bits = id.bits();
    mix((bits >> 64) as u64 ^ mix(bits as u64))
}
