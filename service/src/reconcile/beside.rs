//! What a person must know of a line although it is a payment of ours and was taken in: it came late, or
//! more was kept back of it than was agreed.

use lombard_core::matching::{BreakKind, Expected, FeeRule, Rules};

use super::{breaks::Found, read::Entry};

/// What is odd about a line that settles a payment, by the rules of its source.
pub fn found(entry: &Entry, payment: &Expected, rules: &Rules) -> Vec<Found> {
    [late(entry, payment, rules), fee(entry, rules)]
        .into_iter()
        .flatten()
        .collect()
}

fn late(entry: &Entry, payment: &Expected, rules: &Rules) -> Option<Found> {
    let last = rules.calendar.after(payment.day, rules.days_after);
    let day = entry.movement.day.filter(|day| *day > last)?;
    let why = format!(
        "it came on {day}, and its payment of {} was to come by {last}",
        payment.day
    );
    Some(Found::of_line(entry, BreakKind::Late, &why))
}

/// A source of which no fee was agreed may keep back what it says.
fn fee(entry: &Entry, rules: &Rules) -> Option<Found> {
    let movement = &entry.movement;
    let gross = movement.gross.unwrap_or(movement.minor + movement.fee);
    let most = i64::try_from(rules.fee.most(gross.unsigned_abs())).unwrap_or(i64::MAX);
    let over = movement.fee - most;
    if over <= 0 || rules.fee == FeeRule::default() {
        return None;
    }
    let why = format!(
        "{} was kept back of it, and {most} was agreed at the most",
        movement.fee
    );
    Some(Found {
        minor: over,
        ..Found::of_line(entry, BreakKind::FeeDiffers, &why)
    })
}
