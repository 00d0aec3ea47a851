//! Charges as their providers tell of them: authorised, captured, refunded, disputed.
//!
//! All of it follows from the facts ([`Facts`]), which only grow, so order and repetition do not
//! matter. Money that a dispute takes is a return of the charge, as a statement will show it; when
//! the dispute is won that return is undone. Before it takes any, what it may take is kept back
//! from whom the charge was for. A charge is reversed only when a dispute is lost.

use super::{
    books::sides,
    charges::{awaits_authorisation, refer, refuse, settle_amount},
    draft::{Draft, Stop, Telling},
    keys,
    payments::{advance, step},
    providers::{move_on, tell, too_far, why},
    returns::gone_back,
};
use crate::{
    charge::Asked,
    command::{EventOutcome, Heard, ReceiveReturn},
    event::{Beside, News as Event},
    id::Id,
    journal::{self, Journal},
    lifecycle::{Happened, Stage, Status, Verdict, apply},
    money::{Amount, Money},
    payment::Payment,
    psp::{Dispute, DisputeStage, Facts, News},
    reason::Reason,
    store::Body,
};

/// Moves a charge to where the facts say that it stands.
pub fn hear(
    draft: &mut Draft<'_>,
    heard: &Heard,
    mut payment: Payment,
    facts: &Facts,
) -> Result<EventOutcome, Stop> {
    let standing = facts.standing();
    let taken = matches!(standing.status, Status::Cleared | Status::Reversed);
    if payment.stage == Stage::Failed || (!taken && standing.status != Status::AuthPending) {
        return move_on(draft, heard, payment, standing);
    }
    let before = payment.events;
    refer(draft, &mut payment, heard.kept.provider_payment.as_deref())?;
    if heard.kept.news == Some(News::CompletionRefused) && is_completing(&payment) {
        refuse(&mut payment, Reason::Declined, &heard.kept.name);
        return tell(draft, payment, Happened::CompletionRefused);
    }
    if taken {
        if let Some(outcome) = captured(draft, &mut payment, facts)? {
            return Ok(outcome);
        }
        payment = refunded(draft, heard, payment, facts)?;
    } else if facts.authorised() && awaits_authorisation(&payment) {
        return tell(draft, payment, Happened::Authorised);
    }
    payment = disputed(draft, heard, payment, facts)?;
    if payment.events == before {
        return Ok(EventOutcome::Noted);
    }
    draft.store_payment(&payment);
    Ok(EventOutcome::Moved)
}

/// Whether it was asked to be captured or let go of, and not answered.
fn is_completing(payment: &Payment) -> bool {
    let charge = payment.charge.as_ref();
    let asked = charge.is_some_and(|it| it.asked != Asked::Authorisation);
    asked && matches!(payment.stage, Stage::Submitted | Stage::InDoubt)
}

/// Moves a refund of a charge to where the facts say that it stands.
pub fn hear_refund(
    draft: &mut Draft<'_>,
    heard: &Heard,
    mut payment: Payment,
    facts: &Facts,
) -> Result<EventOutcome, Stop> {
    let news = match facts.refund_paid() {
        Some(true) => Happened::RailAccepted,
        Some(false) => Happened::RailRejected,
        None => return Ok(EventOutcome::Noted),
    };
    if news == Happened::RailRejected {
        correct(draft, heard, &payment)?;
    }
    if !matches!(apply(payment.stage, news), Verdict::Moves(..)) {
        return Ok(EventOutcome::Noted);
    }
    if news == Happened::RailAccepted && !heard.kept.part.is_empty() {
        // By this the provider's report names it.
        refer(draft, &mut payment, Some(&heard.kept.part))?;
    }
    if news == Happened::RailRejected {
        (payment.reason, payment.reason_code) =
            (Some(Reason::Declined), Some(heard.kept.name.clone()));
    }
    tell(draft, payment, news)
}

/// Lets the facts of a charge know that a refund of it failed: its provider may have counted it.
fn correct(draft: &mut Draft<'_>, heard: &Heard, refund: &Payment) -> Result<(), Stop> {
    let Some(original) = refund.original else {
        return Ok(());
    };
    let key = keys::provider_facts(draft.tenant(), original, &heard.provider);
    let mut facts: Facts = draft.read(&key)?.unwrap_or_default();
    let amount = i64::try_from(refund.money.amount.minor()).unwrap_or(i64::MAX);
    if facts.learn(News::RefundFailed, &refund.id.to_string(), amount) {
        draft.put(&key, Body::of(&facts));
    }
    Ok(())
}

