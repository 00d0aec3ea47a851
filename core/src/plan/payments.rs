//! Payments: sent, received, cancelled, verified, and moved on by what the rail tells.

use super::{
    authority,
    books::{closed, enter_effect, settle_reversed, sides},
    charges,
    draft::{Draft, Stop, Telling},
    keys, parties, risk, sca, timers,
};
use crate::{
    command::{Receive, Rejection, Reply, Report, Verification, View},
    event::{Errand, News},
    id::Id,
    journal::{self, Role},
    ledger::Rollup,
    lifecycle::{Effect, Happened, Stage, Verdict, apply},
    party::Outcome,
    payment::{Direction, Kind, OnInsufficientFunds, Payment},
    rail::Rail,
    reason::Reason,
    time::Timestamp,
};

/// A moment, if it is still to come.
pub fn later(draft: &Draft<'_>, at: Option<Timestamp>) -> Option<Timestamp> {
    at.filter(|at| *at > draft.now())
}

/// Goes ahead with a payment that nobody need confirm (any more), if its parties let it: at once, or
/// when its day comes.
pub fn go_ahead(draft: &mut Draft<'_>, payment: &mut Payment) -> Result<(), Stop> {
    if !parties::admit(draft, payment)? {
        return Ok(());
    }
    match later(draft, payment.execute_at) {
        None => accept(draft, payment),
        Some(_) => {
            payment.reason = None;
            advance(draft, payment, Happened::Scheduled)
        }
    }
}

/// Carries out a payment whose time has come: if the money is there.
pub fn accept(draft: &mut Draft<'_>, payment: &mut Payment) -> Result<(), Stop> {
    let (debit, _) = sides(draft, payment);
    let short = match debit.rollup() {
        Rollup::House => false,
        Rollup::Constrained => {
            draft.balance(debit)?.sums.available() < payment.money.amount.minor()
        }
    };
    payment.reason = None;
    // Closed while somebody was asked: an account without money or payments may be.
    if closed(draft, payment)? {
        payment.reason = Some(Reason::AccountClosed);
        return advance(draft, payment, Happened::Refused);
    }
    // It was let go ahead, and waited for its day or for money since.
    let waited = matches!(payment.stage, Stage::Scheduled | Stage::AwaitingFunds);
    if waited && parties::look(draft, payment)? != Outcome::Pass {
        return parties::refuse(draft, payment);
    }
    if !authority::stands(draft, payment)? {
        payment.reason = Some(Reason::MandateInvalid);
        return advance(draft, payment, Happened::Refused);
    }
    let news = match (short, payment.on_insufficient_funds, payment.direction) {
        (false, _, Direction::Internal) => Happened::BookAccepted,
        (false, _, _) => Happened::Accepted,
        (true, OnInsufficientFunds::Wait, _) => {
            payment.reason = Some(Reason::InsufficientFunds);
            Happened::FundsMissing
        }
        (true, OnInsufficientFunds::Fail, _) => {
            payment.reason = Some(Reason::InsufficientFunds);
            Happened::Refused
        }
    };
    advance(draft, payment, news)
}

/// Takes in what a rail brought. It is ours from this commit on.
pub fn receive(draft: &mut Draft<'_>, news: &Receive) -> Result<Reply, Stop> {
    let tenant = draft.tenant();
    let key = keys::payment(tenant, news.id);
    if let Some(payment) = draft.read::<Payment>(&key)? {
        if crate::planted!(InboundTwice) && payment.stage == Stage::Cleared {
            enter_effect(draft, &payment, Effect::Move)?;
            draft.store_payment(&payment);
            return Ok(draft.answer(200, None, View::Payment(&payment)));
        }
        return Err(draft.nothing(&payment, 200));
    }
    let suspense = journal::house(tenant, news.rail, Role::Suspense, news.money.currency);
    let creditor = news.creditor.unwrap_or(suspense);
    if news.creditor.is_some() {
        draft.check_account(creditor, news.money.currency)?;
    }
    let mut payment = super::pay::incoming(draft, news, creditor);
    advance(draft, &mut payment, Happened::Received)?;
    draft.store_payment(&payment);
    Ok(draft.answer(200, Some(payment.stage), View::Payment(&payment)))
}

