//! What was asked for is what was made: the request behind an answer, held against the records of the
//! same commit and against what was possible before it.

use lombard_core::{
    command::{Act, Pay, Rejection, Verification},
    event::News,
    hold::{Hold, HoldState},
    id::Id,
    idempotency::Idempotency,
    ledger::LedgerError,
    lifecycle::{Happened, Stage},
    payment::{AskedBy, Kind, OnInsufficientFunds, Party, Payment, Recall, RecallState},
    reason::Reason,
    store::Key,
    tenant::TenantId,
};

use super::{Auditor, batch::Batch, moves};
use crate::world::ask::Asked;

/// A request that may be answered: whose, and what.
pub type Wish = (TenantId, Act);

impl Auditor {
    /// A client asks. What its request is named may change from try to try; what it wants does not.
    pub fn asks(&mut self, tenant: TenantId, wish: &Idempotency, act: &Act) {
        self.wishes
            .insert(wish.record_key(tenant), (tenant, act.clone()));
    }

    /// Looks at each request that a commit answers. To be called before the commit is taken into the
    /// model, because what may be done depends on what was before it.
    pub(super) fn check_wishes(&mut self, batch: &Batch) {
        for (key, outcome) in &batch.outcomes {
            let Some((tenant, act)) = self.wishes.get(key).cloned() else {
                continue;
            };
            let body = serde_json::from_str(outcome.body.get()).unwrap_or_default();
            let answer = Answer {
                tenant,
                status: outcome.status,
                body,
            };
            if let Some(found) = self.unlike(&act, &answer, batch) {
                self.violate(
                    named(key),
                    format!("{act:?} came to something else: {found}"),
                );
            }
        }
    }

    /// What of a commit is not what was asked for.
    fn unlike(&self, act: &Act, answer: &Answer, batch: &Batch) -> Option<String> {
        match act {
            Act::Pay(pay) => self.unlike_payment(pay, answer, batch),
            Act::PlaceHold(place) => {
                let hold = one(&batch.holds)?;
                let told = (hold.debtor, hold.creditor, hold.money);
                let wanted = (place.debtor, place.creditor, place.money);
                let lasts = hold.created_at.plus_ms(place.expires_in_ms) == hold.expires_at;
                let right = told == wanted && lasts && hold.state == HoldState::Open;
                differs(
                    right && answer.is(201, &hold.id, hold.money.amount.minor()),
                    hold,
                )
            }
            Act::PostHold(id, part) => {
                let hold = one(&batch.holds)?;
                let posted = part.unwrap_or(hold.money.amount).minor();
                let right = hold.id == *id && hold.state == HoldState::Posted;
                differs(right && hold.posted == posted && in_time(hold), hold)
            }
            Act::VoidHold(id) => {
                let hold = one(&batch.holds)?;
                let right = hold.id == *id && hold.state == HoldState::Voided && in_time(hold);
                differs(right && hold.posted == 0, hold)
            }
            Act::PostLegs(post) => {
                let transaction = one(&batch.transactions)?;
                differs(transaction.legs == post.legs, transaction)
            }
            Act::Return(wish) => {
                let mut all = batch.payments.iter().map(|(_, payment)| payment);
                let back = all.find(|it| it.kind == Kind::Return && it.original.is_some());
                let Some(back) = back else {
                    return Some("no return".to_owned());
                };
                let original = self.payments.get(&wish.original);
                let rest = original.map_or(0, |life| {
                    let payment = &life.payment;
                    payment.money.amount.minor() - payment.returned - payment.returning
                });
                let amount = wish.amount.map_or(rest, |amount| amount.minor());
                let standing = original.is_some_and(|life| {
                    let open = |it: &Recall| {
                        it.asked_by == AskedBy::Them && it.state == RecallState::Asked
                    };
                    let recalled = life.payment.recall.as_ref().is_some_and(open);
                    matches!(life.payment.stage, Stage::Cleared | Stage::Settled)
                        && (wish.reason != Reason::Recalled || recalled)
                });
                let right = back.original == Some(wish.original)
                    && standing
                    && back.money.amount.minor() == amount
                    && amount <= rest
                    && back.reason == Some(wish.reason);
                differs(right && answer.is(201, &back.id, amount), back)
            }
            Act::Cancel(id) => {
                let payment = of(batch, *id)?;
                let right = payment.stage == Stage::Failed;
                differs(right && payment.reason == Some(Reason::Cancelled), payment)
            }
            Act::Verify(id, verification) => {
                let payment = of(batch, *id)?;
                let right = match verification {
                    Verification::Passed => payment.stage != Stage::Verifying,
                    Verification::Refused(reason) => {
                        payment.stage == Stage::Failed && payment.reason == Some(*reason)
                    }
                };
                differs(right, payment)
            }
            Act::CloseAccount(id) => {
                let (_, balance) = batch.balances.iter().find(|(_, it)| it.account == *id)?;
                differs(!balance.open, balance)
            }
            Act::AskRecall(id, reason, code) => {
                let payment = of(batch, *id)?;
                let recall = payment.recall.as_ref();
                let right =
                    recall.is_some_and(|it| it.reason == *reason && it.reason_code == *code);
                differs(right, payment)
            }
            _ => None,
        }
    }

