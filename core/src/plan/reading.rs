//! The reading half of a draft: what a decision needs to know, asked for until it is there.

use serde::de::DeserializeOwned;

use super::{
    draft::{Draft, Stop},
    keys,
};
use crate::{
    command::Act,
    id::Id,
    ledger::{Account, Rollup},
    party::{side_key, side_of},
    risk::Assessment,
    store::{Key, decode},
};

impl Draft<'_> {
    /// Asks for the keys that the act will surely need, when nothing was read yet.
    pub fn foresee(&self, act: &Act) {
        if !self.snapshot.is_empty() {
            return; // It was asked for the first time.
        }
        let tenant = self.tenant();
        if let Some(key) = &self.outcome {
            self.want(key);
        }
        match act {
            Act::Pay(pay) => {
                self.want_account(pay.debtor);
                if let Some(creditor) = pay.creditor.account() {
                    self.want_account(creditor);
                }
                self.want(&keys::payment(tenant, pay.id));
                let challenged = pay.risk.as_ref().is_some_and(Assessment::may_challenge);
                if pay.sca.is_some() || challenged {
                    self.want(&keys::sca(tenant, pay.debtor));
                }
                if !pay.parties.is_empty() {
                    self.want(&side_key(tenant, &pay.debtor.to_string()));
                    self.want(&side_key(tenant, &side_of(&pay.creditor)));
                }
                for limit in pay.risk.iter().flat_map(|risk| &risk.limits) {
                    self.want(&keys::limit(tenant, &limit.counter));
                }
            }
            Act::Receive(receive) => {
                if let Some(creditor) = receive.creditor {
                    self.want_account(creditor);
                }
                self.want(&keys::payment(tenant, receive.id));
            }
            Act::Charge(make) => {
                self.want_account(make.creditor);
                self.want(&keys::payment(tenant, make.id));
                for limit in make.risk.iter().flat_map(|risk| &risk.limits) {
                    self.want(&keys::limit(tenant, &limit.counter));
                }
            }
            Act::Cancel(id)
            | Act::Capture(id, _)
            | Act::Void(id)
            | Act::Verify(id, _)
            | Act::Challenge(id)
            | Act::AnswerChallenge(id, ..)
            | Act::RetryFunds(id)
            | Act::RetryParties(id)
            | Act::Report(id, _) => {
                self.want(&keys::payment(tenant, *id));
            }
            _ => {}
        }
    }

    /// Asks for what a transaction needs to know of an account: the balance of a constrained
    /// one under guard, that there is a house account as a hint.
    pub fn want_account(&self, id: Id<Account>) {
        match id.rollup() {
            Rollup::Constrained => self.want(&keys::balance(self.tenant(), id)),
            Rollup::House => self.want_hint(&keys::account(self.tenant(), id)),
        }
    }

    /// Asks for a key, unless it was read. Does not stop.
    pub fn want(&self, key: &Key) {
        if !self.snapshot.has(key) {
            let wanted = &mut self.reads.borrow_mut().guarded;
            if !wanted.contains(key) {
                wanted.push(key.clone());
            }
        }
    }

    fn want_hint(&self, key: &Key) {
        if !self.snapshot.has(key) {
            let wanted = &mut self.reads.borrow_mut().hints;
            if !wanted.contains(key) {
                wanted.push(key.clone());
            }
        }
    }

    /// The value under a key, or the wish to read it.
    pub fn read<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, Stop> {
        self.want(key);
        self.settled()?;
        Ok(self.snapshot.value(key))
    }

    /// A record as this decision leaves it so far: a decision about many payments may add to it
    /// more than once.
    pub fn so_far<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, Stop> {
        let read = self.read(key)?;
        let written = self.writes.written(key);
        Ok(written.map(|body| decode(&body.bytes)).or(read))
    }

    /// Whether there is anything under a key, or the wish to read it.
    pub fn is_there(&self, key: &Key) -> Result<bool, Stop> {
        self.want(key);
        self.settled()?;
        Ok(self.snapshot.get(key).is_some())
    }

    /// The same, not guarded.
    pub fn read_hint<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, Stop> {
        self.want_hint(key);
        self.settled()?;
        Ok(self.snapshot.value(key))
    }

    /// Stops when anything that was asked for is not there yet.
    fn settled(&self) -> Result<(), Stop> {
        let reads = self.reads.borrow();
        if reads.guarded.is_empty() && reads.hints.is_empty() {
            Ok(())
        } else {
            Err(Stop::Missing)
        }
    }
}
