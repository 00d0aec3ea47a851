//! A statement that contradicts itself: nothing of it is posted, and one exception names what
//! explains the difference when exactly one thing does.

use lombard_core::matching::{Break, BreakKind, Outcome};

use super::{
    breaks::{self, Found},
    expected::Gathered,
    read::{Entry, Statement},
};

/// What to tell of it. `restated` is what it says otherwise than when it came before.
pub fn found(
    statement: &Statement,
    input: &[&Entry],
    outcome: &Outcome,
    gathered: &Gathered,
    restated: Vec<Found>,
) -> Found {
    let summary = &statement.summary;
    let off = summary.difference.unwrap_or_default();
    let said = format!(
        "statement {} of {} is {off} minor units off its closing balance and is quarantined",
        summary.id, summary.account
    );
    let describe = |it: &Break| breaks::describe(it, input, gathered);
    let of = |fits: &dyn Fn(&Break) -> bool| -> Vec<Found> {
        let fitting = outcome.breaks.iter().filter(|it| fits(it));
        // Two are as good as many: neither is told.
        fitting.take(2).map(describe).collect()
    };
    let mut exact: Vec<Found> = restated;
    exact.retain(|it| explains(it.kind, it.minor, off));
    if exact.is_empty() {
        exact = of(&|it| explains(it.kind, it.minor, off));
        exact.extend(
            statement
                .entries
                .iter()
                .filter_map(|it| miscounted(it, off)),
        );
    }
    if exact.is_empty() {
        exact = of(&|it| it.kind == BreakKind::MissingThere && lacks_net(it.minor, off));
    }
    if let Ok([mut only]) = <[Found; 1]>::try_from(exact) {
        only.why = format!("{}; {said}", only.why);
        return only;
    }
    let first = summary.deviations.first();
    let first = first.map_or("", |it| it.message.as_str());
    Found {
        kind: BreakKind::BrokenStatement,
        subject: statement.subject(),
        minor: off,
        unit: summary.currency,
        reference: summary.id.clone(),
        why: format!("{said}: {first}"),
        payments: Vec::new(),
        line: None,
    }
}

/// A statement of an account that is not its source's.
pub fn foreign(statement: &Statement) -> Found {
    let summary = &statement.summary;
    let why = format!(
        "statement {} is of account {}, which is none of its source's, and is quarantined",
        summary.id, summary.account
    );
    Found {
        kind: BreakKind::WrongAccount,
        subject: statement.subject(),
        minor: summary.closing.unwrap_or_default(),
        unit: summary.currency,
        reference: summary.id.clone(),
        why,
        payments: Vec::new(),
        line: None,
    }
}

/// Whether a break alone makes the difference. A line that is missing is what the closing balance has
/// more than the lines; an amount that was changed, or a line too many, is what it has less.
fn explains(kind: BreakKind, minor: i64, off: i64) -> bool {
    off != 0
        && match kind {
            BreakKind::MissingThere => minor == off,
            BreakKind::AmountDiffers
            | BreakKind::Duplicate
            | BreakKind::UnknownReference
            | BreakKind::MissingHere => minor == -off,
            _ => false,
        }
}

/// A line whose own amount and fee do not make what it says came of them, by just the difference.
fn miscounted(entry: &Entry, off: i64) -> Option<Found> {
    let movement = &entry.movement;
    let too_much = movement.minor - (movement.gross? - movement.fee);
    let why = format!("its amount less its fee is {too_much} less than what it says came");
    let fits = off != 0 && too_much == -off;
    fits.then(|| Found {
        minor: too_much,
        ..Found::of_line(entry, BreakKind::AmountDiffers, &why)
    })
}

/// Whether a payment that is missing would make the difference with a fee kept back of it, which only
/// the missing line could tell: at most a fifth of it, and 1.00; of money that was taken back, and 50.00, as
/// disputes cost.
fn lacks_net(minor: i64, off: i64) -> bool {
    let fee = minor - off;
    let fixed = if minor < 0 { 5_000 } else { 100 };
    minor.signum() == off.signum() && (1..=minor.abs() / 5 + fixed).contains(&fee)
}
