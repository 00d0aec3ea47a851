//! Payments: every step is one that may be taken, every stage has the money where it belongs, and
//! what the rail knows bears it out.

use std::collections::{BTreeMap, BTreeSet};

use lombard_core::{
    event::{Beside, Event, News},
    id::Id,
    journal::{Journal, Role, house},
    ledger::{Layer, Leg, Side, Transaction},
    lifecycle::{Happened, Stage},
    payment::{Direction, Kind, Payment, RecallState},
    rail::Rail,
    reason::Reason,
    tenant::TenantId,
};
use lombard_service::batch::tally::Tally;

use super::{Auditor, batch::Batch, moves};
use crate::world::books::Books as RailBooks;

/// What the auditor knows of a payment.
#[derive(Clone, Debug)]
pub struct Life {
    pub tenant: TenantId,
    pub payment: Payment,
    /// Minor units promised, by the legs.
    pub pending: i128,
    /// Minor units moved and not moved back by the payment itself, by the legs.
    pub posted: i128,
    /// How often the settlement was booked.
    pub settled: u32,
    /// The place in the feed of the last order to submit it.
    pub errand_at: Option<u64>,
    /// Whether it was told that the answer to its recall is overdue.
    pub overdue: bool,
    /// News of the rail that moved nothing and was told, with the stage at which it was.
    pub told: BTreeSet<(Happened, Stage)>,
}

/// By how much two hosts' clocks may differ, in milliseconds.
pub(super) const CLOCKS_DIFFER_MS: u64 = 15_000;

/// What is known once of a payment stays known: when it left, under which reference the rail has it, how it
/// was recalled.
fn keeps(before: &Payment, now: &Payment) -> bool {
    fn stays<T: PartialEq>(before: &Option<T>, now: &Option<T>) -> bool {
        before.is_none() || before == now
    }
    let (was, is) = (&before.attempt, &now.attempt);
    let case = |it: &Payment| it.recall.as_ref().map(|it| (it.asked_by, it.case.clone()));
    let answered = |it: &Payment| {
        let recall = it.recall.as_ref().map(|recall| recall.state);
        recall.filter(|state| *state != RecallState::Asked)
    };
    stays(&was.submitted_at, &is.submitted_at)
        && stays(&was.rail_reference, &is.rail_reference)
        && stays(&case(before), &case(now))
        && stays(&answered(before), &answered(now))
        && was.enquiries <= is.enquiries
        && is.enquiries <= was.enquiries + 1
}

/// A payment that failed or waits says why; one in doubt says when the rail is asked.
fn unexplained(payment: &Payment) -> Option<String> {
    let right = match payment.stage {
        Stage::Failed | Stage::Verifying => payment.reason.is_some(),
        Stage::AwaitingFunds => payment.reason == Some(Reason::InsufficientFunds),
        Stage::InDoubt => payment.attempt.next_enquiry.is_some() && payment.attempt.enquiries > 0,
        Stage::Submitted => payment.attempt.submitted_at.is_some(),
        _ => true,
    };
    let (stage, reason) = (payment.stage, payment.reason);
    (!right).then(|| format!("is {stage:?} for {reason:?}, asked {:?}", payment.attempt))
}

impl Auditor {
    pub(super) fn check_lives(&mut self, batch: &Batch, rail: &RailBooks) {
        let mut reversed = Vec::new();
        for (tenant, payment) in &batch.payments {
            self.check_identity(*tenant, payment);
        }
        for (tenant, transaction) in &batch.transactions {
            self.check_journal(*tenant, transaction);
            self.book(transaction);
            if transaction.journal == Journal::Reversal {
                reversed.extend(transaction.payment);
            }
        }
        for (tenant, payment) in &batch.payments {
            self.check_path(*tenant, payment, batch, rail);
        }
        for (_, payment) in &batch.payments {
            self.check_money(payment.id, reversed.contains(&payment.id));
            self.check_returns(payment.original.unwrap_or(payment.id));
        }
        if let Some((_, event)) = batch
            .events
            .iter()
            .find(|(_, event)| !batch.payments.iter().any(|(_, it)| it.id == event.payment))
        {
            self.violate(event.payment, "an event without its payment");
        }
    }