    fn unlike_payment(&self, pay: &Pay, answer: &Answer, batch: &Batch) -> Option<String> {
        let Some(payment) = one(&batch.payments) else {
            return Some("no payment".to_owned());
        };
        let later = pay.execute_at.filter(|day| *day > payment.created_at);
        let begins = later.unwrap_or(payment.created_at);
        let told = (
            &payment.creditor,
            payment.money,
            payment.rail,
            payment.batch,
        );
        let wanted = (&pay.creditor, pay.money, pay.rail, pay.batch);
        let right = told == wanted
            && payment.debtor == Party::Account(pay.debtor)
            && payment.end_to_end_id == pay.end_to_end_id
            && payment.on_insufficient_funds == pay.on_insufficient_funds
            && payment.metadata == pay.metadata
            && payment.execute_at == later
            && payment.expires_at == Some(begins.plus_ms(pay.wait_ms));
        // What was decided is what could be decided then, no more and no less.
        let account = self.accounts.get(&(answer.tenant, pay.debtor));
        let enough =
            account.is_some_and(|it| it.available() >= i128::from(pay.money.amount.minor()));
        let decided = match (pay.verification, enough, pay.on_insufficient_funds) {
            (Some(_), ..) => Stage::Verifying,
            _ if later.is_some() => Stage::Scheduled,
            (None, true, _) if pay.creditor.account().is_some() => Stage::Cleared,
            (None, true, _) => Stage::Held,
            (None, false, OnInsufficientFunds::Wait) => Stage::AwaitingFunds,
            (None, false, OnInsufficientFunds::Fail) => Stage::Failed,
        };
        let status = published(payment.stage) == answer.body["status"];
        let right = right && payment.stage == decided && status;
        differs(
            right && answer.is(201, &payment.id, pay.money.amount.minor()),
            payment,
        )
    }

    /// A refusal rests on something.
    pub(super) fn unfounded_refusal(&self, act: Option<&Act>, why: &Rejection) -> Option<String> {
        let found = match (why, act) {
            (
                Rejection::Ledger(LedgerError::InsufficientFunds {
                    available, needed, ..
                }),
                _,
            ) => available >= needed,
            (Rejection::MoreThanRemains { remaining, asked }, _) => {
                asked <= remaining && *asked > 0
            }
            (Rejection::MoreThanHeld { held, asked }, _) => asked <= held,
            (Rejection::WrongStage { stage, .. }, Some(Act::Cancel(_))) => {
                let cancelled = News::Step(Happened::Cancelled);
                *stage != Stage::Failed && moves::allowed(*stage, cancelled, Stage::Failed)
            }
            (Rejection::WrongStage { stage, .. }, Some(Act::Verify(..))) => {
                *stage == Stage::Verifying
            }
            (Rejection::WrongStage { stage, .. }, Some(Act::Return(_) | Act::AskRecall(..))) => {
                matches!(stage, Stage::Cleared | Stage::Settled)
            }
            (Rejection::HoldEnded { state }, Some(Act::PostHold(id, _) | Act::VoidHold(id))) => {
                let hold = self.holds.get(id).map(|(_, hold)| hold.state);
                *state != "expired" && hold == Some(HoldState::Open)
            }
            _ => false,
        };
        found.then(|| format!("`{why}` is no reason to refuse it"))
    }
}

/// What a client was told.
struct Answer {
    tenant: TenantId,
    status: u16,
    body: serde_json::Value,
}

impl Answer {
    /// Whether it is this answer about this thing.
    fn is<T>(&self, status: u16, id: &Id<T>, amount: u64) -> bool
    where
        Id<T>: ToString,
    {
        self.status == status && self.body["id"] == id.to_string() && self.body["amount"] == amount
    }
}

/// What the API says of a stage, as the design has it.
const fn published(stage: Stage) -> &'static str {
    match stage {
        Stage::New | Stage::Held => "INITIATED",
        Stage::Verifying
        | Stage::Scheduled
        | Stage::AwaitingFunds
        | Stage::Queued
        | Stage::Submitted
        | Stage::InDoubt
        | Stage::Authorised => "AUTH_PENDING",
        Stage::Cleared => "CLEARED",
        Stage::Settled => "SETTLED",
        Stage::Failed => "FAILED",
        Stage::Reversed => "REVERSED",
    }
}

/// Only until its time is over can a hold be ended by anybody but time.
fn in_time(hold: &Hold) -> bool {
    hold.ended_at.is_some_and(|ended| ended < hold.expires_at)
}

fn one<T>(all: &[(TenantId, T)]) -> Option<&T> {
    match all {
        [(_, one)] => Some(one),
        _ => None,
    }
}

fn of(batch: &Batch, id: Id<Payment>) -> Option<&Payment> {
    let mut all = batch.payments.iter().map(|(_, payment)| payment);
    all.find(|payment| payment.id == id)
}

fn differs(right: bool, found: impl std::fmt::Debug) -> Option<String> {
    (!right).then(|| format!("{found:?}"))
}

fn named(key: &Key) -> String {
    format!("{key:?}")
}

/// Whether an answer is a refusal, and why.
pub const fn refusal(asked: &Asked) -> Option<&Rejection> {
    match asked {
        Asked::Rejected(why) => Some(why),
        _ => None,
    }
}
