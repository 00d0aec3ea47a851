//! A decision in the making: what was read, what will be written, and what is still to be read.

use std::{cell::RefCell, collections::BTreeMap};

use super::{Context, Reads, Step, keys};
use crate::{
    audit::{self, Audit},
    command::{Command, Rejection, Reply, View},
    currency::Currency,
    event::{Event, News},
    id::{Id, Named},
    idempotency::Outcome,
    journal::Journal,
    ledger::{Account, Balance, Entry, EntryNumber, LedgerError, Leg, Rollup, Transaction},
    lifecycle::Stage,
    payment::Payment,
    store::{Body, Key, Snapshot, WriteSet},
    time::Timestamp,
};

/// Why a decision ends before its end.
pub enum Stop {
    /// More must be read.
    Missing,
    /// It was decided before.
    Decided(Reply),
    /// It is refused.
    Rejected(Rejection),
}

impl From<Rejection> for Stop {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<LedgerError> for Stop {
    fn from(error: LedgerError) -> Self {
        Self::Rejected(Rejection::Ledger(error))
    }
}

/// The rejection of an account that is not there.
pub fn no_account(id: Id<Account>) -> Rejection {
    Rejection::NotFound {
        what: "account",
        id: id.to_string(),
    }
}

/// A balance in the making, and whether it differs from what was read.
struct Touched {
    balance: Balance,
    changed: bool,
}

/// See the module.
pub struct Draft<'a> {
    pub(super) snapshot: &'a Snapshot,
    /// What is asked.
    pub command: &'a Command,
    context: Context<'a>,
    pub(super) writes: WriteSet,
    balances: BTreeMap<Id<Account>, Touched>,
    pub(super) reads: RefCell<Reads>,
    /// How many each parent has, so that ids differ.
    transactions: BTreeMap<u128, u32>,
    handed_on: Option<Payment>,
    /// Where the answer is kept, if it is.
    pub(super) outcome: Option<Key>,
}

impl<'a> Draft<'a> {
    pub fn new(snapshot: &'a Snapshot, command: &'a Command, context: Context<'a>) -> Self {
        let wish = command.idempotency.as_ref();
        Self {
            snapshot,
            command,
            context,
            writes: snapshot.checks(),
            balances: BTreeMap::new(),
            reads: RefCell::default(),
            transactions: BTreeMap::new(),
            handed_on: None,
            outcome: wish.map(|wish| wish.record_key(command.tenant)),
        }
    }

    /// The moment of the decision.
    pub const fn now(&self) -> Timestamp {
        self.context.now
    }

    pub const fn tenant(&self) -> crate::tenant::TenantId {
        self.command.tenant
    }

    /// Stops with the answer that was given before, if there was one.
    pub fn answered_before(&self) -> Result<(), Stop> {
        let (Some(wish), Some(key)) = (&self.command.idempotency, &self.outcome) else {
            return Ok(());
        };
        let Some(outcome) = self.read::<Outcome>(key)? else {
            return Ok(());
        };
        if outcome.fingerprint != wish.fingerprint && !crate::planted!(FingerprintIgnored) {
            return Err(Rejection::KeyReused.into());
        }
        Err(Stop::Decided(Reply {
            status: outcome.status + u16::from(crate::planted!(ReplayDiffers)),
            body: outcome.body.get().as_bytes().into(),
            stage: None,
            replayed: true,
        }))
    }

    /// An account that may take part: there, open, and of this currency.
    pub fn check_account(&mut self, id: Id<Account>, currency: Currency) -> Result<(), Stop> {
        let found = match id.rollup() {
            Rollup::Constrained => {
                let balance = self.balance(id)?;
                if !balance.open && !crate::planted!(ClosedIgnored) {
                    return Err(LedgerError::Closed { account: id }.into());
                }
                balance.currency
            }
            Rollup::House => {
                let key = keys::account(self.tenant(), id);
                let account = self.read_hint::<Account>(&key)?;
                account.ok_or_else(|| no_account(id))?.currency
            }
        };
        if found != currency && !crate::planted!(CurrencyIgnored) {
            let error = LedgerError::WrongCurrency {
                account: id,
                expected: found,
                found: currency,
            };
            return Err(error.into());
        }
        Ok(())
    }

