//! The auditor: a model of its own, made of nothing but the commits that it sees and the rail's
//! books, and asked after each commit whether all of it can be true.
//!
//! **Independence.** The records are read with the core's types; what they should say is worked
//! out here. No function of the core's ledger, lifecycle or plan is called, so that a mistake
//! there is not made twice.
//!
//! **Shape.** [`Auditor::commit`] sorts a commit's records into a [`Batch`] and hands it on:
//! `books` (double entry, balances, numbers, roll-up), `lives` (stages, events, holds, returns),
//! `duties` (timers, errands, who waits for money). [`answers`] compares what clients were told;
//! `end` is asked when everything has come to rest.

mod answers;
mod batch;
mod books;
mod duties;
mod end;
mod holds;
mod lives;
mod moves;

use std::collections::{BTreeMap, BTreeSet};

use lombard_core::{
    hold::Hold,
    id::Id,
    ledger::{Account, Transaction},
    payment::Payment,
    store::{Key, WriteSet},
    tenant::TenantId,
};
use lombard_service::exceptions::Exception;

use self::{batch::Batch, books::Standing, duties::Duty, lives::Life};
use super::books::Books as RailBooks;

/// Something that may not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The payment, account or other thing that it is about.
    pub subject: String,
    /// What is wrong.
    pub found: String,
}

/// A tenant's account.
pub type AccountKey = (TenantId, Id<Account>);

/// See the module.
#[derive(Debug, Default)]
pub struct Auditor {
    position: u64,
    accounts: BTreeMap<AccountKey, Standing>,
    transactions: BTreeSet<Id<Transaction>>,
    house: books::House,
    payments: BTreeMap<Id<Payment>, Life>,
    intents: BTreeMap<(TenantId, String), Id<Payment>>,
    events: BTreeSet<Key>,
    holds: BTreeMap<Id<Hold>, (TenantId, Hold)>,
    duties: BTreeMap<Key, Duty>,
    cursors: BTreeMap<String, u64>,
    outcomes: BTreeMap<Key, (u16, Vec<u8>)>,
    exceptions: BTreeMap<String, Exception>,
    written: BTreeMap<Key, Option<u64>>,
    /// The first thing that was found.
    violation: Option<Violation>,
}

impl Auditor {
    /// Takes in a commit; gives lines for the history.
    pub fn commit(&mut self, writes: &WriteSet, rail: &RailBooks) -> Vec<(String, String)> {
        self.versions(writes);
        let batch = Batch::of(writes);
        if batch.changes == 0 {
            return Vec::new();
        }
        self.position += 1;
        let before = self.violation.is_some();
        self.note_duties(&batch);
        self.note_exceptions(&batch);
        let lines = self.tell(&batch);
        self.check_lives(&batch, rail);
        self.check_books(&batch);
        self.check_holds(&batch);
        self.check_duties(&batch);
        self.check_outcomes(&batch);
        if self.violation.is_some() && !before {
            // What was found is of this commit.
            return lines;
        }
        lines
    }

    /// A batch of the feed as a consumer got it: nothing left out, nothing out of order.
    pub fn feed(&mut self, after: u64, positions: impl Iterator<Item = u64>) {
        let mut expected = after;
        for position in positions {
            expected += 1;
            if position != expected || position > self.position {
                let found = format!("the feed gives {position} where {expected} comes");
                self.violate("the change feed", found);
            }
        }
    }

    /// Every record goes from version to version, and none comes back once it was deleted.
    fn versions(&mut self, writes: &WriteSet) {
        for (key, write) in writes.iter() {
            let Some(result) = write.result() else {
                continue;
            };
            let now = result.map(|record| record.version.get());
            let before = self.written.insert(key.clone(), now);
            let right = match (before, now) {
                (None, Some(1)) => true,
                (Some(Some(before)), Some(now)) => now == before + 1,
                (Some(Some(_)), None) => true,
                _ => false,
            };
            if !right {
                let found = format!("{key:?} went from version {before:?} to {now:?}");
                self.violate("a record", found);
            }
        }
    }

    /// Notes the first thing that may not be.
    pub fn violate(&mut self, subject: impl ToString, found: impl ToString) {
        if self.violation.is_none() {
            self.violation = Some(Violation {
                subject: subject.to_string(),
                found: found.to_string(),
            });
        }
    }

    /// What was found first.
    #[must_use]
    pub const fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// Up to where the feed goes.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// How far the roll-up has come.
    #[must_use]
    pub fn rolled_up(&self) -> bool {
        self.house.is_empty()
    }

    fn note_exceptions(&mut self, batch: &Batch) {
        for exception in &batch.exceptions {
            self.exceptions
                .insert(exception.subject.clone(), exception.clone());
        }
    }

    /// Whether a person has been asked to look at a payment.
    #[must_use]
    pub fn escalated(&self, payment: Id<Payment>) -> bool {
        self.exceptions.contains_key(&payment.to_string())
    }

    /// A commit in words.
    fn tell(&self, batch: &Batch) -> Vec<(String, String)> {
        let mut lines = Vec::new();
        for (_, event) in &batch.events {
            let moved = if event.moved { "" } else { ", not moved" };
            let errands = match event.effects.as_slice() {
                [] => String::new(),
                errands => format!(", to do: {errands:?}"),
            };
            let text = format!(
                "#{} {:?}: {:?}{moved}{errands}",
                event.number, event.news, event.stage
            );
            lines.push((event.payment.to_string(), text));
        }
        for (_, transaction) in &batch.transactions {
            let subject = transaction.payment.map(|id| id.to_string());
            let legs: Vec<String> = transaction.legs.iter().map(books::leg_text).collect();
            let text = format!("books {:?}: {}", transaction.journal, legs.join(", "));
            lines.push((subject.unwrap_or_else(|| transaction.id.to_string()), text));
        }
        for (_, hold) in &batch.holds {
            lines.push((hold.id.to_string(), format!("{:?}", hold.state)));
        }
        for exception in &batch.exceptions {
            let text = format!("exception {:?}: {}", exception.kind, exception.reason);
            lines.push((exception.subject.clone(), text));
        }
        for (name, position) in &batch.cursors {
            lines.push(("cursor".to_owned(), format!("{name} is at {position}")));
        }
        lines
    }
}
