//! Events of payment service providers: what was heard is kept as facts of the payment, and the
//! payment is moved to where the facts say that it stands.
//!
//! The event, the facts, the payment and its own event are one commit. Facts only grow, so order,
//! repetition and delay do not matter; an event that was heard is answered as it was then.

use super::{
    charged,
    draft::{Draft, Stop},
    keys,
    payments::{advance, load, step},
    returns,
};
use crate::{
    command::{EventOutcome, Heard, ProviderEvent, ReceiveReturn, Reply},
    id::Id,
    lifecycle::{Happened, Stage, Status, Verdict, apply},
    limits::EVENTS_MAX,
    money::Amount,
    payment::{Kind, Payment},
    psp::{Facts, News, Standing},
    rail::Rail,
    reason::Reason,
    store::{Body, encode},
};

/// Takes an event in, once.
pub fn hear(draft: &mut Draft<'_>, heard: &Heard) -> Result<Reply, Stop> {
    let key = keys::provider_event(&heard.provider, &heard.event);
    if let Some(known) = draft.read::<ProviderEvent>(&key)? {
        return Err(Stop::Decided(answer(&known)));
    }
    let mut kept = heard.kept.clone();
    kept.outcome = match (&kept.outcome, kept.news, heard.payment) {
        (EventOutcome::Quarantined(_), _, _) | (_, None, _) | (_, _, None) => kept.outcome,
        (_, Some(news), Some((_, id))) => {
            let payment = keys::payment(draft.tenant(), id);
            match draft.read::<Payment>(&payment)? {
                None => EventOutcome::UnknownPayment,
                Some(_) if !heard.is_proof => ask_again(draft, id)?,
                Some(_) => learn(draft, heard, id, news)?,
            }
        }
    };
    draft.create(key, Body::of(&kept));
    let raw = keys::provider_delivery(&heard.provider, &kept.delivery);
    if !draft.is_there(&raw)? {
        let body = Body {
            bytes: heard.delivery.clone(),
            index: Vec::new(),
        };
        draft.create(raw, body);
    }
    Ok(answer(&kept))
}

fn answer(kept: &ProviderEvent) -> Reply {
    Reply {
        status: 200,
        body: encode(kept).into(),
        stage: None,
        replayed: false,
    }
}

/// Doubts a payment that waits for its answer, so that it is asked for.
fn ask_again(draft: &mut Draft<'_>, id: Id<Payment>) -> Result<EventOutcome, Stop> {
    let mut payment = load(draft, id)?;
    if payment.stage != Stage::Submitted {
        return Ok(EventOutcome::Noted);
    }
    step(draft, &mut payment, Happened::TimedOut)?;
    Ok(EventOutcome::Asked)
}

fn learn(
    draft: &mut Draft<'_>,
    heard: &Heard,
    id: Id<Payment>,
    news: News,
) -> Result<EventOutcome, Stop> {
    let payment = load(draft, id)?;
    let key = keys::provider_facts(draft.tenant(), id, &heard.provider);
    let mut facts: Facts = draft.read(&key)?.unwrap_or_default();
    let own = payment.money.currency;
    if let Some((_, currency)) = heard.amount.filter(|it| it.1 != own) {
        let why = format!("it names {currency}, and the payment is in {own}");
        return Ok(EventOutcome::Contradiction(why));
    }
    let amount = heard.amount.map_or(payment.money.amount.minor(), |it| it.0);
    let amount = i64::try_from(amount).unwrap_or(i64::MAX);
    if !facts.learn(news, &heard.kept.part, amount) {
        return Ok(EventOutcome::Noted);
    }
    draft.put(&key, Body::of(&facts));
    let standing = facts.standing();
    let outcome = match payment.kind {
        Kind::Charge => charged::hear(draft, heard, payment, &facts)?,
        Kind::Return if payment.rail == Rail::Card => {
            charged::hear_refund(draft, heard, payment, &facts)?
        }
        Kind::CreditTransfer | Kind::Return => move_on(draft, heard, payment, standing)?,
    };
    // A refund that is heard of before its payment is no contradiction: the rest is on its way.
    let contradicts = standing.contradiction && standing.status != Status::AuthPending;
    Ok(match outcome {
        EventOutcome::Noted | EventOutcome::Moved if contradicts => {
            let why = "the provider says both that money was taken and that it was not";
            EventOutcome::Contradiction(why.to_owned())
        }
        outcome => outcome,
    })
}