    fn touched(&mut self, id: Id<Account>) -> Result<&mut Touched, Stop> {
        if !self.balances.contains_key(&id) {
            let balance = self
                .read::<Balance>(&keys::balance(self.tenant(), id))?
                .ok_or_else(|| no_account(id))?;
            self.balances.insert(
                id,
                Touched {
                    balance,
                    changed: false,
                },
            );
        }
        match self.balances.get_mut(&id) {
            Some(touched) => Ok(touched),
            None => Err(Stop::Missing),
        }
    }

    /// Where a constrained account stands, as this decision leaves it so far.
    pub fn balance(&mut self, id: Id<Account>) -> Result<&Balance, Stop> {
        Ok(&self.touched(id)?.balance)
    }

    /// The same, to be changed.
    pub fn balance_mut(&mut self, id: Id<Account>) -> Result<&mut Balance, Stop> {
        let touched = self.touched(id)?;
        touched.changed = true;
        Ok(&mut touched.balance)
    }

    /// Takes in a balance that was just opened.
    pub fn open_balance(&mut self, balance: Balance) {
        self.balances.insert(
            balance.account,
            Touched {
                balance,
                changed: true,
            },
        );
    }

    /// Writes a transaction into the books: itself, and the balance and entry of each
    /// constrained account. House accounts follow from the feed.
    pub fn enter<P: Named>(
        &mut self,
        parent: Id<P>,
        number: u32,
        journal: Journal,
        payment: Option<Id<Payment>>,
        legs: Vec<Leg>,
    ) -> Result<Id<Transaction>, Stop> {
        let count = self.transactions.entry(parent.bits()).or_default();
        *count += 1;
        let serial = number.wrapping_mul(8).wrapping_add(*count);
        let id = Id::derived(self.now(), parent, serial);
        self.enter_as(id, journal, payment, legs)?;
        Ok(id)
    }

    /// The same, under an id that was given.
    pub fn enter_as(
        &mut self,
        id: Id<Transaction>,
        journal: Journal,
        payment: Option<Id<Payment>>,
        legs: Vec<Leg>,
    ) -> Result<Transaction, Stop> {
        let mut at = self.now();
        let mut constrained: Vec<Id<Account>> = legs.iter().map(|leg| leg.account).collect();
        constrained.sort_unstable();
        constrained.dedup();
        constrained.retain(|account| account.rollup() == Rollup::Constrained);
        for account in &constrained {
            self.want_account(*account);
        }
        for account in &constrained {
            // Hosts' clocks differ; an account's entries are in order all the same.
            at = at.max(self.balance(*account)?.at);
        }
        let mut transaction = Transaction::new(id, at, journal, payment, legs)?;
        transaction.trace.clone_from(&self.command.trace);
        for account in constrained {
            let entry: Entry = self.balance_mut(account)?.enter(&transaction)?;
            let number = entry.number;
            transaction.entries.push(EntryNumber { account, number });
            let partition = keys::account_partition(self.tenant(), account);
            let key = Key::new(&partition, &keys::entry_sort(entry.number));
            self.writes.create(key, Body::of(&entry));
        }
        let listed = Key::new(&keys::ledger_list(self.tenant()), id.text().as_str());
        let body = Body::of(&transaction).listed(listed);
        self.create(keys::transaction(self.tenant(), id), body);
        Ok(transaction)
    }

    /// Adds an event to a payment's timeline and stores the payment as it is now. To be called
    /// after everything else about the news is in place.
    pub fn tell(&mut self, payment: &mut Payment, telling: Telling) {
        let reused = crate::planted!(EventReused) && payment.events > 0;
        payment.events += u32::from(!reused);
        payment.updated_at = payment.updated_at.max(self.now());
        let number = payment.events;
        let event = Event {
            id: Id::derived(payment.updated_at, payment.id, number),
            payment: payment.id,
            number,
            at: payment.updated_at,
            news: telling.news,
            stage: payment.stage,
            moved: telling.moved_from.is_some(),
            // The first event's payment stood nowhere.
            before: telling.moved_from.filter(|_| number > 1),
            reason: payment.reason,
            reason_code: payment.reason_code.clone(),
            amount: telling.amount,
            actor: self.command.actor.to_string(),
            trace: self.command.trace.clone(),
            effects: telling.errands,
        };
        let partition = keys::payment_partition(self.tenant(), payment.id);
        let key = Key::new(&partition, &keys::event_sort(number));
        let body = Body::of(&event).listed(keys::event_listed(self.tenant(), event.id));
        self.writes.create(key, body);
    }

