//! Thresholds from costs: at which probability is it cheaper to ask, to look, or to refuse?
//!
//! **Shape.** Four prices, all in minor units of one currency. A payment that is let through costs
//! its fraud's value times its probability; a challenge costs its friction and stops most frauds;
//! a review costs an analyst's time and stops nearly all; a decline costs a customer when it was
//! wrong. The cheapest of the four at each probability gives the thresholds; the analysts'
//! capacity then moves the one of reviews up until they can keep up.

use serde::{Deserialize, Serialize};

use crate::rules::Action;

/// What things cost, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Costs {
    /// What a fraud that passes costs on average: not only the money.
    pub fraud: u64,
    /// What asking a genuine payer to authenticate costs: those who give up.
    pub challenge: u64,
    /// What an analyst's look costs.
    pub review: u64,
    /// What refusing a genuine payment costs.
    pub false_decline: u64,
    /// The share of frauds that a challenge stops, in per cent.
    pub challenge_stops: u8,
    /// The share of frauds that a review stops, in per cent.
    pub review_stops: u8,
    /// How many reviews analysts can do of a million payments.
    pub reviews_per_million: u32,
}

impl Default for Costs {
    /// Round figures to begin with: a bank must put in its own.
    fn default() -> Self {
        Self {
            fraud: 25_000,
            challenge: 20,
            review: 400,
            false_decline: 5_000,
            challenge_stops: 70,
            review_stops: 95,
            reviews_per_million: 5_000,
        }
    }
}

/// From which score on what is done, in millionths of probability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// The payer must authenticate.
    pub challenge: u32,
    /// An analyst must look.
    pub review: u32,
    /// It is refused.
    pub decline: u32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Costs::default().thresholds()
    }
}

/// More than any score: never.
const NEVER: u32 = 1_000_001;

impl Thresholds {
    /// Whether none lies below a milder one, those that are never reached left out.
    #[must_use]
    pub fn are_ordered(self) -> bool {
        let all = [self.challenge, self.review, self.decline];
        all.into_iter().filter(|from| *from < NEVER).is_sorted()
    }

    /// What is done at a score.
    #[must_use]
    pub const fn action(self, score: u32) -> Action {
        if score >= self.decline {
            Action::Decline
        } else if score >= self.review {
            Action::Review
        } else if score >= self.challenge {
            Action::Challenge
        } else {
            Action::Approve
        }
    }
}

impl Costs {
    /// What an action is expected to cost at a probability, in minor units.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // An expectation, not money.
    pub fn expected(&self, action: Action, probability: f64) -> f64 {
        let fraud = self.fraud as f64 * probability;
        let passes = |stops: u8| 1.0 - f64::from(stops.min(100)) / 100.0;
        let genuine = 1.0 - probability;
        match action {
            Action::Approve => fraud,
            Action::Challenge => {
                fraud * passes(self.challenge_stops) + self.challenge as f64 * genuine
            }
            Action::Review => fraud * passes(self.review_stops) + self.review as f64,
            Action::Decline => self.false_decline as f64 * genuine,
        }
    }

    /// The cheapest action at a probability; the milder of two that cost the same.
    #[must_use]
    pub fn cheapest(&self, probability: f64) -> Action {
        let cost = |action: &Action| self.expected(*action, probability);
        let first = Action::ALL.into_iter();
        first
            .min_by(|one, other| cost(one).total_cmp(&cost(other)))
            .unwrap_or(Action::Review)
    }

    /// The thresholds that make each payment as cheap as can be.
    #[must_use]
    pub fn thresholds(&self) -> Thresholds {
        // An action is severer the likelier the fraud, so each begins where it, or a severer one,
        // first is the cheapest. In thousandths: finer than any calibration.
        let from = |least: Action| {
            let found =
                (0..=1000u32).find(|step| self.cheapest(f64::from(*step) / 1000.0) >= least);
            found.map_or(NEVER, |step| step * 1000)
        };
        Thresholds {
            challenge: from(Action::Challenge),
            review: from(Action::Review),
            decline: from(Action::Decline),
        }
    }

    /// The thresholds for payments with these scores, in millionths: reviews begin no earlier than
    /// analysts can keep up with. What they cannot look at is challenged.
    #[must_use]
    pub fn within_capacity(&self, scores: &[u32]) -> Thresholds {
        let mut thresholds = self.thresholds();
        let mut to_review: Vec<u32> = scores
            .iter()
            .copied()
            .filter(|score| (thresholds.review..thresholds.decline).contains(score))
            .collect();
        let capacity = scores.len() as u64 * u64::from(self.reviews_per_million) / 1_000_000;
        let capacity = usize::try_from(capacity).unwrap_or(usize::MAX);
        if to_review.len() > capacity {
            to_review.sort_unstable_by(|one, other| other.cmp(one));
            // The first that is too many is not looked at, nor is any with its score.
            thresholds.review = to_review[capacity].saturating_add(1);
        }
        thresholds
    }
}

/// A point of the curve from which a threshold is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// From this score on, in millionths.
    pub threshold: u32,
    /// The share of frauds at or above it.
    pub recall: f64,
    /// The share of frauds among those at or above it.
    pub precision: f64,
    /// Payments at or above it, of a million.
    pub per_million: f64,
}

/// Recall, precision and workload at steps of the score.
#[must_use]
#[allow(clippy::cast_precision_loss)] // Counts of payments.
pub fn curve(scores: &[u32], labels: &[bool]) -> Vec<Point> {
    let frauds = labels.iter().filter(|fraud| **fraud).count() as f64;
    let steps = [1, 2, 5].into_iter();
    let steps = (0..6).flat_map(|power| steps.clone().map(move |n| n * 10u32.pow(power)));
    steps
        .map(|threshold| {
            let above = scores
                .iter()
                .zip(labels)
                .filter(|(score, _)| **score >= threshold);
            let (mut all, mut bad) = (0.0, 0.0);
            for (_, fraud) in above {
                all += 1.0;
                bad += f64::from(u8::from(*fraud));
            }
            Point {
                threshold,
                recall: if frauds > 0.0 { bad / frauds } else { 0.0 },
                precision: if all > 0.0 { bad / all } else { 0.0 },
                per_million: all / scores.len().max(1) as f64 * 1e6,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likelier_the_severer() {
        let costs = Costs::default();
        let thresholds = costs.thresholds();
        assert!(
            0 < thresholds.challenge && thresholds.challenge < thresholds.review,
            "{thresholds:?}"
        );
        assert!(
            thresholds.review < thresholds.decline && thresholds.decline < 1_000_000,
            "{thresholds:?}"
        );
        let actions: Vec<Action> = (0..100).map(|p| thresholds.action(p * 10_000)).collect();
        assert!(actions.is_sorted());
        for step in 0..=1000u32 {
            let cheapest = costs.cheapest(f64::from(step) / 1000.0);
            assert_eq!(thresholds.action(step * 1000), cheapest, "at {step}");
        }
    }

    #[test]
    fn analysts_are_not_given_more_than_they_can_do() {
        let costs = Costs {
            reviews_per_million: 100_000,
            ..Costs::default()
        };
        let free = costs.thresholds();
        let scores: Vec<u32> = (0..1000).map(|n| free.review + n).collect();
        let bound = costs.within_capacity(&scores);
        let reviews = scores
            .iter()
            .filter(|s| bound.action(**s) == Action::Review)
            .count();
        assert_eq!(reviews, 100);
        assert_eq!(bound.action(free.review), Action::Challenge);
    }
}
