//! Returns: money of an earlier payment that goes back, ours or theirs, in full or in part.
//!
//! A return is a payment of its own, so it is held, submitted, doubted and enquired after like
//! any other. What of the original is on its way back is kept on the original, under guard, in
//! the same commit: however many returns are asked for at once, never more goes back than came.

use super::{
    books::sides,
    draft::{Draft, Stop, Telling},
    payments::{advance, arrived, load},
};
use crate::{
    command::{ReceiveReturn, Rejection, Reply, ReturnPayment, View},
    event::{Beside, Errand, News},
    id::Id,
    journal::{self, Role},
    ledger::{Account, Rollup},
    lifecycle::{Happened, Stage, Verdict, apply},
    money::{Amount, Money},
    payment::{
        AskedBy, Attempt, Direction, Kind, OnInsufficientFunds, Party, Payment, Recall, RecallState,
    },
    reason::Reason,
    store::Key,
};

/// Sends the money of an incoming or internal payment back.
pub fn give_back(draft: &mut Draft<'_>, wish: &ReturnPayment) -> Result<Reply, Stop> {
    let mut original = load(draft, wish.original)?;
    if draft.read::<Payment>(&own_key(draft, wish.id))?.is_some() {
        return Err(Rejection::Exists {
            id: wish.id.to_string(),
        }
        .into());
    }
    if original.kind == Kind::Return || original.direction == Direction::Out {
        let what = "only a payment that came to an account of yours can be returned; \
                    ask for an outgoing one by a recall";
        return Err(Rejection::WrongKind { what }.into());
    }
    if !matches!(original.stage, Stage::Cleared | Stage::Settled) {
        return Err(Rejection::WrongStage {
            stage: original.stage,
            wish: "returned",
        }
        .into());
    }
    check_recall(&original, wish)?;
    let amount = amount_within(&original, wish.amount)?;
    let direction = match original.direction {
        Direction::Internal => Direction::Internal,
        Direction::In | Direction::Out => Direction::Out,
    };
    let mut back = returning(draft, &original, wish.id, direction, amount);
    back.reason = Some(wish.reason);
    if !crate::planted!(ReturningForgotten) {
        original.returning += amount.minor();
    }
    let news = News::Beside(Beside::ReturnStarted);
    draft.tell(&mut original, told(news, None, amount.minor()));
    draft.hand_on(original);
    let news = match direction {
        Direction::Internal => Happened::BookAccepted,
        Direction::In | Direction::Out => Happened::Accepted,
    };
    advance(draft, &mut back, news)?;
    draft.store_payment(&back);
    Ok(draft.answer(201, Some(back.stage), View::Payment(&back)))
}

/// A return for the reason that the sender recalled the payment answers an open recall of his.
fn check_recall(original: &Payment, wish: &ReturnPayment) -> Result<(), Stop> {
    let asked =
        |recall: &Recall| recall.asked_by == AskedBy::Them && recall.state == RecallState::Asked;
    if wish.reason != Reason::Recalled || original.recall.as_ref().is_some_and(asked) {
        return Ok(());
    }
    Err(Rejection::NoOpenRecall.into())
}

/// Takes in the return of an outgoing payment. A return proves that the payment had arrived,
/// so one that was in doubt is first accepted.
pub fn take_back(draft: &mut Draft<'_>, news: &ReceiveReturn) -> Result<Reply, Stop> {
    let original = load(draft, news.original)?;
    if let Some(known) = draft.read::<Payment>(&own_key(draft, news.id))? {
        return Err(draft.nothing(&known, 200));
    }
    if original.direction != Direction::Out {
        let what = "only an outgoing payment can come back";
        return Err(Rejection::WrongKind { what }.into());
    }
    let back = gone_back(draft, original, news)?;
    draft.store_payment(&back);
    Ok(draft.answer(200, Some(back.stage), View::Payment(&back)))
}

/// Takes in money that a statement shows gone back: it is back, and at the settlement agent. Of an
/// outgoing payment it is the return that nobody told us of; of an incoming one it was taken from
/// us, and from whom we had given it to, unless he has not so much: then from suspense.
pub fn found(draft: &mut Draft<'_>, news: &ReceiveReturn) -> Result<(), Stop> {
    let original = load(draft, news.original)?;
    if draft.read::<Payment>(&own_key(draft, news.id))?.is_some() {
        return Ok(());
    }
    if original.direction == Direction::Internal {
        let what = "no statement shows what stayed on our books";
        return Err(Rejection::WrongKind { what }.into());
    }
    let mut back = gone_back(draft, original, news)?;
    advance(draft, &mut back, Happened::SettlementFound)?;
    draft.store_payment(&back);
    Ok(())
}

/// A return that has happened. The caller stores it.
pub fn gone_back(
    draft: &mut Draft<'_>,
    mut original: Payment,
    news: &ReceiveReturn,
) -> Result<Payment, Stop> {
    arrived(draft, &mut original)?;
    if !matches!(original.stage, Stage::Cleared | Stage::Settled) {
        return Err(Rejection::WrongStage {
            stage: original.stage,
            wish: "returned",
        }
        .into());
    }
    let amount = amount_within(&original, Some(news.amount))?;
    let direction = match original.direction {
        Direction::In => Direction::Out,
        Direction::Out | Direction::Internal => Direction::In,
    };
    let mut back = returning(draft, &original, news.id, direction, amount);
    if direction == Direction::Out {
        back.debtor = Party::Account(bearer(draft, &back)?);
    }
    back.reason = Some(news.reason);
    back.reason_code = Some(news.reason_code.clone());
    back.attempt.rail_reference = Some(news.rail_reference.clone());
    original.returning += amount.minor();
    original.reason = Some(news.reason);
    original.reason_code = Some(news.reason_code.clone());
    draft.hand_on(original);
    advance(draft, &mut back, Happened::Received)?;
    Ok(back)
}

