//! A statement that came before and says something else now: lines that are gone, and lines that
//! changed.

use std::{borrow::Cow, collections::HashMap};

use lombard_core::{command::LineRecord, matching::BreakKind};

use super::{
    breaks::Found,
    read::{Entry, Statement},
};

/// What a statement says otherwise than the lines that were taken in from it earlier, of which `gone`
/// are not in the file any more. `known` are those of the file's lines that were taken in, at their places.
pub fn compare(
    statement: &Statement,
    gone: Vec<(String, LineRecord)>,
    known: &[Option<Box<LineRecord>>],
) -> Vec<Found> {
    if gone.is_empty() {
        return Vec::new();
    }
    let mut fresh: HashMap<Cow<'_, str>, &Entry> = HashMap::new();
    for entry in &statement.entries {
        let reference = entry.reference();
        if known[entry.place as usize].is_none() && !reference.is_empty() {
            fresh.entry(reference).or_insert(entry);
        }
    }
    let changed = |(digest, was): (String, LineRecord)| match fresh.remove(was.reference.as_str()) {
        Some(entry) => rewritten(entry, &was),
        None => left_out(statement, &digest, &was),
    };
    gone.into_iter().map(changed).collect()
}

fn rewritten(entry: &Entry, was: &LineRecord) -> Found {
    let off = entry.movement.minor - was.minor;
    let kind = if off == 0 {
        BreakKind::Duplicate
    } else {
        BreakKind::AmountDiffers
    };
    let why = format!(
        "it was a line of {} when the statement came before",
        was.minor
    );
    Found {
        minor: off,
        payments: was.payments.iter().map(ToString::to_string).collect(),
        ..Found::of_line(entry, kind, &why)
    }
}

fn left_out(statement: &Statement, digest: &str, was: &LineRecord) -> Found {
    Found {
        kind: BreakKind::MissingThere,
        subject: format!("line:{digest}"),
        minor: was.minor,
        unit: statement.summary.currency,
        reference: was.reference.clone(),
        why: format!(
            "a line of {} ({}) was in the statement when it came before, and is not now",
            was.minor, was.reference
        ),
        payments: was.payments.iter().map(ToString::to_string).collect(),
        line: None,
    }
}