/// A payment that was asked for by id.
pub fn load(draft: &Draft<'_>, id: Id<Payment>) -> Result<Payment, Stop> {
    let key = keys::payment(draft.tenant(), id);
    let not_found = || Rejection::NotFound {
        what: "payment",
        id: id.to_string(),
    };
    Ok(draft.read::<Payment>(&key)?.ok_or_else(not_found)?)
}

/// Takes a payment back before it leaves.
pub fn cancel(draft: &mut Draft<'_>, id: Id<Payment>) -> Result<Reply, Stop> {
    let mut payment = load(draft, id)?;
    if crate::planted!(CancelInFlight) && payment.stage.is_held() {
        payment.stage = Stage::Held;
    }
    let stage = payment.stage;
    let wrong = Rejection::WrongStage {
        stage,
        wish: "cancelled",
    };
    if !matches!(apply(stage, Happened::Cancelled), Verdict::Moves(..)) {
        return Err(wrong.into());
    }
    payment.reason = Some(Reason::Cancelled);
    step(draft, &mut payment, Happened::Cancelled)?;
    draft.note("payment.cancel", id, payment.events, None);
    Ok(draft.answer(200, Some(payment.stage), View::Payment(&payment)))
}

/// Takes in the answer that a payment in verification waited for.
pub fn verify(
    draft: &mut Draft<'_>,
    id: Id<Payment>,
    answer: &Verification,
) -> Result<Reply, Stop> {
    let mut payment = load(draft, id)?;
    if payment.stage != Stage::Verifying {
        return Err(Rejection::WrongStage {
            stage: payment.stage,
            wish: "verified",
        }
        .into());
    }
    match answer {
        Verification::Passed if payment.sca.as_ref().is_some_and(|it| it.waits()) => {
            let what = "the payer must authenticate first";
            return Err(Rejection::WrongKind { what }.into());
        }
        Verification::Passed if parties::waits(&payment) => {
            let what = "the payment waits for its parties to be verified";
            return Err(Rejection::WrongKind { what }.into());
        }
        Verification::Passed => {
            authority::approve(draft, &mut payment)?;
            go_ahead(draft, &mut payment)?;
            draft.store_payment(&payment);
            draft.note("payment.confirm", id, payment.events, None);
        }
        Verification::Refused(reason) => {
            payment.reason = Some(*reason);
            step(draft, &mut payment, Happened::Refused)?;
            let why = reason.code();
            draft.note("payment.deny", id, payment.events, Some(why));
        }
    }
    Ok(draft.answer(200, Some(payment.stage), View::Payment(&payment)))
}

/// Looks again whether a waiting payment's account has the money. Nothing happens if it lacks it
/// still, or if the payment has moved on.
pub fn retry_funds(draft: &mut Draft<'_>, id: Id<Payment>) -> Result<Reply, Stop> {
    let mut payment = load(draft, id)?;
    let (debit, _) = sides(draft, &payment);
    if payment.stage != Stage::AwaitingFunds {
        return Err(draft.nothing(&payment, 200));
    }
    if draft.balance(debit)?.sums.available() < payment.money.amount.minor() {
        return Err(draft.nothing(&payment, 200));
    }
    accept(draft, &mut payment)?;
    draft.store_payment(&payment);
    Ok(draft.answer(200, Some(payment.stage), View::Payment(&payment)))
}

