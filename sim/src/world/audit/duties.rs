//! Whoever waits has somebody who will come: a timer, an errand that is not done yet, a person.

use lombard_core::{
    hold::HoldState,
    id::Id,
    ledger::Rollup,
    lifecycle::Stage,
    payment::{Payment, RecallState},
    store::Key,
    tenant::TenantId,
    time::Timestamp,
    timer::{Due, Timer},
};

use super::{Auditor, batch::Batch};

/// How late a timer may be once the faults have stopped: hosts' clocks differ by less.
const TIMERS_LATE_MS: u64 = 60_000;

/// A timer that is set.
pub type Duty = Timer;

impl Auditor {
    pub(super) fn note_duties(&mut self, batch: &Batch) {
        for (key, timer) in &batch.timers_set {
            self.duties.insert(key.clone(), timer.clone());
        }
        for key in &batch.timers_gone {
            self.duties.remove(key);
        }
        for (name, position) in &batch.cursors {
            let before = self.cursors.insert(name.clone(), *position);
            if before.is_some_and(|before| before >= *position) {
                self.violate(
                    name,
                    format!("the cursor goes from {before:?} to {position}"),
                );
            }
        }
    }

    pub(super) fn check_duties(&mut self, batch: &Batch) {
        let quiet = batch.cursors.is_empty() && batch.timers_gone.is_empty();
        let touched: Vec<Id<Payment>> = if quiet {
            batch
                .payments
                .iter()
                .map(|(_, payment)| payment.id)
                .collect()
        } else {
            self.payments.keys().copied().collect()
        };
        for id in touched {
            self.check_waiting_payment(id);
        }
        if !batch.holds.is_empty() || !quiet {
            self.check_open_holds();
        }
        for (tenant, balance) in &batch.balances {
            let waits = self.payments.values().filter(|life| {
                life.tenant == *tenant
                    && life.payment.stage == Stage::AwaitingFunds
                    && life.payment.debtor.account() == Some(balance.account)
            });
            let count = waits.count();
            if balance.account.rollup() == Rollup::Constrained && balance.waiting as usize != count
            {
                let found = format!("says that {} payments wait; {count} do", balance.waiting);
                self.violate(balance.account, found);
            }
        }
    }

    /// A payment that the rail takes for the first time has been noted as leaving, with its money held: from
    /// then on nobody can take it back.
    pub fn leaving(&mut self, tenant: TenantId, payment: &Payment) {
        let known = self.payments.get(&payment.id);
        let held = known.is_some_and(|life| {
            let noted = matches!(life.payment.stage, Stage::Submitted | Stage::InDoubt);
            life.tenant == tenant && noted && life.payment.money == payment.money
        });
        if !held {
            let stage = known.map(|life| life.payment.stage);
            self.violate(payment.id, format!("leaves us while it is {stage:?}"));
        }
    }

    fn has(&self, fits: impl Fn(&Timer) -> bool) -> bool {
        self.duties.values().any(fits)
    }

    fn check_waiting_payment(&mut self, id: Id<Payment>) {
        let Some(life) = self.payments.get(&id) else {
            return;
        };
        let payment = &life.payment;
        let stage = payment.stage;
        let cared_for = match payment.stage {
            Stage::Verifying | Stage::AwaitingFunds => self.has(|timer| {
                timer.what == Due::ExpirePayment(id) && Some(timer.due) == payment.expires_at
            }),
            Stage::Scheduled => self.has(|timer| {
                timer.what == Due::ExecutePayment(id) && Some(timer.due) == payment.execute_at
            }),
            Stage::InDoubt => self.has(|timer| {
                timer.what == Due::Enquire(id) && Some(timer.due) == payment.attempt.next_enquiry
            }),
            Stage::Held | Stage::Queued | Stage::Submitted => {
                let consumer = format!("rails-{}#0000", payment.rail);
                let done = self.cursors.get(&consumer).copied().unwrap_or(0);
                life.errand_at.is_some_and(|at| at > done)
            }
            _ => true,
        };
        let recall = payment
            .recall
            .as_ref()
            .filter(|recall| recall.state == RecallState::Asked && !life.overdue);
        let watched = recall.is_none_or(|recall| {
            self.has(|timer| {
                timer.what == Due::AnswerRecall(id) && Some(timer.due) == recall.answer_by
            })
        });
        if !watched {
            self.violate(
                id,
                "waits for the answer to a recall, and nobody minds when it is due",
            );
            return;
        }
        if !cared_for && !self.escalated(id) {
            self.violate(
                id,
                format!("is {stage:?} and nobody will come: no timer, no errand"),
            );
        }
    }

    fn check_open_holds(&mut self) {
        let forgotten = self.holds.values().find(|(_, hold)| {
            let due = |timer: &Timer| {
                timer.what == Due::ExpireHold(hold.id) && timer.due == hold.expires_at
            };
            hold.state == HoldState::Open && !self.has(due)
        });
        if let Some((_, hold)) = forgotten {
            self.violate(hold.id, "is open and nobody will end it: no timer");
        }
    }

    /// A timer that was due long ago and is still set: it was never fired, or is fired for ever.
    pub(super) fn overdue(&self, now: Timestamp) -> Option<String> {
        let late = |timer: &&Timer| timer.due.plus_ms(TIMERS_LATE_MS) < now;
        let timer = self.duties.values().find(late)?;
        Some(format!(
            "{:?} was due {} and is still set",
            timer.what, timer.due
        ))
    }

    /// Timers that are set and not due before a moment that never comes: for the end.
    pub(super) fn set(&self) -> impl Iterator<Item = (&Key, &Timer)> {
        self.duties.iter()
    }
}
