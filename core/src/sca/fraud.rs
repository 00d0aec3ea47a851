//! The portfolio's fraud rate by which Art. 18 exempts: the value of unauthorised payments over
//! the value of all payments of an instrument, over a rolling quarter of 90 days, for the whole
//! portfolio (RTS Art. 19; EBA Q&A 2018_4043).
//!
//! **Shape.** A [`Portfolio`] has both sums of each of the last days. It is spread over [`SHARDS`]
//! records, so that payments at once seldom meet in one: a payment is added to its own in the
//! commit that carries it out, and its fraud in the commit of the label that says so. [`Rate`]
//! adds them up and compares without dividing, so that no rounding lets a rate pass that exceeds
//! its reference.
//!
//! **Absent.** Payments in other currencies than the regime's thresholds are in: they are not
//! exempt by a rate, and are in none.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Ask, Channel, rules::Band};
use crate::{money::Money, time::Timestamp};

/// Days of a rolling quarter.
pub const DAYS: u64 = 90;
/// Records over which a portfolio is spread.
pub const SHARDS: u128 = 16;
/// Milliseconds of a day.
pub const DAY_MS: u64 = 24 * 60 * 60 * 1000;

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
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Card, Self::Transfer];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Transfer => "transfer",
        }
    }

    /// In whose portfolio a payment is, if it is in one.
    #[must_use]
    pub fn counts(ask: &Ask, money: Money) -> Option<Self> {
        Self::of(ask.channel).filter(|_| money.currency == ask.regime.currency())
    }

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

/// The sums of a day, in minor units. Stored as a pair, because there are many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u64, u64)", into = "(u64, u64)")]
pub struct Day {
    /// Value of all payments, authenticated or exempt.
    pub total: u64,
    /// Value of those that were unauthorised or fraudulent, whether it was recovered or not.
    pub fraud: u64,
}

impl From<(u64, u64)> for Day {
    fn from((total, fraud): (u64, u64)) -> Self {
        Self { total, fraud }
    }
}

impl From<Day> for (u64, u64) {
    fn from(day: Day) -> Self {
        (day.total, day.fraud)
    }
}

/// One part of an instrument's portfolio: the sums of the days of a quarter, by [`day_of`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Portfolio(BTreeMap<u64, Day>);

impl Portfolio {
    /// Adds to a day, and forgets those that are in no quarter any more.
    pub fn add(&mut self, day: u64, more: Day, today: u64) {
        let sums = self.0.entry(day).or_default();
        sums.total = sums.total.saturating_add(more.total);
        sums.fraud = sums.fraud.saturating_add(more.fraud);
        let first = first_of(today);
        self.0.retain(|day, _| *day >= first);
    }

    /// Its days.
    pub fn days(&self) -> impl Iterator<Item = (u64, Day)> {
        self.0.iter().map(|(day, sums)| (*day, *sums))
    }
}

/// That a payment was unauthorised, kept beside it: its fraud counts once, whatever is told of it
/// afterwards, and whether it was carried out before or is later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unauthorised {
    /// When that was told.
    pub told_at: Timestamp,
}

/// Which day a moment belongs to: days since 1970, in UTC.
#[must_use]
pub const fn day_of(at: Timestamp) -> u64 {
    at.unix_ms() / DAY_MS
}

/// The first day of the quarter that ends with `today`.
#[must_use]
pub const fn first_of(today: u64) -> u64 {
    (today + 1).saturating_sub(DAYS)
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
    /// The sums of the days of the quarter that ends with `today`. `days` are pairs of the
    /// day's number and its sums, in any order; days outside count for nothing.
    #[must_use]
    pub fn of(days: impl IntoIterator<Item = (u64, Day)>, today: u64) -> Self {
        let quarter = first_of(today)..=today;
        let inside = days.into_iter().filter(|(day, _)| quarter.contains(day));
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

    /// The rate in parts per million, rounded up; none of a portfolio without payments. To be
    /// shown: [`Rate::is_within`] decides.
    #[must_use]
    pub fn ppm(self) -> Option<u64> {
        let ppm = (self.fraud as u128 * 1_000_000).checked_div(self.total.into())?;
        let rest = self.fraud as u128 * 1_000_000 % self.total as u128;
        u64::try_from(ppm + u128::from(rest > 0)).ok()
    }
}

/// What Art. 18 held against each other for one payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weighed {
    /// The portfolio's sums.
    pub rate: Rate,
    /// Up to which amount the band goes, in minor units.
    pub amount: u64,
    /// The band's reference rate, in parts per million.
    pub reference_ppm: u32,
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
