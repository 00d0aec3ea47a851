//! What the columns of a table mean, as data.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    super::{
        model::{Format, Kind, RefKind, State},
        unit::Mark,
    },
    row::Columns,
};

/// Names under which a column is known; the first that the table has counts.
pub type Names = Vec<String>;

/// How a table is read. The JSON or TOML of a mapping file has these names.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// What it is called in messages.
    pub name: String,
    /// What is read; `csv` for a table of one's own.
    #[serde(default = "csv")]
    pub format: Format,
    /// Between columns; guessed where it is not said.
    #[serde(default)]
    pub separator: Option<char>,
    /// The decimal mark.
    #[serde(default = "point")]
    pub mark: Mark,
    /// Amounts are whole minor units.
    #[serde(default)]
    pub minor_units: bool,
    /// How dates are written, the first that fits counts: `YYYY-MM-DD`, `DD/MM/YYYY`, `MMM D, YYYY`.
    #[serde(default)]
    pub dates: Vec<String>,
    /// Columns that a table must have to be read by this mapping; `a|b` asks for one of the two.
    #[serde(default)]
    pub requires: Names,
    /// The account; `fixed_account` where no column says it.
    #[serde(default)]
    pub account: Names,
    /// The account where no column says it.
    #[serde(default)]
    pub fixed_account: String,
    /// The currency.
    #[serde(default)]
    pub currency: Names,
    /// The currency where no column says it.
    #[serde(default)]
    pub fixed_currency: Option<String>,
    /// What makes one statement of several rows: the payout or batch.
    #[serde(default)]
    pub statement: Names,
    /// What a row is worth.
    pub amount: Amounts,
    /// What the payer paid.
    #[serde(default)]
    pub gross: Option<Amounts>,
    /// The currency of the gross amount, where it may be another.
    #[serde(default)]
    pub gross_currency: Names,
    /// What was kept back; the columns are added up.
    #[serde(default)]
    pub fees: Names,
    /// The column that says whether a fee is kept back or given back.
    #[serde(default)]
    pub fee_direction: Names,
    /// The words in it that mean that it is given back.
    #[serde(default)]
    pub fee_credit_words: Vec<String>,
    /// A fee is written negative when it is kept back.
    #[serde(default)]
    pub fees_are_negative: bool,
    /// Amount = gross − fees in every row, which is checked.
    #[serde(default)]
    pub net_is_checked: bool,
    /// The amount column is gross: the line is worth amount − fees.
    #[serde(default)]
    pub amount_is_gross: bool,
    /// The day of entry.
    #[serde(default)]
    pub booked: Names,
    /// The day on which the money is available.
    #[serde(default)]
    pub value: Names,
    /// The provider's word for what happened.
    #[serde(default)]
    pub code: Names,
    /// What these words mean; `*` at the end stands for any rest. Others are payments.
    #[serde(default)]
    pub kinds: BTreeMap<String, Kind>,
    /// Whether a row counts.
    #[serde(default)]
    pub status: Names,
    /// What the status means; others are booked.
    #[serde(default)]
    pub states: BTreeMap<String, State>,
    /// What was written for the other side.
    #[serde(default)]
    pub text: Names,
    /// What a row can be recognised by.
    #[serde(default)]
    pub references: BTreeMap<RefKind, Names>,
    /// What a row that pays out does.
    #[serde(default)]
    pub payouts: Payouts,
}

/// Where an amount stands.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Amounts {
    /// In one column, with a sign; or without one beside a column that says the direction.
    Signed {
        /// The column.
        column: Names,
        /// The column that says the direction.
        #[serde(default)]
        direction: Names,
        /// The words in it that mean a debit.
        #[serde(default)]
        debit_words: Vec<String>,
        /// A positive amount is a debit, as in the books of the bank.
        #[serde(default)]
        reversed: bool,
    },
    /// In one of two columns.
    Sides {
        /// What goes out.
        debit: Names,
        /// What comes in.
        credit: Names,
    },
}

/// What a row that pays out does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payouts {
    /// It is a line as any other.
    #[default]
    Line,
    /// It closes its statement: what was there is gone. The batch begins with nothing.
    Close,
}

