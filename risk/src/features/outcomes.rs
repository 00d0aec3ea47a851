//! What became of a subject's payments, as far as it is known: delayed labels, folded when they
//! come and dated by the payment that they are of.
//!
//! **Shape.** The last [`KEPT`] outcomes in the order of their payments, and of what was dropped
//! whether it ended in an unbroken run of frauds and since when. A fraud that its own amount
//! explains (it was far above what its payer usually pays) tells of the payer rather than of the
//! terminal or payee, so it is told apart: a *plain* fraud was of an ordinary amount.
//!
//! **Bounds.** [`KEPT`] outcomes of 4 bytes, dated to 4 seconds. Rates are of at most that many outcomes: on a
//! busy terminal they cover less than their window. An outcome that is older than all that are
//! kept is dropped when there are [`KEPT`] newer ones.

use super::tiles::window;

/// How many outcomes are kept.
pub const KEPT: usize = 32;
/// Up to this many times what its payer usually pays, an amount is ordinary.
const ORDINARY: f32 = 2.0;
/// Rates are drawn towards [`PRIOR`] as if so many more outcomes were known.
const PRIOR_WEIGHT: f64 = 2.0;
const PRIOR: f64 = 0.01;

/// The bits of a [`Kind`].
const KIND: u32 = 3;

/// What one payment turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub(super) enum Kind {
    /// Nobody complained.
    Genuine = 0,
    /// Fraud of an ordinary amount.
    Plain = 1,
    /// Fraud of an amount far above the payer's usual.
    Outsized = 2,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// Seconds of the payments with a [`Kind`] in the two lowest bits, in order: ties stand in
    /// the order of their kinds, so that the order of arrival does not matter.
    pub(super) known: Vec<u32>,
    /// Since when the dropped ones were plain frauds without a break; 0 when they were not.
    pub(super) run_before: u32,
}

/// What the outcomes say at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// Known outcomes of the last 30 days.
    pub known_30d: f64,
    /// Known frauds of the last 14 and 30 days.
    pub frauds_14d: f64,
    /// See above.
    pub frauds_30d: f64,
    /// Known plain frauds of the last 30 days.
    pub plain_30d: f64,
    /// The share of frauds among the outcomes of the last 14 days, smoothed.
    pub rate_14d: f64,
    /// The same of 30 days.
    pub rate_30d: f64,
    /// How many plain frauds the known outcomes end with, outsized ones passed over.
    pub run: f64,
    /// Days since the first of that run.
    pub run_days: Option<f64>,
    /// Days since the last known fraud.
    pub fraud_days: Option<f64>,
    /// Days since the last known plain fraud.
    pub plain_days: Option<f64>,
    /// Days since the last payment that is known to be genuine.
    pub genuine_days: Option<f64>,
}

impl Outcomes {
    /// Takes in what became of the payment made at `at`.
    pub fn add(&mut self, at: u32, fraud: bool, times_typical: f32) {
        let kind = match (fraud, times_typical <= ORDINARY) {
            (false, _) => Kind::Genuine,
            (true, true) => Kind::Plain,
            (true, false) => Kind::Outsized,
        };
        let outcome = at & !KIND | kind as u32;
        let slot = self.known.partition_point(|known| *known <= outcome);
        if self.known.len() == self.known.capacity() {
            self.known.reserve_exact(4);
        }
        self.known.insert(slot, outcome);
        if self.known.len() > KEPT {
            let dropped = self.known.remove(0);
            match dropped & KIND {
                kind if kind == Kind::Genuine as u32 => self.run_before = 0,
                kind if kind == Kind::Plain as u32 && self.run_before == 0 => {
                    self.run_before = dropped & !KIND;
                }
                _ => {}
            }
        }
    }

    /// Forgets that the payment made at `at` was genuine, as far as it is still kept: it was not.
    pub fn correct(&mut self, at: u32) {
        let genuine = at & !KIND | Kind::Genuine as u32;
        if let Ok(slot) = self.known.binary_search(&genuine) {
            self.known.remove(slot);
        }
    }

