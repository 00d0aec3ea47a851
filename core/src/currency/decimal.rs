//! Decimal text to minor units and back, exactly.
//!
//! Grammar: `digits [ "." digits ]`, ASCII, at least one digit on each side of the point. No sign,
//! no exponent, no grouping, no space, no decimal comma. Leading zeros are harmless and read.
//!
//! **A fraction longer than the currency's minor unit** is read only if the surplus digits are all
//! zeros: ISO 20022 allows five fraction digits whatever the currency, and real banks write
//! `100.00000` for euros; that is the same amount. `100.001` euros is not an amount of euros, and
//! rounding it would invent or lose money, so it is refused.

use super::Currency;

/// The largest amount in minor units, 2^53 - 1: exact in JSON, JavaScript, DynamoDB and any double.
pub const MINOR_MAX: u64 = (1 << 53) - 1;

/// The longest text that is read. ISO 20022 amounts have 18 digits and a point at most.
const TEXT_MAX: usize = 32;

/// Why a decimal text is not an amount of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// The text is not `digits [ "." digits ]`, or is longer than any amount.
    #[error(
        "an amount is digits with at most one decimal point, without sign, exponent or grouping"
    )]
    Malformed,
    /// The text has significant digits below the currency's minor unit.
    #[error("{currency} has {} decimal places, and rounding an amount is not allowed", .currency.exponent())]
    TooPrecise {
        /// The currency that sets the number of places.
        currency: Currency,
    },
    /// The amount is above [`MINOR_MAX`].
    #[error("an amount is at most {MINOR_MAX} minor units")]
    TooLarge,
}

/// Reads a decimal text as minor units of `currency`: `"12.5"` of GBP is 1250.
///
/// Zero is a number and is read as 0; whether it may be paid is the caller's rule.
///
/// # Errors
/// [`DecimalError`] says which rule the text breaks.
pub fn parse_minor(text: &str, currency: Currency) -> Result<u64, DecimalError> {
    if text.len() > TEXT_MAX {
        return Err(DecimalError::Malformed);
    }
    let (whole, fraction) = match text.split_once('.') {
        Some((_, "")) => return Err(DecimalError::Malformed),
        Some(parts) => parts,
        None => (text, ""),
    };
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return Err(DecimalError::Malformed);
    }

    let places = usize::from(currency.exponent());
    let (kept, surplus) = fraction.split_at(places.min(fraction.len()));
    if surplus.bytes().any(|byte| byte != b'0') {
        return Err(DecimalError::TooPrecise { currency });
    }
    let padding = std::iter::repeat_n(b'0', places - kept.len());
    whole
        .bytes()
        .chain(kept.bytes())
        .chain(padding)
        .try_fold(0u64, |minor, digit| {
            minor.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
        })
        .filter(|minor| *minor <= MINOR_MAX)
        .ok_or(DecimalError::TooLarge)
}

/// Writes minor units of `currency` as a decimal text with exactly the currency's places.
///
/// `1250` of GBP is `"12.50"`, of JPY `"1250"`. Total: any `u64` is written exactly.
#[must_use]
pub fn format_minor(minor: u64, currency: Currency) -> String {
    let places = usize::from(currency.exponent());
    let digits = format!("{minor:0>width$}", width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    match fraction {
        "" => whole.to_owned(),
        fraction => format!("{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        code.parse().expect("a code of the list")
    }

    #[test]
    fn texts_and_their_minor_units() {
        for (text, code, minor) in [
            ("12.5", "GBP", 1_250),
            ("0.01", "EUR", 1),
            ("0", "EUR", 0),
            ("007", "EUR", 700),
            ("100.00000", "EUR", 10_000),
            ("1250", "JPY", 1_250),
            ("1250.00", "JPY", 1_250),
            ("1.234", "KWD", 1_234),
            ("1.2345", "UYW", 12_345),
            ("90071992547409.91", "GBP", MINOR_MAX),
            ("9007199254740991", "JPY", MINOR_MAX),
        ] {
            assert_eq!(
                parse_minor(text, currency(code)),
                Ok(minor),
                "{text} {code}"
            );
        }
    }

    #[test]
    fn texts_that_are_no_amount() {
        let gbp = Currency::GBP;
        for text in [
            "",
            ".",
            ".5",
            "5.",
            "-1",
            "+1",
            "1e3",
            "1,5",
            "1 000",
            "1_000",
            " 1",
            "1 ",
            "1.2.3",
            "0x10",
            "NaN",
            "١٢",
            "1\u{a0}",
            "100000000000000000000000000000000",
        ] {
            assert_eq!(
                parse_minor(text, gbp),
                Err(DecimalError::Malformed),
                "{text:?}"
            );
        }
        assert_eq!(
            parse_minor("1.001", gbp),
            Err(DecimalError::TooPrecise { currency: gbp })
        );
        let jpy = currency("JPY");
        assert_eq!(
            parse_minor("1.5", jpy),
            Err(DecimalError::TooPrecise { currency: jpy })
        );
        for text in ["90071992547409.92", "99999999999999999999999"] {
            assert_eq!(
                parse_minor(text, gbp),
                Err(DecimalError::TooLarge),
                "{text}"
            );
        }
    }

    #[test]
    fn minor_units_are_written_with_the_places_of_the_currency() {
        for (minor, code, text) in [
            (0, "GBP", "0.00"),
            (5, "GBP", "0.05"),
            (1_250, "GBP", "12.50"),
            (0, "JPY", "0"),
            (1_250, "JPY", "1250"),
            (7, "BHD", "0.007"),
            (12_345, "UYW", "1.2345"),
            (u64::MAX, "GBP", "184467440737095516.15"),
        ] {
            assert_eq!(format_minor(minor, currency(code)), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(minor in 0..=MINOR_MAX, index in 0..Currency::count()) {
            let currency = Currency::all().nth(index).expect("index is below the count");
            prop_assert_eq!(parse_minor(&format_minor(minor, currency), currency), Ok(minor));
        }

        #[test]
        fn no_text_panics(text in "[0-9.,+eE -]{0,40}") {
            for currency in [Currency::GBP, Currency::EUR] {
                if let Ok(minor) = parse_minor(&text, currency) {
                    prop_assert!(minor <= MINOR_MAX);
                }
            }
        }
    }
}
