//! Nothing of the future leaks into a feature or a score; late and repeated payments do no harm.

#![allow(clippy::needless_range_loop)] // Two lists are walked in step.

use std::collections::VecDeque;

use lombard_risk::{
    features::{Book, Event, Outcome, Vector},
    handbook::{self, DAY, Fold, Row},
    model::train::Settings,
};
use proptest::prelude::*;

use super::world::{draw, payment};

const DELAY_MS: u64 = 3 * 86_400_000;

/// The vectors of payments in the order in which they come, labels told after their delay.
fn replay(events: &[(Event, bool)]) -> Vec<Vector> {
    let mut book = Book::default();
    let mut open: VecDeque<Outcome> = VecDeque::new();
    let step = |(event, fraud): &(Event, bool)| {
        while open
            .front()
            .is_some_and(|o| o.event.at.plus_ms(DELAY_MS) <= event.at)
        {
            book.learn(&open.pop_front().expect("it was just seen"));
        }
        let vector = book.vector(event);
        let times_typical = book.times_typical(event);
        book.observe(event);
        open.push_back(Outcome {
            event: event.clone(),
            fraud: *fraud,
            times_typical,
        });
        vector
    };
    events.iter().map(step).collect()
}

fn world(seed: u64, payments: u64) -> Vec<(Event, bool)> {
    (0..payments)
        .map(|n| (payment(seed, n), draw(seed, n ^ 0xffff, 5) == 0))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever comes after a payment, in whatever order, and whatever becomes of it and of those
    /// too recent to be known, its vector is the same.
    #[test]
    fn the_future_changes_nothing(seed in any::<u64>(), cut in 300usize..500, other in any::<u64>()) {
        let events = world(seed, 600);
        let wanted = replay(&events);
        let mut changed = events.clone();
        let moment = events[cut].0.at;
        changed[cut + 1..].sort_by_key(|(event, _)| draw(other, event.id, 1 << 40));
        for (event, fraud) in &mut changed {
            if event.at.plus_ms(DELAY_MS) > moment {
                *fraud ^= draw(other, event.id, 2) == 0;
            }
        }
        let found = replay(&changed);
        for n in 0..=cut {
            prop_assert_eq!(&found[n], &wanted[n], "payment {}", n);
        }
    }

    /// A payment that is told again, at once or a few payments later, counts once.
    #[test]
    fn a_repeat_changes_nothing(seed in any::<u64>(), gap in 1usize..6) {
        let events = world(seed, 200);
        let mut once = Book::default();
        events.iter().for_each(|(event, _)| once.observe(event));
        let mut often = Book::default();
        for n in 0..events.len() {
            often.observe(&events[n].0);
            often.observe(&events[n].0);
            // A bond knows its newest payment only, so a later repeat is tried without pairs.
            let profile_only = |event: &Event| Event { subjects: [event.subjects[0], None, None, None, None, None, None], ..event.clone() };
            often.observe(&profile_only(&events[n.saturating_sub(gap)].0));
        }
        let probe = payment(seed, 300);
        prop_assert_eq!(once.vector(&probe), often.vector(&probe));
    }

    /// A payment that comes late is counted where it belongs: once all have come, the windows and
    /// histories are the same as if all had come in time.
    #[test]
    fn a_late_payment_is_counted_when_it_was_made(seed in any::<u64>(), late in 0usize..150, by in 1usize..49) {
        let events = world(seed, 200);
        let mut in_time = Book::default();
        events.iter().for_each(|(event, _)| in_time.observe(event));
        let mut order: Vec<usize> = (0..events.len()).collect();
        let moved = order.remove(late);
        order.insert(late + by, moved);
        let mut out_of_time = Book::default();
        order.iter().for_each(|n| out_of_time.observe(&events[*n].0));
        let probe = payment(seed, 300);
        prop_assert_eq!(in_time.vector(&probe), out_of_time.vector(&probe));
    }
}

/// Labels that follow from nothing cannot be foretold: a model that could would have seen them.
#[test]
fn scrambled_labels_cannot_be_foretold() {
    let rows: Vec<Row> = (0..40_000u64)
        .map(|n| Row {
            id: n,
            seconds: u32::try_from(n).expect("small") * (42 * DAY / 40_000),
            customer: draw(1, n, 400),
            terminal: draw(2, n, 300),
            amount: 100 + draw(3, n, 20_000),
            fraud: draw(4, n, 30) == 0,
        })
        .collect();
    let fold = Fold { start: 20 };
    let table = handbook::replay(
        &rows,
        |day| fold.trains(day) || fold.tests(day),
        &handbook::places(),
    );
    let (train, test) = fold.split(&rows, &table);
    let settings = Settings {
        rounds: 40,
        bag: 2,
        ..Settings::default()
    };
    let scorer = handbook::train(&rows, &table, &train, &settings).unwrap();
    let scores: Vec<f64> = test
        .iter()
        .map(|n| scorer.probability_of_row(table.row(*n)))
        .collect();
    let measured = handbook::measure(&rows, &table, &test, &scores);
    assert!((measured.auc_roc - 0.5).abs() < 0.06, "{measured:?}");
    assert!(measured.average_precision < 0.06, "{measured:?}");
}

/// The same rows again give the same model and the same scores, bit for bit.
#[test]
fn training_is_deterministic() {
    let rows: Vec<Row> = (0..20_000u64)
        .map(|n| Row {
            id: n,
            seconds: u32::try_from(n).expect("small") * (30 * DAY / 20_000),
            customer: draw(1, n, 400),
            terminal: draw(2, n, 300),
            amount: 100 + draw(3, n, 20_000),
            fraud: draw(3, n, 20_000) > 19_000,
        })
        .collect();
    let fold = Fold { start: 7 };
    let table = handbook::replay(
        &rows,
        |day| fold.trains(day) || fold.tests(day),
        &handbook::places(),
    );
    let (train, test) = fold.split(&rows, &table);
    let settings = Settings {
        rounds: 20,
        bag: 2,
        ..Settings::default()
    };
    let score = || -> Vec<u64> {
        let scorer = handbook::train(&rows, &table, &train, &settings).unwrap();
        test.iter()
            .map(|n| scorer.probability_of_row(table.row(*n)).to_bits())
            .collect()
    };
    assert_eq!(score(), score());
}
