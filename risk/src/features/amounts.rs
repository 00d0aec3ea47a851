//! A subject's own history of amounts: how much is usual for it, and how far off this one is.
//!
//! **Shape.** Count, sum and sum of squares in whole numbers, and a histogram of half octaves
//! from which median and rank are read. The median is what "usual" means here: a third of
//! payments may be odd without moving it far.
//!
//! **Bounds.** Half an octave is a factor of 1.41; within it amounts are taken to be spread
//! evenly, which on smooth histories leaves the median within about 5 %. Amounts under 8 minor
//! units share the lowest bucket, those above 2^23 (84 thousand pounds) the highest. At 65,535
//! in one bucket all are halved, and count and sums with them: history fades.

/// Buckets of half an octave.
pub const BUCKETS: usize = 40;
const LOWEST_OCTAVE: u32 = 3;
/// Below this many payments there is no history to compare with.
const ENOUGH: u32 = 3;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amounts {
    pub(super) count: u32,
    pub(super) sum: u64,
    pub(super) squares: u128,
    pub(super) buckets: [u16; BUCKETS],
}

impl Default for Amounts {
    fn default() -> Self {
        Self {
            count: 0,
            sum: 0,
            squares: 0,
            buckets: [0; BUCKETS],
        }
    }
}

/// The bucket of an amount, and its upper half of an octave when the amount is in it.
fn bucket(amount: u64) -> usize {
    let amount = amount.max(1 << LOWEST_OCTAVE);
    let octave = amount.ilog2();
    // The upper half of an octave begins at 1.414 times its start: 2 * amount^2 >= 4^octave * 4.
    let wide = u128::from(amount);
    let upper = wide * wide >= 1u128 << (2 * octave + 1);
    let index = 2 * (octave - LOWEST_OCTAVE) + u32::from(upper);
    (index as usize).min(BUCKETS - 1)
}

#[allow(clippy::cast_precision_loss)] // A bucket's index is small.
fn lower_edge(index: usize) -> f64 {
    2f64.powf(f64::from(LOWEST_OCTAVE) + index as f64 / 2.0)
}

impl Amounts {
    /// Takes in an amount in minor units.
    pub fn add(&mut self, amount: u64) {
        let slot = bucket(amount);
        if self.buckets[slot] == u16::MAX {
            self.fade();
        }
        self.buckets[slot] += 1;
        self.count = self.count.saturating_add(1);
        self.sum = self.sum.saturating_add(amount);
        let wide = u128::from(amount);
        self.squares = self.squares.saturating_add(wide * wide);
    }

    fn fade(&mut self) {
        self.buckets.iter_mut().for_each(|count| *count /= 2);
        self.count /= 2;
        self.sum /= 2;
        self.squares /= 2;
    }

    /// How many.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// The mean, in minor units.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // A feature, not a balance.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / f64::from(self.count))
    }

    /// How many standard deviations of its own history `amount` is away from the mean.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // A feature, not a balance.
    pub fn deviations(&self, amount: u64) -> Option<f64> {
        let mean = self.mean().filter(|_| self.count >= ENOUGH)?;
        let count = f64::from(self.count);
        let variance = (self.squares as f64 / count - mean * mean).max(0.0);
        // A history of equal amounts has no deviation; one per cent of the mean stands in.
        let deviation = variance.sqrt().max(mean / 100.0).max(1.0);
        Some((amount as f64 - mean) / deviation)
    }

    /// The median, in minor units.
    #[must_use]
    pub fn median(&self) -> Option<f64> {
        (self.count >= ENOUGH).then(|| self.quantile(0.5))
    }

    fn quantile(&self, share: f64) -> f64 {
        let total: u32 = self.buckets.iter().map(|count| u32::from(*count)).sum();
        let wanted = f64::from(total) * share;
        let mut below = 0.0;
        for (index, count) in self.buckets.iter().enumerate() {
            let count = f64::from(*count);
            if below + count >= wanted && count > 0.0 {
                let (low, high) = (lower_edge(index), lower_edge(index + 1));
                return low + (high - low) * (wanted - below) / count;
            }
            below += count;
        }
        lower_edge(BUCKETS)
    }

    /// The share of its own history that lies below `amount`, from 0 to 1.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // A feature, not a balance.
    pub fn rank(&self, amount: u64) -> Option<f64> {
        if self.count < ENOUGH {
            return None;
        }
        let slot = bucket(amount);
        let below: u32 = self.buckets[..slot].iter().map(|c| u32::from(*c)).sum();
        let total: u32 = self.buckets.iter().map(|count| u32::from(*count)).sum();
        let (low, high) = (lower_edge(slot), lower_edge(slot + 1));
        let part = ((amount as f64 - low) / (high - low)).clamp(0.0, 1.0);
        let within = f64::from(self.buckets[slot]) * part;
        Some((f64::from(below) + within) / f64::from(total.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_amount_lies_in_its_bucket(amount in 8u64..1 << 23) {
            let slot = bucket(amount);
            prop_assert!(lower_edge(slot) <= amount as f64 + 1e-6);
            prop_assert!((amount as f64) < lower_edge(slot + 1) + 1e-6);
        }

        #[test]
        fn mean_and_deviation_are_the_textbook_ones(history in prop::collection::vec(1u64..100_000, 3..60)) {
            let mut amounts = Amounts::default();
            history.iter().for_each(|amount| amounts.add(*amount));
            let count = history.len() as f64;
            let mean = history.iter().sum::<u64>() as f64 / count;
            let variance = history.iter().map(|a| (*a as f64 - mean).powi(2)).sum::<f64>() / count;
            let wanted = (50_000.0 - mean) / variance.sqrt().max(mean / 100.0).max(1.0);
            prop_assert!((amounts.mean().unwrap() - mean).abs() < 1e-6);
            prop_assert!((amounts.deviations(50_000).unwrap() - wanted).abs() < 1e-3 * wanted.abs().max(1.0));
        }
    }

    #[test]
    fn the_median_is_near_and_does_not_follow_the_odd() {
        let mut amounts = Amounts::default();
        (2_000..4_000).for_each(|amount| amounts.add(amount));
        let before = amounts.median().unwrap();
        assert!((before / 3_000.0 - 1.0).abs() < 0.05, "{before}");
        (0..100).for_each(|_| amounts.add(30_000));
        let after = amounts.median().unwrap();
        assert!((after / before - 1.0).abs() < 0.05, "{after}");
        assert!(amounts.rank(100_000).unwrap() > 0.99);
        assert!((amounts.rank(3_000).unwrap() - 0.5).abs() < 0.06);
    }

    #[test]
    fn without_history_nothing_is_said() {
        let mut amounts = Amounts::default();
        amounts.add(100);
        assert_eq!(amounts.median(), None);
        assert_eq!(amounts.deviations(100), None);
        assert_eq!(amounts.rank(100), None);
    }
}
