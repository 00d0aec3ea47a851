//! The roll-up: house accounts' legs of committed transactions become entries and balances.
//!
//! Fed in the order of the change feed, with the place reached in the same commit, so each
//! transaction is counted once whatever fails. One run takes at most what fits a commit.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use super::{
    draft::{Draft, Stop},
    keys,
};
use crate::{
    command::{Reply, RollUp},
    currency::Currency,
    id::Id,
    ledger::{self, Account, Balance, Rollup as Kind},
    store::{Body, Key, WRITES_MAX},
    tenant::TenantId,
};

/// How many of `transactions` fit into one roll-up: each house leg is an entry, each account a
/// balance, and the place reached is one more.
#[must_use]
pub fn fitting<'a>(
    transactions: impl Iterator<Item = &'a (u64, TenantId, crate::ledger::Transaction)>,
) -> usize {
    let mut accounts = BTreeSet::new();
    let mut entries = 0;
    let mut fit = 0;
    for (_, tenant, transaction) in transactions {
        let house = transaction
            .accounts()
            .into_iter()
            .filter(|id| id.rollup() == Kind::House);
        for account in house {
            accounts.insert((*tenant, account));
            entries += 1;
        }
        if entries + accounts.len() + 1 > WRITES_MAX {
            break;
        }
        fit += 1;
    }
    fit
}

pub fn roll_up(draft: &mut Draft<'_>, rollup: &RollUp) -> Result<Reply, Stop> {
    let cursor = keys::rollup_cursor(rollup.shard);
    draft.want(&cursor);
    for (tenant, id, _) in house_legs(rollup) {
        draft.want(&keys::balance(tenant, id));
    }
    // Counted already: the answer to the commit that did it was lost.
    let reached = draft.read::<u64>(&cursor)?.unwrap_or(0);
    if reached >= rollup.upto {
        return Err(Stop::Decided(Draft::done(None)));
    }
    let mut balances = BTreeMap::new();
    for (tenant, id, currency) in house_legs(rollup) {
        if let Entry::Vacant(place) = balances.entry((tenant, id)) {
            let found = draft.read::<Balance>(&keys::balance(tenant, id))?;
            place.insert(found.unwrap_or_else(|| Balance::opening(id, currency, draft.now())));
        }
    }
    // Another runner may have counted some of them meanwhile.
    let fresh = rollup.transactions.iter().filter(|(at, ..)| *at > reached);
    for (_, tenant, transaction) in fresh {
        for id in transaction.accounts() {
            let Some(balance) = balances.get_mut(&(*tenant, id)) else {
                continue;
            };
            let entry: ledger::Entry = balance.enter(transaction)?;
            let partition = keys::account_partition(*tenant, id);
            draft.create(
                Key::new(&partition, &keys::entry_sort(entry.number)),
                Body::of(&entry),
            );
        }
    }
    for ((tenant, id), balance) in balances {
        draft.put(&keys::balance(tenant, id), Body::of(&balance));
    }
    let upto = rollup.upto + u64::from(crate::planted!(RollupSkips));
    if !crate::planted!(RollupStands) {
        draft.put(&cursor, Body::of(&upto));
    }
    Ok(Draft::done(None))
}

fn house_legs(rollup: &RollUp) -> impl Iterator<Item = (TenantId, Id<Account>, Currency)> {
    rollup
        .transactions
        .iter()
        .flat_map(|(_, tenant, transaction)| {
            let house = transaction
                .legs
                .iter()
                .filter(|leg| leg.account.rollup() == Kind::House);
            house.map(|leg| (*tenant, leg.account, leg.money.currency))
        })
}
