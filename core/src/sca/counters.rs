//! What a payer was spared since he last authenticated.
//!
//! Kept in the commit of each payment that is exempt by value, and given back when such a payment
//! fails: only payments that were executed count (EBA Q&A 2018_4230). One record for each account
//! that is paid from.

use serde::{Deserialize, Serialize};

use super::{Exemption, Outcome};
use crate::{money::Money, time::Timestamp};

/// See the module. Sums are in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    /// When the payer last authenticated.
    pub since: Timestamp,
    /// Exempt by Art. 11.
    pub contactless: Spared,
    /// Exempt by Art. 16.
    pub low_value: Spared,
}

/// How much was exempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spared {
    /// In all.
    pub sum: u64,
    /// In how many payments.
    pub count: u32,
}

impl Counters {
    fn spared(&mut self, outcome: Outcome) -> Option<&mut Spared> {
        match outcome {
            Outcome::Exempt {
                by: Exemption::Contactless,
            } => Some(&mut self.contactless),
            Outcome::Exempt {
                by: Exemption::LowValue,
            } => Some(&mut self.low_value),
            _ => None,
        }
    }

    /// Whether a payment that was decided so is counted.
    #[must_use]
    pub fn count(outcome: Outcome) -> bool {
        Self::default().spared(outcome).is_some()
    }

    /// Counts a payment that goes ahead.
    pub fn add(&mut self, outcome: Outcome, money: Money) {
        if let Some(spared) = self.spared(outcome) {
            spared.sum = spared.sum.saturating_add(money.amount.minor());
            spared.count = spared.count.saturating_add(1);
        }
    }

    /// Takes back one that came to nothing, unless the payer authenticated meanwhile: then it
    /// is not in the sums any more.
    pub fn take_back(&mut self, outcome: Outcome, money: Money, counted_at: Timestamp) {
        if counted_at < self.since {
            return;
        }
        if let Some(spared) = self.spared(outcome) {
            spared.sum = spared.sum.saturating_sub(money.amount.minor());
            spared.count = spared.count.saturating_sub(1);
        }
    }

    /// Begins anew: the payer has authenticated.
    #[must_use]
    pub const fn authenticated(now: Timestamp) -> Self {
        Self {
            since: now,
            contactless: Spared { sum: 0, count: 0 },
            low_value: Spared { sum: 0, count: 0 },
        }
    }
}
