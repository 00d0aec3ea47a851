//! Hashes keys for the maps of the writer, which hashes some thirty for each payment.
//!
//! Folded multiplication, as in wyhash (Wang Yi 2019): eight bytes a step, where SipHash takes one at four times the
//! cost. The seed is drawn for each map, so that nobody can find keys beforehand that fall together.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Makes hashers with one secret seed.
#[derive(Clone, Debug)]
pub struct KeyHasher(u64);

impl Default for KeyHasher {
    fn default() -> Self {
        Self(RandomState::new().hash_one(0))
    }
}

impl BuildHasher for KeyHasher {
    type Hasher = Folded;

    fn build_hasher(&self) -> Folded {
        Folded(self.0)
    }
}

/// A hash in the making.
#[derive(Debug)]
pub struct Folded(u64);

/// Odd, and with as many ones as zeroes: the fractional part of the golden ratio.
const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

impl Folded {
    fn step(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * u128::from(MULTIPLIER);
        // An addition keeps a word that equals the state from making it forget the seed.
        self.0 = ((product >> 64) as u64 ^ product as u64).wrapping_add(word);
    }
}

impl Hasher for Folded {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.step(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.step(u64::from_le_bytes(last) ^ (bytes.len() as u64) << 56);
    }

    fn write_u8(&mut self, byte: u8) {
        self.step(byte.into());
    }

    fn finish(&self) -> u64 {
        let product = u128::from(self.0) * u128::from(MULTIPLIER);
        (product >> 64) as u64 ^ product as u64
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn similar_keys_spread() {
        let hasher = KeyHasher::default();
        let keys = (0..100_000).map(|n| format!("demo0000/acc_{:026}\0n#{:012}", n % 300, n / 300));
        let hashes: Vec<u64> = keys.map(|key| hasher.hash_one(key)).collect();
        // Maps use the lower bits for the place and the upper seven beside it.
        for shift in [0, 32, 40] {
            let places: HashSet<u64> = hashes
                .iter()
                .map(|hash| hash >> shift & 0xFF_FFFF)
                .collect();
            assert!(
                places.len() > 99_000,
                "{} places above {shift}",
                places.len()
            );
        }
        let other = KeyHasher::default();
        assert_ne!(
            hasher.hash_one("key"),
            other.hash_one("key"),
            "the seed is drawn"
        );
    }
}
