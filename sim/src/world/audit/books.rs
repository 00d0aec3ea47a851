//! Double entry, worked out again from the legs: every transaction balances, every balance is the
//! sum of its legs, entries are numbered without gaps, nobody is overdrawn, and the roll-up of the house
//! accounts counts every leg once.

use std::collections::{BTreeMap, VecDeque};

use lombard_core::{
    currency::Currency,
    id::Id,
    ledger::{Account, Balance, Entry, Layer, Leg, Rollup, Side, Sums, Transaction},
    tenant::TenantId,
    time::Timestamp,
};

use super::{AccountKey, Auditor, batch::Batch};

/// Where an account stands by the auditor's own reckoning. Signed, so that what may not be shows.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    pub debits_pending: i128,
    pub debits_posted: i128,
    pub credits_pending: i128,
    pub credits_posted: i128,
    pub entries: u64,
    /// When the last entry was made.
    pub at: Timestamp,
    /// The currency of its legs.
    pub currency: Option<Currency>,
    /// As its balance record says.
    pub waiting: u32,
    pub closed: bool,
}

/// Transactions whose house legs wait for the roll-up.
#[derive(Debug, Default)]
pub struct House {
    waiting: VecDeque<(u64, TenantId, Transaction)>,
}

impl House {
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

/// A leg for the history.
pub fn leg_text(leg: &Leg) -> String {
    let account = leg.account.to_string();
    let short = &account[account.len() - 4..];
    let sign = match leg.side {
        Side::Debit => '-',
        Side::Credit => '+',
    };
    format!("{sign}{} {:?} …{short}", leg.money.amount, leg.layer)
}

impl Standing {
    fn add(&mut self, leg: &Leg) {
        let amount = i128::from(leg.money.amount.minor());
        let (sum, amount) = match (leg.layer, leg.side) {
            (Layer::Pending, Side::Debit) => (&mut self.debits_pending, amount),
            (Layer::Pending, Side::Credit) => (&mut self.credits_pending, amount),
            (Layer::Release, Side::Debit) => (&mut self.debits_pending, -amount),
            (Layer::Release, Side::Credit) => (&mut self.credits_pending, -amount),
            (Layer::Posted, Side::Debit) => (&mut self.debits_posted, amount),
            (Layer::Posted, Side::Credit) => (&mut self.credits_posted, amount),
        };
        *sum += amount;
    }

    fn is(&self, sums: &Sums) -> bool {
        self.debits_pending == i128::from(sums.debits_pending)
            && self.debits_posted == i128::from(sums.debits_posted)
            && self.credits_pending == i128::from(sums.credits_pending)
            && self.credits_posted == i128::from(sums.credits_posted)
    }

    /// What may still be spent.
    pub const fn available(&self) -> i128 {
        self.credits_posted - self.debits_posted - self.debits_pending
    }
}

impl Auditor {
    pub(super) fn check_books(&mut self, batch: &Batch) {
        for (tenant, transaction) in &batch.transactions {
            self.check_transaction(*tenant, transaction);
            if touches(transaction, Rollup::House) {
                let waits = (self.position, *tenant, transaction.clone());
                self.house.waiting.push_back(waits);
            }
        }
        let mut due: Vec<(TenantId, Transaction, Rollup)> = batch
            .transactions
            .iter()
            .map(|(tenant, it)| (*tenant, it.clone(), Rollup::Constrained))
            .collect();
        if let Some(upto) = batch.rolled_up {
            while let Some((_, tenant, it)) =
                self.house.waiting.pop_front_if(|(at, ..)| *at <= upto)
            {
                due.push((tenant, it, Rollup::House));
            }
        }
        self.enter(batch, &due);
        for (tenant, balance) in &batch.balances {
            self.check_balance(*tenant, balance);
        }
    }

    fn check_transaction(&mut self, tenant: TenantId, transaction: &Transaction) {
        let subject = transaction.id;
        if !self.transactions.insert(transaction.id) {
            self.violate(subject, "a transaction is written twice");
        }
        let mut sums: BTreeMap<_, i128> = BTreeMap::new();
        for leg in &transaction.legs {
            let amount = i128::from(leg.money.amount.minor());
            let signed = match leg.side {
                Side::Debit => -amount,
                Side::Credit => amount,
            };
            *sums.entry((leg.money.currency, leg.layer)).or_default() += signed;
            let account = self.accounts.get(&(tenant, leg.account));
            if account.is_some_and(|it| it.closed) && leg.layer != Layer::Release {
                self.violate(subject, format!("{} is closed and gets a leg", leg.account));
            }
        }
        if let Some(((currency, layer), sum)) = sums.into_iter().find(|(_, sum)| *sum != 0) {
            let code = currency.code();
            let found = format!("a transaction is out of balance by {sum} {code} ({layer:?})");
            self.violate(subject, found);
        }
    }

