//! Tables: the reports of PSPs, and any CSV that a mapping explains.
//!
//! **Shape.** A [`Mapping`] says which column means what; those of the PSPs are shipped in
//! `table/builtin`. Columns are found by their names, never by their places: providers add and move
//! them. The header may stand below a preamble. Each row is a line of the statement that its
//! account, currency and payout make, so one file may have many, mixed.

mod dates;
mod mapping;
mod paypal;
mod row;

use std::{
    collections::BTreeMap,
    io::{self, BufRead},
};

use csv::StringRecord;

pub use mapping::{Amounts, BadMapping, Mapping, Payouts};

use self::row::{Columns, Reading};
use super::{
    Unit,
    book::Book,
    decode::Decoded,
    model::{Balance, Format, Header, Kind, Rule, StatementNumber},
};

/// In how many rows the header must come.
const PREAMBLE_MAX: usize = 60;

/// Reads a table: by `mapping`, or by the first of ours that fits.
pub fn read(
    input: impl BufRead,
    mapping: Option<&Mapping>,
    book: &mut Book<'_>,
) -> io::Result<Option<Format>> {
    let mut input = Decoded::new(input);
    let separator = mapping.and_then(|it| it.separator).map_or_else(
        || input.fill_buf().map(guess_separator),
        |ch| Ok(u8::try_from(ch).unwrap_or(b',')),
    )?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(input);
    let own;
    let candidates = match mapping {
        Some(mapping) => std::slice::from_ref(mapping),
        None => {
            own = mapping::builtin();
            own.as_slice()
        }
    };
    let mut table = Table::new(book);
    let mut record = StringRecord::new();
    let mut place = 0;
    while read_record(&mut reader, &mut record)? {
        place += 1;
        if table.found.is_none() && place > PREAMBLE_MAX {
            return Ok(None);
        }
        table.record(&record, place, candidates)?;
    }
    let format = table.found.as_ref().map(|found| found.mapping.format);
    table.finish()?;
    if reader.get_ref().is_foreign() {
        let message = "characters that are no UTF-8 are read as Windows-1252";
        book.deviate_file(Rule::Encoding, "file", message);
    }
    Ok(format)
}

fn read_record<R: io::Read>(
    reader: &mut csv::Reader<R>,
    into: &mut StringRecord,
) -> io::Result<bool> {
    reader
        .read_record(into)
        .map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(error) => error,
            other => io::Error::new(io::ErrorKind::InvalidData, format!("{other:?}")),
        })
}

/// The separator that is most frequent in the first rows.
fn guess_separator(start: &[u8]) -> u8 {
    let head = &start[..start.len().min(4096)];
    let count = |separator: u8| head.iter().filter(|byte| **byte == separator).count();
    // Of equals the first: a comma may stand in every amount of a table of semicolons.
    let best = [b';', b'\t', b'|', b',']
        .into_iter()
        .rev()
        .max_by_key(|it| count(*it));
    best.unwrap_or(b',')
}

/// A mapping and where its columns are.
struct Found<'m> {
    mapping: &'m Mapping,
    columns: Columns,
    width: usize,
}

/// What makes a statement: account, currency, payout.
type Group = (String, Option<Unit>, String);

struct Table<'b, 'a, 'm> {
    book: &'b mut Book<'a>,
    found: Option<Found<'m>>,
    groups: BTreeMap<Group, StatementNumber>,
    /// What was paid out of each.
    paid: BTreeMap<StatementNumber, i64>,
    paypal: paypal::Sections,
}

impl<'b, 'a, 'm> Table<'b, 'a, 'm> {
    fn new(book: &'b mut Book<'a>) -> Self {
        Self {
            book,
            found: None,
            groups: BTreeMap::new(),
            paid: BTreeMap::new(),
            paypal: paypal::Sections::default(),
        }
    }

    fn record(
        &mut self,
        record: &StringRecord,
        place: usize,
        candidates: &'m [Mapping],
    ) -> io::Result<()> {
        let at = format!("row {place}");
        if self.paypal.takes(record) {
            return Ok(());
        }
        let fitting = || {
            candidates.iter().find_map(|mapping| {
                let columns = Columns::of(record);
                mapping.fits(&columns).then_some((mapping, columns))
            })
        };
        let Some(found) = &self.found else {
            self.found = fitting().map(|(mapping, columns)| Found {
                mapping,
                columns,
                width: record.len(),
            });
            return Ok(());
        };
        if record.iter().all(|field| field.trim().is_empty()) {
            return Ok(());
        }
        // PayPal repeats the header in each section, with the columns of that section.
        if found.columns.is_header(record) || (record.get(0) == Some("CH") && fitting().is_some()) {
            if let Some((mapping, columns)) = fitting() {
                let width = record.len();
                self.found = Some(Found {
                    mapping,
                    columns,
                    width,
                });
            }
            return Ok(());
        }
        if found.mapping.format == Format::PaypalStl && record.get(0) != Some("SB") {
            return Ok(());
        }
        self.row(record, &at)
    }

    fn row(&mut self, record: &StringRecord, at: &str) -> io::Result<()> {
        let Some(found) = &self.found else {
            return Ok(());
        };
        let mapping = found.mapping;
        let short = record.len() < found.width && mapping.format != Format::PaypalStl;
        let width = found.width;
        let reading = Reading::of(mapping, &found.columns, record, &self.paypal);
        let number = self.statement(mapping, &reading)?;
        if short {
            let message = format!("the row has {} of {width} columns", record.len());
            self.book.deviate(number, Rule::Missing, at, message);
        }
        for (rule, message) in reading.faults {
            self.book.deviate(number, rule, at, message);
        }
        let Some(line) = reading.line else {
            return Ok(());
        };
        if reading.confirmed {
            self.book.confirm(number);
        }
        if line.kind == Kind::Payout && mapping.payouts == Payouts::Close {
            *self.paid.entry(number).or_default() += line.minor.abs();
            return self.book.uncounted_line(number, line);
        }
        self.book.line(number, line, at)
    }

    fn statement(&mut self, mapping: &Mapping, reading: &Reading) -> io::Result<StatementNumber> {
        let unit = reading.unit;
        let group = (reading.account.clone(), unit, reading.group.clone());
        if let Some(number) = self.groups.get(&group) {
            return Ok(*number);
        }
        let opening = (mapping.payouts == Payouts::Close).then_some(Balance {
            minor: 0,
            date: None,
        });
        let number = self.book.open(Header {
            id: group.2.clone(),
            account: group.0.clone(),
            unit,
            opening,
            ..Header::default()
        })?;
        self.groups.insert(group, number);
        Ok(number)
    }

    fn finish(mut self) -> io::Result<()> {
        for (number, paid) in std::mem::take(&mut self.paid) {
            let balance = Balance {
                minor: paid,
                date: None,
            };
            self.book.close_at(number, balance);
        }
        for ((account, unit, _), number) in &self.groups {
            if let Some((opening, closing)) = self.paypal.balances(account, *unit) {
                self.book.header(*number).opening = Some(opening);
                self.book.close_at(*number, closing);
            }
        }
        self.book.end_all()
    }
}
