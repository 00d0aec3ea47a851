//! The log against the records of a store: nothing missing, nothing different.
//!
//! Whoever reads the store hands its transactions over as a [`StoreView`]; how a store is read is
//! not known here.

use std::collections::BTreeMap;

use bytes::Bytes;
use lombard_core::{
    audit,
    id::Id,
    ledger::{Account, Balance, Rollup, Transaction},
    proof::{
        Hash,
        leaf::{Leaf, TransactionLeaf},
        tree::Head,
    },
    tenant::TenantId,
};
use tlog_tiles::record_hash;

use super::{
    beyond,
    report::Report,
    source::Source,
    walk::{About, Leaves},
};
use crate::proof::{head::HeadRecord, staged};

/// What a store holds.
#[derive(Default)]
pub struct StoreView {
    /// Every transaction, and every record of what somebody did, in the order of its commit, with the
    /// hash of the leaf that it must be.
    entries: Vec<(About, Hash)>,
    /// Where each account stands.
    balances: BTreeMap<(TenantId, Id<Account>), Balance>,
    /// Where the store believes the log to be.
    head: Option<HeadRecord>,
    /// Whether the order of the entries says nothing.
    unordered: bool,
}

impl StoreView {
    /// A view of a store that is read in any order: that of the commits is not compared.
    #[must_use]
    pub fn unordered() -> Self {
        Self {
            unordered: true,
            ..Self::default()
        }
    }

    /// Takes in a transaction, in the order of commits.
    pub fn transaction(&mut self, tenant: TenantId, transaction: &Transaction) {
        let leaf = Leaf::Transaction(TransactionLeaf::of(tenant, transaction));
        let hash = record_hash(&leaf.encode());
        self.entries
            .push((About::Transaction(transaction.id), hash));
    }

    /// Takes in a record of what somebody did, in the order of commits.
    pub fn audit(&mut self, record: &audit::Audit) {
        let hash = record_hash(&Leaf::Audit(record.leaf()).encode());
        self.entries.push((About::Audit(record.id), hash));
    }

    /// Takes in where an account stands; the last one counts.
    pub fn balance(&mut self, tenant: TenantId, balance: Balance) {
        self.balances.insert((tenant, balance.account), balance);
    }

    /// Takes in where the store believes the log to be; the last one counts.
    pub fn head(&mut self, head: HeadRecord) {
        self.head = Some(head);
    }

    /// Whether the store knows of a log with leaves.
    #[must_use]
    pub fn has_log(&self) -> bool {
        self.head.as_ref().is_some_and(|head| head.size > 0)
    }

    /// How many leaves there must be.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Compares.
pub fn compare(
    source: &dyn Source,
    head: &Head,
    leaves: &Leaves,
    store: &StoreView,
    report: &mut Report,
) {
    let sequenced = store.head.as_ref().map_or(0, |head| head.size);
    if sequenced < head.size {
        let what = format!(
            "the checkpoint speaks of {} leaves, and the store knows of {sequenced}: its end is missing",
            head.size
        );
        report.problem("store_truncated", "store", &what);
    }
    // Of a log that grows while it is looked at the store, which was read later, knows more.
    if sequenced > head.size && !beyond::comes(source, sequenced) {
        let what = format!(
            "the store says that the log has {sequenced} leaves, the checkpoint speaks of {}",
            head.size
        );
        if is_unpublished(source, head, store) {
            let what = format!("{what}; the rest is staged: start the service, or ask who cut it");
            report.unread("checkpoint", &what);
        } else {
            report.problem("truncated", "checkpoint", &what);
        }
    }
    let known: BTreeMap<About, (u64, Hash)> = leaves
        .all
        .iter()
        .map(|(index, id, hash)| (*id, (*index, *hash)))
        .collect();
    let mut at = None;
    for (place, (id, hash)) in (0u64..).zip(&store.entries) {
        match known.get(id) {
            Some((index, found)) if found == hash => {
                if !store.unordered && at.is_some_and(|before| before >= *index) {
                    let what = format!("{id} stands before one that was committed earlier");
                    report.problem("leaf_order", &format!("leaf {index}"), &what);
                }
                at = at.max(Some(*index));
            }
            Some((index, _)) => {
                let what = format!("the leaf of {id} is not what the store has");
                report.problem("leaf_differs_from_store", &format!("leaf {index}"), &what);
            }
            // Not all leaves could be read, which is reported; this may be one of them.
            None if place < head.size && !leaves.complete => {}
            None if place < sequenced.min(head.size) => {
                let what = "what the store has of it is no leaf";
                report.problem("leaf_missing", &id.to_string(), what);
            }
            None => report.pending += 1,
        }
    }
    let mut ours: Vec<About> = store.entries.iter().map(|(id, _)| *id).collect();
    ours.sort_unstable();
    for (index, id, _) in &leaves.all {
        if ours.binary_search(id).is_err() {
            let what = format!("{id} is in the log and not in the store");
            report.problem("leaf_not_in_store", &format!("leaf {index}"), &what);
        }
    }
    if report.pending == 0 && leaves.complete {
        compare_balances(leaves, store, report);
    }
}

/// Whether the checkpoint is the one before the last swap, and what it lacks is staged: then the
/// process may have ended between the swap and the publication, and its next start publishes the
/// rest. It cannot be told from a cut at exactly that place.
fn is_unpublished(source: &dyn Source, published: &Head, store: &StoreView) -> bool {
    let Some(record) = &store.head else {
        return false;
    };
    let Some(head) = record.head().filter(|_| record.before == published.size) else {
        return false;
    };
    let packed = source.read(&staged::name(&head)).ok().flatten();
    packed.is_some_and(|packed| staged::unpack(&Bytes::from(packed)).is_some())
}

/// The sums of each account: those of the log must be those of the store. A house account's balance follows
/// its transactions; while it lacks some of them it is not compared.
fn compare_balances(leaves: &Leaves, store: &StoreView, report: &mut Report) {
    let mut standings = BTreeMap::new();
    for (tenant, account, standing) in leaves.books.standings() {
        standings.insert((tenant, account), *standing);
    }
    for (owner, balance) in &store.balances {
        let standing = standings.get(owner).copied().unwrap_or_default();
        let follows = owner.1.rollup() == Rollup::House;
        if follows && balance.entries < standing.entries {
            continue;
        }
        let sums = balance.sums;
        let ours = [
            sums.debits_pending,
            sums.debits_posted,
            sums.credits_pending,
            sums.credits_posted,
            balance.entries,
        ];
        let theirs = [
            standing.debits_pending,
            standing.debits_posted,
            standing.credits_pending,
            standing.credits_posted,
            i128::from(standing.entries),
        ];
        if ours.map(i128::from) != theirs {
            let what = "the balance in the store is not what the log adds up to";
            report.problem("balance_differs", &owner.1.to_string(), what);
        }
    }
    let missing = standings.keys().filter(|owner| {
        owner.1.rollup() == Rollup::Constrained && !store.balances.contains_key(owner)
    });
    for (_, account) in missing {
        let what = "the store has no balance of an account that the log has entries of";
        report.problem("balance_differs", &account.to_string(), what);
    }
}