    /// Enters what is due into the model, in the order of the entries, and holds the entries to it.
    fn enter(&mut self, batch: &Batch, due: &[(TenantId, Transaction, Rollup)]) {
        let mut expected = 0;
        for (_, transaction, kind) in due {
            expected += accounts(transaction, *kind).len();
        }
        if batch.entries.len() != expected {
            let found = format!("{} entries where {expected} belong", batch.entries.len());
            self.violate("the books", found);
        }
        for (tenant, key, entry) in &batch.entries {
            let account = key.partition().split('/').nth(1).unwrap_or_default();
            let Ok(account) = account.parse::<Id<Account>>() else {
                continue;
            };
            let same = |(of, it, kind): &&(TenantId, Transaction, Rollup)| {
                of == tenant && it.id == entry.transaction && *kind == account.rollup()
            };
            match due.iter().find(same) {
                Some((_, transaction, _)) => {
                    self.take_entry((*tenant, account), entry, transaction)
                }
                None => self.violate(account, "an entry of a transaction that is not there"),
            }
        }
    }

    fn take_entry(&mut self, account: AccountKey, entry: &Entry, transaction: &Transaction) {
        let standing = self.accounts.entry(account).or_default();
        let legs: Vec<&Leg> = transaction
            .legs
            .iter()
            .filter(|leg| leg.account == account.1)
            .collect();
        let before = (standing.at, standing.currency);
        legs.iter().for_each(|leg| standing.add(leg));
        standing.entries += 1;
        standing.at = entry.at;
        standing.currency = legs.first().map(|leg| leg.money.currency);
        let one = legs
            .iter()
            .all(|leg| Some(leg.money.currency) == standing.currency);
        let currency = one
            && before
                .1
                .is_none_or(|before| Some(before) == standing.currency);
        let of = (entry.journal, entry.payment);
        let right = currency
            && before.0 <= entry.at
            && transaction.at <= entry.at
            && of == (transaction.journal, transaction.payment);
        if !right {
            let found = format!("entry {entry:?} is not of {transaction:?}, or not in order");
            self.violate(account.1, found);
            return;
        }
        let (number, right) = (standing.entries, standing.is(&entry.after));
        let standing = standing.clone();
        if entry.number != number {
            let found = format!("entry {} where {number} comes", entry.number);
            self.violate(account.1, found);
        }
        let amounts = |entry: &Entry| entry.legs.iter().map(|leg| leg.amount).collect::<Vec<_>>();
        if !right || amounts(entry) != legs.iter().map(|leg| leg.money.amount).collect::<Vec<_>>() {
            let after = entry.after;
            let found = format!("entry {number} says {after:?}; its legs make {standing:?}");
            self.violate(account.1, found);
        }
        if account.1.rollup() == Rollup::Constrained {
            let told = transaction
                .entries
                .iter()
                .find(|one| one.account == account.1);
            if told.map(|one| one.number) != Some(number) {
                let found = format!("{} does not say that it is entry {number}", transaction.id);
                self.violate(account.1, found);
            }
            if standing.available() < 0 && !transaction.legs.is_empty() {
                self.violate(account.1, format!("is overdrawn: {standing:?}"));
            }
        }
        let sums = [standing.debits_pending, standing.credits_pending];
        if sums.into_iter().any(|sum| sum < 0) {
            self.violate(
                account.1,
                format!("more was released than held: {standing:?}"),
            );
        }
    }

    fn check_balance(&mut self, tenant: TenantId, balance: &Balance) {
        let standing = self.accounts.entry((tenant, balance.account)).or_default();
        standing.waiting = balance.waiting;
        standing.closed = !balance.open;
        let standing = standing.clone();
        let fits = standing.currency.is_none_or(|it| it == balance.currency);
        let at = standing.entries == 0 || standing.at == balance.at;
        let same = standing.is(&balance.sums) && standing.entries == balance.entries;
        if !same || !fits || !at {
            let found = format!("its balance says {balance:?}; its legs make {standing:?}");
            self.violate(balance.account, found);
        }
        let busy = standing.debits_pending + standing.credits_pending != 0
            || standing.available() != 0
            || standing.waiting != 0;
        if standing.closed && busy && balance.account.rollup() == Rollup::Constrained {
            self.violate(
                balance.account,
                format!("is closed and not empty: {standing:?}"),
            );
        }
    }
}

fn touches(transaction: &Transaction, kind: Rollup) -> bool {
    transaction
        .legs
        .iter()
        .any(|leg| leg.account.rollup() == kind)
}

/// The accounts of a kind that a transaction touches, each once.
fn accounts(transaction: &Transaction, kind: Rollup) -> std::collections::BTreeSet<Id<Account>> {
    let accounts = transaction.legs.iter().map(|leg| leg.account);
    accounts
        .filter(|account| account.rollup() == kind)
        .collect()
}