/// A mapping file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the mapping cannot be used: {0}")]
pub struct BadMapping(String);

const fn csv() -> Format {
    Format::Csv
}

const fn point() -> Mark {
    Mark::Point
}

impl Mapping {
    /// Reads a mapping in JSON.
    ///
    /// # Errors
    /// [`BadMapping`] says what is wrong with it.
    pub fn from_json(text: &str) -> Result<Self, BadMapping> {
        let mapping: Self =
            serde_json::from_str(text).map_err(|error| BadMapping(error.to_string()))?;
        mapping.checked()
    }

    /// Reads a mapping in TOML.
    ///
    /// # Errors
    /// [`BadMapping`] says what is wrong with it.
    pub fn from_toml(text: &str) -> Result<Self, BadMapping> {
        let mapping: Self = toml::from_str(text).map_err(|error| BadMapping(error.to_string()))?;
        mapping.checked()
    }

    /// The mapping, if it can be used.
    ///
    /// # Errors
    /// [`BadMapping`] says what is wrong with it.
    pub fn checked(self) -> Result<Self, BadMapping> {
        let bad = |why: &str| Err(BadMapping(why.to_owned()));
        if self.currency.is_empty() && self.fixed_currency.is_none() {
            return bad("it names neither a column of the currency nor a fixed one");
        }
        for pattern in &self.dates {
            if !super::dates::is_pattern(pattern) {
                return bad(&format!("{pattern} is no date such as DD/MM/YYYY"));
            }
        }
        if self.separator.is_some_and(|it| !it.is_ascii()) {
            return bad("the separator is not ASCII");
        }
        Ok(self)
    }

    /// Whether a table with these columns can be read.
    pub(super) fn fits(&self, columns: &Columns) -> bool {
        let has = |names: &Names| names.iter().any(|name| columns.place(name).is_some());
        let one_of = |names: &str| names.split('|').any(|name| columns.place(name).is_some());
        let required = self.requires.iter().all(|names| one_of(names));
        let amount = match &self.amount {
            Amounts::Signed { column, .. } => has(column),
            Amounts::Sides { debit, credit } => has(debit) && has(credit),
        };
        required && amount && (self.fixed_currency.is_some() || has(&self.currency))
    }

    /// The names that the amount, and all else that is mapped, are looked for under; for a preview.
    #[must_use]
    pub fn named(&self) -> Vec<(&'static str, &Names)> {
        let mut named = vec![
            ("account", &self.account),
            ("currency", &self.currency),
            ("statement", &self.statement),
            ("fees", &self.fees),
            ("booked", &self.booked),
            ("value", &self.value),
            ("code", &self.code),
            ("status", &self.status),
            ("text", &self.text),
        ];
        match &self.amount {
            Amounts::Signed { column, .. } => named.push(("amount", column)),
            Amounts::Sides { debit, credit } => {
                named.push(("debit", debit));
                named.push(("credit", credit));
            }
        }
        named
    }
}

/// Our own, in the order in which they are tried.
pub fn builtin() -> Vec<Mapping> {
    let texts = [
        include_str!("builtin/adyen_settlement.json"),
        include_str!("builtin/stripe_payout.json"),
        include_str!("builtin/stripe_balance.json"),
        include_str!("builtin/paypal_stl.json"),
        include_str!("builtin/checkout.json"),
    ];
    let read = texts.iter().map(|text| Mapping::from_json(text));
    // A test reads each of them.
    read.filter_map(Result::ok).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_can_be_used() {
        assert_eq!(builtin().len(), 5);
    }

    #[test]
    fn a_bad_mapping_says_why() {
        for (text, why) in [
            ("{}", "missing field"),
            (
                r#"{"name": "a", "amount": {"column": ["x"]}}"#,
                "neither a column of the currency",
            ),
            (
                r#"{"name": "a", "amount": {"column": ["x"]}, "fixed_currency": "EUR", "dates": ["day"]}"#,
                "no date such as",
            ),
            (
                r#"{"name": "a", "amount": {"column": ["x"]}, "fixed_currency": "EUR", "colour": 1}"#,
                "unknown field",
            ),
        ] {
            let error = Mapping::from_json(text).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
