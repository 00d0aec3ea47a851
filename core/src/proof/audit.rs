//! The auditor: takes the leaves of a log in order and says whether they are books.
//!
//! It keeps a model of its own and shares no rule with [`crate::ledger`]: what the ledger got
//! wrong is to be found here. [`check_alone`] looks at one leaf by itself; an [`Auditor`] at all
//! of them together: no transaction twice, every constrained account's entries numbered without a
//! gap, never overdrawn by any of them, no promise released that was not made.
//!
//! Leaves of one account come in order from one shard of the change feed, but a log fed from
//! several may hold a later entry before an earlier one. An entry waits here until those before
//! it have come; one that waits in vain shows that a transaction is not in the log.
//!
//! **Bounds.** About 50 bytes of memory a leaf and 150 an account.

use std::collections::{BTreeMap, btree_map};

use super::leaf::{LegLeaf, TransactionLeaf};
use crate::{
    currency::Currency,
    id::Id,
    ledger::{Account, EntryNumber, Layer, Rollup, Side, Transaction},
    limits::LEGS_MAX,
    tenant::TenantId,
    time::Timestamp,
};

/// What is wrong with the books.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Debits and credits of a currency in a layer differ, or there are too few or many legs.
    #[error("the legs do not balance")]
    Unbalanced,
    /// The numbers of entries are not one for each constrained account, in order.
    #[error("the entry numbers are not those of the constrained accounts")]
    EntryNumbers,
    /// The transaction is in the log already.
    #[error("the transaction is already leaf {0}")]
    Duplicate(u64),
    /// A leg of another currency than the account's earlier ones.
    #[error("account {0} has entries in two currencies")]
    Currency(Id<Account>),
    /// An entry with a number that the account has already.
    #[error("account {account} has two entries with the number {number}")]
    EntryTwice {
        /// Of which account.
        account: Id<Account>,
        /// Which number.
        number: u64,
    },
    /// Entries between two that are there are not.
    #[error("account {account} lacks entry {number} and has later ones")]
    EntryMissing {
        /// Of which account.
        account: Id<Account>,
        /// The first that is missing.
        number: u64,
    },
    /// An entry is older than the one before it.
    #[error("entry {number} of account {account} is older than the one before it")]
    BackInTime {
        /// Of which account.
        account: Id<Account>,
        /// Which entry.
        number: u64,
    },
    /// A constrained account spends what it has not.
    #[error("account {0} is overdrawn")]
    Overdrawn(Id<Account>),
    /// A promise was released that had not been made.
    #[error("account {0} releases more than was promised")]
    NothingPending(Id<Account>),
}

impl Fault {
    /// The name by which `lombard verify` reports it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Unbalanced => "leaf_unbalanced",
            Self::EntryNumbers => "leaf_entry_numbers",
            Self::Duplicate(_) => "leaf_duplicate",
            Self::Currency(_) => "account_currency",
            Self::EntryTwice { .. } => "account_entry_twice",
            Self::EntryMissing { .. } => "account_entry_missing",
            Self::BackInTime { .. } => "account_order",
            Self::Overdrawn(_) => "account_overdrawn",
            Self::NothingPending(_) => "account_nothing_pending",
        }
    }
}

/// Checks what one leaf says by itself: that it balances and numbers its entries.
///
/// # Errors
/// [`Fault::Unbalanced`] or [`Fault::EntryNumbers`].
pub fn check_alone(leaf: &TransactionLeaf) -> Result<(), Fault> {
    if leaf.legs.len() < 2 || leaf.legs.len() > LEGS_MAX {
        return Err(Fault::Unbalanced);
    }
    // A transaction has one or two currencies and layers; a list is searched faster than a map.
    let mut sums: Vec<(Currency, Layer, i128)> = Vec::with_capacity(4);
    for leg in &leaf.legs {
        let amount = i128::from(leg.amount.minor());
        let signed = match leg.side {
            Side::Debit => amount,
            Side::Credit => -amount,
        };
        let same = |sum: &&mut (Currency, Layer, i128)| (sum.0, sum.1) == (leg.currency, leg.layer);
        match sums.iter_mut().find(same) {
            Some(sum) => sum.2 += signed,
            None => sums.push((leg.currency, leg.layer, signed)),
        }
    }
    if sums.iter().any(|sum| sum.2 != 0) {
        return Err(Fault::Unbalanced);
    }
    let mut constrained: Vec<_> = leaf.legs.iter().map(|leg| leg.account).collect();
    constrained.retain(|account| account.rollup() == Rollup::Constrained);
    constrained.sort_unstable();
    constrained.dedup();
    if leaf
        .entries
        .iter()
        .map(|entry| entry.account)
        .ne(constrained)
    {
        return Err(Fault::EntryNumbers);
    }
    Ok(())
}

/// What a transaction does to the sums of one account.
#[derive(Clone, Copy, Debug, Default)]
struct Effect {
    debits_pending: i128,
    debits_posted: i128,
    credits_pending: i128,
    credits_posted: i128,
}

/// The four sums of an account as the log has them, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Promised to leave.
    pub debits_pending: i128,
    /// Left.
    pub debits_posted: i128,
    /// Promised to come.
    pub credits_pending: i128,
    /// Came.
    pub credits_posted: i128,
    /// How many entries. The log does not number those of a house account; they are counted.
    pub entries: u64,
}

type Owner = (TenantId, Id<Account>);

struct Model {
    currency: Currency,
    standing: Standing,
    at: Timestamp,
    /// Entries that came before their turn, with the leaf that each is in.
    early: BTreeMap<u64, (u64, Timestamp, Effect)>,
}

/// See the module.
#[derive(Default)]
pub struct Auditor {
    accounts: BTreeMap<Owner, Model>,
    seen: BTreeMap<Id<Transaction>, u64>,
}

