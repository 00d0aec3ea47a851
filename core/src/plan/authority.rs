//! By what right a payment is made: a machine's mandate, spent in the commit of the payment, and
//! the second person above a limit.

use super::draft::{Draft, Stop};
use crate::{
    command::{Pay, Rejection},
    mandate::{self, Mandate, Spending},
    payment::{Approval, Payment},
    reason::Reason,
    store::Key,
};

/// Spends what the payment is of its mandate, and notes who must approve it. Gives why it must
/// wait, if it must.
pub fn claim(
    draft: &mut Draft<'_>,
    payment: &mut Payment,
    pay: &Pay,
) -> Result<Option<Reason>, Stop> {
    if let Some((key, mandate)) = spent(draft, pay)? {
        draft.put(&key, mandate.body(draft.tenant()));
        payment.agency.clone_from(&pay.agency);
    }
    if pay.needs_approval {
        payment.approval = Some(Approval {
            maker: draft.command.actor.to_string(),
            approver: None,
        });
        return Ok(Some(Reason::ApprovalNeeded));
    }
    Ok(pay.verification)
}

/// The mandate as it is after the payment.
fn spent(draft: &Draft<'_>, pay: &Pay) -> Result<Option<(Key, Mandate)>, Stop> {
    let Some(agency) = &pay.agency else {
        return Ok(None);
    };
    let key = mandate::key(draft.tenant(), agency.mandate);
    let mandate: Option<Mandate> = draft.read(&key)?;
    let mut mandate = mandate.ok_or_else(|| Rejection::NotFound {
        what: "mandate",
        id: agency.mandate.to_string(),
    })?;
    let wanted = Spending {
        debtor: pay.debtor,
        creditor: &pay.creditor,
        money: pay.money,
        rail: pay.rail,
    };
    let now = draft.now();
    mandate.spend(wanted, now).map_err(Rejection::Mandate)?;
    Ok(Some((key, mandate)))
}

/// Gives back at once what a payment spent that failed in the commit that makes it. It counts
/// among the payments of its minute all the same.
pub fn undo(draft: &mut Draft<'_>, pay: &Pay) -> Result<(), Stop> {
    if let Some((key, mut mandate)) = spent(draft, pay)? {
        mandate.give_back(pay.money);
        draft.put(&key, mandate.body(draft.tenant()));
    }
    Ok(())
}

/// Whether nobody has ended the mandate of a payment that waited, and now would go on.
pub fn stands(draft: &Draft<'_>, payment: &Payment) -> Result<bool, Stop> {
    let Some(agency) = &payment.agency else {
        return Ok(true);
    };
    let key = mandate::key(draft.tenant(), agency.mandate);
    let mandate: Option<Mandate> = draft.read(&key)?;
    Ok(mandate.is_some_and(|mandate| mandate.revoked_at.is_none()))
}

/// Gives a mandate back what a payment spent that failed later.
pub fn give_back(draft: &mut Draft<'_>, payment: &Payment) -> Result<(), Stop> {
    let Some(agency) = &payment.agency else {
        return Ok(());
    };
    let key = mandate::key(draft.tenant(), agency.mandate);
    if let Some(mut mandate) = draft.read::<Mandate>(&key)? {
        mandate.give_back(payment.money);
        draft.put(&key, mandate.body(draft.tenant()));
    }
    Ok(())
}

/// Takes in that the caller approves: somebody else than who gave the order.
pub fn approve(draft: &Draft<'_>, payment: &mut Payment) -> Result<(), Stop> {
    let actor = draft.command.actor.to_string();
    match payment.approval.as_mut() {
        Some(approval) if approval.maker == actor => Err(Rejection::OwnApproval.into()),
        Some(approval) => {
            approval.approver = Some(actor);
            Ok(())
        }
        None => Ok(()),
    }
}
