//! Payments that a person puts right: marked by evidence, sent again, compensated.
//!
//! What the rail's records say is taken in as the rail's own word would be, so the books and the
//! timeline come out the same; that a person said it is in the audit, in the same commit. A payment
//! that failed stays failed: compensation is a transaction beside it, made once for its id.

use super::{
    books::sides,
    draft::{Draft, Stop},
    keys,
    payments::{load, report},
};
use crate::{
    command::{Bearer, Mend, Rejection, Repair, Reply, Report, View},
    id::Id,
    journal::{self, Journal, Role},
    ledger::{Leg, Transaction},
    lifecycle::Stage,
    payment::{Direction, Payment},
    reason::Reason,
};

/// The code of a refusal that a person found in the rail's records.
const BY_EVIDENCE: &str = "by_evidence";

/// Does what a person decided about a payment that stands as he saw it.
pub fn repair(draft: &mut Draft<'_>, repair: &Repair) -> Result<Reply, Stop> {
    let payment = load(draft, repair.payment)?;
    if let Mend::Compensate(id, _) | Mend::TakeBack(id, _) = &repair.mend
        && draft.is_there(&keys::transaction(draft.tenant(), *id))?
    {
        return Err(draft.nothing(&payment, 200));
    }
    if payment.events != repair.seen {
        return Err(Rejection::Changed.into());
    }
    let (what, reply) = match &repair.mend {
        Mend::Paid(reference) => {
            let said = Report::Accepted(Some(reference.clone()));
            ("payment.mark_paid", told(draft, &payment, &said)?)
        }
        Mend::NotPaid => {
            let said = Report::Rejected(Reason::Unspecified, BY_EVIDENCE.to_owned());
            ("payment.mark_not_paid", told(draft, &payment, &said)?)
        }
        Mend::Resubmit => {
            let again = told(draft, &payment, &Report::NeverArrived)?;
            ("payment.resubmit", again)
        }
        Mend::Compensate(id, bearer) => {
            let legs = borne(draft, &payment, *bearer)?;
            let reply = beside(draft, &payment, *id, legs)?;
            ("payment.compensate", reply)
        }
        Mend::TakeBack(id, of) => {
            let legs = undone(draft, &payment, *of)?;
            let reply = beside(draft, &payment, *id, legs)?;
            ("payment.compensation_undone", reply)
        }
    };
    let why = Some(repair.why.as_str());
    // Each payment is repaired once at a number of events, but for what is beside it.
    match &repair.mend {
        Mend::Compensate(id, _) | Mend::TakeBack(id, _) => draft.note(what, *id, 1, why),
        _ => draft.note(what, payment.id, repair.seen + 1, why),
    }
    Ok(reply)
}

/// Takes in what a rail would have said of a payment in doubt.
fn told(draft: &mut Draft<'_>, payment: &Payment, said: &Report) -> Result<Reply, Stop> {
    if payment.stage != Stage::InDoubt {
        return Err(wrong(payment, "decided by hand"));
    }
    report(draft, payment.id, said)
}

fn wrong(payment: &Payment, wish: &'static str) -> Stop {
    let stage = payment.stage;
    Rejection::WrongStage { stage, wish }.into()
}

/// From who bears it to the rail, which has the money.
fn borne(draft: &Draft<'_>, payment: &Payment, bearer: Bearer) -> Result<Vec<Leg>, Stop> {
    if payment.stage != Stage::Failed {
        return Err(wrong(payment, "compensated"));
    }
    if payment.direction != Direction::Out {
        let what = "only the money of an outgoing payment leaves us";
        return Err(Rejection::WrongKind { what }.into());
    }
    let (debtor, clearing) = sides(draft, payment);
    let currency = payment.money.currency;
    let debit = match bearer {
        Bearer::Payer => debtor,
        Bearer::House => journal::house(draft.tenant(), payment.rail, Role::Differences, currency),
    };
    Ok(journal::move_now(debit, clearing, payment.money))
}

/// The legs of a transaction of this payment, the other way round.
fn undone(draft: &Draft<'_>, payment: &Payment, of: Id<Transaction>) -> Result<Vec<Leg>, Stop> {
    let found = draft.read::<Transaction>(&keys::transaction(draft.tenant(), of))?;
    let found = found.filter(|it| it.payment == Some(payment.id));
    let found = found.ok_or_else(|| Rejection::NotFound {
        what: "transaction",
        id: of.to_string(),
    })?;
    let turned = found.legs.into_iter().map(|leg| Leg {
        side: leg.side.opposite(),
        ..leg
    });
    Ok(turned.collect())
}

fn beside(
    draft: &mut Draft<'_>,
    payment: &Payment,
    id: Id<Transaction>,
    legs: Vec<Leg>,
) -> Result<Reply, Stop> {
    for leg in &legs {
        draft.check_account(leg.account, leg.money.currency)?;
    }
    draft.enter_as(id, Journal::Posting, Some(payment.id), legs)?;
    Ok(draft.answer(200, Some(payment.stage), View::Payment(payment)))
}