    /// Whether anything is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// What is known at `now`.
    #[must_use]
    pub fn standing(&self, now: u32) -> Standing {
        let days = |at: u32| f64::from(now.saturating_sub(at)) / f64::from(window::DAY);
        let last = |wanted: fn(u32) -> bool| {
            let found = self.known.iter().rfind(|known| wanted(**known & KIND));
            found.map(|known| days(known & !KIND))
        };
        let count = |reach: u32, wanted: fn(u32) -> bool| {
            let from = now.saturating_sub(reach);
            let recent = self.known.iter().rev().take_while(|known| **known > from);
            recent.filter(|known| wanted(**known & KIND)).count() as f64
        };
        let (known_14d, known_30d) = (
            count(window::FORTNIGHT, |_| true),
            count(window::MONTH, |_| true),
        );
        let (frauds_14d, frauds_30d) = (
            count(window::FORTNIGHT, is_fraud),
            count(window::MONTH, is_fraud),
        );
        let rate =
            |frauds: f64, known: f64| (frauds + PRIOR * PRIOR_WEIGHT) / (known + PRIOR_WEIGHT);
        let (run, since) = self.run();
        Standing {
            known_30d,
            frauds_14d,
            frauds_30d,
            plain_30d: count(window::MONTH, is_plain),
            rate_14d: rate(frauds_14d, known_14d),
            rate_30d: rate(frauds_30d, known_30d),
            run: f64::from(run),
            run_days: since.map(days),
            fraud_days: last(is_fraud),
            plain_days: last(is_plain),
            genuine_days: last(|kind| !is_fraud(kind)),
        }
    }

    /// How many plain frauds the outcomes end with, and when the first of them was made.
    fn run(&self) -> (u32, Option<u32>) {
        let (mut run, mut since) = (0, None);
        for known in self.known.iter().rev() {
            let kind = known & KIND;
            if !is_fraud(kind) {
                return (run, since);
            }
            if is_plain(kind) {
                run += 1;
                since = Some(known & !KIND);
            }
        }
        if self.run_before > 0 && run > 0 {
            since = Some(self.run_before);
        }
        (run, since)
    }
}

const fn is_fraud(kind: u32) -> bool {
    kind != Kind::Genuine as u32
}

const fn is_plain(kind: u32) -> bool {
    kind == Kind::Plain as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use window::DAY;

    const START: u32 = 1_500_000_000;

    #[test]
    fn a_run_begins_after_the_last_genuine_and_passes_the_outsized_over() {
        let mut outcomes = Outcomes::default();
        for (day, fraud, times) in [
            (0, true, 1.0),
            (1, false, 1.0),
            (2, true, 1.0),
            (3, true, 9.0),
            (4, true, 0.5),
        ] {
            outcomes.add(START + day * DAY, fraud, times);
        }
        let found = outcomes.standing(START + 10 * DAY);
        assert_eq!(found.run, 2.0);
        assert_eq!(found.run_days, Some(8.0));
        assert_eq!(found.genuine_days, Some(9.0));
        assert_eq!(found.frauds_30d, 4.0);
        assert_eq!(found.plain_30d, 3.0);
    }

    #[test]
    fn a_long_run_keeps_its_beginning() {
        let mut outcomes = Outcomes::default();
        outcomes.add(START, false, 1.0);
        for hour in 1..100 {
            outcomes.add(START + hour * 3600, true, 1.0);
        }
        let found = outcomes.standing(START + 10 * DAY);
        assert_eq!(found.run, KEPT as f64);
        let first = f64::from(10 * DAY - 3600) / f64::from(DAY);
        assert_eq!(found.run_days, Some(first));
    }

    #[test]
    fn the_order_of_arrival_is_nothing() {
        let news: Vec<(u32, bool)> = (0..30).map(|n| (START + n * 5000, n % 7 == 3)).collect();
        let fold = |news: &[(u32, bool)]| {
            let mut outcomes = Outcomes::default();
            news.iter()
                .for_each(|(at, fraud)| outcomes.add(*at, *fraud, 1.0));
            outcomes
        };
        let mut shuffled = news.clone();
        shuffled.sort_by_key(|(at, _)| crate::features::event::mix(u64::from(*at)));
        assert_eq!(fold(&news), fold(&shuffled));
    }
}
