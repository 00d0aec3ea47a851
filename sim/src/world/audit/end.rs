//! What must be so once the faults have stopped and everything has come to rest.

use lombard_core::{
    ledger::Rollup,
    lifecycle::Stage,
    payment::{AskedBy, Direction, Kind, RecallState},
    rail::Rail,
    time::Timestamp,
    timer::Due,
};

use super::{AccountKey, Auditor, lives::Life};
use crate::world::{
    books::{Books as RailBooks, Order, Standing},
    receiver::Received,
};

impl Auditor {
    /// What is still to come, in a few words; `None` when everything is at rest.
    #[must_use]
    pub fn unrest(&self, now: Timestamp) -> Option<String> {
        if !self.rolled_up() {
            return Some("the roll-up has not come to the end".to_owned());
        }
        let open = self.payments.values().find(|life| self.is_open(life));
        if let Some(life) = open {
            return Some(format!("{} is {:?}", life.payment.id, life.payment.stage));
        }
        let due = self.set().find(|(_, timer)| match timer.what {
            Due::ExpireHold(id) => self
                .holds
                .get(&id)
                .is_some_and(|(_, hold)| hold.ended_at.is_none()),
            Due::ExecutePayment(_)
            | Due::ExpirePayment(_)
            | Due::Enquire(_)
            | Due::AnswerRecall(_) => false,
        });
        due.map(|(key, _)| format!("{key:?} is still to come"))
            .or_else(|| self.overdue(now))
    }

    fn is_open(&self, life: &Life) -> bool {
        let decided = matches!(
            life.payment.stage,
            Stage::Cleared | Stage::Settled | Stage::Failed | Stage::Reversed
        );
        !decided && !self.escalated(life.payment.id)
    }

    /// A payment that waits for money that is there: nobody has woken it, and no person has been told
    /// that its account could not be looked at.
    #[must_use]
    pub fn asleep(&self) -> Option<String> {
        let found = self.payments.values().find(|life| {
            let payment = &life.payment;
            let account = payment.debtor.account();
            if account.is_some_and(|id| self.exceptions.contains_key(&id.to_string())) {
                return false;
            }
            let account = account.map(|id| (life.tenant, id));
            let available = account
                .and_then(|key| self.accounts.get(&key))
                .map_or(0, super::books::Standing::available);
            payment.stage == Stage::AwaitingFunds
                && available >= i128::from(payment.money.amount.minor())
        });
        found.map(|life| life.payment.id.to_string())
    }

    /// What can be spent from an account, in minor units.
    #[must_use]
    pub fn available(&self, account: AccountKey) -> u64 {
        let standing = self.accounts.get(&account);
        let available = standing.map_or(0, super::books::Standing::available);
        u64::try_from(available).unwrap_or(0)
    }

    /// By how much too little is there for a payment that waits for money in an account.
    #[must_use]
    pub fn lacking(&self, account: AccountKey) -> Option<u64> {
        let waits = |life: &&Life| {
            let debtor = life.payment.debtor.account().map(|id| (life.tenant, id));
            life.payment.stage == Stage::AwaitingFunds && debtor == Some(account)
        };
        let life = self.payments.values().find(waits)?;
        let wanted = life.payment.money.amount.minor();
        wanted
            .checked_sub(self.available(account))
            .filter(|lacking| *lacking > 0)
    }

    /// The last look: our books and the rail's come to the same, and whoever wanted to be told was.
    pub fn end(&mut self, rail: &RailBooks, received: &Received) {
        let mut found: Vec<(String, String)> = self.check_told(received).into_iter().collect();
        for life in self.payments.values() {
            let payment = &life.payment;
            if payment.direction == Direction::Out && payment.rail != Rail::Book {
                let orders: Vec<&Order> = rail.of(payment.id).collect();
                if let Some(text) = self.differs(life, &orders) {
                    found.push((payment.id.to_string(), text));
                }
            }
        }
        for life in self.payments.values() {
            if let Some(text) = self.unsaid(life, rail) {
                found.push((life.payment.id.to_string(), text));
            }
        }
        for order in rail.orders.values() {
            if !self.payments.contains_key(&order.payment) {
                found.push((
                    order.payment.to_string(),
                    "the rail has it, and we do not".to_owned(),
                ));
            }
        }
        for (reference, credit) in &rail.credits {
            let ours = self.payments.get(&credit.payment);
            let same = ours.is_some_and(|life| {
                let payment = &life.payment;
                payment.money == credit.money
                    && payment
                        .creditor
                        .account()
                        .is_some_and(|id| match credit.account {
                            Some(account) => account == id,
                            None => id.rollup() == Rollup::House,
                        })
            });
            if credit.taken != same || credit.taken != ours.is_some() {
                let text = format!("{reference}: the rail brought {credit:?}; we have {ours:?}");
                found.push((credit.payment.to_string(), text));
            }
        }
        for (subject, text) in found {
            self.violate(subject, text);
        }
    }

    /// A recall of which the rail has not heard what it must hear.
    fn unsaid(&self, life: &Life, rail: &RailBooks) -> Option<String> {
        let payment = &life.payment;
        let recall = payment.recall.as_ref()?;
        let heard = match (recall.asked_by, recall.state) {
            (AskedBy::Them, RecallState::Refused) => rail.refusals.contains(&payment.id),
            (AskedBy::Us, _) => rail.of(payment.id).any(|order| order.recalled),
            (AskedBy::Them, _) => true,
        };
        let silent = !heard && !self.escalated(payment.id);
        silent.then(|| format!("the rail has not heard of {recall:?}"))
    }

    /// How a payment differs from what the rail has of it.
    fn differs(&self, life: &Life, orders: &[&Order]) -> Option<String> {
        let payment = &life.payment;
        if orders.len() > 1 {
            return Some(format!("the rail has it {} times", orders.len()));
        }
        let stage = payment.stage;
        let cleared = matches!(stage, Stage::Cleared | Stage::Settled);
        let escalated = self.escalated(payment.id);
        let Some(order) = orders.first() else {
            return cleared.then(|| format!("is {stage:?}, and the rail has never heard of it"));
        };
        if order.money != payment.money {
            return Some(format!("is {:?} with the rail", order.money));
        }
        let gone_back = stage == Stage::Reversed && order.returned == payment.returned;
        let right = match order.standing {
            Standing::Undecided => !cleared && (stage != Stage::Failed) && escalated,
            // A rail that says no and then yes leaves a person to decide what is right.
            Standing::Accepted if order.was.1 => cleared || stage == Stage::Reversed || escalated,
            Standing::Accepted => cleared || gone_back,
            Standing::Rejected => matches!(stage, Stage::Failed | Stage::Reversed),
        };
        let returns = payment.kind == Kind::CreditTransfer && order.returned != payment.returned;
        if !right || returns {
            let returned = payment.returned;
            return Some(format!(
                "is {stage:?}, {returned} returned; the rail has {order:?}"
            ));
        }
        None
    }
}
