//! Risk inline: between tokenisation and the ledger a payment is judged, and what was decided
//! travels in its command.
//!
//! **Shape.** The [`Desk`] has the profiles in memory and a policy; it builds the payment's event,
//! asks rules and model, and answers. The plan stores the decision with the payment, in the same
//! commit, and counts it against its limits there. [`fold`] reads those stored decisions from the
//! change feed, looks at each payment a second time, and folds it into the profiles; it saves them
//! to the same store, each with the place in the feed that it has come to, and a start loads them
//! and goes on from there. [`label`] is what became of a payment, [`claim`] the case of one that deceit brought about, [`history`] tries rules on what
//! is stored, [`policies`] are what each tenant made of the policy that it began with, [`archive`] keeps every policy and model that ever decided, so that [`replay`] can
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
pub mod label;
pub mod policies;
pub mod replay;
pub mod tally;

use lombard_core::{
    command::Pay,
    id::Id,
    payment::{Party, Payment},
    tenant::TenantId,
    time::Timestamp,
};
use lombard_risk::{
    decision::Decision,
    features::{Event, Kind, Subject, event::mix, place::Place},
};
use serde::{Deserialize, Serialize};

pub use desk::{Desk, Parts};

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

/// Members of a payment's metadata that name further subjects. Their values should be the
/// tenant's own references; they are hashed before anything is kept of them here.
const NAMED: [(&str, Kind); 5] = [
    ("risk_customer", Kind::Customer),
    ("risk_device", Kind::Device),
    ("risk_terminal", Kind::Terminal),
    ("risk_card", Kind::Card),
    ("risk_ip", Kind::Ip),
];

/// The member of a payment's metadata with what Confirmation of Payee said: `match`,
/// `close_match`, `no_match` or `unavailable`.
const PAYEE_CHECK: &str = "risk_payee_check";

/// The member with where the payment was ordered: latitude and longitude in degrees, such as
/// `51.5,-0.12`.
const PLACE: &str = "risk_place";

/// A place as it is written.
fn place(text: &str) -> Option<Place> {
    let (latitude, longitude) = text.split_once(',')?;
    let within = |text: &str, most: f32| {
        let degrees: f32 = text.trim().parse().ok()?;
        (degrees.abs() <= most).then_some(degrees)
    };
    Some(Place {
        latitude: within(latitude, 90.0)?,
        longitude: within(longitude, 180.0)?,
    })
}

/// A payment as risk sees it. What the metadata says in no form that is known is passed over.
#[must_use]
pub fn event(tenant: TenantId, pay: &Pay, now: Timestamp) -> Event {
    let currency = pay.money.currency;
    let subject = |kind, name: &str| Subject::new(tenant.short(), kind, currency, name);
    let account = pay.debtor.to_string();
    let payee = match &pay.creditor {
        Party::Account(id) => id.to_string(),
        Party::External(external) => external.fingerprint.clone(),
    };
    let mut event = Event::new(hash(pay.id), now, pay.money.amount.minor())
        .with(Kind::Account, subject(Kind::Account, &account))
        .with(Kind::Payee, subject(Kind::Payee, &payee));
    for (member, kind) in NAMED {
        if let Some(name) = pay.metadata.get(member) {
            event = event.with(kind, subject(kind, name));
        }
    }
    event.place = pay.metadata.get(PLACE).and_then(|said| place(said));
    event.payee_check = pay
        .metadata
        .get(PAYEE_CHECK)
        .and_then(|said| said.parse().ok());
    event
}

/// 64 bits of a payment's id.
#[must_use]
#[allow(clippy::cast_possible_truncation)] // Both halves go in.
fn hash(id: Id<Payment>) -> u64 {
    let bits = id.bits();
    mix((bits >> 64) as u64 ^ mix(bits as u64))
}
