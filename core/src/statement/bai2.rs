//! BAI2 (Cash Management Balance Reporting Specifications, version 2): files of groups of accounts.
//!
//! **Shape.** Records are read one at a time, each with its continuations; an account is a
//! statement. A type code says which way money went: 100 to 399 to the account, 400 to 699 from it,
//! and of a bank's own codes 920 to 959 and 960 to 999.
//!
//! **Sums.** Ledger balances (010, 015), or the available ones where there are no others (040, 045),
//! hold the lines; 100 and 400 sum them up; the control totals of 49, 98 and 99 add every amount
//! that was written, with its sign, and count every record.

mod record;
mod summary;

use std::io::{self, BufRead};

use time::{Date, Month};

use self::{
    record::{Record, Records},
    summary::Summaries,
};
use super::{
    Unit,
    book::Book,
    model::{Balance, Format, Header, Kind, Line, RefKind, Rule, State, StatementNumber},
    unit::whole,
    words,
};

/// Reads a file. What is wrong with it is told as deviations.
pub fn read(input: impl BufRead, book: &mut Book<'_>) -> io::Result<Option<Format>> {
    let mut records = Records::new(input);
    let mut reader = Reader {
        book,
        group: Group::default(),
        account: None,
        file: Control::default(),
        any: false,
        complete: false,
    };
    while let Some(record) = records.next()? {
        reader.record(&record)?;
    }
    reader.end_account()?;
    if reader.any && !reader.complete {
        let message = "the file has no trailer (record 99)";
        reader.book.deviate_file(Rule::Missing, "99", message);
    }
    let any = reader.any;
    book.end_all()?;
    Ok(any.then_some(Format::Bai2))
}

/// What a trailer is held against.
#[derive(Default, Clone, Copy)]
struct Control {
    sum: i64,
    parts: u64,
    records: u64,
}

#[derive(Default)]
struct Group {
    unit: Option<Unit>,
    day: Option<Date>,
    control: Control,
}

struct Account {
    number: StatementNumber,
    control: Control,
    summaries: Summaries,
}

struct Reader<'b, 'a> {
    book: &'b mut Book<'a>,
    group: Group,
    account: Option<Account>,
    file: Control,
    any: bool,
    complete: bool,
}

impl Reader<'_, '_> {
    fn record(&mut self, record: &Record) -> io::Result<()> {
        self.any = true;
        let lines = record.lines;
        match record.code() {
            "01" => self.file.records += lines,
            "02" => {
                self.end_account()?;
                self.group = Group {
                    unit: record.field(6).and_then(Unit::read),
                    day: record.field(4).and_then(day),
                    control: Control {
                        records: lines,
                        ..Control::default()
                    },
                };
            }
            "03" => self.account(record)?,
            "16" => self.line(record)?,
            "49" => self.account_trailer(record)?,
            "98" => self.group_trailer(record)?,
            "99" => {
                self.file.records += lines;
                self.complete = true;
                self.hold(record, "groups", self.file);
            }
            code => {
                let message = format!("a record of kind {code:.3} is none of BAI2");
                self.book
                    .deviate_file(Rule::Unreadable, record.at(), message);
            }
        }
        Ok(())
    }

    fn account(&mut self, record: &Record) -> io::Result<()> {
        self.end_account()?;
        // Without any currency it is the dollar (BAI2, record 02).
        let unit = record.field(2).and_then(Unit::read).or(self.group.unit);
        let unit = unit.or_else(|| Unit::read("USD"));
        let number = self.book.open(Header {
            account: record.field(1).unwrap_or_default().to_owned(),
            unit,
            from: self.group.day,
            to: self.group.day,
            ..Header::default()
        })?;
        let mut summaries = Summaries::default();
        for fault in summaries.read(record) {
            self.book
                .deviate(number, Rule::Unreadable, record.at(), fault);
        }
        let at = |minor| Balance {
            minor,
            date: self.group.day,
        };
        if let Some((opening, closing)) = summaries.balances() {
            self.book.header(number).opening = opening.map(at);
            if let Some(closing) = closing {
                self.book.close_at(number, at(closing));
            }
        }
        self.account = Some(Account {
            number,
            control: Control {
                sum: summaries.sum,
                records: record.lines,
                parts: 0,
            },
            summaries,
        });
        Ok(())
    }

