//! One row, by the names of its columns.

use std::collections::BTreeMap;

use csv::StringRecord;
use time::Date;

use super::{
    super::{
        Unit,
        model::{Kind, Line, Rule, State},
        unit::{NoAmount, minor, whole},
    },
    dates,
    mapping::{Amounts, Mapping},
    paypal::Sections,
};

/// Where each column is.
pub struct Columns(BTreeMap<String, usize>);

impl Columns {
    /// The columns of a header row. Of two with one name the first counts.
    pub fn of(record: &StringRecord) -> Self {
        let mut places = BTreeMap::new();
        for (place, name) in record.iter().enumerate() {
            places.entry(plain(name)).or_insert(place);
        }
        Self(places)
    }

    /// Where a column is.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.0.get(&plain(name)).copied()
    }

    /// Whether the row is the header again.
    pub fn is_header(&self, record: &StringRecord) -> bool {
        record.len() > 1
            && record
                .iter()
                .enumerate()
                .all(|(place, name)| self.place(name).is_some_and(|it| it <= place))
    }
}

/// A name without case, spaces and marks: providers change these first. A unit in parentheses
/// stays, since it tells columns apart.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|ch| ch.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// What a row says.
pub struct Reading {
    pub account: String,
    pub unit: Option<Unit>,
    pub group: String,
    /// `None` when it cannot be counted.
    pub line: Option<Line>,
    pub faults: Vec<(Rule, String)>,
    /// Amount = gross − fees was checked, and holds.
    pub confirmed: bool,
}

struct Row<'r> {
    mapping: &'r Mapping,
    columns: &'r Columns,
    record: &'r StringRecord,
}

impl<'r> Row<'r> {
    fn text(&self, names: &[String]) -> &'r str {
        let mut found = names.iter().filter_map(|name| self.columns.place(name));
        let found = found.find_map(|place| {
            let text = self.record.get(place)?.trim();
            Some(text).filter(|text| !text.is_empty())
        });
        found.unwrap_or_default()
    }

    fn number(&self, text: &str, unit: Unit) -> Result<i64, NoAmount> {
        match self.mapping.minor_units {
            true => whole(text),
            false => minor(text, self.mapping.mark, unit),
        }
    }

    fn amount(&self, amounts: &Amounts, unit: Unit) -> Result<Option<i64>, NoAmount> {
        match amounts {
            Amounts::Signed {
                column,
                direction,
                debit_words,
                reversed,
            } => {
                let text = self.text(column);
                if text.is_empty() {
                    return Ok(None);
                }
                let units = self.number(text, unit)?;
                let word = self.text(direction);
                let debit = debit_words.iter().any(|it| it.eq_ignore_ascii_case(word));
                Ok(Some(if debit != *reversed { -units } else { units }))
            }
            Amounts::Sides { debit, credit } => {
                let (out, into) = (self.text(debit), self.text(credit));
                if out.is_empty() && into.is_empty() {
                    return Ok(None);
                }
                let read = |text: &str| {
                    if text.is_empty() {
                        Ok(0)
                    } else {
                        self.number(text, unit)
                    }
                };
                // A debit column may already have the sign.
                Ok(Some(read(into)? - read(out)?.abs()))
            }
        }
    }

    fn fees(&self, unit: Unit) -> Result<Option<i64>, NoAmount> {
        let word = self.text(&self.mapping.fee_direction);
        let back = &self.mapping.fee_credit_words;
        let given_back = back.iter().any(|it| it.eq_ignore_ascii_case(word));
        let negative = given_back != self.mapping.fees_are_negative;
        let mut sum = None;
        for name in &self.mapping.fees {
            let text = self.text(std::slice::from_ref(name));
            if !text.is_empty() {
                let fee = self.number(text, unit)?;
                sum = Some(sum.unwrap_or(0) + if negative { -fee } else { fee });
            }
        }
        Ok(sum)
    }

    fn day(&self, names: &[String], faults: &mut Vec<(Rule, String)>) -> Option<Date> {
        let text = self.text(names);
        let found = dates::read(text, &self.mapping.dates);
        if found.is_none() && !text.is_empty() {
            faults.push((Rule::Date, format!("{text:.30} is no date")));
        }
        found
    }

    fn line(&self, unit: Unit, faults: &mut Vec<(Rule, String)>) -> Result<(Line, bool), String> {
        let mapping = self.mapping;
        let wrong = |what: &'static str| move |why: NoAmount| format!("the {what} {why}");
        let amount = self
            .amount(&mapping.amount, unit)
            .map_err(wrong("amount"))?;
        let mut amount = amount.ok_or("the row has no amount")?;
        let fee = self.fees(unit).map_err(wrong("fee"))?;
        let other = Unit::read(self.text(&mapping.gross_currency)).filter(|it| *it != unit);
        let gross = match &mapping.gross {
            Some(gross) => self
                .amount(gross, other.unwrap_or(unit))
                .map_err(wrong("gross amount"))?,
            None => None,
        };
        let mut line = Line {
            unit: Some(unit),
            fee,
            ..Line::default()
        };
        let mut confirmed = false;
        match (gross, other) {
            (Some(gross), Some(other)) => line.original = Some((gross, other)),
            (Some(gross), None) => {
                line.gross = Some(gross);
                let net = gross - fee.unwrap_or(0);
                if mapping.net_is_checked && net != amount {
                    let message = format!(
                        "gross {gross} less fees of {} is not {amount}",
                        fee.unwrap_or(0)
                    );
                    faults.push((Rule::Control, message));
                }
                confirmed = mapping.net_is_checked && net == amount;
            }
            (None, _) if mapping.amount_is_gross => {
                line.gross = Some(amount);
                amount -= fee.unwrap_or(0);
            }
            (None, _) => {}
        }
        line.minor = amount;
        line.booked = self.day(&mapping.booked, faults);
        line.value = self.day(&mapping.value, faults);
        self.text(&mapping.code).clone_into(&mut line.code);
        line.kind = meaning(&mapping.kinds, &line.code).unwrap_or(Kind::Payment);
        line.state = meaning(&mapping.states, self.text(&mapping.status)).unwrap_or(State::Booked);
        self.text(&mapping.text).clone_into(&mut line.text);
        for (kind, names) in &mapping.references {
            let places = names.iter().filter_map(|name| self.columns.place(name));
            for text in places.filter_map(|place| self.record.get(place)) {
                line.refer(*kind, text);
            }
        }
        Ok((line, confirmed))
    }
}