    /// What a payment is does not change, and one wish makes one payment.
    fn check_identity(&mut self, tenant: TenantId, payment: &Payment) {
        let id = payment.id;
        let Some(life) = self.payments.get_mut(&id) else {
            self.check_accounts_open(tenant, payment);
            let (debtor, creditor) = (payment.debtor.account(), payment.creditor.account());
            if debtor.is_some() && debtor == creditor {
                self.violate(id, "pays an account from itself");
            }
            let Some(life) = self.begin_life(tenant, payment) else {
                return;
            };
            self.payments.insert(id, life);
            return;
        };
        let known = &life.payment;
        let what = |it: &Payment| {
            let sides = (it.debtor.clone(), it.creditor.clone());
            let way = (it.rail, it.direction, it.kind, it.original);
            (
                sides,
                way,
                it.money,
                it.end_to_end_id.clone(),
                it.created_at,
            )
        };
        let kept = keeps(known, payment);
        if what(known) != what(payment) || payment.updated_at < known.updated_at || !kept {
            let found = format!("has become another payment: {known:?} to {payment:?}");
            self.violate(id, found);
        }
    }

    /// One wish makes one payment.
    fn begin_life(&mut self, tenant: TenantId, payment: &Payment) -> Option<Life> {
        let id = payment.id;
        let intent = (tenant, payment.end_to_end_id.clone());
        let wished = payment.kind == Kind::CreditTransfer;
        if wished && let Some(other) = self.intents.insert(intent, id) {
            let wish = &payment.end_to_end_id;
            self.violate(
                id,
                format!("is a second payment for {wish}, beside {other}"),
            );
            return None;
        }
        let mut first = payment.clone();
        first.stage = Stage::New;
        first.events = 0;
        Some(Life {
            tenant,
            payment: first,
            pending: 0,
            posted: 0,
            settled: 0,
            errand_at: None,
            overdue: false,
            told: BTreeSet::new(),
        })
    }

    fn check_accounts_open(&mut self, tenant: TenantId, payment: &Payment) {
        // What comes back may find its account closed meanwhile, and waits in suspense then.
        if (payment.kind, payment.direction) == (Kind::Return, Direction::In) {
            return;
        }
        for party in [&payment.debtor, &payment.creditor] {
            let account = party.account().map(|id| (tenant, id));
            let closed = account
                .and_then(|key| self.accounts.get(&key))
                .is_some_and(|it| it.closed);
            if closed {
                self.violate(payment.id, "is made for an account that is closed");
            }
        }
    }

    /// Adds a transaction's legs to the payment that it is for.
    fn book(&mut self, transaction: &Transaction) {
        let Some(life) = transaction
            .payment
            .and_then(|id| self.payments.get_mut(&id))
        else {
            return;
        };
        if matches!(transaction.journal, Journal::OutSettle | Journal::InSettle) {
            life.settled += 1;
            return;
        }
        // The debtor's side tells; the other side of each leg balances it. Seen from outside,
        // the debtor of money that comes in is the clearing account, which is in every leg pair.
        let ours = life.payment.debtor.account();
        let theirs = life.payment.creditor.account();
        // What comes back to an account that was closed meanwhile waits in suspense, in its place.
        let (rail, currency) = (life.payment.rail, life.payment.money.currency);
        let suspense = house(life.tenant, rail, Role::Suspense, currency);
        let debtor = |leg: &&Leg| match ours {
            Some(account) => leg.account == account || leg.account == suspense,
            None => Some(leg.account) != theirs && leg.account != suspense,
        };
        for leg in transaction.legs.iter().filter(debtor) {
            let amount = i128::from(leg.money.amount.minor());
            let signed = match leg.side {
                Side::Debit => amount,
                Side::Credit => -amount,
            };
            match leg.layer {
                Layer::Pending => life.pending += signed,
                Layer::Release => life.pending -= signed,
                Layer::Posted => life.posted += signed,
            }
        }
    }