    fn line(&mut self, record: &Record) -> io::Result<()> {
        let Some(account) = &mut self.account else {
            let message = "a transaction outside of any account is not counted";
            self.book
                .deviate_file(Rule::Unreadable, record.at(), message);
            return Ok(());
        };
        let number = account.number;
        account.control.records += record.lines;
        let units = match whole(record.field(2).unwrap_or_default()) {
            Ok(units) => units,
            Err(why) => {
                let message = format!("the amount {why}, and the line is not counted");
                self.book
                    .deviate(number, Rule::Amount, record.at(), message);
                return Ok(());
            }
        };
        account.control.sum = account.control.sum.saturating_add(units);
        let code = record.field(1).unwrap_or_default();
        let Some(credit) = is_credit(code) else {
            let message =
                format!("the type code {code:.3} says no direction; the line is not counted");
            self.book
                .deviate(number, Rule::Variant, record.at(), message);
            return Ok(());
        };
        let detail = record.detail();
        let mut line = Line {
            minor: if credit { units } else { -units },
            unit: self.book.header(number).unit,
            state: State::Booked,
            kind: kind(code),
            booked: self.group.day,
            value: detail.value.and_then(day).or(self.group.day),
            code: code.to_owned(),
            text: detail.text,
            ..Line::default()
        };
        line.refer(RefKind::Bank, detail.bank);
        line.refer(RefKind::Customer, detail.customer);
        let text = line.text.clone();
        words::find(&text, ':', &mut line);
        self.book.line(number, line, &record.at())
    }

    fn account_trailer(&mut self, record: &Record) -> io::Result<()> {
        if let Some(account) = &mut self.account {
            account.control.records += record.lines;
            let control = account.control;
            self.group.control.sum = self.group.control.sum.saturating_add(control.sum);
            self.group.control.records += control.records;
            self.group.control.parts += 1;
            self.hold(record, "", control);
        }
        self.end_account()
    }

    fn group_trailer(&mut self, record: &Record) -> io::Result<()> {
        self.group.control.records += record.lines;
        let control = self.group.control;
        self.file.sum = self.file.sum.saturating_add(control.sum);
        self.file.records += control.records;
        self.file.parts += 1;
        self.hold(record, "accounts", control);
        Ok(())
    }

    /// Holds a trailer against what was read. An account's has no number of parts.
    fn hold(&mut self, record: &Record, parts: &str, control: Control) {
        let mut faults = Vec::new();
        let said = whole(record.field(1).unwrap_or_default());
        if said != Ok(control.sum) {
            let said = record.field(1).unwrap_or_default();
            faults.push(format!(
                "the control total is {said:.20}, the amounts are {}",
                control.sum
            ));
        }
        let records = record.field(if parts.is_empty() { 2 } else { 3 });
        let counts = [(records, "records", control.records)];
        let own = [(record.field(2), parts, control.parts)];
        let own = own.into_iter().filter(|_| !parts.is_empty());
        for (said, what, found) in counts.into_iter().chain(own) {
            let said = said.unwrap_or_default();
            if said.parse() != Ok(found) {
                faults.push(format!(
                    "{said:.20} {what} are announced, there are {found}"
                ));
            }
        }
        for fault in faults {
            match &self.account {
                Some(account) => {
                    self.book
                        .deviate(account.number, Rule::Control, record.at(), fault);
                }
                None => self.book.deviate_file(Rule::Control, record.at(), fault),
            }
        }
    }

    fn end_account(&mut self) -> io::Result<()> {
        let Some(account) = self.account.take() else {
            return Ok(());
        };
        let (_, credits, debits) = self.book.sums(account.number);
        for fault in account.summaries.faults(credits, debits) {
            // A bank need not list every transaction that it sums up.
            self.book
                .deviate(account.number, Rule::Missing, "03", fault);
        }
        self.book.end(account.number)
    }
}

/// Which way money went, by the type code.
fn is_credit(code: &str) -> Option<bool> {
    match code.parse::<u16>().ok()? {
        100..=399 | 920..=959 => Some(true),
        400..=699 | 960..=999 => Some(false),
        _ => None,
    }
}

/// Returned items give money back; service charges are fees (BAI2 type codes).
fn kind(code: &str) -> Kind {
    match code {
        "257" | "255" | "555" | "557" | "258" | "558" | "266" | "566" => Kind::Refund,
        "698" | "661" => Kind::Fee,
        _ => Kind::Payment,
    }
}

/// `YYMMDD`.
fn day(text: &str) -> Option<Date> {
    let part = |at: std::ops::Range<usize>| text.get(at)?.parse::<u8>().ok();
    let month = Month::try_from(part(2..4)?).ok()?;
    Date::from_calendar_date(2000 + i32::from(part(0..2)?), month, part(4..6)?).ok()
}
