//! A filter that knows of most keys that they were never written, so that nobody has to look.
//!
//! Most of what a payment writes is new, and for each new record the store must know that there is none
//! yet. Asking three layers for what is not there costs more than everything else about a payment; asking
//! the filter is one access to memory.
//!
//! **Shape.** A blocked Bloom filter (Putze, Sanders, Singler 2007): a key sets [`BITS`] bits within one
//! cache line. **Bounds.** [`BYTES`], whatever the number of keys. With 10 million keys one in ten
//! thousand absent keys is looked up in vain; with 100 million, one in four; it never gets wrong, only
//! less useful. **Ordering.** Keys are added before they can be read. What was written before the store
//! was opened is added by a thread of its own, and until that is done the filter knows nothing.

use std::{
    hash::BuildHasher,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use crate::hash::KeyHasher;

/// The memory that it takes.
pub const BYTES: usize = 32 * 1024 * 1024;
/// Bits that a key sets.
const BITS: u32 = 5;
/// Words of a cache line.
const LINE: usize = 8;

/// The filter.
pub struct Filter {
    words: Vec<AtomicU64>,
    /// Secret, so that nobody can choose keys that fall together.
    hasher: KeyHasher,
    complete: AtomicBool,
}

impl Filter {
    /// A filter without keys. It is complete if nothing was written before.
    pub fn new(complete: bool) -> Self {
        let words = (0..BYTES / 8).map(|_| AtomicU64::new(0)).collect();
        Self {
            words,
            hasher: KeyHasher::default(),
            complete: AtomicBool::new(complete),
        }
    }

    /// Adds a key.
    pub fn add(&self, key: &[u8]) {
        for (word, bit) in self.places(key) {
            self.words[word].fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// Whether the key was certainly never added.
    pub fn is_absent(&self, key: &[u8]) -> bool {
        self.complete.load(Ordering::Acquire)
            && self
                .places(key)
                .any(|(word, bit)| self.words[word].load(Ordering::Relaxed) & bit == 0)
    }

    /// Says that everything that was written before has been added.
    pub fn complete(&self) {
        self.complete.store(true, Ordering::Release);
    }

    /// The words of a key, and its bit in each. The line is chosen by the upper half of the hash and the bits
    /// by the lower, nine bits of it for each.
    fn places(&self, key: &[u8]) -> impl Iterator<Item = (usize, u64)> + use<> {
        let hash = self.hasher.hash_one(key);
        let lines = (self.words.len() / LINE) as u64;
        let line = (((hash >> 32) * lines) >> 32) as usize * LINE;
        let mut bits = hash.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (0..BITS).map(move |_| {
            let word = line + (bits >> 6 & 7) as usize;
            let bit = 1 << (bits & 63);
            bits >>= 9;
            (word, bit)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u64) -> Vec<u8> {
        format!("partition/{n:x}\0sort").into_bytes()
    }

    #[test]
    fn no_key_is_denied_and_few_others_are_suspected() {
        let filter = Filter::new(true);
        for n in 0..200_000 {
            assert!(
                filter.is_absent(&key(n)) || n > 0,
                "an empty filter knows that"
            );
            filter.add(&key(n));
            assert!(!filter.is_absent(&key(n)));
        }
        assert!((0..200_000).all(|n| !filter.is_absent(&key(n))));
        let suspected = (200_000..400_000)
            .filter(|n| !filter.is_absent(&key(*n)))
            .count();
        assert!(suspected < 200, "{suspected} of 200,000");
    }

    #[test]
    fn an_incomplete_filter_knows_nothing() {
        let filter = Filter::new(false);
        assert!(!filter.is_absent(&key(1)));
        filter.complete();
        assert!(filter.is_absent(&key(1)));
    }
}
