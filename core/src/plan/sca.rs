//! Strong customer authentication in the plan of a payment: decided when it is asked for, counted
//! in its commit, given back when it comes to nothing, and answered before it goes on.

use super::{
    draft::{Draft, Stop},
    keys,
    payments::{go_ahead, load, step},
};
use crate::{
    command::{Pay, Rejection, Reply, View},
    id::Id,
    lifecycle::{Happened, Stage},
    payment::Payment,
    reason::Reason,
    sca::{
        self, Counters, Known, Outcome, State, Wish,
        challenge::{Answered, Binding, Challenge},
        fraud::{self, Day, Instrument, Portfolio},
    },
    store::Body,
};

/// Decides whether the payer must authenticate, and notes it in the payment, with what somebody
/// must confirm after that. Gives why the payment must wait, if it must. A payer whom risk
/// `challenged` is exempt from nothing; where the rules know no payer who could be asked, somebody
/// looks at the payment in his place.
pub fn assess(
    draft: &Draft<'_>,
    payment: &mut Payment,
    pay: &Pay,
    review: Option<Reason>,
    challenged: bool,
) -> Result<Option<Reason>, Stop> {
    let wish = match &pay.sca {
        Some(wish) => (**wish).clone(),
        None if challenged => Wish::plain(pay.money.currency),
        None => return Ok(None),
    };
    let key = keys::sca(draft.tenant(), pay.debtor);
    let counters: Counters = draft.read(&key)?.unwrap_or_default();
    let known = Known {
        money: pay.money,
        counters: &counters,
        fraud: wish.fraud,
        now: draft.now(),
    };
    let mut decision = sca::decide(&wish.ask, known, &wish.rules);
    if challenged {
        decision.challenge();
    }
    let reason = match (decision.outcome, challenged) {
        (Outcome::Required, _) => Some(Reason::AuthenticationNeeded),
        (_, true) => Some(Reason::FraudSuspected),
        (_, false) => None,
    };
    payment.sca = Some(Box::new(State {
        then_review: review.filter(|_| decision.outcome == Outcome::Required),
        ask: wish.ask,
        decision,
        counted_at: None,
        carried_out: None,
        challenge: None,
        authenticated_at: None,
    }));
    Ok(reason)
}

/// Counts a payment that is exempt by value and was not refused.
pub fn count(draft: &mut Draft<'_>, payment: &mut Payment) -> Result<(), Stop> {
    let (money, stage, now) = (payment.money, payment.stage, draft.now());
    let (Some(account), Some(state)) = (payment.debtor.account(), payment.sca.as_mut()) else {
        return Ok(());
    };
    if stage == Stage::Failed || !Counters::count(state.decision.outcome) {
        return Ok(());
    }
    let key = keys::sca(draft.tenant(), account);
    let mut counters: Counters = draft.read(&key)?.unwrap_or_default();
    counters.add(state.decision.outcome, money);
    state.counted_at = Some(now);
    draft.put(&key, Body::of(&counters));
    Ok(())
}

/// Gives back what a payment counted that failed: only what was executed counts.
pub fn take_back(draft: &mut Draft<'_>, payment: &mut Payment) -> Result<(), Stop> {
    let money = payment.money;
    let (Some(account), Some(state)) = (payment.debtor.account(), payment.sca.as_mut()) else {
        return Ok(());
    };
    let Some(counted_at) = state.counted_at.take() else {
        return Ok(());
    };
    let key = keys::sca(draft.tenant(), account);
    let mut counters: Counters = draft.read(&key)?.unwrap_or_default();
    counters.take_back(state.decision.outcome, money, counted_at);
    draft.put(&key, Body::of(&counters));
    Ok(())
}

/// Adds a payment that was carried out to the portfolio of its instrument, and its fraud, where
/// that is known already.
pub fn carry_out(draft: &mut Draft<'_>, payment: &mut Payment) -> Result<(), Stop> {
    let (id, money) = (payment.id, payment.money);
    let Some(state) = payment.sca.as_mut() else {
        return Ok(());
    };
    let Some(instrument) = Instrument::counts(&state.ask, money) else {
        return Ok(());
    };
    let place = keys::portfolio(draft.tenant(), instrument, money.currency, id);
    let told = keys::unauthorised(draft.tenant(), id);
    draft.want(&place);
    let (total, today) = (money.amount.minor(), fraud::day_of(draft.now()));
    let fraud = if draft.is_there(&told)? { total } else { 0 };
    let mut portfolio: Portfolio = draft.so_far(&place)?.unwrap_or_default();
    portfolio.add(today, Day { total, fraud }, today);
    state.carried_out = Some(today);
    draft.put(&place, Body::of(&portfolio));
    Ok(())
}

fn waiting(payment: &Payment) -> Result<(), Stop> {
    let asked = payment.sca.as_ref().is_some_and(|state| state.waits());
    if !asked {
        let what = "the payer need not authenticate for this payment";
        return Err(Rejection::WrongKind { what }.into());
    }
    if payment.stage != Stage::Verifying {
        return Err(Rejection::WrongStage {
            stage: payment.stage,
            wish: "authenticated",
        }
        .into());
    }
    Ok(())
}

/// Asks the payer: a challenge that is bound to the payment as it is now.
pub fn challenge(draft: &mut Draft<'_>, id: Id<Payment>) -> Result<Reply, Stop> {
    let mut payment = load(draft, id)?;
    waiting(&payment)?;
    let binding = Binding::of(draft.tenant(), &payment);
    let now = draft.now();
    if let Some(state) = payment.sca.as_mut() {
        state.challenge = Some(Challenge::new(binding, state.challenge.as_ref(), now));
    }
    draft.store_payment(&payment);
    Ok(draft.answer(200, Some(payment.stage), View::Payment(&payment)))
}

/// Takes the payer's answer in. `right` says whether every factor was proved for `asked`.
pub fn answer(
    draft: &mut Draft<'_>,
    id: Id<Payment>,
    asked: &Binding,
    right: bool,
) -> Result<Reply, Stop> {
    let mut payment = load(draft, id)?;
    waiting(&payment)?;
    let binding = Binding::of(draft.tenant(), &payment);
    let now = draft.now();
    let challenge = payment.sca.as_mut().and_then(|it| it.challenge.as_mut());
    let Some(challenge) = challenge else {
        let what = "the payer was not asked yet";
        return Err(Rejection::WrongKind { what }.into());
    };
    match challenge.answer(right, asked, &binding, now) {
        Answered::Passed => passed(draft, &mut payment)?,
        Answered::Wrong => draft.store_payment(&payment),
        Answered::Exhausted => {
            payment.reason = Some(Reason::VerificationFailed);
            step(draft, &mut payment, Happened::Refused)?;
        }
        Answered::TooLate | Answered::Void => return Err(draft.nothing(&payment, 200)),
    }
    Ok(draft.answer(200, Some(payment.stage), View::Payment(&payment)))
}

fn passed(draft: &mut Draft<'_>, payment: &mut Payment) -> Result<(), Stop> {
    let now = draft.now();
    if let Some(account) = payment.debtor.account() {
        let key = keys::sca(draft.tenant(), account);
        draft.read::<Counters>(&key)?;
        draft.put(&key, Body::of(&Counters::authenticated(now)));
    }
    let mut review = None;
    if let Some(state) = payment.sca.as_mut() {
        state.challenge = None;
        state.authenticated_at = Some(now);
        review = state.then_review.take();
    }
    match review {
        // Somebody else must still say yes.
        Some(reason) => payment.reason = Some(reason),
        None => go_ahead(draft, payment)?,
    }
    draft.store_payment(payment);
    Ok(())
}
