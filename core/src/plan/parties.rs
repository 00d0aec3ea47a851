//! The parties of a payment in its plan: looked at when it goes ahead, and again when one of them
//! changes.

use super::{
    draft::{Draft, Stop},
    payments::{advance, go_ahead, load},
};
use crate::{
    command::{Reply, View},
    id::Id,
    lifecycle::{Happened, Stage},
    party::{Outcome, Side, side_key, side_of},
    payment::Payment,
    reason::Reason,
};

/// Looks at the parties of a payment, and notes what was found in it.
pub fn look(draft: &Draft<'_>, payment: &mut Payment) -> Result<Outcome, Stop> {
    let Some(mut check) = payment.parties.take() else {
        return Ok(Outcome::Pass);
    };
    let sides = [
        (Side::Debtor, &payment.debtor),
        (Side::Creditor, &payment.creditor),
    ];
    let names = sides.map(|(side, party)| (side, side_of(party)));
    let asked = names.into_iter().filter(|(side, _)| check.asks(*side));
    let asked: Vec<_> = asked.collect();
    for (_, name) in &asked {
        draft.want(&side_key(draft.tenant(), name));
    }
    let mut found = Vec::new();
    for (side, name) in asked {
        let standing = draft.read(&side_key(draft.tenant(), &name))?;
        found.push(check.judge(side, name, standing, draft.now()));
    }
    check.found = found;
    let outcome = check.outcome();
    payment.parties = Some(check);
    Ok(outcome)
}

/// Lets a payment wait for its parties, or fails it, if they do not let it go ahead. Says whether
/// it may.
pub fn admit(draft: &mut Draft<'_>, payment: &mut Payment) -> Result<bool, Stop> {
    match look(draft, payment)? {
        Outcome::Pass => return Ok(true),
        Outcome::Refuse => refuse(draft, payment)?,
        Outcome::Hold => {
            payment.reason = Some(Reason::PartyUnverified);
            if payment.stage == Stage::New {
                advance(draft, payment, Happened::VerificationNeeded)?;
            }
        }
    }
    Ok(false)
}

/// Fails a payment for the state of its parties.
pub fn refuse(draft: &mut Draft<'_>, payment: &mut Payment) -> Result<(), Stop> {
    payment.reason = Some(Reason::PartyRefused);
    advance(draft, payment, Happened::Refused)
}

/// Whether a payment waits for nothing but its parties.
pub fn waits(payment: &Payment) -> bool {
    payment.stage == Stage::Verifying && payment.reason == Some(Reason::PartyUnverified)
}

/// Looks again at a payment that waits for its parties. Nothing happens if it still must, or if it
/// has moved on.
pub fn retry(draft: &mut Draft<'_>, id: Id<Payment>) -> Result<Reply, Stop> {
    let mut payment = load(draft, id)?;
    let before = payment.parties.clone();
    if !waits(&payment) {
        return Err(draft.nothing(&payment, 200));
    }
    go_ahead(draft, &mut payment)?;
    if waits(&payment) && payment.parties == before {
        return Err(draft.nothing(&payment, 200));
    }
    draft.store_payment(&payment);
    Ok(draft.answer(200, Some(payment.stage), View::Payment(&payment)))
}
