//! How many different others a subject was seen with, in 24 bytes.
//!
//! **Shape.** Linear counting: a bitmap in which each other sets one bit by its hash, and the
//! share of bits still clear tells how many there were. Two bitmaps, of this month and of the
//! last, so that a count covers 30 to 60 days; two small ones for days.
//!
//! **Bounds.** With 64 bits for days and 64 for months: a standard error of 8 % at 20 others and
//! 15 % at 100; beyond about 250 it says 266. Enough to tell one from few from many, which is
//! what rules ask.

use super::tiles::window;

/// Bits of a bitmap.
const BITS: f64 = 64.0;
/// What a full bitmap is taken for.
const FULL: f64 = 266.0;

/// Who was seen within this span and the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Generations {
    pub(super) span: u32,
    pub(super) current: u64,
    pub(super) before: u64,
}

impl Generations {
    fn see(&mut self, span: u32, bit: u64) {
        match span.cmp(&self.span) {
            std::cmp::Ordering::Greater => {
                self.before = if span == self.span + 1 {
                    self.current
                } else {
                    0
                };
                self.current = bit;
                self.span = span;
            }
            std::cmp::Ordering::Equal => self.current |= bit,
            std::cmp::Ordering::Less if span + 1 == self.span => self.before |= bit,
            std::cmp::Ordering::Less => {}
        }
    }

    fn count(&self, span: u32) -> f64 {
        let bits = match span.saturating_sub(self.span) {
            0 => self.current | self.before,
            1 => self.current,
            _ => 0,
        };
        let clear = f64::from(bits.count_zeros());
        if clear == 0.0 {
            return FULL;
        }
        BITS * (BITS / clear).ln()
    }

    fn has(&self, span: u32, bit: u64) -> bool {
        let bits = match span.saturating_sub(self.span) {
            0 => self.current | self.before,
            1 => self.current,
            _ => 0,
        };
        bits & bit != 0
    }
}

/// See the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Distinct {
    pub(super) days: Generations,
    pub(super) months: Generations,
}

impl Distinct {
    /// Sees another, by its hash.
    pub fn see(&mut self, at: u32, other: u64) {
        let bit = 1 << (other >> 58);
        self.days.see(at / window::DAY, bit);
        self.months.see(at / window::MONTH, bit);
    }

    /// How many were seen today and yesterday.
    #[must_use]
    pub fn day(&self, now: u32) -> f64 {
        self.days.count(now / window::DAY)
    }

    /// How many were seen in this span of thirty days and the one before.
    #[must_use]
    pub fn month(&self, now: u32) -> f64 {
        self.months.count(now / window::MONTH)
    }

    /// Whether this other was surely not seen in this span of thirty days or the one before.
    #[must_use]
    pub fn is_new(&self, now: u32, other: u64) -> bool {
        !self.months.has(now / window::MONTH, 1 << (other >> 58))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::event::mix;

    #[test]
    fn it_tells_one_from_few_from_many() {
        for (others, off) in [(1u64, 0.1), (5, 1.0), (20, 5.0), (100, 40.0)] {
            let mut distinct = Distinct::default();
            for other in 0..others {
                // Each several times: seeing again is seeing once.
                for _ in 0..3 {
                    distinct.see(1_000_000_000, mix(other + 77));
                }
            }
            let found = distinct.day(1_000_000_000);
            assert!((found - others as f64).abs() <= off, "{others}: {found}");
        }
    }

    #[test]
    fn it_forgets() {
        let mut distinct = Distinct::default();
        distinct.see(1_000_000_000, mix(1));
        assert!(!distinct.is_new(1_000_000_000, mix(1)));
        assert!(distinct.day(1_000_000_000 + 3 * window::DAY) < 0.1);
        assert!(distinct.month(1_000_000_000 + 70 * window::DAY) < 0.1);
    }
}
