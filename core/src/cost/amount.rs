//! Money and counts that are smaller than a penny and than one, exactly.

use std::{fmt, iter::Sum, ops::Add};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_json::value::RawValue;

/// Money in 10⁻¹⁵ of a currency's unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Femto(u128);

/// How many, in 10⁻¹²: a payment has its share in things that many payments use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(u128);

const FEMTO_DIGITS: u32 = 15;
const COUNT_DIGITS: u32 = 12;
/// One thing.
const ONE: u128 = 10u128.pow(COUNT_DIGITS);

/// A text is no decimal number, or has more digits than are kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a number with at most {digits} digits after the point")]
pub struct NotANumber {
    text: String,
    digits: u32,
}

impl Femto {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many femto-units.
    #[must_use]
    pub const fn new(femto: u128) -> Self {
        Self(femto)
    }

    /// How many femto-units.
    #[must_use]
    pub const fn get(self) -> u128 {
        self.0
    }

    /// A decimal number of units, such as `0.0000035`.
    ///
    /// # Errors
    /// [`NotANumber`].
    pub fn parse(text: &str) -> Result<Self, NotANumber> {
        scaled(text, FEMTO_DIGITS).map(Self)
    }

    /// The price of so many, at this price each; rounded down.
    #[must_use]
    pub const fn times(self, count: Count) -> Self {
        // In two steps, so that neither product leaves 128 bits.
        Self(self.0 * (count.0 / ONE) + self.0 * (count.0 % ONE) / ONE)
    }

    /// One of so many equal shares; rounded down. Nothing of nothing.
    #[must_use]
    pub const fn shared_by(self, many: u64) -> Self {
        Self(if many == 0 { 0 } else { self.0 / many as u128 })
    }

    /// The part of it that `part` is of `whole`, to one in a thousand billion.
    #[must_use]
    pub fn portion(self, part: Count, whole: Count) -> Self {
        if whole.0 == 0 {
            return Self::ZERO;
        }
        // 50 bits of the ratio, so that the product stays within 128 for up to 4 × 10²³ femto-units.
        let surplus = (128 - whole.0.leading_zeros()).saturating_sub(50);
        Self(self.0 * (part.0 >> surplus) / (whole.0 >> surplus).max(1))
    }

    /// The same money in another currency, of which one unit costs `rate` of this.
    #[must_use]
    pub const fn converted(self, rate: Count) -> Self {
        self.times(rate)
    }

    /// With so many digits after the point, rounded half up, for people.
    #[must_use]
    pub fn rounded(self, digits: u32) -> String {
        let drop = 10u128.pow(FEMTO_DIGITS.saturating_sub(digits));
        decimal((self.0 + drop / 2) / drop, digits, false)
    }
}

impl Count {
    /// One.
    pub const ONE: Self = Self(ONE);

    /// So many whole ones.
    #[must_use]
    pub const fn whole(many: u64) -> Self {
        Self(many as u128 * ONE)
    }

    /// So many in a million.
    #[must_use]
    pub const fn in_a_million(many: u64) -> Self {
        Self(many as u128 * (ONE / 1_000_000))
    }

    /// A decimal number, such as `0.25`.
    ///
    /// # Errors
    /// [`NotANumber`].
    pub fn parse(text: &str) -> Result<Self, NotANumber> {
        scaled(text, COUNT_DIGITS).map(Self)
    }

    /// So many times as many.
    #[must_use]
    pub const fn times(self, many: u64) -> Self {
        Self(self.0 * many as u128)
    }

    /// Times another count; rounded down.
    #[must_use]
    pub const fn by(self, other: Self) -> Self {
        Self(self.0 * (other.0 / ONE) + self.0 * (other.0 % ONE) / ONE)
    }

    /// One of so many equal shares; rounded down.
    #[must_use]
    pub const fn shared_by(self, many: u64) -> Self {
        Self(if many == 0 { 0 } else { self.0 / many as u128 })
    }

    /// How many of another count it makes; rounded down. None of nothing.
    #[must_use]
    pub const fn over(self, other: Self) -> Self {
        match (self.0 * ONE).checked_div(other.0) {
            Some(many) => Self(many),
            None => Self(0),
        }
    }

    /// The least number of whole ones that is not below it.
    #[must_use]
    pub const fn ceil(self) -> u64 {
        self.0.div_ceil(ONE) as u64
    }

    /// What of it is above `other`.
    #[must_use]
    pub const fn beyond(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Add for Femto {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Add for Count {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sum for Femto {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Add::add)
    }
}

impl Sum for Count {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

impl fmt::Display for Femto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&decimal(self.0, FEMTO_DIGITS, true))
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&decimal(self.0, COUNT_DIGITS, true))
    }
}

/// A JSON number, digit by digit: no floating-point number stands in between.
fn number<S: Serializer>(value: &impl fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    let raw = RawValue::from_string(value.to_string()).map_err(serde::ser::Error::custom)?;
    raw.serialize(serializer)
}

impl Serialize for Femto {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        number(self, serializer)
    }
}

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        number(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Femto {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

fn scaled(text: &str, digits: u32) -> Result<u128, NotANumber> {
    let wrong = || NotANumber {
        text: text.to_owned(),
        digits,
    };
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(part) || part.len() > digits as usize || whole.len() > 15 {
        return Err(wrong());
    }
    let whole: u128 = whole.parse().map_err(|_| wrong())?;
    let padded = format!("{part:0<width$}", width = digits as usize);
    let part: u128 = padded.parse().map_err(|_| wrong())?;
    Ok(whole * 10u128.pow(digits) + part)
}

fn decimal(value: u128, digits: u32, trimmed: bool) -> String {
    let one = 10u128.pow(digits);
    let text = format!(
        "{}.{:0width$}",
        value / one,
        value % one,
        width = digits as usize
    );
    let text = if trimmed {
        text.trim_end_matches('0')
    } else {
        &text
    };
    text.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_and_shown_digit_by_digit() {
        for text in ["0", "1", "0.0000035", "0.000000000000001", "730.5"] {
            assert_eq!(Femto::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "1e3",
            "0.0000000000000001",
            "1,5",
            "+1",
        ] {
            assert!(Femto::parse(text).is_err(), "{text:?}");
        }
        assert_eq!(Femto::parse("0.00004567").unwrap().rounded(6), "0.000046");
        assert_eq!(
            serde_json::to_string(&Count::parse("0.25").unwrap()).unwrap(),
            "0.25"
        );
    }

    #[test]
    fn products_and_shares_are_exact_to_the_last_digit_that_is_kept() {
        let price = Femto::parse("0.0000133334").unwrap();
        let count = Count::parse("0.03").unwrap();
        assert_eq!(price.times(count).to_string(), "0.000000400002");
        let year = Femto::parse("12345.6").unwrap();
        assert_eq!(
            year.portion(Count::whole(1), Count::whole(4)).to_string(),
            "3086.4"
        );
        let large = Femto::parse("100000000").unwrap();
        let whole = Count::whole(1_000_000_000_000);
        assert_eq!(large.portion(whole, whole), large);
        assert_eq!(Count::parse("2.000000000001").unwrap().ceil(), 3);
        assert_eq!(Femto::parse("1").unwrap().shared_by(0), Femto::ZERO);
    }
}
