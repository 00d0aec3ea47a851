//! Questions from Lombard: what became of a payment (pacs.028), and can it come back (camt.056).

use std::sync::Arc;

use lombard_core::{
    iso20022::{RecallRequest, Refusal, StatusRequest},
    rail::Rail,
};

use super::{
    behaviour::{Enquiry, Recall},
    books::{Standing, Taken, place},
    desk::Said,
    state::Shared,
    voice,
};

/// The payment that Lombard asks about was never received.
const NEVER_RECEIVED: &str = "AG09";

/// A pacs.028.
pub fn enquiry(shared: &Arc<Shared>, rail: Rail, ask: StatusRequest) -> Result<Said, Refusal> {
    let reference = ask.original.tx_id.clone().unwrap_or_default();
    let place = place(rail, &reference);
    let mut books = shared.books.lock();
    books.counts(rail).enquiries += 1;
    let Some(entry) = books.entry(place) else {
        drop(books);
        let xml = voice::about(shared, rail, &ask.original, "RJCT", Some(NEVER_RECEIVED))?;
        return Ok(Said::Xml(xml));
    };
    entry.enquiries = entry.enquiries.saturating_add(1);
    let (standing, first) = (entry.standing, entry.enquiries == 1);
    let taken = books.taken(place).cloned();
    drop(books);
    let Some(taken) = taken else {
        // Its details are gone; how it stands is known for ever.
        let (status, code) = voice::words(rail, standing);
        let xml = voice::about(shared, rail, &ask.original, status, code.as_deref())?;
        return Ok(Said::Xml(xml));
    };
    answer(shared, &taken, standing, first)
}

fn answer(
    shared: &Arc<Shared>,
    taken: &Taken,
    standing: Standing,
    first: bool,
) -> Result<Said, Refusal> {
    match taken.behaviour.enquiry {
        Enquiry::Truth => Ok(Said::Xml(voice::report(shared, taken, standing)?)),
        Enquiry::Silence => Ok(Said::Silence),
        Enquiry::PendingThenLate => {
            if first {
                let letter = voice::report_letter(shared, taken, standing)?;
                shared.send_later(taken.behaviour.late_ms, letter);
            }
            Ok(Said::Xml(voice::report(
                shared,
                taken,
                Standing::Undecided,
            )?))
        }
    }
}

/// A camt.056.
pub fn recall(shared: &Arc<Shared>, rail: Rail, wish: RecallRequest) -> Result<Said, Refusal> {
    let reference = wish.original.tx_id.clone().unwrap_or_default();
    let place = place(rail, &reference);
    let mut books = shared.books.lock();
    books.counts(rail).recalls += 1;
    let accepted = books
        .entry(place)
        .is_some_and(|entry| entry.standing == Standing::Accepted);
    let taken = books
        .taken(place)
        .filter(|_| accepted)
        .map(|taken| taken.clone());
    drop(books);
    let Some(taken) = taken else {
        voice::refuse_recall(shared, rail, &wish, "NOOR")?;
        return Ok(Said::Taken);
    };
    let left = taken.money.amount.minor().saturating_sub(taken.returned);
    match &taken.behaviour.recall {
        _ if left == 0 => voice::refuse_recall(shared, rail, &wish, "ARDT")?,
        Recall::Grant => voice::give_back(shared, &taken, left, "FOCR", 0)?,
        Recall::Refuse(code) => voice::refuse_recall(shared, rail, &wish, code)?,
        Recall::Silence => {}
        Recall::Invalid => {
            return Ok(Said::Refused(
                "it is told to take no recall of this payment",
            ));
        }
    }
    Ok(Said::Taken)
}
