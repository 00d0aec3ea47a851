//! Drift: do the payments of today still look like those that the model learned from?
//!
//! The population stability index compares two distributions over the same buckets: the sum of
//! `(now - then) * ln(now / then)`. Below 0.1 nothing has changed, above 0.25 the model should be
//! trained again; these are the trade's rules of thumb.

use serde::{Deserialize, Serialize};

/// Above this somebody should look.
pub const WATCH: f64 = 0.1;
/// Above this the model should be trained again.
pub const ALARM: f64 = 0.25;
/// Buckets of a score, by powers of its odds: most scores are near zero.
pub const BUCKETS: usize = 12;
/// An empty bucket is taken for this share, so that the index stays finite.
const LEAST: f64 = 1e-4;

/// How often scores fell into each bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scores(pub [u64; BUCKETS]);

impl Scores {
    /// Counts a score, in millionths.
    pub fn add(&mut self, score: u32) {
        self.0[bucket(score)] += 1;
    }

    /// Counts what others counted.
    pub fn merge(&mut self, others: &Self) {
        for (count, more) in self.0.iter_mut().zip(others.0) {
            *count += more;
        }
    }

    /// Each bucket: from which score on it counts, in millionths, and how many it has.
    pub fn buckets(&self) -> impl Iterator<Item = (u32, u64)> {
        std::iter::once(0).chain(EDGES).zip(self.0)
    }

    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The population stability index against what was then; none while either is empty.
    #[must_use]
    pub fn stability(&self, then: &Self) -> Option<f64> {
        stability(&self.0, &then.0)
    }
}

/// From which score on, in millionths, each bucket but the first counts: about three times the last.
const EDGES: [u32; BUCKETS - 1] = [
    30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 600_000, 900_000,
];

fn bucket(score: u32) -> usize {
    EDGES.partition_point(|edge| *edge <= score)
}

/// The index of any two lists of counts over the same buckets.
#[must_use]
#[allow(clippy::cast_precision_loss)] // Counts of payments.
pub fn stability(now: &[u64], then: &[u64]) -> Option<f64> {
    let (all_now, all_then) = (now.iter().sum::<u64>(), then.iter().sum::<u64>());
    if all_now == 0 || all_then == 0 {
        return None;
    }
    let share = |count: u64, all: u64| (count as f64 / all as f64).max(LEAST);
    let part = |(now, then): (&u64, &u64)| {
        let (now, then) = (share(*now, all_now), share(*then, all_then));
        (now - then) * (now / then).ln()
    };
    Some(now.iter().zip(then).map(part).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_zero_for_the_same_and_grows_with_the_difference() {
        assert_eq!(stability(&[10, 20, 70], &[1, 2, 7]), Some(0.0));
        let little = stability(&[12, 20, 68], &[10, 20, 70]).unwrap();
        let much = stability(&[60, 20, 20], &[10, 20, 70]).unwrap();
        assert!(little < WATCH && much > ALARM, "{little} {much}");
        assert_eq!(stability(&[0, 0], &[1, 1]), None);
        // The textbook's example: shares of 0.5 and 0.5 against 0.4 and 0.6.
        let known = (0.1f64) * (0.5f64 / 0.4).ln() + (-0.1) * (0.5f64 / 0.6).ln();
        assert!((stability(&[5, 5], &[4, 6]).unwrap() - known).abs() < 1e-12);
    }

    #[test]
    fn every_score_has_a_bucket() {
        let mut scores = Scores::default();
        [0, 29, 30, 999_999, 1_000_000]
            .into_iter()
            .for_each(|score| scores.add(score));
        assert_eq!(
            (scores.count(), scores.0[0], scores.0[BUCKETS - 1]),
            (5, 2, 2)
        );
    }
}
