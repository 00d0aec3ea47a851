//! Ids: 128 bits that know what they name. An `Id<Payment>` is never an `Id<Account>`.
//!
//! **Shape.** 48 bits of Unix milliseconds, then 80 bits that the host drew or that were derived
//! from a parent id. The text form is a prefix and 26 digits of Crockford's base 32 in lower
//! case, so ids sort by time and survive being read over a telephone.

use std::{cmp, fmt, hash, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

use crate::time::Timestamp;

/// Something that has ids of its own. The entity is its own tag: there are no marker types.
pub trait Named {
    /// The letters before the underscore, such as `pay`.
    const PREFIX: &'static str;
}

/// The id of a `T`.
pub struct Id<T>(u128, PhantomData<fn() -> T>);

/// How many bits of an id the host draws; the 48 above them are the time.
const RANDOM_BITS: u32 = 80;
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const DIGITS: usize = 26;

/// What each byte is worth as a digit; 255 for none.
const VALUES: [u8; 256] = {
    let mut values = [255; 256];
    let mut value = 0;
    while value < ALPHABET.len() {
        values[ALPHABET[value] as usize] = value as u8;
        value += 1;
    }
    values
};

impl<T> Id<T> {
    /// An id made at `at` from 80 random bits; the upper 48 bits of `random` are ignored.
    #[must_use]
    pub const fn new(at: Timestamp, random: u128) -> Self {
        let time = (at.unix_ms() as u128) << RANDOM_BITS;
        Self(time | (random & ((1 << RANDOM_BITS) - 1)), PhantomData)
    }

    /// The `n`th id that follows from `parent`, made at `at`. The same arguments are the same id.
    #[must_use]
    pub fn derived<P>(at: Timestamp, parent: Id<P>, n: u32) -> Self {
        let mut hash = Sha256::new();
        hash.update(parent.0.to_be_bytes());
        hash.update(n.to_be_bytes());
        Self::new(at, first_128(&hash.finalize()))
    }

    /// An id that names the same thing for whoever spells the name out: no time, no chance.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        Self(first_128(&Sha256::digest(name.as_bytes())), PhantomData)
    }

    /// The bits, for those who keep flags in them.
    #[must_use]
    pub const fn bits(self) -> u128 {
        self.0
    }

    /// An id of given bits.
    #[must_use]
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits, PhantomData)
    }

    /// When the id was made, to the millisecond.
    #[must_use]
    pub const fn made_at(self) -> Timestamp {
        Timestamp::from_unix_ms((self.0 >> RANDOM_BITS) as u64)
    }
}

fn first_128(digest: &[u8]) -> u128 {
    digest[..16]
        .iter()
        .fold(0, |bits, byte| bits << 8 | u128::from(*byte))
}

/// The 26 digits of `bits`, as they stand after an id's prefix.
fn digits(bits: u128) -> [u8; DIGITS] {
    let mut text = [0; DIGITS];
    for (place, digit) in text.iter_mut().rev().enumerate() {
        *digit = ALPHABET[(bits >> (5 * place)) as usize & 31];
    }
    text
}

/// `bytes` hashed to 26 digits: a fixed-length stand-in for text of any length in a key.
#[must_use]
pub fn digest_text(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length goes in too, so that no two lists of parts read the same.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digits = digits(first_128(&hash.finalize()));
    // Digits are ASCII.
    std::str::from_utf8(&digits).unwrap_or_default().to_owned()
}

/// An id as text, without an allocation: ids are written some thirty times for each payment.
pub struct IdText {
    bytes: [u8; PREFIX_MAX + 1 + DIGITS],
    length: usize,
}

/// No prefix is longer.
const PREFIX_MAX: usize = 4;

impl IdText {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Prefixes and digits are ASCII.
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

impl<T: Named> Id<T> {
    /// The id as text.
    #[must_use]
    pub fn text(self) -> IdText {
        let prefix = T::PREFIX.as_bytes();
        let length = prefix.len() + 1 + DIGITS;
        let mut bytes = [b'_'; PREFIX_MAX + 1 + DIGITS];
        bytes[..prefix.len()].copy_from_slice(prefix);
        bytes[prefix.len() + 1..length].copy_from_slice(&digits(self.0));
        IdText { bytes, length }
    }
}

impl<T: Named> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

/// The text is not an id of this kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected `{prefix}_` and 26 base-32 digits")]
pub struct ParseIdError {
    prefix: &'static str,
}

impl<T: Named> FromStr for Id<T> {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        parse(T::PREFIX, text)
            .map(Self::from_bits)
            .ok_or(ParseIdError { prefix: T::PREFIX })
    }
}

fn parse(prefix: &str, text: &str) -> Option<u128> {
    let digits = text.strip_prefix(prefix)?.strip_prefix('_')?;
    // 26 digits hold 130 bits, so the first may not exceed 7.
    if digits.len() != DIGITS || digits.as_bytes()[0] > b'7' {
        return None;
    }
    digits.bytes().try_fold(0, |bits: u128, byte| {
        let value = VALUES[usize::from(byte)];
        (value < 32).then_some(bits << 5 | u128::from(value))
    })
}

// Derives would ask these of `T`, which is only a name.
impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<T> hash::Hash for Id<T> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<T: Named> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl<T: Named> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text().as_str())
    }
}
impl<'de, T: Named> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text<T>(PhantomData<T>);
        impl<T: Named> de::Visitor<'_> for Text<T> {
            type Value = Id<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "`{}_` and 26 base-32 digits", T::PREFIX)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Id<T>, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Thing;
    impl Named for Thing {
        const PREFIX: &'static str = "thg";
    }

    proptest! {
        #[test]
        fn text_and_back(bits: u128) {
            let id = Id::<Thing>::from_bits(bits);
            prop_assert_eq!(id.to_string().parse::<Id<Thing>>().unwrap(), id);
        }

        #[test]
        fn text_sorts_as_bits_do(a: u128, b: u128) {
            let (x, y) = (Id::<Thing>::from_bits(a), Id::<Thing>::from_bits(b));
            prop_assert_eq!(x.to_string().cmp(&y.to_string()), a.cmp(&b));
        }

        #[test]
        fn rubbish_is_refused_and_never_panics(text: String) {
            prop_assert!(text.parse::<Id<Thing>>().is_err());
        }
    }

    #[test]
    fn the_prefix_is_part_of_the_id() {
        let id = Id::<Thing>::from_bits(7).to_string();
        assert!(id.replace("thg", "pay").parse::<Id<Thing>>().is_err());
        assert!(
            "thg_8zzzzzzzzzzzzzzzzzzzzzzzzz"
                .parse::<Id<Thing>>()
                .is_err(),
            "131 bits"
        );
        assert!(id.to_uppercase().parse::<Id<Thing>>().is_err());
    }

    #[test]
    fn an_id_remembers_when_it_was_made() {
        let at = Timestamp::from_unix_ms(1_795_000_000_123);
        assert_eq!(Id::<Thing>::new(at, u128::MAX).made_at(), at);
        let child = Id::<Thing>::derived(at, Id::<Thing>::from_bits(1), 1);
        assert_eq!(child.made_at(), at);
        assert_ne!(
            child,
            Id::<Thing>::derived(at, Id::<Thing>::from_bits(1), 2)
        );
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(digest_text(&["ab", "c"]), digest_text(&["a", "bc"]));
    }
}