/// Takes in what was captured: the first of it clears the charge, more of it is posted as well.
/// What must not be, and is left to a person, comes back.
fn captured(
    draft: &mut Draft<'_>,
    payment: &mut Payment,
    facts: &Facts,
) -> Result<Option<EventOutcome>, Stop> {
    let Some(charge) = &mut payment.charge else {
        return Ok(None);
    };
    let authorised = charge.authorised;
    let claimed = facts.claimed().and_then(|it| u64::try_from(it).ok());
    let claimed = claimed
        .and_then(|it| Amount::try_from(it).ok())
        .unwrap_or(authorised);
    if claimed > authorised {
        let why = format!(
            "{} was captured, of {} that were authorised",
            claimed.minor(),
            authorised.minor()
        );
        return Ok(Some(EventOutcome::Contradiction(why)));
    }
    if !payment.stage.is_decided() {
        if apply(payment.stage, Happened::RailAccepted) == Verdict::Impossible {
            return Ok(Some(too_far(payment.stage)));
        }
        charge.asked = Asked::Capture(claimed);
        advance(draft, payment, Happened::RailAccepted)?;
    } else if payment.stage == Stage::Cleared
        && let Ok(amount) =
            Amount::try_from(claimed.minor().saturating_sub(payment.money.amount.minor()))
    {
        charge.asked = Asked::Capture(claimed);
        let more = Money {
            amount,
            ..payment.money
        };
        settle_amount(payment);
        let (debit, credit) = sides(draft, payment);
        let legs = journal::move_now(debit, credit, more);
        advance(draft, payment, Happened::RailAccepted)?;
        draft.enter(
            payment.id,
            payment.events,
            Journal::ChargePost,
            Some(payment.id),
            legs,
        )?;
    }
    Ok(None)
}

/// Takes in what was refunded elsewhere than here, or captured and failed.
fn refunded(
    draft: &mut Draft<'_>,
    heard: &Heard,
    payment: Payment,
    facts: &Facts,
) -> Result<Payment, Stop> {
    let standing = facts.standing();
    let failed = facts.claimed().unwrap_or(standing.captured) - standing.captured;
    let told = u64::try_from(standing.refunded + failed).unwrap_or_default();
    let disputed = payment.charge.as_ref().map_or(0, |it| it.disputed);
    let known = (payment.returned + payment.returning).saturating_sub(disputed);
    let id = Id::of_name(&format!("{}/refunded/{told}", payment.id));
    let (reason, reason_code) = why(heard);
    go_back(
        draft,
        payment,
        told.saturating_sub(known),
        |original, amount| ReceiveReturn {
            id,
            original,
            amount,
            reason,
            reason_code,
            rail_reference: heard.kept.part.clone(),
        },
    )
}

/// Books so many minor units as gone back, as far as there are so many, and gives the charge as it
/// is then.
fn go_back(
    draft: &mut Draft<'_>,
    payment: Payment,
    minor: u64,
    news: impl FnOnce(Id<Payment>, Amount) -> ReceiveReturn,
) -> Result<Payment, Stop> {
    let open = matches!(payment.stage, Stage::Cleared | Stage::Settled);
    let Ok(amount) = Amount::try_from(minor.min(payment.returnable())) else {
        return Ok(payment);
    };
    let news = news(payment.id, amount);
    if !open || draft.is_there(&keys::payment(draft.tenant(), news.id))? {
        return Ok(payment);
    }
    let id = payment.id;
    let back = gone_back(draft, payment, &news)?;
    draft.store_payment(&back);
    handed_back(draft, id)
}

/// The charge after it was told of a return.
fn handed_back(draft: &mut Draft<'_>, id: Id<Payment>) -> Result<Payment, Stop> {
    draft.take_handed_on(id).ok_or(Stop::Missing)
}

/// Takes in how disputes stand.
fn disputed(
    draft: &mut Draft<'_>,
    heard: &Heard,
    mut payment: Payment,
    facts: &Facts,
) -> Result<Payment, Stop> {
    let disputes: Vec<Dispute<'_>> = facts.disputes().collect();
    if disputes.is_empty() || !payment.stage.is_decided() {
        return Ok(payment);
    }
    let before = payment.events;
    let has_changed = reserve(draft, &mut payment, sum(&disputes, DisputeStage::Open))?;
    if heard.kept.news == Some(News::DisputeOpened) {
        let amount = heard.amount.map(|it| it.0);
        let news = Event::Beside(Beside::DisputeOpened);
        draft.tell(
            &mut payment,
            Telling {
                news,
                moved_from: None,
                amount,
                errands: Vec::new(),
            },
        );
    }
    let lost = sum(&disputes, DisputeStage::Lost);
    for dispute in &disputes {
        for again in [false, true] {
            draft.want(&keys::payment(
                draft.tenant(),
                taking(&payment, dispute, again),
            ));
        }
    }
    for dispute in &disputes {
        for again in [false, true] {
            payment = settle(draft, heard, payment, dispute, again, lost)?;
        }
    }
    contest(&mut payment, lost);
    if has_changed && payment.events == before {
        let news = Event::Beside(Beside::DisputeWon);
        draft.tell(
            &mut payment,
            Telling {
                news,
                moved_from: None,
                amount: None,
                errands: Vec::new(),
            },
        );
    }
    if payment.is_all_back() && matches!(payment.stage, Stage::Cleared | Stage::Settled) {
        payment.reason = Some(Reason::Disputed);
        advance(draft, &mut payment, Happened::FullyReturned)?;
    }
    Ok(payment)
}

