//! Recalls: a wish to have the money of a payment back, and its refusal. What grants a recall is
//! a return; see [`super::returns`].

use super::{
    draft::{Draft, Stop, Telling},
    payments::load,
    timers,
};
use crate::{
    command::{RecallWish, Rejection, Reply, View},
    event::{Beside, Errand, News},
    id::Id,
    lifecycle::Stage,
    payment::{AskedBy, Direction, Kind, Payment, Recall, RecallState},
    reason::Reason,
    scheme::Rules,
};

/// Asks the other bank for the money of an outgoing payment.
pub fn ask(
    draft: &mut Draft<'_>,
    id: Id<Payment>,
    reason: Reason,
    code: &str,
) -> Result<Reply, Stop> {
    let mut payment = load(draft, id)?;
    if payment.direction != Direction::Out || payment.kind == Kind::Return {
        let what = "only an outgoing payment can be recalled; return an incoming one";
        return Err(Rejection::WrongKind { what }.into());
    }
    if !matches!(payment.stage, Stage::Cleared | Stage::Settled) {
        return Err(Rejection::WrongStage {
            stage: payment.stage,
            wish: "recalled",
        }
        .into());
    }
    // Both schemes allow one recall for a payment.
    if payment.recall.is_some() {
        return Err(Rejection::RecalledBefore.into());
    }
    in_time(draft, &payment, code)?;
    let case = payment.attempt_id(draft.tenant());
    open(draft, &mut payment, AskedBy::Us, reason, code, &case);
    let telling = beside(Beside::RecallAsked, vec![Errand::AskRecall]);
    draft.tell(&mut payment, telling);
    draft.store_payment(&payment);
    Ok(draft.answer(201, Some(payment.stage), View::Payment(&payment)))
}

/// Takes in the other bank's wish about an incoming payment. Hearing it again changes nothing.
pub fn receive(draft: &mut Draft<'_>, id: Id<Payment>, wish: &RecallWish) -> Result<Reply, Stop> {
    let mut payment = load(draft, id)?;
    if payment.direction != Direction::In || payment.kind == Kind::Return {
        let what = "only an incoming payment can be recalled by its sender";
        return Err(Rejection::WrongKind { what }.into());
    }
    match &payment.recall {
        Some(recall) if recall.case == wish.case => return Err(draft.nothing(&payment, 200)),
        Some(_) => return Err(Rejection::RecalledBefore.into()),
        None => in_time(draft, &payment, &wish.reason_code)?,
    }
    open(
        draft,
        &mut payment,
        AskedBy::Them,
        wish.reason,
        &wish.reason_code,
        &wish.case,
    );
    draft.tell(&mut payment, beside(Beside::RecallReceived, Vec::new()));
    draft.store_payment(&payment);
    Ok(draft.answer(200, Some(payment.stage), View::Payment(&payment)))
}

/// Tells that a recall is still not answered though the scheme's time for it is over.
pub fn overdue(draft: &mut Draft<'_>, id: Id<Payment>) -> Result<(), Stop> {
    let mut payment = load(draft, id)?;
    let open = |recall: &Recall| recall.state == RecallState::Asked;
    if payment.recall.as_ref().is_some_and(open) {
        let telling = beside(Beside::RecallOverdue, vec![Errand::RecallOverdue]);
        draft.tell(&mut payment, telling);
        draft.store_payment(&payment);
    }
    Ok(())
}

/// Holds a recall against the scheme's deadline for its reason, counted from the day on which the
/// payment left, or came. A reason without one may be given at any time.
fn in_time(draft: &Draft<'_>, payment: &Payment, code: &str) -> Result<(), Stop> {
    let paid = payment.attempt.submitted_at.unwrap_or(payment.created_at);
    let until = Rules::of(payment.rail).and_then(|rules| rules.recall_until(code, paid.day()));
    match until {
        Some(until) if draft.now().day() > until => {
            let until = until.to_string();
            Err(Rejection::RecallTooLate { until }.into())
        }
        _ => Ok(()),
    }
}

/// Refuses the other bank's recall, or takes in that they refuse ours.
pub fn refuse(draft: &mut Draft<'_>, id: Id<Payment>, code: &str) -> Result<Reply, Stop> {
    let mut payment = load(draft, id)?;
    let Some(recall) = &mut payment.recall else {
        return Err(Rejection::NoOpenRecall.into());
    };
    match recall.state {
        RecallState::Refused => return Err(draft.nothing(&payment, 200)),
        RecallState::Granted => return Err(Rejection::NoOpenRecall.into()),
        RecallState::Asked => {}
    }
    recall.state = RecallState::Refused;
    recall.refusal_code = Some(code.to_owned());
    let errands = match recall.asked_by {
        AskedBy::Them if crate::planted!(RefusalUnsaid) => Vec::new(),
        AskedBy::Them => vec![Errand::RefuseRecall],
        AskedBy::Us => Vec::new(),
    };
    draft.tell(&mut payment, beside(Beside::RecallRefused, errands));
    draft.store_payment(&payment);
    Ok(draft.answer(200, Some(payment.stage), View::Payment(&payment)))
}

fn open(
    draft: &mut Draft<'_>,
    payment: &mut Payment,
    asked_by: AskedBy,
    reason: Reason,
    code: &str,
    case: &str,
) {
    let answer_by = timers::expect_answer(draft, payment);
    payment.recall = Some(Recall {
        asked_by,
        reason,
        reason_code: code.to_owned(),
        case: case.to_owned(),
        state: RecallState::Asked,
        asked_at: draft.now(),
        answer_by,
        refusal_code: None,
    });
}

const fn beside(news: Beside, errands: Vec<Errand>) -> Telling {
    Telling {
        news: News::Beside(news),
        moved_from: None,
        amount: None,
        errands,
    }
}
