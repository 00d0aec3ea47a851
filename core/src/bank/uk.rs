//! UK accounts: sort code and account number, their standard form, and the modulus check.
//!
//! Faster Payments addresses six digits of sort code and eight of account number. Some banks print
//! numbers of six to ten digits; [`UkAccount::read`] brings them to eight as Vocalink's "Validating
//! account numbers" prescribes, and only for the banks that it names: for any other bank a ninth
//! digit is a typing mistake, and dropping a digit could hit somebody else's account.

pub mod modulus;
pub mod weights;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Check;
use super::iban::Iban;
use modulus::Verdict;
use weights::Weights;

/// Six digits that name a bank and branch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SortCode([u8; 6]);

/// A sort code and an account number of eight digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UkAccount {
    sort_code: SortCode,
    /// ASCII digits.
    number: [u8; 8],
}

/// Why sort code and number are no UK account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UkAccountError {
    /// Not six digits, with or without hyphens or spaces between pairs.
    #[error("a sort code is six digits, as 123456 or 12-34-56")]
    SortCode,
    /// Not eight digits, where the standard form is asked for.
    #[error(
        "an account number is given as eight digits here; put zeros before one of six or seven, and see \
         `lombard check uk-account` for one of nine or ten"
    )]
    NotStandard,
    /// Not six to ten digits.
    #[error("an account number is eight digits (six to ten at some banks)")]
    Number,
    /// Nine or ten digits, and not a bank that has such numbers.
    #[error("a bank of sort code {sort_code} has no account numbers of {digits} digits")]
    Length {
        /// The sort code that was given.
        sort_code: SortCode,
        /// How many digits were given.
        digits: usize,
    },
}

impl UkAccountError {
    /// A stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::SortCode => "sort_code",
            Self::NotStandard | Self::Number => "account_number",
            Self::Length { .. } => "account_length",
        }
    }
}

impl SortCode {
    /// The sort code as a number, 0 to 999999.
    #[must_use]
    pub fn value(self) -> u32 {
        self.0
            .iter()
            .fold(0, |value, digit| value * 10 + u32::from(digit - b'0'))
    }

    /// The six digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII digits are ever put in.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The first two digits, which are given to a bank: `08` is the Co-operative Bank's.
    fn bank(self) -> u32 {
        self.value() / 10_000
    }
}

impl FromStr for SortCode {
    type Err = UkAccountError;

    /// Reads `123456`, `12-34-56` or `12 34 56`.
    fn from_str(text: &str) -> Result<Self, UkAccountError> {
        let digits = match *text.as_bytes() {
            [a, b, c, d, e, f] => [a, b, c, d, e, f],
            [a, b, s1 @ (b'-' | b' '), c, d, s2, e, f] if s1 == s2 => [a, b, c, d, e, f],
            _ => return Err(UkAccountError::SortCode),
        };
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(UkAccountError::SortCode);
        }
        Ok(Self(digits))
    }
}

impl fmt::Display for SortCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for SortCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SortCode({self})")
    }
}

impl Serialize for SortCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for SortCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl UkAccount {
    /// Reads a sort code and an account number of exactly eight digits.
    ///
    /// # Errors
    /// [`UkAccountError`] if either is malformed.
    pub fn parse(sort_code: &str, number: &str) -> Result<Self, UkAccountError> {
        let number =
            <[u8; 8]>::try_from(number.as_bytes()).map_err(|_| UkAccountError::NotStandard)?;
        if !number.iter().all(u8::is_ascii_digit) {
            return Err(UkAccountError::NotStandard);
        }
        Ok(Self {
            sort_code: sort_code.parse()?,
            number,
        })
    }

    /// Reads a sort code and an account number of six to ten digits, in the form that people write.
    ///
    /// The standard form can differ from what was given, in the sort code too: compare
    /// [`Self::sort_code`] and [`Self::number`] to show it.
    ///
    /// * 6 or 7 digits: zeros in front.
    /// * 9 digits, Santander (`09`, `72`, `89`): the first digit replaces the last one of the sort code.
    /// * 10 digits, Co-operative Bank and its agencies (`08`): the first eight, without any hyphen.
    /// * 10 digits, National Westminster Bank (`01`, `50` to `66`): the last eight.
    ///
    /// # Errors
    /// [`UkAccountError`] if either is malformed, or the bank has no numbers of this length.
    pub fn read(sort_code: &str, number: &str) -> Result<Self, UkAccountError> {
        let sort_code: SortCode = sort_code.trim().parse()?;
        let separator = |char: char| matches!(char, ' ' | '-');
        let digits: String = number
            .trim()
            .chars()
            .filter(|char| !separator(*char))
            .collect();
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(UkAccountError::Number);
        }
        match (digits.len(), sort_code.bank()) {
            (6..=8, _) => Self::parse(sort_code.as_str(), &format!("{digits:0>8}")),
            (9, 9 | 72 | 89) => {
                let replaced = format!("{}{}", &sort_code.as_str()[..5], &digits[..1]);
                Self::parse(&replaced, &digits[1..])
            }
            (10, 8) => Self::parse(sort_code.as_str(), &digits[..8]),
            (10, 1 | 50..=66) => Self::parse(sort_code.as_str(), &digits[2..]),
            (digits @ (9 | 10), _) => Err(UkAccountError::Length { sort_code, digits }),
            _ => Err(UkAccountError::Number),
        }
    }

    /// The account of a British IBAN, whose BBAN is the bank's four letters, sort code and number.
    #[must_use]
    pub fn of_iban(iban: &Iban) -> Option<Self> {
        let account = iban.bban().get(4..).filter(|_| iban.country() == "GB")?;
        Self::parse(account.get(..6)?, account.get(6..)?).ok()
    }

    /// The sort code in standard form.
    #[must_use]
    pub const fn sort_code(&self) -> SortCode {
        self.sort_code
    }

    /// The account number in standard form, eight digits.
    #[must_use]
    pub fn number(&self) -> &str {
        // Only ASCII digits are ever put in.
        std::str::from_utf8(&self.number).unwrap_or_default()
    }
}

impl fmt::Debug for UkAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UkAccount({}, …{})", self.sort_code, &self.number()[5..])
    }
}

/// Checks a UK account as a person gives it: the answer of `lombard check uk-account`.
///
/// Without a weight table, or for a sort code that the table does not have, no check is possible
/// and the account is presumed valid, as the standard asks.
#[must_use]
pub fn check_uk_account(sort_code: &str, number: &str, weights: Option<&Weights>) -> Check {
    let account = match UkAccount::read(sort_code, number) {
        Ok(account) => account,
        Err(error) => return Check::failed(error.code(), error),
    };
    let Some(weights) = weights else {
        return Check::remarked(
            false,
            "no_weight_table",
            "no weight table is loaded: the account is presumed valid",
        );
    };
    match weights.check(&account) {
        Verdict::Valid => Check::passed(),
        Verdict::Invalid => Check::failed(
            "modulus",
            "the account number does not belong to the sort code: a digit is mistyped",
        ),
        Verdict::SortCodeNotListed => Check::remarked(
            false,
            "sort_code_not_listed",
            "the weight table does not have the sort code: the account is presumed valid",
        ),
        Verdict::ForeignCurrency => Check::remarked(
            false,
            "foreign_currency_account",
            "the number may be of a foreign currency account, which cannot be checked: it is presumed valid",
        ),
    }
}

#[cfg(test)]
mod tests;