    /// The events of the commit lead from the stage before to the stage after.
    fn check_path(&mut self, tenant: TenantId, payment: &Payment, batch: &Batch, rail: &RailBooks) {
        let id = payment.id;
        let Some(life) = self.payments.get(&id).cloned() else {
            return;
        };
        let (mut stage, mut number) = (life.payment.stage, life.payment.events);
        let mut found = None;
        let mut errand_at = life.errand_at;
        let mut overdue = life.overdue;
        for (key, event) in batch.events.iter().filter(|(_, event)| event.payment == id) {
            number += 1;
            if event.number != number {
                found = Some(format!("event {} where {number} comes", event.number));
            }
            if !moves::allowed(stage, event.news, event.stage) {
                let (news, to) = (event.news, event.stage);
                found = Some(format!("goes from {stage:?} to {to:?} on {news:?}"));
            }
            let early = event.news == News::Step(Happened::Expired)
                && payment
                    .expires_at
                    .is_none_or(|due| event.at.plus_ms(CLOCKS_DIFFER_MS) < due);
            if early {
                found = Some(format!("expires at {}, before its time", event.at));
            }
            let hasty = stage == Stage::Scheduled
                && !matches!(event.stage, Stage::Scheduled | Stage::Failed)
                && payment
                    .execute_at
                    .is_none_or(|day| event.at.plus_ms(CLOCKS_DIFFER_MS) < day);
            if hasty {
                found = Some(format!("goes at {}, before its day", event.at));
            }
            if event.actor.is_empty() || event.at < life.payment.created_at {
                found = Some(format!(
                    "event {number} says nothing of who and when: {event:?}"
                ));
            }
            if event.moved != (stage != event.stage) {
                found = Some(format!("event {number} is wrong about having moved it"));
            }
            let recalls = News::Beside(Beside::RecallAsked);
            let recalled = News::Beside(Beside::RecallReceived);
            if life.payment.recall.is_some() && [recalls, recalled].contains(&event.news) {
                found = Some("is recalled a second time".to_owned());
            }
            if self.repeats(id, event) {
                found = Some(format!("tells of {:?} a second time", event.news));
            }
            if event.news == News::Beside(Beside::RecallRefused)
                && payment
                    .recall
                    .as_ref()
                    .is_none_or(|it| it.state != RecallState::Refused)
            {
                found = Some("is told of a refusal that its recall does not show".to_owned());
            }
            if event.stage != stage {
                let why = self.unfounded(payment, event.news, event.stage, rail);
                found = why.or(found);
            }
            if event.effects.contains(&lombard_core::event::Errand::Submit) {
                errand_at = Some(self.position);
            }
            overdue |= event.news == News::Beside(Beside::RecallOverdue);
            stage = event.stage;
            if !self.events.insert(key.clone()) {
                found = Some(format!("event {number} is written twice"));
            }
        }
        if let Some(missing) = unexplained(payment) {
            found = Some(missing);
        }
        if stage != payment.stage || number != payment.events {
            let told = (payment.stage, payment.events);
            found = Some(format!(
                "says {told:?}; its events lead to {stage:?}, {number}"
            ));
        }
        if let Some(found) = found {
            self.violate(id, found);
        }
        if let Some(life) = self.payments.get_mut(&id) {
            life.payment = payment.clone();
            life.tenant = tenant;
            life.errand_at = errand_at;
            life.overdue = overdue;
        }
    }

    /// Whether an event repeats what a decided payment was told before and what moved nothing then either.
    fn repeats(&mut self, id: Id<Payment>, event: &Event) -> bool {
        let News::Step(happened) = event.news else {
            return false;
        };
        let of_the_rail = matches!(
            happened,
            Happened::RailAccepted
                | Happened::SettlementFound
                | Happened::Submitted
                | Happened::TimedOut
        );
        let decided = matches!(event.stage, Stage::Cleared | Stage::Settled);
        if event.moved || !of_the_rail || !decided {
            return false;
        }
        let life = self.payments.get_mut(&id);
        life.is_some_and(|life| !life.told.insert((happened, event.stage)))
    }

