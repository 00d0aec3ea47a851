//! Timers: set with the decision that needs them, fired by a worker, harmless when late.

use super::{
    draft::{Draft, Stop, Telling},
    holds, keys,
    payments::{accept, advance, load},
    recalls,
};
use crate::{
    command::Reply,
    event::{Errand, News},
    lifecycle::{Happened, Stage},
    payment::Payment,
    reason::Reason,
    scheme::Rules,
    store::Body,
    time::Timestamp,
    timer::{Due, Timer},
};

/// How often we ask a rail before a person must look. With [`enquiry_delay_ms`] that is after
/// about a quarter of an hour; we go on asking, once an hour, after it.
pub const ENQUIRIES_MAX: u32 = 8;

/// How long to wait before the `n`th enquiry (from 0), in milliseconds: 2 s, doubled each time,
/// an hour at the most. An answer lost by accident is found within seconds; a rail that is down
/// is not hammered. The worker adds jitter.
#[must_use]
pub const fn enquiry_delay_ms(n: u32) -> u64 {
    const FIRST: u64 = 2_000;
    const LAST: u64 = 60 * 60 * 1000;
    if n > ENQUIRIES_MAX {
        return LAST;
    }
    FIRST << n
}

/// Sets the timer of the next enquiry. When the budget is used up, once, a person is told.
pub fn enquire_later(draft: &mut Draft<'_>, payment: &mut Payment) -> Option<Errand> {
    let n = payment.attempt.enquiries;
    let due = draft.now().plus_ms(enquiry_delay_ms(n));
    set(draft, due, Due::Enquire(payment.id));
    payment.attempt.enquiries = n.saturating_add(1);
    payment.attempt.next_enquiry = Some(due);
    (n == ENQUIRIES_MAX).then_some(Errand::Unresolved)
}

/// Sets the timer after which a waiting payment fails.
pub fn expire_later(draft: &mut Draft<'_>, payment: &Payment) {
    if let Some(due) = payment.expires_at {
        set(draft, due, Due::ExpirePayment(payment.id));
    }
}

/// Sets the timer of the day on which a payment is carried out.
pub fn execute_later(draft: &mut Draft<'_>, payment: &Payment) {
    if let Some(due) = payment.execute_at {
        set(draft, due, Due::ExecutePayment(payment.id));
    }
}

/// Sets the timer of the day after the last on which a recall made now may be answered, and says when that is.
pub fn expect_answer(draft: &mut Draft<'_>, payment: &Payment) -> Option<Timestamp> {
    let rules = Rules::of(payment.rail)?;
    let last = rules.recall_answer.value.after(draft.now().day())?;
    let due = Timestamp::begin_of(last.next_day()?)?;
    set(draft, due, Due::AnswerRecall(payment.id));
    Some(due)
}

fn set(draft: &mut Draft<'_>, due: Timestamp, what: Due) {
    let timer = Timer {
        tenant: draft.tenant(),
        due,
        what,
    };
    draft.create_once(timer.key(), Body::of(&timer));
}

/// Fires a timer and removes it. Asking the rail is the worker's, after this commit, so a timer
/// of an enquiry is removed only by what the enquiry brings: see [`Due::Enquire`] below.
pub fn fire(draft: &mut Draft<'_>, timer: &Timer) -> Result<Reply, Stop> {
    let key = timer.key();
    if draft.read::<Timer>(&key)?.is_none() {
        return Err(Stop::Decided(Draft::done(None)));
    }
    match timer.what {
        Due::ExpireHold(id) => {
            let hold: Option<crate::hold::Hold> = draft.read(&keys::hold(draft.tenant(), id))?;
            if let Some(hold) = hold {
                draft.want_account(hold.debtor);
                draft.want_account(hold.creditor);
                holds::expire(draft, id)?;
            }
        }
        Due::ExpirePayment(id) => {
            let mut payment = load(draft, id)?;
            let before = payment.stage;
            // Its day came and went while nobody looked. It is carried out late, or not at all: nothing
            // would end its waiting once this timer is gone.
            if before == Stage::Scheduled {
                accept(draft, &mut payment)?;
            }
            if matches!(payment.stage, Stage::Verifying | Stage::AwaitingFunds) {
                payment.reason = Some(Reason::Expired);
                advance(draft, &mut payment, Happened::Expired)?;
            }
            if payment.stage != before {
                draft.store_payment(&payment);
            }
        }
        Due::ExecutePayment(id) => {
            let mut payment = load(draft, id)?;
            if payment.stage == Stage::Scheduled {
                accept(draft, &mut payment)?;
                draft.store_payment(&payment);
            }
        }
        Due::AnswerRecall(id) => recalls::overdue(draft, id)?,
        Due::Enquire(id) => {
            let mut payment = load(draft, id)?;
            // Still in doubt after an enquiry that brought nothing: the next one is set. A
            // payment that was decided meanwhile, or doubted anew, does not need this one.
            let current = payment.attempt.next_enquiry == Some(timer.due);
            if payment.stage == Stage::InDoubt && current && !crate::planted!(TimerLost) {
                enquire_again(draft, &mut payment)?;
            }
        }
    }
    draft.delete(&key);
    Ok(Draft::done(None))
}

fn enquire_again(draft: &mut Draft<'_>, payment: &mut Payment) -> Result<(), Stop> {
    let errand = enquire_later(draft, payment);
    // The timeline tells of the last attempt of the budget, and not of each one.
    if let Some(errand) = errand {
        let news = News::Step(Happened::TimedOut);
        draft.tell(
            payment,
            Telling {
                news,
                moved_from: None,
                amount: None,
                errands: vec![errand],
            },
        );
    }
    draft.store_payment(payment);
    Ok(())
}
