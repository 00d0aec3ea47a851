//! SWIFT MT940 and MT942, as banks export them.
//!
//! **Shape.** The file is a row of fields, `:61:…`; a field ends where the next begins, a message at
//! `-` or where the next one begins. Blocks of FIN around it may be there or not. Each field is
//! small, so a file of any length is read in constant memory.
//!
//! **Signs.** `C` adds, `D` takes, `RC` takes back a credit and `RD` gives back a debit (SWIFT
//! Standards, MT 940 field 61, subfield 3); `EC` and `ED` are expected and not booked.

mod field;
mod info;
mod line61;

use std::io::{self, BufRead};

use time::Date;

use self::field::{Field, Fields};
use super::{
    Unit,
    book::Book,
    model::{Balance, Format, Header, Line, Rule, Sequence, StatementNumber},
    unit::{Mark, minor},
};

/// Reads a file. What is wrong with it is told as deviations.
pub fn read(input: impl BufRead, book: &mut Book<'_>) -> io::Result<Option<Format>> {
    let mut fields = Fields::new(input);
    let mut reader = Reader {
        book,
        statement: None,
        line: None,
        is_942: false,
        any: false,
    };
    while let Some(field) = fields.next()? {
        reader.field(&field)?;
    }
    reader.finish()?;
    let (any, format) = (reader.any, reader.format());
    if fields.is_foreign() {
        let message = "characters outside the character set of SWIFT are read as Windows-1252";
        book.deviate_file(Rule::Encoding, "file", message);
    }
    book.end_all()?;
    Ok(any.then_some(format))
}

/// A statement that is being read.
struct Statement {
    number: StatementNumber,
    opened: bool,
    closed: bool,
    assumed: bool,
    /// `:90D:` and `:90C:`: how many lines, and their sum.
    totals: Vec<(bool, u64, i64)>,
}

struct Reader<'b, 'a> {
    book: &'b mut Book<'a>,
    statement: Option<Statement>,
    /// A line, which waits for its `:86:`.
    line: Option<(Line, String)>,
    is_942: bool,
    any: bool,
}

impl Reader<'_, '_> {
    const fn format(&self) -> Format {
        if self.is_942 {
            Format::Mt942
        } else {
            Format::Mt940
        }
    }

    fn field(&mut self, field: &Field) -> io::Result<()> {
        // The next message begins with its own field 20; what stands between the two, or after a
        // lone hyphen in a text, still belongs to this one.
        if field.tag == "-" {
            return self.flush();
        }
        let text = field.joined();
        match field.tag.as_str() {
            // Field 86 after a line tells of it, after the closing balance of the whole statement.
            "86" => return self.info(field),
            "20" => self.finish()?,
            "25" | "25P" | "60F" | "60M" if self.is_closed() => self.finish()?,
            _ => self.flush()?,
        }
        self.any = true;
        let number = self.statement()?;
        match field.tag.as_str() {
            "20" => text.trim().clone_into(&mut self.book.header(number).id),
            "25" => self.account(number, &text),
            // Its second line is the bank that keeps the account.
            "25P" => self.account(number, field.lines.first().map_or("", String::as_str)),
            "28" | "28C" => self.sequence(number, field, &text),
            "60F" | "60M" => self.balance(number, field, &text, true),
            "62F" | "62M" => self.balance(number, field, &text, false),
            "34F" => {
                self.is_942 = true;
                if let Some(unit) = text.get(0..3).and_then(Unit::read) {
                    self.book.header(number).unit.get_or_insert(unit);
                }
            }
            "90D" | "90C" => self.total(number, field, &text),
            "61" => self.line(number, field),
            _ => {}
        }
        Ok(())
    }

    fn is_closed(&self) -> bool {
        self.statement.as_ref().is_some_and(|it| it.closed)
    }

    fn statement(&mut self) -> io::Result<StatementNumber> {
        if let Some(open) = &self.statement {
            return Ok(open.number);
        }
        let number = self.book.open(Header::default())?;
        self.statement = Some(Statement {
            number,
            opened: false,
            closed: false,
            assumed: false,
            totals: Vec::new(),
        });
        Ok(number)
    }

    /// `:25:` is the account, before or behind a bank's code, and often with its currency.
    fn account(&mut self, number: StatementNumber, text: &str) {
        let header = self.book.header(number);
        if !header.account.is_empty() {
            let message = "a second account in one statement is passed over";
            return self.book.deviate(number, Rule::Order, ":25:", message);
        }
        text.trim().clone_into(&mut header.account);
        let tail = text.trim().get(text.trim().len().saturating_sub(3)..);
        let unit = tail
            .and_then(Unit::read)
            .filter(|it| it.currency().is_some());
        if header.unit.is_none() {
            header.unit = unit;
        }
    }

    fn sequence(&mut self, number: StatementNumber, field: &Field, text: &str) {
        let (statement, page) = text.trim().split_once('/').unwrap_or((text.trim(), ""));
        match statement.parse() {
            Ok(it) => {
                let page = page.trim().parse().ok();
                let sequence = Sequence { number: it, page };
                self.book.header(number).sequence = Some(sequence);
            }
            Err(_) => {
                let message = "the statement number is none";
                self.book
                    .deviate(number, Rule::Unreadable, field.at(), message);
            }
        }
    }

