//! History through the fold: what training and measuring learn from.

use std::collections::VecDeque;

use super::{Book, Event, Outcome};

/// Vectors of payments, one row after another.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Features of a row.
    pub width: usize,
    /// The values.
    pub values: Vec<f32>,
    /// Which payment of the history each is of.
    pub rows: Vec<usize>,
}

impl Table {
    /// The features of the `index`th row.
    #[must_use]
    pub fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.width..(index + 1) * self.width]
    }
}

/// Replays payments, in the order of time, with what became of them, and keeps the vectors of
/// those that are wanted: each as it was before its payment was seen.
///
/// What became of a payment is learned when it is `delay` seconds old, before any payment of that
/// second or later; no earlier, whatever the history knows.
#[must_use]
pub fn replay(
    history: impl Iterator<Item = (Event, bool)>,
    delay: u32,
    wanted: impl Fn(usize, &Event) -> bool,
    places: &[usize],
) -> Table {
    let mut book = Book::default();
    let mut open: VecDeque<Outcome> = VecDeque::new();
    let mut table = Table {
        width: places.len(),
        ..Table::default()
    };
    for (index, (event, fraud)) in history.enumerate() {
        let due = event.seconds().saturating_sub(delay);
        while let Some(outcome) = open.pop_front_if(|outcome| outcome.event.seconds() <= due) {
            book.learn(&outcome);
        }
        if wanted(index, &event) {
            let vector = book.vector(&event);
            let values = places.iter().map(|place| vector.for_model(*place));
            table.values.extend(values);
            table.rows.push(index);
        }
        let times_typical = book.times_typical(&event);
        book.observe(&event);
        open.push_back(Outcome {
            event,
            fraud,
            times_typical,
        });
    }
    table
}
