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

mod balance;

use std::{collections::BTreeMap, fmt};

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

pub use balance::{Balance, Entry, EntryLeg, Sums};

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
    /// A payment card. No account has it as its address.
    Card,
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

impl Side {
    /// The other one.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Debit => Self::Credit,
            Self::Credit => Self::Debit,
        }
    }
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

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "pending",
            Self::Release => "release",
            Self::Posted => "posted",
        })
    }
}

/// One line of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "FlatLeg")]
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

/// A leg as it is stored. Reading a flattened member takes every other in as a value first, which
/// costs several times as much as reading all of them as they are.
#[derive(Deserialize)]
struct FlatLeg {
    account: Id<Account>,
    side: Side,
    layer: Layer,
    amount: Amount,
    currency: Currency,
}

impl From<FlatLeg> for Leg {
    fn from(flat: FlatLeg) -> Self {
        Self {
            account: flat.account,
            side: flat.side,
            layer: flat.layer,
            money: Money {
                amount: flat.amount,
                currency: flat.currency,
            },
        }
    }
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
        "debits of {debits} and credits of {credits} minor units of {currency} in the {layer} layer do not balance"
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
        mut legs: Vec<Leg>,
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
        if crate::planted!(LegDropped) {
            legs.pop();
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