/// Takes in what a rail, or its silence, tells.
pub fn report(draft: &mut Draft<'_>, id: Id<Payment>, report: &Report) -> Result<Reply, Stop> {
    let mut payment = load(draft, id)?;
    let news = match report {
        Report::Submitted => Happened::Submitted,
        Report::Authorised(_) if !charges::awaits_authorisation(&payment) => {
            return Err(draft.nothing(&payment, 200));
        }
        Report::Authorised(_) => Happened::Authorised,
        Report::CompletionRefused(..) => Happened::CompletionRefused,
        Report::Accepted(_) => Happened::RailAccepted,
        Report::Rejected(..) => Happened::RailRejected,
        Report::TimedOut if crate::planted!(TimeoutFails) => Happened::RailRejected,
        Report::TimedOut => Happened::TimedOut,
        Report::NeverArrived => Happened::NeverArrived,
        Report::SettlementFound => Happened::SettlementFound,
    };
    if payment.rail == Rail::Book {
        return Err(Rejection::WrongKind {
            what: "no rail carries a book payment",
        }
        .into());
    }
    let late = news == Happened::RailRejected && payment.stage == Stage::Cleared;
    if crate::planted!(LateNoIgnored) && late {
        return Err(draft.nothing(&payment, 200));
    }
    if news == Happened::SettlementFound {
        arrived(draft, &mut payment)?;
    }
    if crate::planted!(SettledTwice)
        && (payment.stage, news) == (Stage::Settled, Happened::SettlementFound)
    {
        enter_effect(draft, &payment, Effect::Settle)?;
        draft.store_payment(&payment);
        return Ok(draft.answer(200, None, View::Payment(&payment)));
    }
    match apply(payment.stage, news) {
        Verdict::Impossible => {
            let wish = "moved on by this news of a rail";
            return Err(Rejection::WrongStage {
                stage: payment.stage,
                wish,
            }
            .into());
        }
        // Heard before: a repeated answer adds nothing to the timeline, a late one does once.
        Verdict::Noted if heard_before(&payment, report) => {
            return Err(draft.nothing(&payment, 200));
        }
        Verdict::Noted | Verdict::Moves(..) => {}
    }
    if payment.events >= crate::limits::EVENTS_MAX {
        return Err(draft.nothing(&payment, 200));
    }
    match report {
        Report::Submitted if payment.attempt.submitted_at.is_none() => {
            payment.attempt.submitted_at = Some(draft.now());
        }
        Report::Accepted(reference) | Report::Authorised(reference) => {
            charges::refer(draft, &mut payment, reference.as_deref())?;
        }
        Report::Rejected(reason, code) if !payment.stage.is_terminal() => {
            payment.reason = Some(*reason);
            payment.reason_code = Some(code.clone());
        }
        Report::CompletionRefused(reason, code) => charges::refuse(&mut payment, *reason, code),
        _ => {}
    }
    step(draft, &mut payment, news)?;
    Ok(draft.answer(200, Some(payment.stage), View::Payment(&payment)))
}

/// Accepts a payment that we still wait for, because its money was seen: what reached the
/// settlement agent, or came back, was accepted on its way.
pub fn arrived(draft: &mut Draft<'_>, payment: &mut Payment) -> Result<(), Stop> {
    if payment.stage.is_held() {
        advance(draft, payment, Happened::RailAccepted)?;
    }
    Ok(())
}

/// Settles a payment that stands in a statement; one that is settled stays.
pub fn settlement_found(draft: &mut Draft<'_>, id: Id<Payment>) -> Result<(), Stop> {
    let mut payment = load(draft, id)?;
    arrived(draft, &mut payment)?;
    match apply(payment.stage, Happened::SettlementFound) {
        Verdict::Noted if payment.expects_settlement() => {
            settle_reversed(draft, &payment)?;
            payment.settled = true;
            draft.store_payment(&payment);
            Ok(())
        }
        Verdict::Noted => Ok(()),
        Verdict::Moves(..) | Verdict::Impossible => {
            step(draft, &mut payment, Happened::SettlementFound)
        }
    }
}

