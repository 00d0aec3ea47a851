//! How good a score is: the three figures of the fraud detection handbook, as scikit-learn and
//! the book define them.

use std::collections::HashMap;

/// The area under the ROC curve: the chance that a fraud scores above a genuine payment, ties
/// counting half. `NaN` when one of the classes is empty.
#[must_use]
#[allow(clippy::cast_precision_loss)] // Counts of rows.
pub fn auc_roc(scores: &[f64], labels: &[bool]) -> f64 {
    let order = ascending(scores);
    let (mut below, mut wins, mut frauds) = (0.0, 0.0, 0.0);
    for ties in order.chunk_by(|one, other| scores[*one] == scores[*other]) {
        let bad = ties.iter().filter(|row| labels[**row]).count() as f64;
        let good = ties.len() as f64 - bad;
        wins += bad * (below + good / 2.0);
        below += good;
        frauds += bad;
    }
    wins / (frauds * below)
}

/// Average precision: the precision at each score at which recall grows, weighted by how much it
/// grows, without interpolation.
#[must_use]
#[allow(clippy::cast_precision_loss)] // Counts of rows.
pub fn average_precision(scores: &[f64], labels: &[bool]) -> f64 {
    let mut order = ascending(scores);
    order.reverse();
    let (mut seen, mut caught, mut sum) = (0.0, 0.0, 0.0);
    for ties in order.chunk_by(|one, other| scores[*one] == scores[*other]) {
        let bad = ties.iter().filter(|row| labels[**row]).count() as f64;
        seen += ties.len() as f64;
        caught += bad;
        sum += bad * caught / seen;
    }
    sum / caught
}

fn ascending(scores: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_unstable_by(|one, other| scores[*one].total_cmp(&scores[*other]));
    order
}

/// One scored payment of a card.
#[derive(Clone, Copy, Debug)]
pub struct Scored {
    /// The day.
    pub day: u32,
    /// The card.
    pub card: u64,
    /// How suspicious.
    pub score: f64,
    /// Whether it was fraud.
    pub fraud: bool,
}

/// Card precision at `k`: each day an analyst looks at the `k` cards with the highest score, and
/// this is the share that had a fraud on that day, averaged over days. A card that was caught is
/// not looked at again.
#[must_use]
#[allow(clippy::cast_precision_loss)] // Counts of cards.
pub fn card_precision(payments: &[Scored], k: usize) -> f64 {
    let mut days: Vec<u32> = payments.iter().map(|payment| payment.day).collect();
    days.sort_unstable();
    days.dedup();
    let mut caught: Vec<u64> = Vec::new();
    let mut sum = 0.0;
    for day in &days {
        let mut cards: HashMap<u64, (f64, bool)> = HashMap::new();
        for payment in payments.iter().filter(|payment| payment.day == *day) {
            let (score, fraud) = cards.entry(payment.card).or_insert((f64::MIN, false));
            *score = score.max(payment.score);
            *fraud |= payment.fraud;
        }
        let mut cards: Vec<(u64, f64, bool)> = cards
            .into_iter()
            .filter(|(card, _)| !caught.contains(card))
            .map(|(card, (score, fraud))| (card, score, fraud))
            .collect();
        cards.sort_unstable_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
        let top = cards.iter().take(k).filter(|(_, _, fraud)| *fraud);
        let found: Vec<u64> = top.map(|(card, _, _)| *card).collect();
        sum += found.len() as f64 / k as f64;
        caught.extend(found);
    }
    sum / days.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of scikit-learn's documentation.
    #[test]
    fn as_scikit_learn_says() {
        let scores = [0.1, 0.4, 0.35, 0.8];
        let labels = [false, false, true, true];
        assert!((auc_roc(&scores, &labels) - 0.75).abs() < 1e-12);
        assert!((average_precision(&scores, &labels) - 0.833_333_333).abs() < 1e-6);
    }

    #[test]
    fn ties_are_half_a_win() {
        assert!((auc_roc(&[0.5, 0.5], &[true, false]) - 0.5).abs() < 1e-12);
        assert!((average_precision(&[0.5, 0.5], &[true, false]) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn a_caught_card_is_not_looked_at_again() {
        let scored = |day, card, score, fraud| Scored {
            day,
            card,
            score,
            fraud,
        };
        let payments = [
            scored(0, 1, 0.9, true),
            scored(0, 2, 0.1, false),
            scored(1, 1, 0.9, true),
            scored(1, 2, 0.2, true),
        ];
        // Day 0 finds card 1; on day 1 card 2 is the highest of those left.
        assert!((card_precision(&payments, 1) - 1.0).abs() < 1e-12);
    }
}
