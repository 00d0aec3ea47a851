//! What a source may do otherwise than our books say, as data.

use serde::{Deserialize, Serialize};
use time::{Date, Duration, Weekday};

use crate::scheme::is_target_day;

/// The rules of a source. Everything is zero or off unless it is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// Minor units by which an amount may differ.
    pub amount_tolerance: u64,
    /// What the source may keep back of a credit without saying so.
    pub fee: FeeRule,
    /// How many days before its payment a movement may be entered.
    pub days_before: u16,
    /// How many days after it.
    pub days_after: u16,
    /// Which days count.
    pub calendar: Calendar,
    /// By how many such days after a payment its movement must be there.
    pub expected_within: u16,
    /// Whether amount, currency and days alone may make a match, where neither side has a
    /// reference that says otherwise.
    pub match_by_amount: bool,
}

/// The most that a source keeps back: a share, and a fixed part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FeeRule {
    /// Of the amount, in parts of a million (10 000 is 1 %), rounded up.
    pub millionths: u64,
    /// In minor units.
    pub fixed: u64,
}

impl FeeRule {
    /// The most that may be kept back of an amount.
    #[must_use]
    pub const fn most(self, amount: u64) -> u64 {
        let share = (amount as u128 * self.millionths as u128).div_ceil(1_000_000);
        // An amount is below 2^53 and a share of it below the amount for every sane rule.
        (share as u64).saturating_add(self.fixed)
    }
}

/// Which days count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calendar {
    /// All of them: instant rails.
    #[default]
    Every,
    /// Monday to Friday.
    Weekdays,
    /// Days on which TARGET is open.
    Target,
}

impl Calendar {
    /// Whether a day counts.
    #[must_use]
    pub fn counts(self, day: Date) -> bool {
        match self {
            Self::Every => true,
            Self::Weekdays => !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday),
            Self::Target => is_target_day(day),
        }
    }

    /// The day that is so many counted days after another.
    #[must_use]
    pub fn after(self, day: Date, days: u16) -> Date {
        self.step(day, days, Duration::DAY)
    }

    /// The day that is so many counted days before another.
    #[must_use]
    pub fn before(self, day: Date, days: u16) -> Date {
        self.step(day, days, -Duration::DAY)
    }

    fn step(self, mut day: Date, days: u16, by: Duration) -> Date {
        let mut left = days;
        while left > 0 {
            // The calendar ends in the year 9999.
            let Some(next) = day.checked_add(by) else {
                return day;
            };
            day = next;
            left -= u16::from(self.counts(day));
        }
        day
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            amount_tolerance: 0,
            fee: FeeRule::default(),
            days_before: 1,
            days_after: 5,
            calendar: Calendar::Every,
            expected_within: 0,
            match_by_amount: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn fees_are_rounded_up() {
        let rule = FeeRule {
            millionths: 14_000,
            fixed: 20,
        };
        assert_eq!(rule.most(10_000), 160);
        assert_eq!(rule.most(1), 21);
        assert_eq!(FeeRule::default().most(10_000), 0);
    }

    #[test]
    fn days_that_count() {
        let friday = date!(2026 - 04 - 03);
        assert_eq!(Calendar::Every.after(friday, 1), date!(2026 - 04 - 04));
        assert_eq!(Calendar::Weekdays.after(friday, 1), date!(2026 - 04 - 06));
        // Easter Monday.
        assert_eq!(Calendar::Target.after(friday, 1), date!(2026 - 04 - 07));
        assert_eq!(Calendar::Weekdays.before(date!(2026 - 04 - 06), 1), friday);
        assert_eq!(Calendar::Every.after(Date::MAX, 1), Date::MAX);
    }
}
