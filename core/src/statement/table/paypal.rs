//! The rows of a PayPal settlement report that are no lines: headers and footers of the file, its
//! reports and sections (PayPal Settlement Report specification).
//!
//! A section is of one PayPal account. Its footer has, for each currency, the sums and the balance
//! at the beginning and the end, each with a word for its side.

use std::collections::BTreeMap;

use csv::StringRecord;

use super::super::{Unit, model::Balance, unit::whole};

/// What the headers and footers say.
#[derive(Default)]
pub struct Sections {
    account: Option<String>,
    balances: BTreeMap<(String, Option<Unit>), (i64, i64)>,
}

impl Sections {
    /// Takes in a row that is no line; `false` for one that may be.
    pub fn takes(&mut self, record: &StringRecord) -> bool {
        match record.get(0).map(str::trim) {
            Some("RH" | "FH" | "SC" | "RC" | "RF" | "FF") => true,
            Some("SH") => {
                self.account = record.get(3).map(|it| it.trim().to_owned());
                true
            }
            Some("SF") => {
                self.footer(record);
                true
            }
            _ => false,
        }
    }

    fn footer(&mut self, record: &StringRecord) {
        let balance = |side: usize| {
            let units = whole(record.get(side + 1)?).ok()?;
            let debit = record.get(side)?.trim().eq_ignore_ascii_case("DR");
            Some(if debit { -units } else { units })
        };
        let unit = record.get(1).and_then(Unit::read);
        let account = self.account.clone().unwrap_or_default();
        if let Some(both) = balance(6).zip(balance(8)) {
            self.balances.insert((account, unit), both);
        }
    }

    /// Whose section it is.
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// The balances of an account in a currency.
    pub fn balances(&self, account: &str, unit: Option<Unit>) -> Option<(Balance, Balance)> {
        let (opening, closing) = self.balances.get(&(account.to_owned(), unit))?;
        let at = |minor: &i64| Balance {
            minor: *minor,
            date: None,
        };
        Some((at(opening), at(closing)))
    }
}
