//! What a token may be used for: by which merchant, for which operations, up to how much, until
//! when. What is absent is not restricted.

use lombard_core::{money::Money, time::Timestamp};
use serde::{Deserialize, Serialize};

/// What a token may be used for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scope {
    /// By whom alone: the tenant's name for a merchant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant: Option<String>,
    /// For what; everything when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<Operation>,
    /// Up to how much at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount_max: Option<Money>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// What can be done with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Money is taken from what it stands for.
    Charge,
    /// Money is sent to it.
    Payout,
    /// Money goes back to it.
    Refund,
    /// It is looked at.
    Read,
}

/// What somebody is about to do with a token.
#[derive(Clone, Copy, Debug)]
pub struct Use<'a> {
    /// By which merchant.
    pub merchant: Option<&'a str>,
    /// What.
    pub operation: Operation,
    /// Of how much, where money moves.
    pub money: Option<Money>,
}

/// Which part of a token's scope forbids a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutOfScope {
    /// It has expired.
    #[error("the token has expired")]
    Expired,
    /// Another merchant's.
    #[error("the token is another merchant's")]
    Merchant,
    /// Not for this.
    #[error("the token is not for this operation")]
    Operation,
    /// Too much, or another currency.
    #[error("the amount exceeds what the token is for")]
    Amount,
}

impl OutOfScope {
    /// A stable name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Merchant => "merchant",
            Self::Operation => "operation",
            Self::Amount => "amount",
        }
    }
}

impl Scope {
    /// Whether a token may be used so.
    ///
    /// # Errors
    /// The first part of the scope that forbids it.
    pub fn allows(&self, wanted: &Use<'_>, now: Timestamp) -> Result<(), OutOfScope> {
        if self.expires_at.is_some_and(|expires| expires <= now) {
            return Err(OutOfScope::Expired);
        }
        if self.merchant.is_some() && self.merchant.as_deref() != wanted.merchant {
            return Err(OutOfScope::Merchant);
        }
        if !self.operations.is_empty() && !self.operations.contains(&wanted.operation) {
            return Err(OutOfScope::Operation);
        }
        if let (Some(most), Some(money)) = (self.amount_max, wanted.money)
            && (most.currency != money.currency || money.amount > most.amount)
        {
            return Err(OutOfScope::Amount);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use lombard_core::{currency::Currency, money::Amount};

    use super::*;

    #[test]
    fn each_part_of_a_scope_forbids_by_itself() {
        let money = |minor, currency| Money {
            amount: Amount::try_from(minor).unwrap(),
            currency,
        };
        let scope = Scope {
            merchant: Some("shop".into()),
            operations: vec![Operation::Charge, Operation::Refund],
            amount_max: Some(money(1000, Currency::GBP)),
            expires_at: Some(Timestamp::from_unix_ms(100)),
        };
        let wanted = |merchant, operation, minor, currency| Use {
            merchant,
            operation,
            money: Some(money(minor, currency)),
        };
        let (shop, at) = (Some("shop"), Timestamp::from_unix_ms(99));
        let (charge, gbp) = (Operation::Charge, Currency::GBP);
        let ask = |wanted: Use<'_>, at| scope.allows(&wanted, at);
        assert_eq!(ask(wanted(shop, charge, 1000, gbp), at), Ok(()));
        for (wanted, at, why) in [
            (
                wanted(shop, charge, 1000, gbp),
                Timestamp::from_unix_ms(100),
                OutOfScope::Expired,
            ),
            (
                wanted(Some("other"), charge, 1, gbp),
                at,
                OutOfScope::Merchant,
            ),
            (wanted(None, charge, 1, gbp), at, OutOfScope::Merchant),
            (
                wanted(shop, Operation::Payout, 1, gbp),
                at,
                OutOfScope::Operation,
            ),
            (wanted(shop, charge, 1001, gbp), at, OutOfScope::Amount),
            (
                wanted(shop, charge, 1, Currency::EUR),
                at,
                OutOfScope::Amount,
            ),
        ] {
            assert_eq!(ask(wanted, at), Err(why));
        }
        let anything = Scope::default();
        assert_eq!(anything.allows(&wanted(None, charge, 5, gbp), at), Ok(()));
    }
}