/// Who bears money that was taken from us.
fn bearer(draft: &mut Draft<'_>, back: &Payment) -> Result<Id<Account>, Stop> {
    let (debtor, _) = sides(draft, back);
    let bears = match debtor.rollup() {
        Rollup::House => true,
        Rollup::Constrained => {
            let balance = draft.balance(debtor)?;
            balance.open && balance.sums.available() >= back.money.amount.minor()
        }
    };
    let (rail, currency) = (back.rail, back.money.currency);
    let suspense = journal::house(draft.tenant(), rail, Role::Suspense, currency);
    Ok(if bears { debtor } else { suspense })
}

fn own_key(draft: &Draft<'_>, id: Id<Payment>) -> Key {
    super::keys::payment(draft.tenant(), id)
}

fn amount_within(original: &Payment, asked: Option<Amount>) -> Result<Amount, Stop> {
    let remaining = original.returnable();
    let asked = asked.map_or(remaining, Amount::minor);
    match Amount::try_from(asked) {
        Ok(amount) if asked <= remaining || crate::planted!(ReturnBeyondRest) => Ok(amount),
        _ => Err(Rejection::MoreThanRemains { remaining, asked }.into()),
    }
}

/// A return of `original`: the same sides, exchanged.
fn returning(
    draft: &Draft<'_>,
    original: &Payment,
    id: Id<Payment>,
    direction: Direction,
    amount: Amount,
) -> Payment {
    Payment {
        id,
        kind: Kind::Return,
        direction,
        rail: original.rail,
        money: Money {
            amount,
            currency: original.money.currency,
        },
        debtor: original.creditor.clone(),
        creditor: original.debtor.clone(),
        end_to_end_id: original.end_to_end_id.clone(),
        stage: Stage::New,
        reason: None,
        reason_code: None,
        on_insufficient_funds: OnInsufficientFunds::Fail,
        attempt: Attempt::default(),
        returned: 0,
        returning: 0,
        original: Some(original.id),
        recall: None,
        settled: false,
        charge: None,
        sca: None,
        parties: None,
        agency: None,
        approval: None,
        limits: Vec::new(),
        batch: None,
        sealed: original.sealed.clone(),
        warnings: Vec::new(),
        metadata: std::collections::BTreeMap::new(),
        created_at: draft.now(),
        updated_at: draft.now(),
        execute_at: None,
        expires_at: None,
        events: 0,
        trace: draft.command.trace.clone(),
    }
}

/// Tells the original what became of a return: the money is back for good, or it is not.
pub fn tell_original(draft: &mut Draft<'_>, back: &Payment, before: Stage) -> Result<(), Stop> {
    let Some(id) = back.original else {
        return Ok(());
    };
    let amount = back.money.amount.minor();
    let handed_on = draft.take_handed_on(id);
    let unchanged = handed_on.is_none();
    let mut original = match handed_on {
        Some(original) => original,
        None => load(draft, id)?,
    };
    match (before.is_decided(), back.stage) {
        (false, Stage::Cleared | Stage::Settled) => {
            original.returning = original.returning.saturating_sub(amount);
            original.returned += amount;
            if crate::planted!(RefundTwice) {
                original.returned += amount;
            }
            grant_recall(draft, &mut original, amount);
            let full = original.is_all_back();
            let news = if full {
                Happened::FullyReturned
            } else {
                Happened::PartReturned
            };
            if let Verdict::Moves(stage, _) = apply(original.stage, news) {
                let moved_from = (stage != original.stage).then_some(original.stage);
                original.stage = stage;
                if original.reason.is_none() || full {
                    original.reason = back.reason;
                }
                let news = News::Step(news);
                draft.tell(&mut original, told(news, moved_from, amount));
            }
        }
        (false, Stage::Failed) => {
            original.returning = original.returning.saturating_sub(amount);
            draft.tell(
                &mut original,
                told(News::Beside(Beside::ReturnFailed), None, amount),
            );
        }
        // The rail took its yes back: what had gone back has not.
        (true, Stage::Reversed) if before != Stage::Reversed => {
            original.returned = original.returned.saturating_sub(amount);
            let is_won = back.reason == Some(Reason::Disputed);
            let news = if is_won {
                Beside::DisputeWon
            } else {
                Beside::ReturnFailed
            };
            let mut telling = told(News::Beside(news), None, amount);
            if !is_won {
                telling.errands.push(Errand::Contradiction);
            }
            draft.tell(&mut original, telling);
        }
        // An earlier step of this decision may have written it already; what was read is older.
        _ if unchanged => return Ok(()),
        _ => {}
    }
    draft.store_payment(&original);
    draft.hand_on(original);
    Ok(())
}

/// Money that goes back while somebody asks for it is what grants the asking.
fn grant_recall(draft: &mut Draft<'_>, original: &mut Payment, amount: u64) {
    let Some(recall) = &mut original.recall else {
        return;
    };
    if recall.state == RecallState::Asked {
        recall.state = RecallState::Granted;
        let news = News::Beside(Beside::RecallGranted);
        draft.tell(original, told(news, None, amount));
    }
}

const fn told(news: News, moved_from: Option<Stage>, amount: u64) -> Telling {
    Telling {
        news,
        moved_from,
        amount: Some(amount),
        errands: Vec::new(),
    }
}
