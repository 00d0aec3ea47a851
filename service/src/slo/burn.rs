//! How fast budgets burn, kept by the process for whoever looks at it without a Prometheus.
//!
//! **Shape.** Once a minute what counted so far is kept, for as long as the longest of [`WINDOWS`].
//! A burn rate is what came since the beginning of its window, held against the budget: 1 spends
//! exactly the budget of [`super::WINDOW_DAYS`] in as many days. Alerts are not made from it; they are
//! Prometheus's ([`super::alerts::BURNS`]), whose memory outlives the process.

use std::{
    collections::VecDeque,
    sync::LazyLock,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::Slo;
use crate::metrics::{METRICS, label::Label};

/// The windows, in minutes: what burns now, what did for an hour, what does slowly.
pub const WINDOWS: [u32; 3] = [5, 60, 360];
const EVERY: Duration = Duration::from_secs(60);
/// As many minutes as the longest window has, and one before it.
const KEPT_MAX: usize = 361;

/// Events and errors of each objective, in its order.
type Counts = [(u64, u64); Slo::ALL.len()];

static KEPT: LazyLock<Mutex<Kept>> = LazyLock::new(Mutex::default);

/// Keeps what counted so far, once a minute.
pub fn note(now: Instant) {
    KEPT.lock().note(now, counts());
}

/// How many times too fast the budget of an objective burns over each window; `None` where nothing
/// counted.
#[must_use]
pub fn rates(slo: Slo, now: Instant) -> [Option<f64>; WINDOWS.len()] {
    let (kept, counted) = (KEPT.lock(), counts());
    WINDOWS.map(|minutes| {
        let window = EVERY * minutes;
        kept.rate(slo, now.checked_sub(window), &counted)
    })
}

fn counts() -> Counts {
    let mut counts = Counts::default();
    for (slo, count) in Slo::ALL.iter().zip(&mut counts) {
        let of = (*slo,);
        *count = (
            METRICS.slo_events.of(of).get(),
            METRICS.slo_errors.of(of).get(),
        );
    }
    counts
}

#[derive(Default)]
struct Kept(VecDeque<(Instant, Counts)>);

impl Kept {
    fn note(&mut self, now: Instant, counts: Counts) {
        if self
            .0
            .back()
            .is_some_and(|(at, _)| now.duration_since(*at) < EVERY)
        {
            return;
        }
        if self.0.len() == KEPT_MAX {
            self.0.pop_front();
        }
        self.0.push_back((now, counts));
    }

    /// Since the last moment that is kept before `since`; since the process began if there is none.
    fn rate(&self, slo: Slo, since: Option<Instant>, now: &Counts) -> Option<f64> {
        let after = since.map_or(0, |since| self.0.partition_point(|(at, _)| *at <= since));
        let before = after.checked_sub(1).and_then(|place| self.0.get(place));
        let (events, errors) = before.map_or((0, 0), |(_, counts)| counts[slo.index()]);
        let (all_events, all_errors) = now[slo.index()];
        match all_events.saturating_sub(events) {
            0 => None,
            came => Some(all_errors.saturating_sub(errors) as f64 / came as f64 / slo.budget()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_counts_from_its_beginning_or_the_process_s() {
        let begun = Instant::now();
        let minute = |minutes: u32| begun + EVERY * minutes;
        let counts = |events, errors| {
            let mut counts = Counts::default();
            counts[Slo::Cleared.index()] = (events, errors);
            counts
        };
        let mut kept = Kept::default();
        for (at, events, errors) in [(0, 0, 0), (1, 100, 0), (2, 200, 1), (3, 300, 1)] {
            kept.note(minute(at), counts(events, errors));
            kept.note(minute(at) + EVERY / 2, counts(9_999, 9_999));
        }
        let now = counts(400, 5);
        let rate = |since| {
            kept.rate(Slo::Cleared, since, &now)
                .map(|it| (it * 100.0).round())
        };
        assert_eq!(
            rate(Some(minute(3))),
            Some(400.0),
            "4 of 100 where 1 may be"
        );
        assert_eq!(rate(Some(minute(1))), Some(167.0), "5 of 300");
        assert_eq!(rate(None), Some(125.0), "5 of 400: all that there was");
        assert_eq!(kept.rate(Slo::Served, None, &now), None, "nothing counted");
    }

    #[test]
    fn no_more_is_kept_than_the_longest_window_asks_for() {
        let begun = Instant::now();
        let mut kept = Kept::default();
        for minutes in 0..1_000 {
            kept.note(begun + EVERY * minutes, Counts::default());
        }
        assert_eq!(kept.0.len(), KEPT_MAX);
        let longest = WINDOWS.iter().max().copied().unwrap();
        assert_eq!(KEPT_MAX, longest as usize + 1);
    }
}
