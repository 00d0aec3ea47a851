//! Currencies: ISO 4217's codes with their minor units, and exact decimal text.
//!
//! A [`Currency`] is a code that a payment can carry: in use, and with a minor unit, so that an
//! amount of it is an integer. Parsing is the only fallible step and says why a code is refused:
//! a funds code, a metal or test code, a withdrawn currency, or no code at all.
//!
//! **Shape.** A `Currency` is one byte, the position in a sorted static table. The position is
//! never stored or sent; text, JSON and records carry the alphabetic code.
//!
//! **Ordering** is by alphabetic code.

mod decimal;
mod table;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use decimal::{DecimalError, MINOR_MAX, format_minor, parse_minor};
pub use table::LIST_DATE;
use table::{ENTRIES, Entry, FUNDS, WITHDRAWN, WITHOUT_MINOR_UNIT};

/// A currency in use with a minor unit (ISO 4217).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(u8);

/// Why a text is not a currency that a payment can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CurrencyError {
    /// The text is not three upper-case letters.
    #[error("a currency is three upper-case letters (ISO 4217)")]
    Malformed,
    /// ISO 4217 does not list the code.
    #[error("{0} is not a currency code of ISO 4217")]
    Unknown(Code),
    /// A funds code: ISO 4217 marks it as a fund, not as money.
    #[error("{0} is a funds code of ISO 4217, not a currency")]
    Fund(Code),
    /// The code has no minor unit ("N.A."): a metal, an accounting unit, a code for tests or for no currency.
    #[error("{code} ({name}) has no minor unit in ISO 4217 and cannot be paid")]
    WithoutMinorUnit {
        /// The code that was given.
        code: Code,
        /// What the code stands for.
        name: &'static str,
    },
    /// The currency is no longer in use.
    #[error("{code} was withdrawn from ISO 4217 ({since})")]
    Withdrawn {
        /// The code that was given.
        code: Code,
        /// The month or year of the withdrawal.
        since: &'static str,
    },
}

/// Three upper-case letters that were given as a currency and are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code([u8; 3]);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(f, "{}", char::from(*byte)))
    }
}

impl Currency {
    /// Pound sterling.
    pub const GBP: Self = Self::listed(*b"GBP");
    /// Euro.
    pub const EUR: Self = Self::listed(*b"EUR");
    /// US dollar.
    pub const USD: Self = Self::listed(*b"USD");

    /// Finds a code of the table while compiling; a code that is not in it does not compile.
    const fn listed(code: [u8; 3]) -> Self {
        let mut index = 0;
        while index < ENTRIES.len() {
            let found = ENTRIES[index].code;
            if found[0] == code[0] && found[1] == code[1] && found[2] == code[2] {
                // The table is shorter than 256, kept by a test.
                return Self(index as u8);
            }
            index += 1;
        }
        panic!("not a currency in use")
    }

    /// Every currency, in order of code.
    pub fn all() -> impl Iterator<Item = Self> {
        (0u8..).take(ENTRIES.len()).map(Self)
    }

    /// How many currencies there are.
    #[must_use]
    pub const fn count() -> usize {
        ENTRIES.len()
    }

    fn entry(self) -> &'static Entry {
        &ENTRIES[usize::from(self.0)]
    }

    /// The alphabetic code, three upper-case letters.
    #[must_use]
    pub fn code(self) -> &'static str {
        // The table holds ASCII letters only, kept by a test.
        std::str::from_utf8(&self.entry().code).unwrap_or_default()
    }

    /// The numeric code, 1 to 999; written with three digits where a format asks for it.
    #[must_use]
    pub fn numeric(self) -> u16 {
        self.entry().numeric
    }

    /// Digits of the minor unit: 0, 2, 3 or 4. One unit is `10^exponent` minor units.
    #[must_use]
    pub fn exponent(self) -> u8 {
        self.entry().exponent
    }

    /// The English name that ISO 4217 gives.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().name
    }
}

impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(text: &str) -> Result<Self, CurrencyError> {
        let code = <[u8; 3]>::try_from(text.as_bytes()).map_err(|_| CurrencyError::Malformed)?;
        if !code.iter().all(u8::is_ascii_uppercase) {
            return Err(CurrencyError::Malformed);
        }
        match ENTRIES.binary_search_by_key(&code, |entry| entry.code) {
            Ok(index) => Ok(Self(index as u8)),
            Err(_) => Err(refusal(code)),
        }
    }
}

