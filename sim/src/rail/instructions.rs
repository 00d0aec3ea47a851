//! Instructions from Lombard: payments (pacs.008) and returns of what it received (pacs.004).
//!
//! A reference is a payment: the first submission decides, every other is counted and answered
//! as the payment stands. Nothing that Lombard does can make the simulator pay twice, and the
//! counts show whether it was asked to.

use std::{sync::Arc, time::Duration};

use lombard_core::{
    iso20022::{CreditTransfer, Refusal, Return},
    money::Money,
    rail::Rail,
};
use lombard_service::rails::names::Names;

use super::{
    behaviour::{Answer, Behaviour, Outcome, Then},
    books::{Entry, Place, Standing, Taken, asks, place},
    desk::Said,
    state::Shared,
    voice,
};

/// A pacs.008.
pub async fn transfer(
    shared: &Arc<Shared>,
    rail: Rail,
    transfer: CreditTransfer,
) -> Result<Said, Refusal> {
    let Some(reference) = transfer.tx_id.clone() else {
        return Ok(Said::Refused("a payment needs a transaction id"));
    };
    let number = |account: &Option<lombard_core::iso20022::Account>| {
        account
            .as_ref()
            .map_or(String::new(), |account| account.number().to_owned())
    };
    let asked = asks(&[
        &transfer.amount.amount.to_string(),
        transfer.amount.currency.code(),
        &number(&transfer.debtor_account),
        &number(&transfer.creditor_account),
        &transfer.end_to_end_id,
    ]);
    let behaviour = || shared.behaviour(rail, &transfer.end_to_end_id, transfer.amount);
    let taken = Taken {
        rail,
        reference,
        kind: "pacs.008",
        names: Names::of(CreditTransfer::NAME, &transfer),
        money: transfer.amount,
        from: transfer.instructing_agent.clone().unwrap_or_default(),
        behaviour: Arc::default(),
        returned: 0,
    };
    let refused = (rail.currency() != Some(transfer.amount.currency)).then_some("AM03");
    instruct(shared, taken, asked, refused, behaviour).await
}

/// A pacs.004: money that we sent comes back.
pub async fn comes_back(shared: &Arc<Shared>, rail: Rail, back: Return) -> Result<Said, Refusal> {
    let Some(reference) = back.return_id.clone() else {
        return Ok(Said::Refused("a return needs a return id"));
    };
    let original = back.original.tx_id.clone().unwrap_or_default();
    let asked = asks(&[&back.amount.amount.to_string(), &original]);
    let refused = give_back_allowed(shared, rail, &original, &reference, back.amount);
    let end_to_end_id = back.original.end_to_end_id.clone().unwrap_or_default();
    let behaviour = || shared.behaviour(rail, &end_to_end_id, back.amount);
    let taken = Taken {
        rail,
        reference: reference.clone(),
        kind: "pacs.004",
        names: Names {
            message_name: Return::NAME.to_owned(),
            message_id: back.message_id.clone(),
            created_ms: back.created_ms,
            instruction_id: None,
            end_to_end_id: end_to_end_id.clone(),
            tx_id: Some(reference),
            uetr: None,
            settlement_date: back.settlement_date.clone(),
            amount: back.amount,
            bic: None,
            sort_code: None,
        },
        money: back.amount,
        from: back.instructing_agent.clone().unwrap_or_default(),
        behaviour: Arc::default(),
        returned: 0,
    };
    instruct(shared, taken, asked, refused, behaviour).await
}

/// Why a return cannot be taken; counts what goes back otherwise.
fn give_back_allowed(
    shared: &Shared,
    rail: Rail,
    original: &str,
    reference: &str,
    amount: Money,
) -> Option<&'static str> {
    let mut books = shared.books.lock();
    let known = books.entry(place(rail, reference)).is_some();
    match books.sent(place(rail, original)) {
        None => Some("NOOR"),
        _ if known => None,
        Some(sent) if sent.returned + amount.amount.minor() > sent.money.amount.minor() => {
            Some("AM09")
        }
        Some(sent) => {
            sent.returned += amount.amount.minor();
            None
        }
    }
}

