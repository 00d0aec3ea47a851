//! Charges: made, captured, let go of, and led another way. What providers tell of them later is
//! in [`super::disputes`] and [`super::providers`].
//!
//! A charge that is to be captured, or let go of, is submitted again. From then on neither can be
//! asked for, so of two captures at once one is refused, and never more is taken than was promised.

use super::{
    draft::{Draft, Stop},
    keys,
    pay::incoming,
    payments::{advance, load, step},
    risk,
};
use crate::{
    charge::{Asked, Capture, Charge},
    command::{MakeCharge, Receive, Rejection, Reply, View},
    id::Id,
    lifecycle::{Happened, Stage},
    money::{Amount, Money},
    payment::{Attempt, Kind, Payment},
    rail::Rail,
    reason::Reason,
    risk::Action,
    store::Body,
};

/// How long a charge waits for somebody who must look at it: nobody stands at a till for longer, and a
/// card's details must not be kept for one.
const REVIEW_MS: u64 = 24 * 60 * 60 * 1000;

/// Accepts a charge: what its provider will owe is promised to the account that it is for.
pub fn make(draft: &mut Draft<'_>, make: &MakeCharge) -> Result<Reply, Stop> {
    let key = keys::payment(draft.tenant(), make.id);
    if draft.read::<Payment>(&key)?.is_some() {
        let id = make.id.to_string();
        return Err(Rejection::Exists { id }.into());
    }
    draft.check_account(make.creditor, make.money.currency)?;
    let news = Receive {
        id: make.id,
        rail: Rail::Card,
        money: make.money,
        debtor: make.card.clone(),
        creditor: Some(make.creditor),
        end_to_end_id: make.end_to_end_id.clone(),
        rail_reference: String::new(),
        sealed: None,
    };
    let charge = Charge {
        token: make.token.clone(),
        provider: make.provider.clone(),
        capture: make.capture,
        authorised: make.money.amount,
        asked: Asked::Authorisation,
        completions: 0,
        reserved: 0,
        disputed: 0,
        contested: 0,
    };
    let mut payment = Payment {
        kind: Kind::Charge,
        attempt: Attempt::default(),
        settled: false,
        charge: Some(Box::new(charge)),
        metadata: make.metadata.clone(),
        ..incoming(draft, &news, make.creditor)
    };
    let settled = risk::settle(draft, make.id, make.risk.as_ref())?;
    let (reason, news) = judged(settled.action, make.authenticated);
    payment.reason = reason;
    payment.expires_at =
        (news == Happened::VerificationNeeded).then(|| draft.now().plus_ms(REVIEW_MS));
    advance(draft, &mut payment, news)?;
    risk::count(draft, &mut payment, settled);
    draft.store_payment(&payment);
    Ok(draft.answer(201, Some(payment.stage), View::Payment(&payment)))
}

/// What is done with a charge about which risk wants something, before its provider hears of it. Who
/// holds the card can only be asked where he pays: a charge that he must authenticate for is refused,
/// softly as a card's bank would, and made again once he has.
const fn judged(action: Action, authenticated: bool) -> (Option<Reason>, Happened) {
    match action {
        Action::Approve => (None, Happened::Accepted),
        Action::Challenge if authenticated => (None, Happened::Accepted),
        Action::Challenge => (Some(Reason::AuthenticationNeeded), Happened::Refused),
        Action::Review => (Some(Reason::FraudSuspected), Happened::VerificationNeeded),
        Action::Decline => (Some(Reason::FraudSuspected), Happened::Refused),
    }
}

/// Asks for the money of an authorised charge, or a part of it; the rest is let go of.
pub fn capture(
    draft: &mut Draft<'_>,
    id: Id<Payment>,
    amount: Option<Amount>,
) -> Result<Reply, Stop> {
    let (mut payment, charge) = load_charge(draft, id)?;
    if charge.capture == Capture::Automatic {
        let what = "the charge is captured with its authorisation";
        return Err(Rejection::WrongKind { what }.into());
    }
    let amount = amount.unwrap_or(charge.authorised);
    if amount > charge.authorised {
        let (held, asked) = (charge.authorised.minor(), amount.minor());
        return Err(Rejection::MoreThanHeld { held, asked }.into());
    }
    ask(draft, &mut payment, Asked::Capture(amount), "captured")?;
    draft.note("charge.capture", id, payment.events, None);
    Ok(draft.answer(200, Some(payment.stage), View::Payment(&payment)))
}

