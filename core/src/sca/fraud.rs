//! The portfolio's fraud rate by which Art. 18 exempts: the value of unauthorised payments over
//! the value of all payments of an instrument, over a rolling quarter of 90 days, for the whole
//! portfolio (RTS Art. 19; EBA Q&A 2018_4043).
//!
//! **Shape.** A [`Day`] for each instrument has both sums. [`Rate`] adds the days of a quarter up
//! and compares without dividing, so that no rounding lets a rate pass that exceeds its
//! reference.

use serde::{Deserialize, Serialize};

use super::{Channel, rules::Band};
use crate::time::Timestamp;

/// Days of a rolling quarter.
pub const DAYS: u64 = 90;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// What the rates are kept apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Instrument {
    /// Remote card payments.
    Card,
    /// Remote credit transfers.
    Transfer,
}

impl Instrument {
    /// The instrument of a remote channel.
    #[must_use]
    pub const fn of(channel: Channel) -> Option<Self> {
        match channel {
            Channel::RemoteCard => Some(Self::Card),
            Channel::RemoteTransfer => Some(Self::Transfer),
            _ => None,
        }
    }
}

/// The sums of a day, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// Value of all payments, authenticated or exempt.
    pub total: u64,
    /// Value of those that were unauthorised or fraudulent, whether it was recovered or not.
    pub fraud: u64,
}

/// Which day a moment belongs to: days since 1970, in UTC.
#[must_use]
pub const fn day_of(at: Timestamp) -> u64 {
    at.unix_ms() / DAY_MS
}

/// The sums of a quarter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// Value of all payments.
    pub total: u64,
    /// Value of fraud.
    pub fraud: u64,
}

impl Rate {
    /// The sums of the days of the quarter that ends before `today`. `days` are pairs of the
    /// day's number and its sums, in any order; days outside count for nothing.
    #[must_use]
    pub fn of(days: impl IntoIterator<Item = (u64, Day)>, today: u64) -> Self {
        let first = today.saturating_sub(DAYS);
        let inside = days
            .into_iter()
            .filter(|(day, _)| (first..today).contains(day));
        inside.fold(Self::default(), |sum, (_, day)| Self {
            total: sum.total.saturating_add(day.total),
            fraud: sum.fraud.saturating_add(day.fraud),
        })
    }

    /// Whether the rate does not exceed so many parts per million. A portfolio without payments
    /// has no rate, and nothing is exempt by one.
    #[must_use]
    pub const fn is_within(self, ppm: u32) -> bool {
        let fraud = self.fraud as u128 * 1_000_000;
        self.total > 0 && fraud <= self.total as u128 * ppm as u128
    }
}

impl Band {
    /// The reference rate of an instrument.
    #[must_use]
    pub const fn ppm(&self, instrument: Instrument) -> u32 {
        match instrument {
            Instrument::Card => self.card_ppm,
            Instrument::Transfer => self.transfer_ppm,
        }
    }
}