/// Takes an instruction, once, and answers it.
async fn instruct(
    shared: &Arc<Shared>,
    mut taken: Taken,
    asked: u64,
    refused: Option<&str>,
    behaviour: impl FnOnce() -> Arc<Behaviour>,
) -> Result<Said, Refusal> {
    let place = place(taken.rail, &taken.reference);
    if let Some(said) = again(shared, &taken, place, asked)? {
        return Ok(said);
    }
    let behaviour = behaviour();
    if behaviour.outcome == Outcome::Lost && shared.books.lock().lose(taken.rail, place) {
        return Ok(Said::Silence);
    }
    taken.behaviour = Arc::clone(&behaviour);
    let standing = match (refused, &behaviour.outcome) {
        (Some(code), _) => Standing::rejected(code),
        (None, Outcome::Accept | Outcome::Lost) => Standing::Accepted,
        (None, Outcome::Reject(code)) => Standing::rejected(code),
        (None, Outcome::Undecided) => Standing::Undecided,
    };
    let entry = Entry {
        standing,
        asks: asked,
        submissions: 1,
        enquiries: 0,
    };
    shared.books.lock().take(place, entry, taken.clone());
    tell_later(shared, &taken, standing)?;
    answer(shared, &taken, standing).await
}

/// The answer to a reference that was there before.
fn again(
    shared: &Shared,
    taken: &Taken,
    place: Place,
    asked: u64,
) -> Result<Option<Said>, Refusal> {
    let mut books = shared.books.lock();
    books.counts(taken.rail).received += 1;
    let Some(entry) = books.entry(place) else {
        return Ok(None);
    };
    entry.submissions = entry.submissions.saturating_add(1);
    let (standing, same) = (entry.standing, entry.asks == asked);
    let counts = books.counts(taken.rail);
    let standing = if same {
        counts.duplicates += 1;
        standing
    } else {
        counts.conflicts += 1;
        Standing::rejected(if taken.rail == Rail::Fps {
            "1181"
        } else {
            "AM05"
        })
    };
    drop(books);
    Ok(Some(Said::Xml(voice::report(shared, taken, standing)?)))
}

async fn answer(shared: &Shared, taken: &Taken, standing: Standing) -> Result<Said, Refusal> {
    let behaviour = &taken.behaviour;
    if behaviour.delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(behaviour.delay_ms)).await;
    }
    Ok(match behaviour.answer {
        Answer::Now => Said::Xml(voice::report(shared, taken, standing)?),
        Answer::Pending => Said::Xml(voice::report(shared, taken, Standing::Undecided)?),
        Answer::Later => Said::Taken,
        Answer::Never => Said::Silence,
        Answer::Broken => Said::Broken,
        Answer::Garbage => Said::Garbage,
        Answer::Error => Said::Error,
    })
}

/// What the behaviour says afterwards.
fn tell_later(shared: &Arc<Shared>, taken: &Taken, standing: Standing) -> Result<(), Refusal> {
    let behaviour = &taken.behaviour;
    for n in 0..u64::from(behaviour.repeats) {
        let letter = voice::report_letter(shared, taken, standing)?;
        shared.send_later(behaviour.delay_ms + behaviour.late_ms + n * 50, letter);
    }
    for then in &behaviour.then {
        match then {
            Then::Say {
                after_ms,
                status,
                code,
            } => {
                let letter = voice::say_letter(shared, taken, status, code.as_deref())?;
                shared.send_later(*after_ms, letter);
            }
            Then::Return {
                after_ms,
                code,
                percent,
            } => {
                let whole = taken.money.amount.minor();
                let part =
                    whole / 100 * u64::from(*percent) + whole % 100 * u64::from(*percent) / 100;
                voice::give_back(shared, taken, part.max(1), code, *after_ms)?;
            }
        }
    }
    Ok(())
}
