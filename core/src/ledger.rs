//! Double entry: transactions of any number of legs, balances of four sums, entries by account.
//!
//! **Shape.** A [`Transaction`] is a list of legs that balance for each currency within each
//! [`Layer`]; the only way to make one is [`Transaction::new`], so an unbalanced one cannot be
//! written down. A hold puts legs on the pending layer; posting it releases them and posts,
//! voiding it only releases. Nothing is ever changed or removed: a correction is a transaction.
//!
//! **Which accounts.** A *constrained* account (a customer's) is never overdrawn: its balance is
//! read and written in the commit of every transaction that touches it, which puts its entries in
//! one order. A *house* account may stand anywhere and is never part of a payment's commit: its
//! entries and its balance follow from the change feed, so that no payment waits for another.
//! The account's id says which it is; see [`Rollup`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    currency::Currency,
    id::{Id, Named},
    journal::Journal,
    limits::LEGS_MAX,
    money::{Amount, Money},
    payment::{Payment, Sealed},
    time::Timestamp,
};

/// An account: what does not change with its entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// `acc_…`; its last bit is the [`Rollup`].
    pub id: Id<Account>,
    /// What its owner calls it. A label, not a person's name.
    pub name: String,
    /// Every entry is in it.
    pub currency: Currency,
    /// How the outside world addresses it, blinded: see [`Alias`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<Alias>,
    /// The holder's name and the addresses in full, sealed by the vault, for the messages of
    /// rails that must name the holder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Sealed>,
    /// The tenant's own references.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// When it was opened.
    pub created_at: Timestamp,
}

impl Named for Account {
    const PREFIX: &'static str = "acc";
}

/// A bank address of an account (IBAN, or sort code and number) without saying it: a keyed hash
/// that finds the account when a rail names the address, and the last four characters to show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alias {
    /// Keyed hash of the normalised address, in hexadecimal.
    pub blind: String,
    /// `iban` or `uk_account`.
    pub scheme: AliasScheme,
    /// The last four characters of the account number.
    pub last4: String,
}

/// How an account is addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AliasScheme {
    /// ISO 13616.
    Iban,
    /// UK sort code and account number.
    UkAccount,
}

/// Whether an account's balance is part of a payment's commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rollup {
    /// Never overdrawn; in the commit.
    Constrained,
    /// Unconstrained; summed from the change feed afterwards.
    House,
}

impl Id<Account> {
    /// The id of an account of this kind, out of an id's other bits.
    #[must_use]
    pub const fn of_kind(self, kind: Rollup) -> Self {
        match kind {
            Rollup::Constrained => Self::from_bits(self.bits() & !1),
            Rollup::House => Self::from_bits(self.bits() | 1),
        }
    }

    /// Which kind the account is: the last bit of its id, so that a plan knows what to guard
    /// before it has read anything.
    #[must_use]
    pub const fn rollup(self) -> Rollup {
        if self.bits() & 1 == 1 {
            Rollup::House
        } else {
            Rollup::Constrained
        }
    }
}

/// Which side of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Money that leaves a customer's account.
    Debit,
    /// Money that comes to a customer's account.
    Credit,
}

/// What a leg does to the sums of its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Adds to the pending sum: a promise.
    Pending,
    /// Takes from the pending sum: a promise made good or taken back.
    Release,
    /// Adds to the posted sum: money moved.
    Posted,
}

/// One line of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// Whose sums change.
    pub account: Id<Account>,
    /// On which side.
    pub side: Side,
    /// In which way.
    pub layer: Layer,
    /// By how much; always positive.
    #[serde(flatten)]
    pub money: Money,
}

/// A balanced set of legs. One step of a payment's life in the books, or a posting of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// `txn_…`.
    pub id: Id<Transaction>,
    /// When it was committed; never before an earlier one of the same constrained account.
    pub at: Timestamp,
    /// Which step of which journal it is.
    pub journal: Journal,
    /// For which payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<Id<Payment>>,
    /// The lines, balanced for each currency in each layer.
    pub legs: Vec<Leg>,
    /// Which entry of each constrained account it is, in the order of the accounts. The verifiable
    /// log shows the numbers, so that a transaction left out of it leaves a gap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<EntryNumber>,
    /// The W3C trace id of the request or message that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// The place of a transaction among the entries of a constrained account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryNumber {
    /// Of which account.
    pub account: Id<Account>,
    /// From 1, without gaps.
    pub number: u64,
}

