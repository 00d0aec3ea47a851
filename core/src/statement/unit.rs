//! Amounts as statements write them: any three letters for a currency, points or commas, signs in
//! front or behind. What comes out is a whole number of minor units or a reason, never a guess.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

use crate::currency::{Currency, MINOR_MAX};

/// The currency of a statement: a code, and how many digits its minor unit has.
///
/// Wider than [`Currency`]: a statement from before a currency was withdrawn can still be read,
/// though nothing can be paid in it any more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unit {
    code: [u8; 3],
    exponent: u8,
}

impl Unit {
    /// Reads a code in either case. A code that is in use has its digits from ISO 4217, any other
    /// has two.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let bytes: [u8; 3] = text.trim().as_bytes().try_into().ok()?;
        if !bytes.iter().all(u8::is_ascii_alphabetic) {
            return None;
        }
        let code = bytes.map(|byte| byte.to_ascii_uppercase());
        let mut unit = Self { code, exponent: 2 };
        if let Some(currency) = unit.currency() {
            unit.exponent = currency.exponent();
        }
        Some(unit)
    }

    /// Three upper-case letters.
    #[must_use]
    pub fn code(&self) -> &str {
        // Only ASCII letters are ever put in.
        std::str::from_utf8(&self.code).unwrap_or_default()
    }

    /// The currency, when it is one that can be paid in today.
    #[must_use]
    pub fn currency(&self) -> Option<Currency> {
        Currency::from_str(self.code()).ok()
    }

    /// Digits of the minor unit.
    #[must_use]
    pub const fn exponent(&self) -> u8 {
        self.exponent
    }
}

impl From<Currency> for Unit {
    fn from(currency: Currency) -> Self {
        let mut code = [0; 3];
        code.copy_from_slice(currency.code().as_bytes());
        Self {
            code,
            exponent: currency.exponent(),
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// How a source separates the whole from the fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// `1,234.56`: ISO 20022, BAI2 reports in decimals, the PSPs.
    Point,
    /// `1.234,56`: SWIFT MT, and CSV of much of Europe.
    Comma,
}

impl Mark {
    const fn chars(self) -> (char, char) {
        match self {
            Self::Point => ('.', ','),
            Self::Comma => (',', '.'),
        }
    }
}

/// Why a text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAmount {
    /// The text is not a number.
    #[error("is not a number")]
    Malformed,
    /// It has digits below the minor unit; rounding would invent or lose money.
    #[error("has more decimal places than {0}")]
    TooPrecise(Unit),
    /// It is above 2^53 − 1 minor units.
    #[error("is above {MINOR_MAX} minor units")]
    TooLarge,
}

/// Reads a signed decimal as minor units of `unit`.
///
/// Grammar: an optional sign in front or behind, or parentheses for a negative; digits, grouped
/// in threes by the other mark, by a space or by an apostrophe, or not at all; at most one
/// decimal mark, after which there may be no digit (SWIFT writes `1234,`).
///
/// # Errors
/// See [`NoAmount`].
pub fn minor(text: &str, mark: Mark, unit: Unit) -> Result<i64, NoAmount> {
    let (negative, digits) = sign(text.trim());
    let (decimal, grouping) = mark.chars();
    let (whole, fraction) = digits.split_once(decimal).unwrap_or((digits, ""));
    let whole = ungrouped(whole, grouping).ok_or(NoAmount::Malformed)?;
    let proper = fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !proper || (whole.is_empty() && fraction.is_empty()) || whole.len() > 20 {
        return Err(NoAmount::Malformed);
    }
    let places = usize::from(unit.exponent);
    let (kept, surplus) = fraction.split_at(places.min(fraction.len()));
    if surplus.bytes().any(|byte| byte != b'0') {
        return Err(NoAmount::TooPrecise(unit));
    }
    let padding = std::iter::repeat_n(b'0', places - kept.len());
    let units = whole.bytes().chain(kept.bytes()).chain(padding);
    let units = units
        .map(|digit| i64::from(digit - b'0'))
        .try_fold(0i64, |sum, digit| sum.checked_mul(10)?.checked_add(digit));
    let units = units.filter(|units| *units <= MINOR_MAX as i64);
    let units = units.ok_or(NoAmount::TooLarge)?;
    Ok(if negative { -units } else { units })
}

/// Reads a whole number of minor units, with a sign: BAI2, PayPal, the tables of Stripe's API.
///
/// # Errors
/// See [`NoAmount`].
pub fn whole(text: &str) -> Result<i64, NoAmount> {
    let (negative, digits) = sign(text.trim());
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NoAmount::Malformed);
    }
    let units: i64 = digits.parse().map_err(|_| NoAmount::TooLarge)?;
    if units > MINOR_MAX as i64 {
        return Err(NoAmount::TooLarge);
    }
    Ok(if negative { -units } else { units })
}

