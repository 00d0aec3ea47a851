//! Payment cards: their numbers, networks and expiry, checked by what ISO/IEC 7812 and the
//! networks publish.
//!
//! **Shape.** [`Pan`] is a primary account number that can be right: 12 to 19 digits with their
//! check digit, of a length that its network issues. [`Brand::of`] finds the network by the
//! longest prefix in a table of issuer identification numbers. [`Expiry`] is a month.
//!
//! **Invariants.** A `Pan` never shows itself: `Debug` says brand and last four digits, there is
//! no `Display` and no `Serialize`, its digits are wiped when it is dropped, and what is given
//! out of it ([`Pan::bin`], [`Pan::last4`]) leaves at least four digits unsaid for the lengths
//! that networks issue today (PCI DSS 3.4.1 and the PCI SSC's FAQ 1091 on truncation).

mod brand;

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

use crate::time::Timestamp;

pub use brand::Brand;

/// ISO/IEC 7812-1: at most 19 digits.
pub const DIGITS_MAX: usize = 19;
/// The fewest that any network issues (Maestro).
pub const DIGITS_MIN: usize = 12;

/// Why something is no card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// Something other than digits, and single spaces or hyphens between them.
    #[error("a card number is digits, with single spaces or hyphens between them at most")]
    Characters,
    /// Too few or too many digits, or a number of them that the network does not issue.
    #[error("a card number of this network has another number of digits")]
    Length,
    /// The last digit does not follow from the others.
    #[error("the check digit is wrong")]
    CheckDigit,
    /// Not a month between 1 and 12, or not a year of four digits.
    #[error("an expiry is a month from 1 to 12 and a year of four digits")]
    Expiry,
    /// The month is over, or more than twenty years away.
    #[error("the card has expired, or its year cannot be right")]
    Expired,
    /// Not three digits, or four for American Express.
    #[error("a security code has three digits, or four on American Express")]
    SecurityCode,
}

impl CardError {
    /// A stable name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Characters => "characters",
            Self::Length => "length",
            Self::CheckDigit => "check_digit",
            Self::Expiry => "expiry",
            Self::Expired => "expired",
            Self::SecurityCode => "security_code",
        }
    }
}

/// A primary account number.
pub struct Pan {
    digits: [u8; DIGITS_MAX],
    length: usize,
    brand: Brand,
}

impl Drop for Pan {
    fn drop(&mut self) {
        self.digits.zeroize();
    }
}

impl fmt::Debug for Pan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pan({} …{})", self.brand.name(), self.last4())
    }
}

impl Pan {
    /// Reads a number as people write it: in digits, with single spaces or hyphens between.
    ///
    /// # Errors
    /// [`CardError`]; never repeats a digit.
    pub fn parse(text: &str) -> Result<Self, CardError> {
        let mut digits = [0; DIGITS_MAX];
        let mut length = 0;
        let mut after_digit = false;
        for byte in text.bytes() {
            match byte {
                b'0'..=b'9' if length == DIGITS_MAX => {
                    digits.zeroize();
                    return Err(CardError::Length);
                }
                b'0'..=b'9' => {
                    digits[length] = byte;
                    length += 1;
                    after_digit = true;
                }
                b' ' | b'-' if after_digit => after_digit = false,
                _ => {
                    digits.zeroize();
                    return Err(CardError::Characters);
                }
            }
        }
        let brand = Brand::of(&digits[..length]);
        let pan = Self {
            digits,
            length,
            brand,
        };
        // It is wiped by its own drop from here on.
        if length > 0 && !after_digit {
            return Err(CardError::Characters);
        }
        if length < DIGITS_MIN || !Brand::issues(&pan.digits[..length]) {
            return Err(CardError::Length);
        }
        if luhn(&pan.digits[..length]) {
            Ok(pan)
        } else {
            Err(CardError::CheckDigit)
        }
    }

    /// Whose network it is of.
    #[must_use]
    pub const fn brand(&self) -> Brand {
        self.brand
    }

    /// All of it: for sealing, and for the network that is told it.
    #[must_use]
    pub fn expose(&self) -> &str {
        // Digits are ASCII.
        std::str::from_utf8(&self.digits[..self.length]).unwrap_or_default()
    }

    /// The issuer identification number: the first eight digits of sixteen or more, else six.
    #[must_use]
    pub fn bin(&self) -> &str {
        let length = if self.length >= 16 { 8 } else { 6 };
        &self.expose()[..length]
    }

    /// The last four digits.
    #[must_use]
    pub fn last4(&self) -> &str {
        &self.expose()[self.length - 4..]
    }
}

/// The check of ISO/IEC 7812-1, annex B: every second digit from the right is doubled, and the
/// digits of all add up to a multiple of ten. `digits` are ASCII digits.
#[must_use]
pub fn luhn(digits: &[u8]) -> bool {
    let mut sum = 0_u32;
    for (place, byte) in digits.iter().rev().enumerate() {
        let digit = u32::from(byte.wrapping_sub(b'0'));
        sum += match (place % 2, digit) {
            (1, 5..=9) => digit * 2 - 9,
            (1, digit) => digit * 2,
            (_, digit) => digit,
        };
    }
    sum.is_multiple_of(10)
}

/// The month at whose end a card expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Expiry {
    year: u16,
    month: u8,
}

/// No card is issued for longer.
const YEARS_AHEAD_MAX: u16 = 20;

impl Expiry {
    /// A month that can be one.
    ///
    /// # Errors
    /// [`CardError::Expiry`].
    pub const fn new(year: u16, month: u8) -> Result<Self, CardError> {
        if month < 1 || month > 12 || year < 1000 || year > 9999 {
            return Err(CardError::Expiry);
        }
        Ok(Self { year, month })
    }

    /// The same, if it is not over in UTC minus twelve hours, where the day ends last.
    ///
    /// # Errors
    /// [`CardError::Expired`].
    pub fn at(self, now: Timestamp) -> Result<Self, CardError> {
        const TWELVE_HOURS_MS: u64 = 12 * 60 * 60 * 1000;
        let there = now.unix_ms().saturating_sub(TWELVE_HOURS_MS);
        let (year, month) = Timestamp::from_unix_ms(there).year_and_month();
        let now = Self { year, month };
        if self < now || self.year > year + YEARS_AHEAD_MAX {
            return Err(CardError::Expired);
        }
        Ok(self)
    }

    /// Four digits.
    #[must_use]
    pub const fn year(self) -> u16 {
        self.year
    }

    /// From 1 to 12.
    #[must_use]
    pub const fn month(self) -> u8 {
        self.month
    }
}

/// Checks the form of a card security code and lets go of it: it is never kept, in any form,
/// by anybody (PCI DSS 3.3.1).
///
/// # Errors
/// [`CardError::SecurityCode`].
pub fn check_security_code(brand: Brand, code: &str) -> Result<(), CardError> {
    let code = Zeroizing::new(code.to_owned());
    let wanted = match brand {
        Brand::Amex => code.len() == 4,
        Brand::Unknown => matches!(code.len(), 3 | 4),
        _ => code.len() == 3,
    };
    if wanted && code.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(())
    } else {
        Err(CardError::SecurityCode)
    }
}

#[cfg(test)]
mod tests;
