//! Chance that can be had again: every draw of a world comes from its seed.
//!
//! Each part of a world has a [`Luck`] of its own, drawn from the seed by the part's name, so that
//! leaving one client out does not change what the others do.

use std::sync::atomic::{AtomicU64, Ordering};

/// A stream of draws. SplitMix64: small, quick, and good enough to throw dice with.
#[derive(Debug)]
pub struct Luck(AtomicU64);

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Luck {
    /// The stream of a part of a world.
    #[must_use]
    pub fn new(seed: u64, part: &str) -> Self {
        let start = part.bytes().fold(mix(seed), |state, byte| {
            mix(state.wrapping_add(u64::from(byte)).wrapping_add(STEP))
        });
        Self(AtomicU64::new(start))
    }

    /// 64 bits.
    pub fn bits(&self) -> u64 {
        mix(self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP))
    }

    /// A number below `end`, which is not 0.
    pub fn below(&self, end: u64) -> u64 {
        self.bits() % end
    }

    /// A number from `first` to `last`.
    pub fn between(&self, first: u64, last: u64) -> u64 {
        first + self.below(last - first + 1)
    }

    /// Whether something happens that happens `times` times in a thousand.
    pub fn happens(&self, times: u32) -> bool {
        // Drawn even when it cannot happen, so that a fault switched off leaves the rest as it was.
        self.below(1000) < u64::from(times)
    }

    /// One of several.
    pub fn pick<'a, T>(&self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len() as u64) as usize]
    }
}

/// The finaliser of SplitMix64.
const fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_draws_the_same_each_time_and_not_what_another_draws() {
        let draw = |part| {
            let luck = Luck::new(7, part);
            [luck.bits(), luck.bits(), luck.bits()]
        };
        assert_eq!(draw("store"), draw("store"));
        assert_ne!(draw("store"), draw("rail"));
        let luck = Luck::new(7, "dice");
        let sum: u64 = (0..6000).map(|_| luck.between(1, 6)).sum();
        assert!((20_000..22_000).contains(&sum), "{sum}");
    }
}
