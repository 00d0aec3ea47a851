//! Money: a whole number of minor units, and the currency that says what a unit is.
//!
//! `Money` has no `+`. Sums are taken in [`crate::ledger`], where overflow has a name.

use std::{fmt, num::NonZeroU64};

use serde::{Deserialize, Serialize};

use crate::currency::Currency;

/// The most that one payment may carry: 2^53 − 1 minor units.
///
/// The bound is JSON's (RFC 8259 §6): within it a number is the same in Rust, in a browser, in
/// Python and in a DynamoDB item.
pub const AMOUNT_MAX: u64 = (1 << 53) - 1;

/// A positive number of minor units. There is no payment of nothing, so there is no zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Amount(NonZeroU64);

/// The number is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an amount is a whole number from 1 to {AMOUNT_MAX} minor units, not {0}")]
pub struct AmountOutOfRange(pub u64);

impl Amount {
    /// The number of minor units.
    #[must_use]
    pub const fn minor(self) -> u64 {
        self.0.get()
    }
}

impl TryFrom<u64> for Amount {
    type Error = AmountOutOfRange;

    fn try_from(minor: u64) -> Result<Self, AmountOutOfRange> {
        match NonZeroU64::new(minor) {
            Some(units) if minor <= AMOUNT_MAX => Ok(Self(units)),
            _ => Err(AmountOutOfRange(minor)),
        }
    }
}

impl From<Amount> for u64 {
    fn from(amount: Amount) -> Self {
        amount.0.get()
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An amount of a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Minor units.
    pub amount: Amount,
    /// ISO 4217.
    pub currency: Currency,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_are_json_s() {
        assert!(Amount::try_from(0).is_err());
        assert_eq!(Amount::try_from(1).unwrap().minor(), 1);
        assert_eq!(Amount::try_from(AMOUNT_MAX).unwrap().minor(), AMOUNT_MAX);
        assert!(Amount::try_from(AMOUNT_MAX + 1).is_err());
        assert!(serde_json::from_str::<Amount>("1.0").is_err());
        assert!(serde_json::from_str::<Amount>("-1").is_err());
    }
}