impl Auditor {
    /// Takes in leaf `index`, which [`check_alone`] passed; what is wrong goes to `report`, with
    /// the leaf that shows it.
    pub fn take(
        &mut self,
        index: u64,
        leaf: &TransactionLeaf,
        report: &mut impl FnMut(u64, Fault),
    ) {
        match self.seen.entry(leaf.id) {
            btree_map::Entry::Vacant(place) => place.insert(index),
            btree_map::Entry::Occupied(first) => {
                return report(index, Fault::Duplicate(*first.get()));
            }
        };
        for (place, leg) in leaf.legs.iter().enumerate() {
            let account = leg.account;
            let seen = |before: &LegLeaf| before.account == account;
            if leaf.legs[..place].iter().any(seen) {
                continue;
            }
            let model = self
                .accounts
                .entry((leaf.tenant, account))
                .or_insert_with(|| Model::new(leg.currency));
            let effect = match effect_on(account, leaf, model.currency) {
                Ok(effect) => effect,
                Err(fault) => {
                    report(index, fault);
                    continue;
                }
            };
            let numbered = |entry: &&EntryNumber| entry.account == account;
            match leaf.entries.iter().find(numbered) {
                None => model.standing.add(&effect),
                Some(entry) => {
                    let arrived = (index, leaf.at, effect);
                    model.arrive(account, entry.number, arrived, report);
                }
            }
        }
    }

    /// Says what never came that had to. Where no one leaf shows it, the leaf is `None`.
    pub fn finish(&self, report: &mut impl FnMut(Option<u64>, Fault)) {
        for ((_, account), model) in &self.accounts {
            let account = *account;
            if let Some((_, (index, ..))) = model.early.first_key_value() {
                let number = model.standing.entries + 1;
                report(Some(*index), Fault::EntryMissing { account, number });
            }
            // A constrained account was checked entry by entry. The leaves of a house account
            // have no order of their own, so only its end can be judged.
            if account.rollup() == Rollup::House && !model.standing.owes_nothing_pending() {
                report(None, Fault::NothingPending(account));
            }
        }
    }

    /// Where every account stands, in the order of tenants and accounts.
    pub fn standings(&self) -> impl Iterator<Item = (TenantId, Id<Account>, &Standing)> {
        self.accounts
            .iter()
            .map(|((tenant, account), model)| (*tenant, *account, &model.standing))
    }
}

fn effect_on(
    account: Id<Account>,
    leaf: &TransactionLeaf,
    currency: Currency,
) -> Result<Effect, Fault> {
    let mut effect = Effect::default();
    for leg in leaf.legs.iter().filter(|leg| leg.account == account) {
        if leg.currency != currency {
            return Err(Fault::Currency(account));
        }
        let amount = i128::from(leg.amount.minor());
        let (sum, signed) = match (leg.side, leg.layer) {
            (Side::Debit, Layer::Pending) => (&mut effect.debits_pending, amount),
            (Side::Debit, Layer::Release) => (&mut effect.debits_pending, -amount),
            (Side::Debit, Layer::Posted) => (&mut effect.debits_posted, amount),
            (Side::Credit, Layer::Pending) => (&mut effect.credits_pending, amount),
            (Side::Credit, Layer::Release) => (&mut effect.credits_pending, -amount),
            (Side::Credit, Layer::Posted) => (&mut effect.credits_posted, amount),
        };
        *sum += signed;
    }
    Ok(effect)
}

impl Standing {
    fn add(&mut self, effect: &Effect) {
        self.debits_pending += effect.debits_pending;
        self.debits_posted += effect.debits_posted;
        self.credits_pending += effect.credits_pending;
        self.credits_posted += effect.credits_posted;
        self.entries += 1;
    }

    const fn owes_nothing_pending(&self) -> bool {
        self.debits_pending >= 0 && self.credits_pending >= 0
    }

    /// By how much more was spent or promised than came; 0 when it was not.
    fn overdrawn(&self) -> i128 {
        (self.debits_posted + self.debits_pending - self.credits_posted).max(0)
    }
}

impl Model {
    fn new(currency: Currency) -> Self {
        Self {
            currency,
            standing: Standing::default(),
            at: Timestamp::default(),
            early: BTreeMap::new(),
        }
    }

    /// An entry of a constrained account: it is taken in when its turn has come, and with it
    /// those that waited for it.
    fn arrive(
        &mut self,
        account: Id<Account>,
        number: u64,
        arrived: (u64, Timestamp, Effect),
        report: &mut impl FnMut(u64, Fault),
    ) {
        let twice = number <= self.standing.entries || self.early.contains_key(&number);
        if twice {
            report(arrived.0, Fault::EntryTwice { account, number });
            return;
        }
        if number != self.standing.entries + 1 {
            self.early.insert(number, arrived);
            return;
        }
        self.enter(account, arrived, report);
        while let Some(next) = self.early.remove(&(self.standing.entries + 1)) {
            self.enter(account, next, report);
        }
    }

    fn enter(
        &mut self,
        account: Id<Account>,
        (index, at, effect): (u64, Timestamp, Effect),
        report: &mut impl FnMut(u64, Fault),
    ) {
        let before = self.standing.overdrawn();
        self.standing.add(&effect);
        let number = self.standing.entries;
        if at < self.at {
            report(index, Fault::BackInTime { account, number });
        }
        self.at = self.at.max(at);
        if !self.standing.owes_nothing_pending() {
            report(index, Fault::NothingPending(account));
        }
        // An account that is overdrawn already, by a reversal, may become less so.
        if self.standing.overdrawn() > before {
            report(index, Fault::Overdrawn(account));
        }
    }
}
