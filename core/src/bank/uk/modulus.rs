//! The modulus check: does an account number belong to its sort code?
//!
//! Source: Vocalink, "Validating account numbers", version 6.40 and later. The fourteen digits of
//! sort code and number are named u v w x y z a b c d e f g h there, and so here. A digit times its
//! weight, summed, must leave no remainder; fourteen numbered exceptions bend this for single banks.
//!
//! A sort code with two rows must pass both checks, except where the exceptions are a pair of
//! alternatives (2 and 9, 10 and 11, 12 and 13): there one is enough.

use super::UkAccount;
use super::weights::{Method, Row, Weights};

/// What the check says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The check was made and passed.
    Valid,
    /// The check was made and failed.
    Invalid,
    /// The table does not have the sort code: presume valid.
    SortCodeNotListed,
    /// Exception 6: perhaps a foreign currency account, which cannot be checked: presume valid.
    ForeignCurrency,
}

/// The fourteen digits by the standard's names.
#[derive(Clone, Copy)]
struct Digits([i32; 14]);

#[rustfmt::skip]
impl Digits {
    const fn a(self) -> i32 { self.0[6] }
    const fn b(self) -> i32 { self.0[7] }
    const fn c(self) -> i32 { self.0[8] }
    const fn g(self) -> i32 { self.0[12] }
    const fn h(self) -> i32 { self.0[13] }
}

impl Digits {
    fn new(sort_code: u32, number: &str) -> Self {
        let mut digits = [0; 14];
        let mut rest = sort_code;
        for digit in digits[..6].iter_mut().rev() {
            *digit = (rest % 10) as i32;
            rest /= 10;
        }
        for (digit, byte) in digits[6..].iter_mut().zip(number.bytes()) {
            *digit = i32::from(byte - b'0');
        }
        Self(digits)
    }

    /// Exception 14: the last digit goes, a zero comes in front of the number.
    fn shifted(self) -> Self {
        let mut digits = self.0;
        digits[6..].rotate_right(1);
        digits[6] = 0;
        Self(digits)
    }
}

impl Weights {
    /// Checks an account against the table.
    #[must_use]
    pub fn check(&self, account: &UkAccount) -> Verdict {
        let sort_code = account.sort_code().value();
        let given = Digits::new(sort_code, account.number());
        let mut rows = self.rows_of(sort_code);
        let Some(first) = rows.next() else {
            return Verdict::SortCodeNotListed;
        };
        let second = rows.next();

        let foreign = (4..=8).contains(&given.a()) && given.g() == given.h();
        if first.exception == 6 && foreign {
            return Verdict::ForeignCurrency;
        }
        let passes = |row: &Row| {
            // The digits that the row looks at: some exceptions put another sort code in place.
            let digits = match row.exception {
                5 => Digits::new(self.substitute(sort_code), account.number()),
                8 => Digits::new(90_126, account.number()),
                9 => Digits::new(309_634, account.number()),
                _ => given,
            };
            passes(row, digits)
        };
        let valid = match second {
            None => passes(first),
            Some(second) => match (first.exception, second.exception) {
                (2, 9) | (10, 11) | (12, 13) => passes(first) || passes(second),
                _ => passes(first) && passes(second),
            },
        };
        if valid {
            Verdict::Valid
        } else {
            Verdict::Invalid
        }
    }
}

/// Does the account pass the check of one row?
fn passes(row: &Row, digits: Digits) -> bool {
    let sum = sum(row.method, &weights(row, digits), digits);
    let remainder = sum.rem_euclid(match row.method {
        Method::Mod11 => 11,
        Method::Mod10 | Method::DoubleAlternate => 10,
    });
    match row.exception {
        // The sum begins at 27.
        1 => (sum + 27).rem_euclid(10) == 0,
        // The check does not count for these accounts.
        3 if matches!(digits.c(), 6 | 9) => true,
        // The remainder is the account's own check number gh.
        4 => remainder == digits.g() * 10 + digits.h(),
        // g and h are check digits of their own, one for each row.
        5 => match (row.method, remainder) {
            (Method::Mod11, 0) => digits.g() == 0,
            (Method::Mod11, 1) => false,
            (Method::Mod11, _) => digits.g() == 11 - remainder,
            (_, 0) => digits.h() == 0,
            (_, _) => digits.h() == 10 - remainder,
        },
        // An old account number of seven digits with a letter's digit behind it.
        14 if remainder != 0 => {
            matches!(digits.h(), 0 | 1 | 9) && passes_plain(row, digits.shifted())
        }
        _ => remainder == 0,
    }
}

/// The check of exception 14 the second time: as any row, without the exception.
fn passes_plain(row: &Row, digits: Digits) -> bool {
    let plain = Row {
        exception: 0,
        ..row.clone()
    };
    passes(&plain, digits)
}

/// The weights of a row, as the exceptions change them for this account.
fn weights(row: &Row, digits: Digits) -> [i32; 14] {
    let without_sort_code = || {
        let mut weights = row.weights;
        weights[..8].fill(0);
        weights
    };
    let nine = digits.g() == 9;
    match row.exception {
        2 if digits.a() != 0 && nine => [0, 0, 0, 0, 0, 0, 0, 0, 8, 7, 10, 9, 3, 1],
        2 if digits.a() != 0 => [0, 0, 1, 2, 5, 3, 6, 4, 8, 7, 10, 9, 3, 1],
        7 if nine => without_sort_code(),
        10 if nine && matches!(digits.a(), 0 | 9) && digits.b() == 9 => without_sort_code(),
        _ => row.weights,
    }
}

fn sum(method: Method, weights: &[i32; 14], digits: Digits) -> i32 {
    let products = weights
        .iter()
        .zip(digits.0)
        .map(|(weight, digit)| weight * digit);
    match method {
        Method::Mod10 | Method::Mod11 => products.sum(),
        Method::DoubleAlternate => products.map(digit_sum).sum(),
    }
}

/// The sum of the digits of a product, which has at most four: 999 times 9 is 8991.
fn digit_sum(product: i32) -> i32 {
    let product = product.abs();
    product / 1000 + product / 100 % 10 + product / 10 % 10 + product % 10
}