/// Whether news that moves nothing has been told already: the same yes, the same no, a second
/// note that it leaves, a time-out of what is long decided.
fn heard_before(payment: &Payment, report: &Report) -> bool {
    match report {
        Report::Accepted(_) => matches!(payment.stage, Stage::Cleared | Stage::Settled),
        Report::Rejected(..) => payment.stage == Stage::Failed || payment.stage == Stage::Reversed,
        Report::Submitted | Report::TimedOut | Report::NeverArrived => true,
        Report::Authorised(_) | Report::CompletionRefused(..) | Report::SettlementFound => true,
    }
}

/// Moves a stored payment on and stores it.
pub fn step(draft: &mut Draft<'_>, payment: &mut Payment, news: Happened) -> Result<(), Stop> {
    advance(draft, payment, news)?;
    draft.store_payment(payment);
    Ok(())
}

/// Applies one piece of news: the new stage, what follows on the books, and the event that tells
/// of it. The caller stores the payment.
pub fn advance(draft: &mut Draft<'_>, payment: &mut Payment, news: Happened) -> Result<(), Stop> {
    let before = payment.stage;
    let (stage, effects) = match apply(before, news) {
        Verdict::Moves(stage, effects) => (stage, effects),
        Verdict::Noted => (before, [].as_slice()),
        Verdict::Impossible => {
            let wish = "moved on in this way";
            return Err(Rejection::WrongStage {
                stage: before,
                wish,
            }
            .into());
        }
    };
    let fails = crate::planted!(LateNoFails) && news == Happened::RailRejected;
    payment.stage = if fails { Stage::Failed } else { stage };
    if effects.contains(&Effect::Post) {
        charges::settle_amount(payment);
    }
    count_waiting(draft, payment, before)?;
    if stage.has_moved() && !before.has_moved() {
        sca::carry_out(draft, payment)?;
    }
    if stage == Stage::Failed && before != Stage::Failed {
        sca::take_back(draft, payment)?;
        risk::take_back(draft, payment)?;
        if before != Stage::New {
            authority::give_back(draft, payment)?;
        }
    }
    for effect in effects {
        enter_effect(draft, payment, *effect)?;
    }
    payment.settled |= effects.contains(&Effect::Settle);
    let mut errands: Vec<Errand> = effects.iter().copied().filter_map(Errand::of).collect();
    if crate::planted!(SubmitDropped) {
        errands.retain(|errand| *errand != Errand::Submit);
    }
    if effects.contains(&Effect::Enquire) {
        errands.extend(timers::enquire_later(draft, payment));
    }
    // Set once: who waits for money after a person's answer waits no longer than before it.
    let waits = matches!(
        stage,
        Stage::Verifying | Stage::Scheduled | Stage::AwaitingFunds
    );
    if waits && before == Stage::New {
        timers::expire_later(draft, payment);
    }
    if stage == Stage::Scheduled && before != stage {
        timers::execute_later(draft, payment);
    }
    if payment.kind == Kind::Return {
        super::returns::tell_original(draft, payment, before)?;
    }
    let moved_from = (stage != before).then_some(before);
    draft.tell(
        payment,
        Telling {
            news: News::Step(news),
            moved_from,
            amount: None,
            errands,
        },
    );
    Ok(())
}

/// Keeps the number of payments that wait for money in an account beside its balance, so that a
/// credit need not look for them when there are none.
fn count_waiting(draft: &mut Draft<'_>, payment: &Payment, before: Stage) -> Result<(), Stop> {
    let (debit, _) = sides(draft, payment);
    let waits = payment.stage == Stage::AwaitingFunds;
    let waited = before == Stage::AwaitingFunds;
    if waits != waited && debit.rollup() == Rollup::Constrained {
        let balance = draft.balance_mut(debit)?;
        balance.waiting = if waits {
            balance.waiting + 1
        } else {
            let fewer = u32::from(!crate::planted!(WaitingMiscounted));
            balance.waiting.saturating_sub(fewer)
        };
    }
    Ok(())
}