/// Lets go of the money of a charge that was not captured. One that has not left us is cancelled.
pub fn void(draft: &mut Draft<'_>, id: Id<Payment>) -> Result<Reply, Stop> {
    let (mut payment, _) = load_charge(draft, id)?;
    if matches!(payment.stage, Stage::Held | Stage::Queued) {
        payment.reason = Some(Reason::Cancelled);
        step(draft, &mut payment, Happened::Cancelled)?;
    } else {
        ask(draft, &mut payment, Asked::Void, "voided")?;
    }
    draft.note("charge.void", id, payment.events, None);
    Ok(draft.answer(200, Some(payment.stage), View::Payment(&payment)))
}

fn load_charge(draft: &Draft<'_>, id: Id<Payment>) -> Result<(Payment, Charge), Stop> {
    let payment = load(draft, id)?;
    let what = "the payment is not a charge of a card";
    let charge = payment.charge.as_deref().cloned();
    let charge = charge.ok_or(Rejection::WrongKind { what })?;
    Ok((payment, charge))
}

fn ask(
    draft: &mut Draft<'_>,
    payment: &mut Payment,
    asked: Asked,
    wish: &'static str,
) -> Result<(), Stop> {
    let stage = payment.stage;
    if stage != Stage::Authorised {
        return Err(Rejection::WrongStage { stage, wish }.into());
    }
    if let Some(charge) = &mut payment.charge {
        charge.asked = asked;
        charge.completions += 1;
    }
    // What was found out about the authorisation says nothing about this.
    payment.attempt.submitted_at = Some(draft.now());
    payment.attempt.enquiries = 0;
    step(draft, payment, Happened::CompletionAsked)
}

/// Leads a charge to another provider. Whoever asks knows that the one before was never reached.
pub fn reroute(draft: &mut Draft<'_>, id: Id<Payment>, provider: &str) -> Result<Reply, Stop> {
    let (mut payment, mut charge) = load_charge(draft, id)?;
    if payment.stage != Stage::Submitted || charge.asked != Asked::Authorisation {
        return Err(draft.nothing(&payment, 200));
    }
    provider.clone_into(&mut charge.provider);
    payment.charge = Some(Box::new(charge));
    draft.store_payment(&payment);
    Ok(Draft::done(Some(payment.stage)))
}

/// Whether a promise of the money is news: none has been heard of, and nothing else was asked for.
pub fn awaits_authorisation(payment: &Payment) -> bool {
    let charge = payment.charge.as_ref();
    let asked = charge.is_some_and(|it| it.asked == Asked::Authorisation);
    asked && payment.stage.is_held() && payment.stage != Stage::Authorised
}

/// Notes under which id a provider knows a payment, if that was not known. What it says of a charge
/// without our reference is then found by it.
pub fn refer(draft: &mut Draft<'_>, payment: &mut Payment, id: Option<&str>) -> Result<(), Stop> {
    let Some(id) = id.filter(|_| payment.attempt.rail_reference.is_none()) else {
        return Ok(());
    };
    payment.attempt.rail_reference = Some(id.to_owned());
    if let Some(charge) = &payment.charge {
        let key = keys::provider_payment(&charge.provider, id);
        if !draft.is_there(&key)? {
            let known = (draft.tenant(), payment.id);
            draft.create(key, Body::of(&known));
        }
    }
    Ok(())
}

/// Notes that a charge was neither captured nor let go of, so that either can be asked for again.
pub fn refuse(payment: &mut Payment, reason: Reason, code: &str) {
    if let Some(charge) = &mut payment.charge {
        charge.asked = Asked::Authorisation;
        payment.reason = Some(reason);
        payment.reason_code = Some(code.to_owned());
    }
}

/// Makes what is captured of a charge its amount.
pub fn settle_amount(payment: &mut Payment) {
    let asked = payment.charge.as_ref().map(|it| it.asked);
    if let Some(Asked::Capture(amount)) = asked {
        payment.money = Money {
            amount,
            ..payment.money
        };
    }
}