/// Moves a payment to where the provider's facts say that it stands. Never backwards, and never to
/// `SETTLED`: only a statement says that.
pub fn move_on(
    draft: &mut Draft<'_>,
    heard: &Heard,
    mut payment: Payment,
    standing: Standing,
) -> Result<EventOutcome, Stop> {
    let taken = matches!(standing.status, Status::Cleared | Status::Reversed);
    match (standing.status, payment.stage) {
        (Status::Failed, stage) if !stage.is_decided() => {
            let (reason, code) = why(heard);
            (payment.reason, payment.reason_code) = (Some(reason), Some(code));
            tell(draft, payment, Happened::RailRejected)
        }
        // It was failed here, and no money is left of it there: the two agree.
        (Status::Reversed, Stage::Failed | Stage::Reversed) => Ok(EventOutcome::Noted),
        (_, Stage::Failed) if taken => tell(draft, payment, Happened::RailAccepted),
        (_, stage) if taken && !stage.is_decided() => {
            if apply(stage, Happened::RailAccepted) == Verdict::Impossible {
                return Ok(too_far(stage));
            }
            let reference = heard.kept.provider_payment.clone();
            payment.attempt.rail_reference = payment.attempt.rail_reference.or(reference);
            advance(draft, &mut payment, Happened::RailAccepted)?;
            went_back(draft, heard, payment, standing)?;
            Ok(EventOutcome::Moved)
        }
        (_, Stage::Cleared | Stage::Settled) if taken => {
            let before = payment.events;
            let after = went_back(draft, heard, payment, standing)?;
            Ok(match after == before {
                true => EventOutcome::Noted,
                false => EventOutcome::Moved,
            })
        }
        _ => Ok(EventOutcome::Noted),
    }
}

pub fn too_far(stage: Stage) -> EventOutcome {
    let stage = stage.status().name();
    EventOutcome::Contradiction(format!(
        "a payment that is {stage} here cannot have come this far"
    ))
}

pub fn tell(
    draft: &mut Draft<'_>,
    mut payment: Payment,
    news: Happened,
) -> Result<EventOutcome, Stop> {
    let before = payment.stage;
    match apply(before, news) {
        Verdict::Impossible => Ok(too_far(before)),
        _ if payment.events >= EVENTS_MAX => Ok(EventOutcome::Noted),
        _ => {
            step(draft, &mut payment, news)?;
            Ok(match (before, news) {
                (Stage::Failed, Happened::RailAccepted) => {
                    EventOutcome::Contradiction("our books say that it failed".to_owned())
                }
                _ => EventOutcome::Moved,
            })
        }
    }
}

/// Takes in what went back of a payment that has cleared, as a return, and stores it; its number of
/// events then.
fn went_back(
    draft: &mut Draft<'_>,
    heard: &Heard,
    payment: Payment,
    standing: Standing,
) -> Result<u32, Stop> {
    let known = payment.returned + payment.returning;
    let told = u64::try_from(standing.refunded + standing.charged_back).unwrap_or_default();
    let more = match standing.status {
        Status::Reversed => payment.returnable(),
        _ => told.saturating_sub(known).min(payment.returnable()),
    };
    let events = payment.events;
    let id = Id::of_name(&format!("{}/went_back/{}", payment.id, known + more));
    let Ok(amount) = Amount::try_from(more) else {
        draft.store_payment(&payment);
        return Ok(events);
    };
    if draft.is_there(&keys::payment(draft.tenant(), id))? {
        return Ok(events);
    }
    let (reason, reason_code) = why(heard);
    let news = ReceiveReturn {
        id,
        original: payment.id,
        amount,
        reason,
        reason_code,
        rail_reference: heard.kept.part.clone(),
    };
    let back = returns::gone_back(draft, payment, &news)?;
    draft.store_payment(&back);
    Ok(events + 1)
}

/// The reason that an event gives, with the provider's own word.
pub fn why(heard: &Heard) -> (Reason, String) {
    let reason = match heard.kept.news {
        Some(News::Cancelled) => Reason::Cancelled,
        Some(News::Expired) => Reason::Expired,
        Some(News::Refunded | News::RefundedSoFar) => Reason::Refunded,
        Some(News::ChargedBack | News::SecondChargeback | News::DisputeLost) => Reason::Disputed,
        Some(News::CaptureFailed) => Reason::SettlementFailed,
        _ => Reason::Declined,
    };
    (reason, heard.kept.name.clone())
}
