//! Amounts on the wire: decimal text of a currency, in whole minor units.

use super::violation::Rule;
use crate::currency::{Currency, CurrencyError, DecimalError, parse_minor};
use crate::money::{AMOUNT_MAX, Amount, Money};

/// Reads the number and currency of an amount element, of which the schema says that they are a
/// decimal number and a code.
///
/// # Errors
/// The rule that is broken, and the reason in words.
pub(super) fn read(number: &str, currency: &str) -> Result<Money, (Rule, String)> {
    let currency = currency.parse::<Currency>();
    let currency = currency.map_err(|error| (Rule::Currency, error.to_string()))?;
    let minor = minor_units(number, currency)?;
    let amount = Amount::try_from(minor);
    let amount = amount.map_err(|error| (Rule::AmountRange, error.to_string()))?;
    Ok(Money { amount, currency })
}

fn minor_units(number: &str, currency: Currency) -> Result<u64, (Rule, String)> {
    // XML Schema allows a sign and a point with digits on one side only; our decimal text does not.
    let text = number.trim_start_matches('+').trim_end_matches('.');
    let text = if text.starts_with('.') {
        format!("0{text}")
    } else {
        text.to_owned()
    };
    parse_minor(&text, currency).map_err(|error| match error {
        DecimalError::TooPrecise { .. } => (Rule::MinorUnits, error.to_string()),
        DecimalError::TooLarge => (Rule::AmountRange, error.to_string()),
        DecimalError::Malformed => (Rule::DataType, error.to_string()),
    })
}

/// What is wrong with any amount of a message, be it of a payment, a charge or a tax, beyond what the
/// schema says of it. Zero is right for some of them.
pub(super) fn fault(number: &str, currency: &str) -> Option<(Rule, String)> {
    let currency = match currency.parse::<Currency>() {
        Ok(currency) => currency,
        // A code of the wrong form breaks the schema and was noted there.
        Err(CurrencyError::Malformed) => return None,
        Err(error) => return Some((Rule::Currency, error.to_string())),
    };
    // So did a number that is none, and one with more digits than any amount may have.
    let fault = minor_units(number, currency).err()?;
    let digits = number
        .split_once('.')
        .map_or(0, |(_, it)| it.trim_end_matches('0').len());
    (fault.0 != Rule::DataType && digits <= SCHEMA_FRACTION_DIGITS).then_some(fault)
}

/// How many fraction digits the schemas allow an amount of any currency.
const SCHEMA_FRACTION_DIGITS: usize = 5;

/// What is wrong with nothing, where something has to be paid.
pub(super) fn nothing() -> (Rule, String) {
    (
        Rule::AmountRange,
        format!("an amount is from 1 to {AMOUNT_MAX} minor units, not 0"),
    )
}