    /// What the rail's books say against a step.
    fn unfounded(
        &self,
        payment: &Payment,
        news: News,
        to: Stage,
        rail: &RailBooks,
    ) -> Option<String> {
        if payment.direction != Direction::Out || payment.rail == Rail::Book {
            return None;
        }
        let effects = rail.effects(payment.id);
        let refused = rail.refused(payment.id);
        match (to, news) {
            (_, News::Step(Happened::NeverArrived)) if !rail.unheard_of.contains(&payment.id) => {
                Some("is said to have never arrived, which the rail never said".to_owned())
            }
            (Stage::Cleared, _) if effects == 0 => {
                Some("is cleared, and the rail never carried it out".to_owned())
            }
            (Stage::Failed | Stage::Reversed, News::Step(Happened::RailRejected)) if !refused => {
                Some("is rejected, and the rail never refused it".to_owned())
            }
            _ => None,
        }
    }

    /// Each stage has the money where it belongs.
    fn check_money(&mut self, id: Id<Payment>, undone: bool) {
        let Some(life) = self.payments.get(&id) else {
            return;
        };
        let payment = &life.payment;
        let amount = i128::from(payment.money.amount.minor());
        let back = i128::from(payment.returned) + i128::from(payment.returning);
        let held = (life.pending, life.posted);
        let right = match payment.stage {
            Stage::New => false,
            Stage::Verifying | Stage::Scheduled | Stage::AwaitingFunds | Stage::Failed => {
                held == (0, 0)
            }
            Stage::Held | Stage::Queued | Stage::Submitted | Stage::InDoubt => held == (amount, 0),
            Stage::Authorised => false,
            Stage::Cleared | Stage::Settled => held == (0, amount),
            Stage::Reversed if undone => held == (0, back),
            Stage::Reversed => held.0 == 0 && held.1 >= 0,
        };
        let settled = u32::from(payment.stage == Stage::Settled);
        if !right || life.settled < settled || life.settled > 1 {
            let (pending, posted) = held;
            let stage = payment.stage;
            let settled = life.settled;
            let found = format!(
                "is {stage:?} with {pending} held, {posted} moved of {amount}, settled {settled} times"
            );
            self.violate(id, found);
        }
    }

    /// What came back and what is coming back is the sum of the returns, and never more than went.
    fn check_returns(&mut self, id: Id<Payment>) {
        let Some(original) = self.payments.get(&id) else {
            return;
        };
        let mut sums: BTreeMap<bool, u64> = BTreeMap::new();
        for life in self.payments.values() {
            let back = &life.payment;
            if back.original != Some(id) || matches!(back.stage, Stage::Failed | Stage::Reversed) {
                continue;
            }
            let done = matches!(back.stage, Stage::Cleared | Stage::Settled);
            *sums.entry(done).or_default() += back.money.amount.minor();
        }
        let sum = |done| sums.get(&done).copied().unwrap_or_default();
        let payment = &original.payment;
        let told = (payment.returned, payment.returning);
        let amount = payment.money.amount.minor();
        let whole = told.0 == amount;
        let standing = matches!(payment.stage, Stage::Cleared | Stage::Settled);
        if told != (sum(true), sum(false)) || told.0 + told.1 > amount || (whole && standing) {
            let (done, under_way) = (sum(true), sum(false));
            let found = format!(
                "says {told:?} of {amount} came back and is coming back; its returns make {done} and {under_way}"
            );
            self.violate(id, found);
        }
    }
}

/// Counts a payment of a file where it stands.
pub(super) const fn count(tally: &mut Tally, stage: Stage) {
    tally.accepted += 1;
    match stage {
        Stage::Settled => {
            tally.cleared += 1;
            tally.settled += 1;
        }
        Stage::Cleared => tally.cleared += 1,
        Stage::Failed => tally.failed += 1,
        Stage::Reversed => tally.reversed += 1,
        _ => tally.pending += 1,
    }
}
