//! Balances: the four sums of an account, and the entries that make them.

use serde::{Deserialize, Serialize};

use super::{Account, Layer, LedgerError, Leg, Rollup, Side, Transaction};
use crate::{
    currency::Currency, id::Id, journal::Journal, money::Amount, payment::Payment, time::Timestamp,
};

/// The four sums of an account, in minor units: what is promised and what is done, either side.
/// They are never netted, so no sum is ever negative and each only grows or is released.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// Promised to leave.
    pub debits_pending: u64,
    /// Left.
    pub debits_posted: u64,
    /// Promised to come.
    pub credits_pending: u64,
    /// Came.
    pub credits_posted: u64,
}

impl Sums {
    /// What may still be spent of a credit-normal account: promised debits count as gone,
    /// promised credits not as come. 0 when more left than came.
    #[must_use]
    pub const fn available(&self) -> u64 {
        self.credits_posted
            .saturating_sub(self.debits_posted)
            .saturating_sub(self.debits_pending)
    }

    fn add(&mut self, leg: &Leg) -> Result<(), LedgerError> {
        let amount = leg.money.amount.minor();
        let account = leg.account;
        let sum = match (leg.side, leg.layer) {
            (Side::Debit, Layer::Pending | Layer::Release) => &mut self.debits_pending,
            (Side::Credit, Layer::Pending | Layer::Release) => &mut self.credits_pending,
            (Side::Debit, Layer::Posted) => &mut self.debits_posted,
            (Side::Credit, Layer::Posted) => &mut self.credits_posted,
        };
        *sum = match leg.layer {
            Layer::Release => sum
                .checked_sub(amount)
                .ok_or(LedgerError::NothingPending { account })?,
            _ => sum
                .checked_add(amount)
                .ok_or(LedgerError::Overflow { account })?,
        };
        Ok(())
    }
}

/// Where an account stands: its sums after its last entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "FlatBalance")]
pub struct Balance {
    /// Of which account.
    pub account: Id<Account>,
    /// Its currency, here too so that a plan need not read the account.
    pub currency: Currency,
    /// Whether it takes entries.
    pub open: bool,
    /// How many entries it has; the next one is `entries + 1`.
    pub entries: u64,
    /// When the last entry was made.
    pub at: Timestamp,
    /// How many payments wait for money to come in; whoever sees a credit looks after them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub waiting: u32,
    /// The four sums.
    #[serde(flatten)]
    pub sums: Sums,
}

/// A balance as it is stored: see [`FlatLeg`](super::FlatLeg).
#[derive(Deserialize)]
struct FlatBalance {
    account: Id<Account>,
    currency: Currency,
    open: bool,
    entries: u64,
    at: Timestamp,
    #[serde(default)]
    waiting: u32,
    debits_pending: u64,
    debits_posted: u64,
    credits_pending: u64,
    credits_posted: u64,
}

impl From<FlatBalance> for Balance {
    fn from(flat: FlatBalance) -> Self {
        Self {
            account: flat.account,
            currency: flat.currency,
            open: flat.open,
            entries: flat.entries,
            at: flat.at,
            waiting: flat.waiting,
            sums: Sums {
                debits_pending: flat.debits_pending,
                debits_posted: flat.debits_posted,
                credits_pending: flat.credits_pending,
                credits_posted: flat.credits_posted,
            },
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes a reference.
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Balance {
    /// The balance of an account without entries.
    #[must_use]
    pub fn opening(account: Id<Account>, currency: Currency, at: Timestamp) -> Self {
        Self {
            account,
            currency,
            open: true,
            entries: 0,
            at,
            waiting: 0,
            sums: Sums::default(),
        }
    }

    /// Takes in the legs that `transaction` has for this account and gives the entry they make.
    ///
    /// # Errors
    /// When the account is closed, of another currency, constrained and overdrawn by it, or when
    /// a sum would overflow or fall below zero. The balance is then unchanged.
    pub fn enter(&mut self, transaction: &Transaction) -> Result<Entry, LedgerError> {
        let account = self.account;
        let legs: Vec<Leg> = transaction
            .legs
            .iter()
            .filter(|leg| leg.account == account)
            .copied()
            .collect();
        let mut sums = self.sums;
        for leg in &legs {
            if leg.money.currency != self.currency && !crate::planted!(CurrencyIgnored) {
                let (expected, found) = (self.currency, leg.money.currency);
                return Err(LedgerError::WrongCurrency {
                    account,
                    expected,
                    found,
                });
            }
            sums.add(leg)?;
        }
        // A release alone is let through on a closed account: a promise must be able to end.
        let closed = !self.open && !crate::planted!(ClosedIgnored);
        if closed && legs.iter().any(|leg| leg.layer != Layer::Release) {
            return Err(LedgerError::Closed { account });
        }
        self.check_funds(&sums)?;
        self.entries += 1;
        self.sums = sums;
        self.at = self.at.max(transaction.at);
        Ok(Entry {
            number: self.entries,
            transaction: transaction.id,
            at: self.at,
            journal: transaction.journal,
            payment: transaction.payment,
            legs: legs.iter().map(EntryLeg::from).collect(),
            after: sums,
        })
    }

    /// What has left and what is promised must not exceed what came, unless it already did and
    /// this makes it no worse.
    fn check_funds(&self, after: &Sums) -> Result<(), LedgerError> {
        let spent = |sums: &Sums| u128::from(sums.debits_posted) + u128::from(sums.debits_pending);
        let overdrawn = |sums: &Sums| spent(sums).saturating_sub(u128::from(sums.credits_posted));
        if crate::planted!(FundsSkipped) {
            return Ok(());
        }
        if self.account.rollup() == Rollup::House || overdrawn(after) <= overdrawn(&self.sums) {
            return Ok(());
        }
        let needed = spent(after).saturating_sub(spent(&self.sums));
        Err(LedgerError::InsufficientFunds {
            account: self.account,
            available: self.sums.available(),
            needed: u64::try_from(needed).unwrap_or(u64::MAX),
        })
    }
}

/// What one transaction did to one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The account's entries are numbered from 1 without gaps.
    pub number: u64,
    /// Of which transaction.
    pub transaction: Id<Transaction>,
    /// When; never before the entry with the number before.
    pub at: Timestamp,
    /// Which step it was.
    pub journal: Journal,
    /// For which payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<Id<Payment>>,
    /// The lines for this account.
    pub legs: Vec<EntryLeg>,
    /// The sums after it.
    pub after: Sums,
}

/// A leg without its account, which is the entry's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryLeg {
    /// On which side.
    pub side: Side,
    /// In which way.
    pub layer: Layer,
    /// Minor units of the account's currency.
    pub amount: Amount,
}

impl From<&Leg> for EntryLeg {
    fn from(leg: &Leg) -> Self {
        Self {
            side: leg.side,
            layer: leg.layer,
            amount: leg.money.amount,
        }
    }
}
