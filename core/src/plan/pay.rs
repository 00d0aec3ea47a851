//! A payment that is asked for: judged, authorised, and accepted in one commit. And how one begins
//! that comes to an account of ours.

use super::{
    authority,
    draft::{Draft, Stop},
    keys, parties,
    payments::{advance, go_ahead, later},
    risk, sca,
};
use crate::{
    command::{Pay, Receive, Rejection, Reply, View},
    id::Id,
    ledger::Account,
    lifecycle::{Happened, Stage},
    party::{Check, Outcome},
    payment::{Attempt, Direction, Kind, OnInsufficientFunds, Party, Payment},
    reason::Reason,
    risk::Action,
};

/// Accepts a payment: holds its money and asks for submission, moves it on the books, lets it
/// wait, or fails it, because risk declines it or for want of money. Each is an answer; only
/// nonsense is a rejection.
pub fn pay(draft: &mut Draft<'_>, pay: &Pay) -> Result<Reply, Stop> {
    if pay.creditor.account() == Some(pay.debtor) {
        return Err(Rejection::SameAccount.into());
    }
    let key = keys::payment(draft.tenant(), pay.id);
    if draft.read::<Payment>(&key)?.is_some() {
        return Err(Rejection::Exists {
            id: pay.id.to_string(),
        }
        .into());
    }
    draft.check_account(pay.debtor, pay.money.currency)?;
    if let Some(creditor) = pay.creditor.account() {
        draft.check_account(creditor, pay.money.currency)?;
    }
    let mut payment = new_payment(draft, pay);
    let settled = risk::settle(draft, pay.id, pay.risk.as_ref())?;
    match settled.action {
        // It spends nothing of a mandate, and asks nobody.
        Action::Decline => {
            payment.reason = Some(Reason::FraudSuspected);
            advance(draft, &mut payment, Happened::Refused)?;
        }
        // Nor does it where nobody could let it go ahead.
        _ if parties::look(draft, &mut payment)? == Outcome::Refuse => {
            parties::refuse(draft, &mut payment)?;
        }
        action => authorise(draft, &mut payment, pay, action)?,
    }
    risk::count(draft, &mut payment, settled);
    draft.store_payment(&payment);
    Ok(draft.answer(201, Some(payment.stage), View::Payment(&payment)))
}

/// Goes ahead with a payment, or lets it wait for whoever must say yes to it.
fn authorise(
    draft: &mut Draft<'_>,
    payment: &mut Payment,
    pay: &Pay,
    action: Action,
) -> Result<(), Stop> {
    let claimed = authority::claim(draft, payment, pay)?;
    // Whoever looks must see that it is suspected, whatever else he confirms.
    let suspected = (action == Action::Review).then_some(Reason::FraudSuspected);
    let review = suspected.or(claimed);
    let challenged = action == Action::Challenge;
    let authenticate = sca::assess(draft, payment, pay, review, challenged)?;
    match authenticate.or(review) {
        Some(reason) => {
            payment.reason = Some(reason);
            advance(draft, payment, Happened::VerificationNeeded)?;
        }
        None => go_ahead(draft, payment)?,
    }
    if payment.stage == Stage::Failed {
        authority::undo(draft, pay)?;
    }
    sca::count(draft, payment)
}

fn new_payment(draft: &Draft<'_>, pay: &Pay) -> Payment {
    let internal = pay.creditor.account().is_some();
    Payment {
        id: pay.id,
        kind: Kind::CreditTransfer,
        direction: if internal {
            Direction::Internal
        } else {
            Direction::Out
        },
        rail: pay.rail,
        money: pay.money,
        debtor: Party::Account(pay.debtor),
        creditor: pay.creditor.clone(),
        end_to_end_id: pay.end_to_end_id.clone(),
        stage: Stage::New,
        reason: None,
        reason_code: None,
        on_insufficient_funds: pay.on_insufficient_funds,
        attempt: Attempt::default(),
        returned: 0,
        returning: 0,
        original: None,
        recall: None,
        settled: false,
        charge: None,
        sca: None,
        parties: Check::of(&pay.parties),
        agency: None,
        approval: None,
        limits: Vec::new(),
        batch: pay.batch,
        sealed: pay.sealed.clone(),
        warnings: pay.warnings.clone(),
        metadata: pay.metadata.clone(),
        created_at: draft.now(),
        updated_at: draft.now(),
        execute_at: later(draft, pay.execute_at),
        expires_at: Some(
            later(draft, pay.execute_at)
                .unwrap_or(draft.now())
                .plus_ms(pay.wait_ms),
        ),
        events: 0,
        trace: draft.command.trace.clone(),
    }
}

/// A payment that comes to an account of ours.
pub fn incoming(draft: &Draft<'_>, news: &Receive, creditor: Id<Account>) -> Payment {
    let now = draft.now();
    Payment {
        id: news.id,
        kind: Kind::CreditTransfer,
        direction: Direction::In,
        rail: news.rail,
        money: news.money,
        debtor: Party::External(news.debtor.clone()),
        creditor: Party::Account(creditor),
        end_to_end_id: news.end_to_end_id.clone(),
        stage: Stage::New,
        reason: None,
        reason_code: None,
        on_insufficient_funds: OnInsufficientFunds::Fail,
        attempt: Attempt {
            rail_reference: Some(news.rail_reference.clone()),
            ..Attempt::default()
        },
        returned: 0,
        returning: 0,
        original: None,
        recall: None,
        settled: false,
        charge: None,
        sca: None,
        parties: None,
        agency: None,
        approval: None,
        limits: Vec::new(),
        batch: None,
        sealed: news.sealed.clone(),
        warnings: Vec::new(),
        metadata: std::collections::BTreeMap::new(),
        created_at: now,
        updated_at: now,
        execute_at: None,
        expires_at: None,
        events: 0,
        trace: draft.command.trace.clone(),
    }
}