impl Named for Transaction {
    const PREFIX: &'static str = "txn";
}

/// Why there is no such transaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Nothing to write down.
    #[error("a transaction has at least two legs")]
    TooFewLegs,
    /// More than [`LEGS_MAX`].
    #[error("a transaction has at most {LEGS_MAX} legs, not {0}")]
    TooManyLegs(usize),
    /// Debits and credits differ.
    #[error(
        "debits of {debits} and credits of {credits} minor units of {currency} in the {layer:?} layer do not balance"
    )]
    Unbalanced {
        /// Of which currency.
        currency: Currency,
        /// In which layer.
        layer: Layer,
        /// Sum of the debits.
        debits: u128,
        /// Sum of the credits.
        credits: u128,
    },
    /// An account got a leg of another currency.
    #[error("account {account} is in {expected}, not in {found}")]
    WrongCurrency {
        /// Which account.
        account: Id<Account>,
        /// The account's currency.
        expected: Currency,
        /// The leg's currency.
        found: Currency,
    },
    /// A constrained account would be overdrawn.
    #[error("account {account} has {available} minor units available, and {needed} are needed")]
    InsufficientFunds {
        /// Which account.
        account: Id<Account>,
        /// What may be spent.
        available: u64,
        /// What would have been.
        needed: u64,
    },
    /// More would be released than is pending.
    #[error("account {account} has less pending than would be released")]
    NothingPending {
        /// Which account.
        account: Id<Account>,
    },
    /// A sum would exceed 64 bits.
    #[error("a sum of account {account} would overflow")]
    Overflow {
        /// Which account.
        account: Id<Account>,
    },
    /// The account takes no more entries.
    #[error("account {account} is closed")]
    Closed {
        /// Which account.
        account: Id<Account>,
    },
}

impl Transaction {
    /// A transaction of `legs`, if they balance.
    ///
    /// # Errors
    /// [`LedgerError::TooFewLegs`], [`LedgerError::TooManyLegs`] or [`LedgerError::Unbalanced`].
    pub fn new(
        id: Id<Self>,
        at: Timestamp,
        journal: Journal,
        payment: Option<Id<Payment>>,
        legs: Vec<Leg>,
    ) -> Result<Self, LedgerError> {
        if legs.len() < 2 {
            return Err(LedgerError::TooFewLegs);
        }
        if legs.len() > LEGS_MAX {
            return Err(LedgerError::TooManyLegs(legs.len()));
        }
        let mut sums: BTreeMap<(Currency, Layer), (u128, u128)> = BTreeMap::new();
        for leg in &legs {
            let sum = sums.entry((leg.money.currency, leg.layer)).or_default();
            match leg.side {
                Side::Debit => sum.0 += u128::from(leg.money.amount.minor()),
                Side::Credit => sum.1 += u128::from(leg.money.amount.minor()),
            }
        }
        for ((currency, layer), (debits, credits)) in sums {
            if debits != credits {
                return Err(LedgerError::Unbalanced {
                    currency,
                    layer,
                    debits,
                    credits,
                });
            }
        }
        Ok(Self {
            id,
            at,
            journal,
            payment,
            legs,
            entries: Vec::new(),
            trace: None,
        })
    }

    /// The accounts that it touches, each once, in the order of their ids.
    #[must_use]
    pub fn accounts(&self) -> Vec<Id<Account>> {
        let mut accounts: Vec<_> = self.legs.iter().map(|leg| leg.account).collect();
        accounts.sort_unstable();
        accounts.dedup();
        accounts
    }
}

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
            if leg.money.currency != self.currency {
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
        if !self.open && legs.iter().any(|leg| leg.layer != Layer::Release) {
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
