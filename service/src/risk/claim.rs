//! A confirmed claim of authorised push payment fraud as a case with its clock: what is owed on
//! it, by which day, and what the other bank bears.
//!
//! **Clock.** Four days of a claim are records, written in the commit of its label: the day before
//! each of the two by which it must be answered, and the day after. Whoever looks after risk asks
//! for those that have come ([`tell_due`]): while the claim's case is open, a case of its own says
//! so. A day is removed only when it was told.

use lombard_core::{
    id::Id,
    payment::Payment,
    rail::Rail,
    risk::reimbursement::Claim,
    store::{Body, Key, Snapshot, WriteSet, decode},
    tenant::TenantId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::{Judged, label::Label};
use crate::{
    app::App,
    exceptions::{self, Kind, State, Trouble},
    ports::{CommitError, RANGE_MAX, Range, ReadError},
};

/// The days of all claims, by day.
const DAYS: &str = "risk#claims";

/// A day on which somebody is reminded of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Due {
    tenant: TenantId,
    payment: Id<Payment>,
    /// The day by which the claim must be answered, as `2026-11-23`.
    answer_by: String,
    /// Whether that day is over.
    over: bool,
}

/// The case of a label that is a claim; none where the rules do not speak of the payment, which they do of Faster
/// Payments alone.
#[must_use]
pub fn case(judged: &Judged, label: &Label) -> Option<Trouble> {
    let claim = of(judged, label)?;
    let what = if claim.in_time {
        "the payer claims to have been deceived: reimburse, or say why not, while the clock runs"
    } else {
        "the payer claims to have been deceived, more than thirteen months after the payment"
    };
    let case = Trouble::with_payment(judged.tenant, Kind::AppClaim, judged.payment, what);
    Some(
        case.evidence("answer_by", claim.answer_by)
            .evidence("answer_latest", claim.answer_latest)
            .evidence("owed_at_most", claim.owed)
            .evidence("other_bank_bears", claim.receiver_bears)
            .evidence("currency", &judged.currency),
    )
}

fn of(judged: &Judged, label: &Label) -> Option<Claim> {
    if judged.rail != Rail::Fps.name() {
        return None;
    }
    let (paid, told) = (judged.event.at.day(), label.claimed()?.day());
    Claim::new(judged.event.amount, paid, told)
}

/// Writes down the days of a claim, with the label that tells of it.
pub fn start(writes: &mut WriteSet, judged: &Judged, label: &Label) {
    let Some(claim) = of(judged, label) else {
        return;
    };
    for answer_by in [claim.answer_by, claim.answer_latest] {
        let days = [
            (answer_by.previous_day(), false),
            (answer_by.next_day(), true),
        ];
        for (day, over) in days {
            // Beyond the year 9999 nobody is reminded.
            let Some(day) = day else { continue };
            let due = Due {
                tenant: judged.tenant,
                payment: judged.payment,
                answer_by: answer_by.to_string(),
                over,
            };
            let key = Key::new(DAYS, &format!("{day}#{}", judged.payment));
            writes.create(key, Body::of(&due));
        }
    }
}

/// Tells of every claim whose day has come and whose case is open.
///
/// # Errors
/// When the days cannot be read. One that cannot be told is tried again at the next look.
pub async fn tell_due(app: &App, now: Timestamp) -> Result<(), ReadError> {
    // Every payment's id is below the tilde.
    let today = format!("{}#~", now.day());
    let range = Range::of(DAYS, RANGE_MAX).until(today).past_damage();
    for item in app.store.range(&range).await? {
        let due: Due = decode(&item.record.body.bytes);
        let mut read = Snapshot::default();
        read.put(item.at.clone(), Some(item.record));
        if let Err(error) = tell(app, &due, &item.at, &read).await {
            warn!(%error, payment = %due.payment, "nobody is reminded of a claim yet");
        }
    }
    Ok(())
}

async fn tell(app: &App, due: &Due, at: &Key, read: &Snapshot) -> Result<(), CommitError> {
    let trouble = |kind, what: &str| Trouble::with_payment(due.tenant, kind, due.payment, what);
    let claim = trouble(Kind::AppClaim, "");
    let case = exceptions::get(app, due.tenant, claim.id()).await;
    let case = case.map_err(|error| CommitError::Unavailable(std::sync::Arc::new(error)))?;
    if case.is_some_and(|case| case.state == State::Open) {
        let reminder = if due.over {
            trouble(Kind::AppClaimOverdue, "the claim was not answered in time")
        } else {
            trouble(Kind::AppClaimDue, "the claim must be answered by tomorrow")
        };
        exceptions::raise(app, reminder.evidence("answer_by", &due.answer_by)).await?;
    }
    let mut writes = read.checks();
    writes.delete(at);
    app.store.commit(&writes).await
}