/// What a word means: by itself, or by the longest beginning or end of it that is known.
fn meaning<T: Copy>(words: &BTreeMap<String, T>, word: &str) -> Option<T> {
    let word = word.to_ascii_lowercase();
    let fits = |known: &str| {
        let known = known.to_ascii_lowercase();
        match (known.strip_suffix('*'), known.strip_prefix('*')) {
            (Some(start), _) => word.starts_with(start),
            (None, Some(end)) => word.ends_with(end),
            (None, None) => word == known,
        }
    };
    let known = words.iter().filter(|(known, _)| fits(known));
    // A word by itself goes before any pattern.
    let best = known.max_by_key(|(known, _)| (!known.contains('*'), known.len()));
    best.map(|(_, meaning)| *meaning)
}

impl Reading {
    /// Reads a row.
    pub fn of(
        mapping: &Mapping,
        columns: &Columns,
        record: &StringRecord,
        sections: &Sections,
    ) -> Self {
        let row = Row {
            mapping,
            columns,
            record,
        };
        let mut faults = Vec::new();
        let said = Unit::read(row.text(&mapping.currency));
        let unit = said.or_else(|| Unit::read(mapping.fixed_currency.as_deref()?));
        let mut account = row.text(&mapping.account);
        if account.is_empty() {
            account = sections.account().unwrap_or(&mapping.fixed_account);
        }
        let read = match unit {
            Some(unit) => row.line(unit, &mut faults),
            None => Err("the row has no currency".to_owned()),
        };
        let (line, confirmed) = match read {
            Ok((line, confirmed)) => (Some(line), confirmed),
            Err(why) => {
                faults.push((Rule::Unreadable, format!("{why}, and is not counted")));
                (None, false)
            }
        };
        Self {
            account: account.to_owned(),
            unit,
            group: row.text(&mapping.statement).to_owned(),
            line,
            faults,
            confirmed,
        }
    }
}