fn sign(text: &str) -> (bool, &str) {
    let inner = text.strip_prefix('(').and_then(|it| it.strip_suffix(')'));
    if let Some(inner) = inner {
        return (true, inner.trim());
    }
    for minus in ['-', '\u{2212}'] {
        let rest = text.strip_prefix(minus);
        if let Some(rest) = rest.or_else(|| text.strip_suffix(minus)) {
            return (true, rest.trim());
        }
    }
    let rest = text.strip_prefix('+').or_else(|| text.strip_suffix('+'));
    (false, rest.unwrap_or(text).trim())
}

/// The digits without their groups; `None` where the groups are not of three.
fn ungrouped(text: &str, grouping: char) -> Option<String> {
    let separates = |ch: char| ch == grouping || matches!(ch, ' ' | '\'' | '\u{a0}' | '\u{202f}');
    let mut groups = text.split(separates);
    let first = groups.next().unwrap_or_default();
    let mut digits = first.to_owned();
    for group in groups {
        if group.len() != 3 || first.is_empty() || first.len() > 3 {
            return None;
        }
        digits.push_str(group);
    }
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(code: &str) -> Unit {
        Unit::read(code).expect(code)
    }

    #[test]
    fn amounts_of_all_manners() {
        for (text, mark, code, found) in [
            ("12.5", Mark::Point, "GBP", 1250),
            ("-12.50", Mark::Point, "GBP", -1250),
            ("12.50-", Mark::Point, "GBP", -1250),
            ("(1,234.50)", Mark::Point, "usd", -123_450),
            ("1.234,5", Mark::Comma, "EUR", 123_450),
            ("1 234 567,89", Mark::Comma, "SEK", 123_456_789),
            ("1'234.05", Mark::Point, "CHF", 123_405),
            ("380115,", Mark::Comma, "EUR", 38_011_500),
            ("001,12", Mark::Comma, "EUR", 112),
            (",12", Mark::Comma, "EUR", 12),
            ("18.15000", Mark::Point, "EUR", 1815),
            ("1250", Mark::Point, "JPY", 1250),
            ("1.234", Mark::Point, "KWD", 1234),
            ("+7.00", Mark::Point, "HRK", 700),
            ("\u{2212}7", Mark::Point, "EUR", -700),
        ] {
            assert_eq!(minor(text, mark, unit(code)), Ok(found), "{text}");
        }
    }

    #[test]
    fn texts_that_are_none() {
        for (text, mark, code, why) in [
            ("", Mark::Point, "EUR", NoAmount::Malformed),
            (".", Mark::Point, "EUR", NoAmount::Malformed),
            ("1.2.3", Mark::Point, "EUR", NoAmount::Malformed),
            ("12,34", Mark::Point, "EUR", NoAmount::Malformed),
            ("1e3", Mark::Point, "EUR", NoAmount::Malformed),
            ("1234,567.00", Mark::Point, "EUR", NoAmount::Malformed),
            ("--1", Mark::Point, "EUR", NoAmount::Malformed),
            ("90071992547409.92", Mark::Point, "EUR", NoAmount::TooLarge),
            ("0.5", Mark::Point, "JPY", NoAmount::TooPrecise(unit("JPY"))),
            (
                "0.005",
                Mark::Point,
                "EUR",
                NoAmount::TooPrecise(unit("EUR")),
            ),
        ] {
            assert_eq!(minor(text, mark, unit(code)), Err(why), "{text}");
        }
        assert_eq!(whole("+000000000203500"), Ok(203_500));
        assert_eq!(whole("-3500"), Ok(-3500));
        assert_eq!(whole("1.5"), Err(NoAmount::Malformed));
    }

    #[test]
    fn a_unit_is_any_three_letters() {
        assert_eq!(unit("usd").currency(), Some(Currency::USD));
        assert_eq!(unit("HRK").currency(), None);
        assert_eq!(unit("JPY").exponent(), 0);
        assert_eq!(Unit::read("EU1"), None);
        assert_eq!(Unit::read("EURO"), None);
        assert_eq!(Unit::from(Currency::GBP), unit("GBP"));
    }
}