    /// Stores a payment that was read, or a new one.
    pub fn store_payment(&mut self, payment: &Payment) {
        let tenant = self.tenant();
        let list = Key::new(&keys::payments_list(tenant), payment.id.text().as_str());
        let mut body = Body::of(payment);
        if !crate::planted!(ListForgotten) {
            body = body.listed(list);
        }
        if payment.charge.is_some() {
            let charges = keys::charges_list(tenant);
            body = body.listed(Key::new(&charges, payment.id.text().as_str()));
        }
        if let Some(waiting) = keys::wakes(tenant, payment) {
            body = body.listed(Key::new(&waiting, payment.id.text().as_str()));
        }
        self.put(&keys::payment(tenant, payment.id), body);
    }

    /// Leaves an original, as this decision has changed it so far, to whoever goes on with it: it is
    /// told of its return, or of the next.
    pub fn hand_on(&mut self, original: Payment) {
        self.handed_on = Some(original);
    }

    /// Takes over what was handed on.
    pub fn take_handed_on(&mut self, id: Id<Payment>) -> Option<Payment> {
        self.handed_on.take_if(|payment| payment.id == id)
    }

    /// Writes a record that cannot be there, or was read and is not.
    pub fn create(&mut self, key: Key, body: Body) {
        self.writes.create(key, body);
    }

    /// Writes down, in the same commit, that whoever asks did something on purpose.
    pub fn note<P: Named>(&mut self, what: &str, parent: Id<P>, number: u32, why: Option<&str>) {
        let id = Id::derived(self.now(), parent, number);
        let who = &self.command.actor;
        let mut record = Audit::new(id, self.tenant(), self.now(), who, what)
            .on(parent)
            .traced(self.command.trace.clone());
        record.why = why.map(str::to_owned);
        audit::enter(&mut self.writes, &record);
    }

    /// Writes a record whose key says all that it says: written twice in one decision, it is one.
    pub fn create_once(&mut self, key: Key, body: Body) {
        if !self.writes.iter().any(|(known, _)| *known == key) {
            self.writes.create(key, body);
        }
    }

    /// Writes a record that was read, there or not.
    pub fn put(&mut self, key: &Key, body: Body) {
        self.writes.put(key, body);
    }

    /// Removes a record that was read.
    pub fn delete(&mut self, key: &Key) {
        self.writes.delete(key);
    }

    /// The answer that shows `view`.
    pub fn answer(&self, status: u16, stage: Option<Stage>, view: View<'_>) -> Reply {
        let body = self.context.render.render(view).into();
        Reply {
            status,
            body,
            stage,
            replayed: false,
        }
    }

    /// The answer to those who want none.
    pub fn done(stage: Option<Stage>) -> Reply {
        Reply {
            status: 204,
            body: Vec::new().into(),
            stage,
            replayed: false,
        }
    }

    /// Stops because there is nothing to do: the payment stands where it stood.
    pub fn nothing(&self, payment: &Payment, status: u16) -> Stop {
        let reply = match self.command.idempotency {
            Some(_) => self.answer(status, Some(payment.stage), View::Payment(payment)),
            None => Self::done(Some(payment.stage)),
        };
        Stop::Decided(reply)
    }

    pub fn into_reads(self) -> Reads {
        self.reads.into_inner()
    }

    /// The whole decision: the balances and the kept answer join the writes.
    pub fn finish(mut self, reply: Reply) -> Step {
        for (id, touched) in std::mem::take(&mut self.balances) {
            // A balance that was only looked at stays a check.
            if touched.changed {
                let key = keys::balance(self.tenant(), id);
                self.writes.put(&key, Body::of(&touched.balance));
            }
        }
        let kept = self.command.idempotency.as_ref().zip(self.outcome.take());
        if let Some((wish, key)) = kept.filter(|_| !crate::planted!(OutcomeForgotten)) {
            let bytes = Outcome::encode(wish.fingerprint, reply.status, self.now(), &reply.body);
            let body = Body {
                bytes: bytes.into(),
                index: Vec::new(),
            };
            self.writes.put(&key, body);
        }
        Step::Commit(self.writes, reply)
    }
}

/// What an event says beside what the payment says.
pub struct Telling {
    /// What happened.
    pub news: News,
    /// The stage before, if it changed.
    pub moved_from: Option<Stage>,
    /// Of how much, where it is not the whole payment.
    pub amount: Option<u64>,
    /// What workers must do about it.
    pub errands: Vec<crate::event::Errand>,
}