    /// `C260131EUR1234,56`.
    fn balance(&mut self, number: StatementNumber, field: &Field, text: &str, opening: bool) {
        let Some(open) = self.statement.as_mut() else {
            return;
        };
        let done = if opening {
            &mut open.opened
        } else {
            &mut open.closed
        };
        if std::mem::replace(done, true) {
            let message = "a second balance of the same kind is passed over";
            return self.book.deviate(number, Rule::Order, field.at(), message);
        }
        match balance(text) {
            Ok((balance, unit)) => {
                if balance.date.is_none() {
                    let message = "the date of the balance is none of the calendar";
                    self.book.deviate(number, Rule::Date, field.at(), message);
                }
                let header = self.book.header(number);
                header.unit = header.unit.filter(|_| !opening).or(Some(unit));
                if header.unit != Some(unit) {
                    let message = format!("the closing balance is in {unit}");
                    self.book
                        .deviate(number, Rule::Currency, field.at(), message);
                }
                if opening {
                    self.book.header(number).opening = Some(balance);
                } else {
                    self.book.close_at(number, balance);
                }
            }
            Err(why) => {
                let message = format!("the balance {why}");
                self.book
                    .deviate(number, Rule::Unreadable, field.at(), message);
            }
        }
    }

    /// `2PLN186,33`.
    fn total(&mut self, number: StatementNumber, field: &Field, text: &str) {
        self.is_942 = true;
        let text = text.trim();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let read = || {
            let unit = Unit::read(text.get(digits..digits + 3)?)?;
            let sum = minor(text.get(digits + 3..)?, Mark::Comma, unit).ok()?;
            Some((text[..digits].parse().ok()?, sum, unit))
        };
        let Some((count, sum, unit)) = read() else {
            let message = "the totals cannot be understood";
            return self
                .book
                .deviate(number, Rule::Unreadable, field.at(), message);
        };
        self.book.header(number).unit.get_or_insert(unit);
        if let Some(open) = self.statement.as_mut() {
            open.totals.push((field.tag == "90C", count, sum));
        }
    }

    fn line(&mut self, number: StatementNumber, field: &Field) {
        let unit = self.book.header(number).unit;
        if let (None, Some(open)) = (unit, self.statement.as_mut())
            && !std::mem::replace(&mut open.assumed, true)
        {
            let message = "the statement names no currency; amounts are read with two decimals";
            self.book
                .deviate(number, Rule::Currency, field.at(), message);
        }
        match line61::read(field, unit) {
            Ok((line, notes)) => {
                for (rule, message) in notes {
                    self.book.deviate(number, rule, field.at(), message);
                }
                self.line = Some((line, field.at()));
            }
            Err(why) => {
                let message = format!("the line is not counted: {why}");
                self.book
                    .deviate(number, Rule::Unreadable, field.at(), message);
            }
        }
    }

    fn info(&mut self, field: &Field) -> io::Result<()> {
        match &mut self.line {
            Some((line, _)) => info::read(field, line),
            None => {
                self.any = true;
                self.statement()?;
            }
        }
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        let Some((line, at)) = self.line.take() else {
            return Ok(());
        };
        let number = self.statement()?;
        self.book.line(number, line, &at)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.flush()?;
        let Some(done) = self.statement.take() else {
            return Ok(());
        };
        let (_, credits, debits) = self.book.sums(done.number);
        for (credit, count, said) in done.totals {
            let sum = if credit { credits } else { debits };
            if said != sum {
                let message =
                    format!("{count} lines of {said} minor units are announced, there are {sum}");
                let at = if credit { ":90C:" } else { ":90D:" };
                self.book.deviate(done.number, Rule::Total, at, message);
            }
        }
        if self.book.header(done.number).account.is_empty() {
            let message = "the statement names no account";
            self.book
                .deviate(done.number, Rule::Missing, ":25:", message);
        }
        if !self.is_942 && !done.closed {
            let message = "there is no closing balance";
            self.book
                .deviate(done.number, Rule::Missing, ":62F:", message);
        }
        self.book.end(done.number)
    }
}

/// A balance and its currency.
fn balance(text: &str) -> Result<(Balance, Unit), String> {
    let text: String = text.split_whitespace().collect();
    let negative = match text.get(0..1) {
        Some("C") => false,
        Some("D") => true,
        _ => return Err("is neither C nor D".to_owned()),
    };
    let date = text.get(1..7).and_then(day);
    let unit = text.get(7..10).and_then(Unit::read);
    let unit = unit.ok_or("has no currency")?;
    let units = amount(&text[10..], unit).map_err(|why| why.to_string())?;
    let minor = if negative { -units } else { units };
    Ok((Balance { minor, date }, unit))
}

/// An amount with a decimal comma; some banks write a point.
fn amount(text: &str, unit: Unit) -> Result<i64, super::unit::NoAmount> {
    let mark = if text.contains(',') {
        Mark::Comma
    } else {
        Mark::Point
    };
    minor(text, mark, unit)
}

/// `YYMMDD`; years from 80 on are of the last century (SWIFT Standards, date notation).
fn day(text: &str) -> Option<Date> {
    let number = |at: std::ops::Range<usize>| text.get(at)?.parse::<u8>().ok();
    let year = i32::from(number(0..2)?);
    let year = if year >= 80 { 1900 + year } else { 2000 + year };
    let month = time::Month::try_from(number(2..4)?).ok()?;
    Date::from_calendar_date(year, month, number(4..6)?).ok()
}
