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
mod hooks;
mod journals;
mod lives;
mod log;
mod moves;
mod wishes;

use std::collections::{BTreeMap, BTreeSet};

use lombard_core::{
    event::Event,
    hold::Hold,
    id::Id,
    ledger::{Account, Transaction},
    payment::Payment,
    store::{Change, Key, Record},
    tenant::TenantId,
};
use lombard_service::{
    batch::{record, tally::Tally},
    exceptions::Exception,
    hooks::{delivery::Delivery, endpoint::Endpoint},
};

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
    /// What was asked for under each key.
    wishes: BTreeMap<Key, wishes::Wish>,
    /// The endpoint of each tenant.
    endpoints: BTreeMap<TenantId, Endpoint>,
    deliveries: BTreeMap<hooks::Place, Delivery>,
    /// Every event, for whoever is to be told of it.
    told: BTreeMap<Id<Event>, (TenantId, Event)>,
    log: log::Shown,
    tallies: BTreeMap<String, Tally>,
    /// The first thing that was found.
    violation: Option<Violation>,
}

impl Auditor {
    /// Takes in a commit; gives lines for the history.
    pub fn commit(&mut self, changes: &[Change], rail: &RailBooks) -> Vec<(String, String)> {
        self.versions(changes);
        let batch = Batch::of(changes);
        if batch.changes == 0 {
            return Vec::new();
        }
        self.position += 1;
        let before = self.violation.is_some();
        self.note_duties(&batch);
        self.note_exceptions(&batch);
        self.note_hooks(&batch);
        let lines = self.tell(&batch);
        self.check_wishes(&batch);
        self.check_lives(&batch, rail);
        self.check_books(&batch);
        self.expect_leaves(&batch);
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
    fn versions(&mut self, changes: &[Change]) {
        for Change { key, record } in changes {
            if let Some(record) = record {
                self.check_listed(key, record);
            }
            let now = record.as_ref().map(|record| record.version.get());
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

    /// A record is listed where whoever looks for it looks.
    fn check_listed(&mut self, key: &Key, record: &Record) {
        let list = match key.sort() {
            "payment" => "/payments",
            "hold" => "/holds",
            "txn" => "/ledger",
            "account" if key.partition().contains("/acc_") => "/accounts",
            sort if sort.starts_with("e#") => "/events",
            _ => return,
        };
        let tenant = key.partition().split('/').next().unwrap_or_default();
        let in_it = |at: &Key| at.partition().strip_prefix(tenant) == Some(list);
        if !record.body.index.iter().any(in_it) {
            self.violate(format!("{key:?}"), format!("is not in the list {list}"));
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
        self.tallies.extend(batch.tallies.iter().cloned());
    }

    /// Whether the verifiable log shows every transaction.
    #[must_use]
    pub fn log_is_complete(&self) -> bool {
        self.log.is_complete()
    }

    /// A file whose counts are not those of its payments.
    #[must_use]
    pub fn miscounted(&self) -> Option<String> {
        let mut counts: BTreeMap<String, Tally> = BTreeMap::new();
        for life in self.payments.values() {
            let payment = &life.payment;
            if let Some(batch) = payment.batch {
                let partition = record::partition(life.tenant, batch);
                lives::count(counts.entry(partition).or_default(), payment.stage);
            }
        }
        let told = |partition: &String| self.tallies.get(partition).copied().unwrap_or_default();
        let wrong = counts.iter().find(|(of, count)| told(of) != **count);
        wrong.map(|(of, count)| format!("{of} counts {:?}; its payments are {count:?}", told(of)))
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
