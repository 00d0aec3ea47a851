//! What the desk did since it was opened: counts, times, and how scores are spread.

use lombard_core::risk::Action;
use lombard_risk::{
    decision::{Decision, Fallback},
    drift::Scores,
};

/// Times are counted in buckets that double, from below a microsecond to above half a minute.
const TIMES: usize = 26;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Decisions by action, in the order of [`Action::ALL`].
    pub actions: [u64; Action::ALL.len()],
    /// Decisions of the fallback because something took too long.
    pub too_slow: u64,
    /// Decisions of the fallback because nobody could be asked.
    pub unavailable: u64,
    /// Decisions that took longer than the limit.
    pub over_limit: u64,
    /// Payments at which the second look was severer than the first.
    pub worse_later: u64,
    /// How the champion's scores are spread.
    pub scores: Scores,
    times: [u64; TIMES],
}

impl Tally {
    /// Counts a decision, and whether it took longer than it may.
    pub fn add(&mut self, decision: &Decision, over_limit: bool) {
        self.actions[decision.action as usize] += 1;
        match decision.fallback {
            Some(Fallback::TooSlow) => self.too_slow += 1,
            Some(Fallback::Unavailable) => self.unavailable += 1,
            None => {}
        }
        self.over_limit += u64::from(over_limit);
        if let Some(score) = decision.score {
            self.scores.add(score);
        }
        let bucket = (u32::BITS - decision.took_us.leading_zeros()) as usize;
        self.times[bucket.min(TIMES - 1)] += 1;
    }

    /// All decisions.
    #[must_use]
    pub fn judged(&self) -> u64 {
        self.actions.iter().sum()
    }

    /// A time in microseconds that this share of decisions, in per mille, stayed below: the end of
    /// the bucket, at most twice the true one. None before the first.
    #[must_use]
    pub fn below_us(&self, per_mille: u64) -> Option<u64> {
        let wanted = (self.judged() * per_mille).div_ceil(1000);
        let mut seen = 0;
        let reached = self.times.iter().position(|count| {
            seen += count;
            wanted > 0 && seen >= wanted
        });
        reached.map(|bucket| 1 << bucket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_to_the_next_power_of_two() {
        let mut tally = Tally::default();
        assert_eq!(tally.below_us(500), None);
        let mut decision =
            lombard_risk::decision::Plan::default().decide(Fallback::TooSlow, "fps", 1, 1);
        for took_us in [10, 12, 15, 900] {
            decision.took_us = took_us;
            tally.add(&decision, took_us > 100);
        }
        assert_eq!(
            (tally.below_us(500), tally.below_us(990)),
            (Some(16), Some(1024))
        );
        assert_eq!(
            (tally.judged(), tally.too_slow, tally.over_limit),
            (4, 4, 1)
        );
    }
}
