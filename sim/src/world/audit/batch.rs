//! What one commit wrote, sorted by kind.

use lombard_core::{
    audit,
    event::Event,
    hold::Hold,
    idempotency::Outcome,
    ledger::{Balance, Entry, Transaction},
    payment::Payment,
    store::{Change, Key, Record, decode},
    tenant::TenantId,
    timer::Timer,
};
use lombard_service::{
    batch::tally::Tally,
    exceptions::Exception,
    hooks::{
        delivery::Delivery,
        endpoint::{self, Endpoint},
    },
};

/// See the module.
#[derive(Default)]
pub struct Batch {
    /// How many records it changed.
    pub changes: usize,
    pub transactions: Vec<(TenantId, Transaction)>,
    /// With the partition of the account.
    pub entries: Vec<(TenantId, Key, Entry)>,
    pub balances: Vec<(TenantId, Balance)>,
    pub payments: Vec<(TenantId, Payment)>,
    pub events: Vec<(Key, Event)>,
    pub holds: Vec<(TenantId, Hold)>,
    pub timers_set: Vec<(Key, Timer)>,
    pub timers_gone: Vec<Key>,
    pub outcomes: Vec<(Key, Outcome)>,
    pub exceptions: Vec<Exception>,
    /// What somebody did, by the records of it.
    pub audits: Vec<audit::Audit>,
    pub endpoints: Vec<(TenantId, Endpoint)>,
    pub deliveries: Vec<(TenantId, Delivery)>,
    /// What became of the payments of a file, by its partition.
    pub tallies: Vec<(String, Tally)>,
    /// The events again, with whom they are for.
    pub told: Vec<(TenantId, Event)>,
    /// Consumers' cursors, by name.
    pub cursors: Vec<(String, u64)>,
    /// How far the roll-up came, if it moved.
    pub rolled_up: Option<u64>,
}

impl Batch {
    /// Sorts a commit.
    pub fn of(changes: &[Change]) -> Self {
        let mut batch = Self::default();
        for Change { key, record } in changes {
            batch.changes += 1;
            match record {
                Some(record) => batch.take(key, record),
                None if key.partition().starts_with("timer#") => {
                    batch.timers_gone.push(key.clone());
                }
                None => {}
            }
        }
        // In the order in which they happened, which is not that of their keys.
        batch
            .events
            .sort_by_key(|(_, event)| (event.payment, event.number));
        batch
            .entries
            .sort_by_key(|(_, key, entry)| (key.partition().to_owned(), entry.number));
        batch
    }

    fn take(&mut self, key: &Key, record: &Record) {
        let bytes = &record.body.bytes;
        let (partition, sort) = (key.partition(), key.sort());
        if partition.starts_with("timer#") {
            self.timers_set.push((key.clone(), decode(bytes)));
            return;
        }
        if let Some(name) = partition.strip_prefix("cursor#") {
            match name.strip_prefix("rollup#") {
                Some(_) => self.rolled_up = Some(decode(bytes)),
                None => self.cursors.push((name.to_owned(), decode(bytes))),
            }
            return;
        }
        let tenant = partition.split('/').next().unwrap_or_default();
        let Ok(tenant) = tenant.parse::<TenantId>() else {
            return;
        };
        match sort {
            "txn" => self.transactions.push((tenant, decode(bytes))),
            "balance" => self.balances.push((tenant, decode(bytes))),
            "payment" => self.payments.push((tenant, decode(bytes))),
            "hold" => self.holds.push((tenant, decode(bytes))),
            "outcome" => self.outcomes.push((key.clone(), decode(bytes))),
            audit::SORT => self.audits.push(decode(bytes)),
            "exception" => self.exceptions.push(decode(bytes)),
            _ if sort.starts_with("n#") => {
                self.entries.push((tenant, key.clone(), decode(bytes)));
            }
            _ if sort.starts_with("e#") => {
                let event: Event = decode(bytes);
                self.told.push((tenant, event.clone()));
                self.events.push((key.clone(), event));
            }
            _ if sort.starts_with("tally#") => {
                self.tallies.push((partition.to_owned(), decode(bytes)));
            }
            _ if endpoint::tenant_of(key).is_some() => {
                self.endpoints.push((tenant, decode(bytes)));
            }
            _ if partition.contains("/whk_") => self.deliveries.push((tenant, decode(bytes))),
            _ => {}
        }
    }
}