/// Says why a well-formed code is not a currency in use.
fn refusal(code: [u8; 3]) -> CurrencyError {
    let of = |table: &[([u8; 3], &'static str)]| {
        let index = table.binary_search_by_key(&code, |row| row.0).ok()?;
        Some(table[index].1)
    };
    let shown = Code(code);
    if FUNDS.binary_search(&code).is_ok() {
        CurrencyError::Fund(shown)
    } else if let Some(name) = of(&WITHOUT_MINOR_UNIT) {
        CurrencyError::WithoutMinorUnit { code: shown, name }
    } else if let Some(since) = of(&WITHDRAWN) {
        CurrencyError::Withdrawn { code: shown, since }
    } else {
        CurrencyError::Unknown(shown)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = Currency;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an ISO 4217 currency code")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Currency, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_disjoint_and_small() {
        assert!(ENTRIES.is_sorted_by(|a, b| a.code < b.code));
        assert!(FUNDS.is_sorted_by(|a, b| a < b));
        assert!(WITHOUT_MINOR_UNIT.is_sorted_by(|a, b| a.0 < b.0));
        assert!(WITHDRAWN.is_sorted_by(|a, b| a.0 < b.0));
        assert!(ENTRIES.len() <= 256);
        let refused = FUNDS
            .iter()
            .chain(WITHOUT_MINOR_UNIT.iter().map(|row| &row.0))
            .chain(WITHDRAWN.iter().map(|row| &row.0));
        for code in refused {
            assert!(ENTRIES.iter().all(|entry| entry.code != *code));
        }
        for entry in &ENTRIES {
            assert!(entry.code.iter().all(u8::is_ascii_uppercase));
            assert!(matches!(entry.exponent, 0 | 2 | 3 | 4));
        }
    }

    #[test]
    fn codes_in_use() {
        for (code, numeric, exponent) in [
            ("GBP", 826, 2),
            ("EUR", 978, 2),
            ("JPY", 392, 0),
            ("ISK", 352, 0),
            ("KWD", 414, 3),
            ("BHD", 48, 3),
            ("UYW", 927, 4),
            ("XOF", 952, 0),
        ] {
            let currency: Currency = code.parse().expect(code);
            assert_eq!(currency.code(), code);
            assert_eq!(
                (currency.numeric(), currency.exponent()),
                (numeric, exponent)
            );
        }
        assert_eq!(Currency::GBP.name(), "Pound Sterling");
        assert!(Currency::EUR < Currency::GBP);
    }

    #[test]
    fn refusals_say_why() {
        for (text, why) in [
            ("gbp", "a currency is three upper-case letters (ISO 4217)"),
            ("GB", "a currency is three upper-case letters (ISO 4217)"),
            ("€", "a currency is three upper-case letters (ISO 4217)"),
            ("", "a currency is three upper-case letters (ISO 4217)"),
            ("ABC", "ABC is not a currency code of ISO 4217"),
            ("CLF", "CLF is a funds code of ISO 4217, not a currency"),
            (
                "XAU",
                "XAU (Gold) has no minor unit in ISO 4217 and cannot be paid",
            ),
            (
                "XXX",
                "XXX (no currency involved) has no minor unit in ISO 4217 and cannot be paid",
            ),
            ("BGN", "BGN was withdrawn from ISO 4217 (2026-01)"),
            ("HRK", "HRK was withdrawn from ISO 4217 (2023-01)"),
        ] {
            assert_eq!(text.parse::<Currency>().expect_err(text).to_string(), why);
        }
    }

    #[test]
    fn json_is_the_code_and_nothing_else() {
        let json = serde_json::to_string(&Currency::GBP).expect("a string serializes");
        assert_eq!(json, r#""GBP""#);
        assert_eq!(
            serde_json::from_str::<Currency>(&json).expect("reads back"),
            Currency::GBP
        );
        for bad in [r#""gbp""#, r#""XAU""#, "826", "null"] {
            assert!(serde_json::from_str::<Currency>(bad).is_err(), "{bad}");
        }
    }
}
