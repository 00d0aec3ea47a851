//! Payments through the plan: a small world of its own, single-threaded and in memory, in which
//! commands are carried out and the laws are checked after each.

use std::collections::BTreeMap;

use lombard_core::{
    command::{Act, Command, Rejection, Render, Reply, View},
    id::Id,
    ledger::{Balance, Rollup, Transaction},
    plan::{Context, Step, keys, plan},
    store::{Key, Record, Snapshot, WriteSet, decode},
    tenant::TenantId,
    time::Timestamp,
};

mod backs;
pub mod charges;
pub mod flows;
mod found;
mod holds;
mod journals;
mod lines;
mod parties;
mod providers;
mod repairs;
mod retries;
mod risk;
mod scheduled;

/// Shows enough to tell answers apart.
struct Plain;

impl Render for Plain {
    fn render(&self, view: View<'_>) -> Vec<u8> {
        match view {
            View::Payment(it) => serde_json::to_vec(it),
            View::Account(account, balance) => serde_json::to_vec(&(account, balance)),
            View::Hold(it) => serde_json::to_vec(it),
            View::Transaction(it) => serde_json::to_vec(it),
        }
        .unwrap()
    }
}

/// A store, a clock, and the roll-up that would follow the feed.
pub struct World {
    pub records: BTreeMap<Key, Record>,
    pub now: Timestamp,
    pub tenant: TenantId,
    fresh: Vec<(u64, TenantId, Transaction)>,
    position: u64,
    ids: u128,
}

impl World {
    pub fn new() -> Self {
        Self {
            records: BTreeMap::new(),
            now: Timestamp::from_unix_ms(1_795_000_000_000),
            tenant: TenantId::new(1),
            fresh: Vec::new(),
            position: 0,
            ids: 0,
        }
    }

    pub fn id<T>(&mut self) -> Id<T> {
        self.ids += 2;
        Id::new(self.now, self.ids << 8)
    }

    pub fn command(&self, act: Act) -> Command {
        let actor = "test".into();
        Command {
            tenant: self.tenant,
            actor,
            trace: None,
            idempotency: None,
            act,
        }
    }

    pub fn run(&mut self, act: Act) -> Result<Reply, Rejection> {
        let command = self.command(act);
        self.execute(&command)
    }

    /// Carries a command out and checks the laws.
    pub fn execute(&mut self, command: &Command) -> Result<Reply, Rejection> {
        let mut snapshot = Snapshot::default();
        for _ in 0..8 {
            let context = Context {
                now: self.now,
                render: &Plain,
            };
            match plan(&snapshot, command, context)? {
                Step::Read(reads) => {
                    for key in reads.guarded {
                        let found = self.records.get(&key).cloned();
                        snapshot.put(key, found);
                    }
                    for key in reads.hints {
                        let found = self.records.get(&key).cloned();
                        snapshot.put_hint(key, found);
                    }
                }
                Step::Commit(writes, reply) => {
                    self.apply(&writes);
                    self.check();
                    return Ok(reply);
                }
                Step::Replay(reply) => return Ok(reply),
            }
        }
        panic!("the plan never has enough: {command:?}");
    }

    fn apply(&mut self, writes: &WriteSet) {
        assert_eq!(writes.too_large(), None);
        self.position += 1;
        for (key, write) in writes.iter() {
            let found = self.records.get(key).map(|record| record.version);
            assert_eq!(found, write.expects(), "a guard of {key:?}");
            match write.result() {
                None => {}
                Some(None) => drop(self.records.remove(key)),
                Some(Some(record)) => {
                    if key.sort() == "txn" {
                        let transaction = decode(&record.body.bytes);
                        self.fresh.push((self.position, self.tenant, transaction));
                    }
                    self.records.insert(key.clone(), record);
                }
            }
        }
    }

    pub fn value<T: serde::de::DeserializeOwned>(&self, key: &Key) -> Option<T> {
        self.records
            .get(key)
            .map(|record| decode(&record.body.bytes))
    }

    pub fn balance(&self, id: Id<lombard_core::ledger::Account>) -> Balance {
        self.value(&keys::balance(self.tenant, id))
            .expect("an account that was opened")
    }

    /// The transactions that the roll-up has not been given.
    pub fn unrolled(&mut self) -> Vec<(u64, TenantId, Transaction)> {
        std::mem::take(&mut self.fresh)
    }

    /// Lets the roll-up catch up.
    pub fn roll_up(&mut self) {
        for one in self.unrolled() {
            let roll_up = lombard_core::command::RollUp {
                shard: 0,
                upto: one.0,
                transactions: vec![one],
            };
            self.run(Act::RollUp(roll_up)).unwrap();
        }
    }

    /// Debits equal credits over all transactions ever written, and no constrained account is
    /// overdrawn.
    fn check(&self) {
        let mut sums = BTreeMap::<_, (u64, u64)>::new();
        for (key, record) in &self.records {
            if key.sort() == "txn" {
                let it: Transaction = decode(&record.body.bytes);
                for leg in it.legs {
                    let sum = sums.entry((leg.layer, leg.money.currency)).or_default();
                    match leg.side {
                        lombard_core::ledger::Side::Debit => sum.0 += leg.money.amount.minor(),
                        lombard_core::ledger::Side::Credit => sum.1 += leg.money.amount.minor(),
                    }
                }
            }
            if key.sort() == "balance" {
                let it: Balance = decode(&record.body.bytes);
                if it.account.rollup() == Rollup::Constrained {
                    let spent = it.sums.debits_posted + it.sums.debits_pending;
                    assert!(spent <= it.sums.credits_posted, "{it:?} is overdrawn");
                }
            }
        }
        for (what, (debits, credits)) in sums {
            assert_eq!(debits, credits, "{what:?}");
        }
    }
}