/// The id of the return that is a dispute's taking, the first or the second.
fn taking(payment: &Payment, dispute: &Dispute<'_>, again: bool) -> Id<Payment> {
    let round = 1 + u8::from(again);
    Id::of_name(&format!("{}/dispute/{}/{round}", payment.id, dispute.part))
}

/// Makes one taking of a dispute stand, or undoes it.
fn settle(
    draft: &mut Draft<'_>,
    heard: &Heard,
    mut payment: Payment,
    dispute: &Dispute<'_>,
    again: bool,
    lost: u64,
) -> Result<Payment, Stop> {
    let id = taking(&payment, dispute, again);
    let found: Option<Payment> = draft.read(&keys::payment(draft.tenant(), id))?;
    let has_taken = matches!(dispute.stage, DisputeStage::Taken | DisputeStage::Lost);
    let stands = has_taken && dispute.again == again;
    match found {
        Some(mut back) if !stands && matches!(back.stage, Stage::Cleared | Stage::Settled) => {
            let original = payment.id;
            if let Some(charge) = &mut payment.charge {
                charge.disputed = charge.disputed.saturating_sub(back.money.amount.minor());
            }
            contest(&mut payment, lost);
            draft.hand_on(payment);
            step(draft, &mut back, Happened::RailRejected)?;
            handed_back(draft, original)
        }
        None if stands => {
            let minor = u64::try_from(dispute.amount)
                .unwrap_or_default()
                .min(payment.returnable());
            if !matches!(payment.stage, Stage::Cleared | Stage::Settled) {
                return Ok(payment);
            }
            if let Some(charge) = &mut payment.charge {
                charge.disputed += minor;
            }
            contest(&mut payment, lost);
            // It is not yet taken, so that the charge may still be found to have it.
            go_back(draft, payment, minor, |original, amount| ReceiveReturn {
                id,
                original,
                amount,
                reason: Reason::Disputed,
                reason_code: heard.kept.name.clone(),
                rail_reference: dispute.part.to_owned(),
            })
        }
        _ => Ok(payment),
    }
}

/// Of what disputes have taken, all but what is lost is contested.
fn contest(payment: &mut Payment, lost: u64) {
    if let Some(charge) = &mut payment.charge {
        charge.contested = charge.disputed.saturating_sub(lost);
    }
}

fn sum(disputes: &[Dispute<'_>], stage: DisputeStage) -> u64 {
    let of_stage = disputes.iter().filter(|it| it.stage == stage);
    of_stage
        .filter_map(|it| u64::try_from(it.amount).ok())
        .sum()
}

/// Keeps back what open disputes may take, as far as it is there. Whether that is otherwise than before.
fn reserve(draft: &mut Draft<'_>, payment: &mut Payment, open: u64) -> Result<bool, Stop> {
    let (clearing, holder) = sides(draft, payment);
    let reserved = payment.charge.as_ref().map_or(0, |it| it.reserved);
    let balance = draft.balance(holder)?;
    let free = if balance.open {
        balance.sums.available() + reserved
    } else {
        0
    };
    let wanted = open.min(free);
    if wanted == reserved {
        return Ok(false);
    }
    let (id, events) = (payment.id, payment.events);
    let money = |minor| {
        Amount::try_from(minor).ok().map(|amount| Money {
            amount,
            ..payment.money
        })
    };
    let (before, after) = (money(reserved), money(wanted));
    if let Some(before) = before {
        let legs = journal::void(holder, clearing, before);
        draft.enter(id, events, Journal::DisputeRelease, Some(id), legs)?;
    }
    if let Some(after) = after {
        let legs = journal::hold(holder, clearing, after);
        draft.enter(id, events, Journal::DisputeHold, Some(id), legs)?;
    }
    if let Some(charge) = &mut payment.charge {
        charge.reserved = wanted;
    }
    Ok(true)
}
