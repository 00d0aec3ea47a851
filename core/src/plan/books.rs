//! The journals of payments: which accounts an effect touches, and on which sides.

use super::draft::{Draft, Stop};
use crate::{
    id::Id,
    journal::{self, Journal, Role},
    ledger::{Account, Leg, Rollup},
    lifecycle::Effect,
    money::{Amount, Money},
    payment::{Direction, Kind, Payment},
};

/// The accounts that a payment debits and credits: ours, or the rail's clearing account in the
/// place of whoever is outside.
pub fn sides(draft: &Draft<'_>, payment: &Payment) -> (Id<Account>, Id<Account>) {
    let house = || clearing(draft, payment);
    (
        payment.debtor.account().unwrap_or_else(house),
        payment.creditor.account().unwrap_or_else(house),
    )
}

fn clearing(draft: &Draft<'_>, payment: &Payment) -> Id<Account> {
    journal::house(
        draft.tenant(),
        payment.rail,
        Role::Clearing,
        payment.money.currency,
    )
}

/// Whether an account of ours on either side takes no more entries.
pub fn closed(draft: &mut Draft<'_>, payment: &Payment) -> Result<bool, Stop> {
    let (debit, credit) = sides(draft, payment);
    let constrained = [debit, credit]
        .into_iter()
        .filter(|id| id.rollup() == Rollup::Constrained);
    for account in constrained {
        if !draft.balance(account)?.open {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Where money goes that a rail brings back: to the account that it left, or into suspense when
/// that has been closed meanwhile. The rail tells a fact, and a fact is not refused.
fn home(
    draft: &mut Draft<'_>,
    payment: &Payment,
    account: Id<Account>,
) -> Result<Id<Account>, Stop> {
    if account.rollup() == Rollup::House || draft.balance(account)?.open {
        return Ok(account);
    }
    let (rail, currency) = (payment.rail, payment.money.currency);
    Ok(journal::house(
        draft.tenant(),
        rail,
        Role::Suspense,
        currency,
    ))
}

/// The journal of an effect. World effects have none.
pub fn enter_effect(draft: &mut Draft<'_>, payment: &Payment, effect: Effect) -> Result<(), Stop> {
    if crate::planted!(HoldKept) && effect == Effect::Void {
        return Ok(());
    }
    let (debit, credit) = sides(draft, payment);
    let money = payment.money;
    let (step, legs) = match effect {
        Effect::Hold if payment.kind == Kind::Charge => {
            (Journal::ChargeHold, journal::hold(debit, credit, money))
        }
        Effect::Post | Effect::Void if payment.kind == Kind::Charge => {
            completing(payment, effect, debit, credit)
        }
        Effect::Hold => (Journal::OutHold, journal::hold(debit, credit, money)),
        Effect::Post => {
            let mut legs = journal::post(debit, credit, money, money.amount);
            if crate::planted!(PostedElsewhere)
                && let Some(last) = legs.last_mut()
            {
                let (tenant, rail) = (draft.tenant(), payment.rail);
                last.account = journal::house(tenant, rail, Role::Suspense, money.currency);
            }
            (Journal::OutPost, legs)
        }
        Effect::Void => (Journal::OutVoid, journal::void(debit, credit, money)),
        Effect::Move if payment.direction == Direction::In && payment.kind == Kind::Return => {
            let credit = home(draft, payment, credit)?;
            (Journal::ReturnIn, journal::move_now(debit, credit, money))
        }
        Effect::Move => (
            moving(draft, payment),
            journal::move_now(debit, credit, money),
        ),
        Effect::Undo => {
            // What came back already is not undone again.
            let Ok(amount) = Amount::try_from(payment.returnable()) else {
                return Ok(());
            };
            let rest = Money { amount, ..money };
            let debit = home(draft, payment, debit)?;
            (Journal::Reversal, journal::move_now(credit, debit, rest))
        }
        Effect::Settle => settling(draft, payment),
        Effect::Enquire if crate::planted!(HoldReleasedOnTimeout) => {
            (Journal::OutVoid, journal::void(debit, credit, money))
        }
        Effect::Submit | Effect::Enquire | Effect::Contradiction => return Ok(()),
    };
    draft.enter(payment.id, payment.events, step, Some(payment.id), legs)?;
    Ok(())
}

/// The end of what was promised of a charge. Its amount is what of that is captured.
fn completing(
    payment: &Payment,
    effect: Effect,
    debit: Id<Account>,
    credit: Id<Account>,
) -> (Journal, Vec<Leg>) {
    let promised = payment
        .charge
        .as_ref()
        .map_or(payment.money.amount, |it| it.authorised);
    let held = Money {
        amount: promised,
        ..payment.money
    };
    match effect {
        Effect::Post => {
            let legs = journal::post(debit, credit, held, payment.money.amount);
            (Journal::ChargePost, legs)
        }
        _ => (Journal::ChargeVoid, journal::void(debit, credit, held)),
    }
}

fn moving(draft: &Draft<'_>, payment: &Payment) -> Journal {
    let suspense = journal::house(
        draft.tenant(),
        payment.rail,
        Role::Suspense,
        payment.money.currency,
    );
    match (payment.direction, payment.kind) {
        (Direction::Internal, _) => Journal::BookPost,
        (Direction::In, Kind::Return) => Journal::ReturnIn,
        (Direction::In, _) if payment.creditor.account() == Some(suspense) => Journal::InSuspense,
        (Direction::In, _) => Journal::InPost,
        // Nothing else goes out without having been held: it was taken from us.
        (Direction::Out, _) => Journal::Chargeback,
    }
}

/// Settles a payment that was reversed before: its money came, and went back, by lines of their own.
pub fn settle_reversed(draft: &mut Draft<'_>, payment: &Payment) -> Result<(), Stop> {
    let (step, legs) = settling(draft, payment);
    let id = Id::of_name(&format!("{}/settled", payment.id));
    draft.enter_as(id, step, Some(payment.id), legs)?;
    Ok(())
}

fn settling(draft: &Draft<'_>, payment: &Payment) -> (Journal, Vec<Leg>) {
    let clearing = clearing(draft, payment);
    let settlement = journal::house(
        draft.tenant(),
        payment.rail,
        Role::Settlement,
        payment.money.currency,
    );
    match payment.direction {
        Direction::In => (
            Journal::InSettle,
            journal::move_now(settlement, clearing, payment.money),
        ),
        Direction::Out | Direction::Internal => (
            Journal::OutSettle,
            journal::move_now(clearing, settlement, payment.money),
        ),
    }
}
