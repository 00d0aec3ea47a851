//! What every reader does alike: it opens statements, adds up their lines, holds the sums against
//! the balances, and keeps what deviates.
//!
//! **Bounds.** Of each statement there are a few numbers, eight bytes for each line (to know a
//! repeated one), and at most [`DEVIATIONS_MAX`] deviations; the lines go straight to the [`Sink`].

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
    io,
};

use super::model::{Balance, Deviation, Header, Line, Rule, State, StatementNumber, Summary};

/// The most deviations that are kept of one statement; further ones are counted.
pub const DEVIATIONS_MAX: usize = 100;

/// The most statements in one file. A bank's file has one for each account and day.
pub const STATEMENTS_MAX: usize = 100_000;

/// Where what is read goes to, in the order of the file.
pub trait Sink {
    /// A statement begins. Several may be open at once: a PSP's report mixes payouts.
    ///
    /// # Errors
    /// Stops the reading.
    fn begin(&mut self, number: StatementNumber, header: &Header) -> io::Result<()>;

    /// A line of an open statement.
    ///
    /// # Errors
    /// Stops the reading.
    fn line(&mut self, number: StatementNumber, line: Line) -> io::Result<()>;

    /// A statement is complete.
    ///
    /// # Errors
    /// Stops the reading.
    fn end(&mut self, number: StatementNumber, summary: &Summary) -> io::Result<()>;
}

/// A statement in the making.
struct Open {
    header: Header,
    closing: Option<Balance>,
    announced: bool,
    ended: bool,
    entries: u64,
    not_booked: u64,
    credits: i64,
    debits: i64,
    seen: BTreeSet<u64>,
    deviations: Vec<Deviation>,
    deviation_count: u64,
    contradicted: bool,
    uncounted: bool,
    confirmed: bool,
}

/// All statements of one file.
pub struct Book<'a> {
    sink: &'a mut dyn Sink,
    open: Vec<Open>,
    /// What is wrong before any statement began.
    early: Vec<Deviation>,
}

impl<'a> Book<'a> {
    /// A book whose lines go to `sink`.
    pub fn new(sink: &'a mut dyn Sink) -> Self {
        Self {
            sink,
            open: Vec::new(),
            early: Vec::new(),
        }
    }

    /// How many statements there are.
    pub fn count(&self) -> usize {
        self.open.len()
    }

    /// Opens a statement. It is announced with its first line, so that a balance that comes late
    /// still stands in its header.
    pub fn open(&mut self, header: Header) -> io::Result<StatementNumber> {
        if self.open.len() == STATEMENTS_MAX {
            let message = format!("more than {STATEMENTS_MAX} statements in one file");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        let number = StatementNumber(self.open.len());
        let deviations = std::mem::take(&mut self.early);
        self.open.push(Open {
            header,
            closing: None,
            announced: false,
            ended: false,
            entries: 0,
            not_booked: 0,
            credits: 0,
            debits: 0,
            seen: BTreeSet::new(),
            deviation_count: deviations.len() as u64,
            deviations,
            contradicted: false,
            uncounted: false,
            confirmed: false,
        });
        Ok(number)
    }

    /// The header, to be completed.
    pub fn header(&mut self, number: StatementNumber) -> &mut Header {
        &mut self.open[number.0].header
    }

    /// Sets the closing balance.
    pub fn close_at(&mut self, number: StatementNumber, balance: Balance) {
        self.open[number.0].closing = Some(balance);
    }

    /// The closing balance, as far as it is known.
    pub fn closing(&self, number: StatementNumber) -> Option<Balance> {
        self.open[number.0].closing
    }

    /// How many lines a statement has so far, and the sums of its booked credits and debits.
    pub fn sums(&self, number: StatementNumber) -> (u64, i64, i64) {
        let open = &self.open[number.0];
        (open.entries, open.credits, open.debits)
    }

    /// Notes something that a statement does otherwise than its standard says.
    pub fn deviate(
        &mut self,
        number: StatementNumber,
        rule: Rule,
        at: impl Into<String>,
        message: impl Into<String>,
    ) {
        let open = &mut self.open[number.0];
        open.contradicted |= rule == Rule::Control || rule == Rule::Broken;
        open.uncounted |= matches!(rule, Rule::Unreadable | Rule::Amount | Rule::Total);
        open.deviation_count += 1;
        if open.deviations.len() < DEVIATIONS_MAX {
            let (at, message) = (at.into(), message.into());
            open.deviations.push(Deviation { at, rule, message });
        }
    }

    /// A check sum of the statement holds, which proves it where it has no balances.
    pub fn confirm(&mut self, number: StatementNumber) {
        self.open[number.0].confirmed = true;
    }

    /// Notes something of the file, before any statement began or when it is of none of them: it is told
    /// with the last one, or with the next.
    pub fn deviate_file(&mut self, rule: Rule, at: impl Into<String>, message: impl Into<String>) {
        match self.open.len().checked_sub(1) {
            Some(last) if !self.open[last].ended => {
                self.deviate(StatementNumber(last), rule, at, message);
            }
            _ if self.early.len() < DEVIATIONS_MAX => {
                let (at, message) = (at.into(), message.into());
                self.early.push(Deviation { at, rule, message });
            }
            _ => {}
        }
    }

    /// What is wrong with the file and was told with no statement.
    pub fn into_early(self) -> Vec<Deviation> {
        self.early
    }

    /// Takes in a line. `at` says where it stands.
    pub fn line(&mut self, number: StatementNumber, line: Line, at: &str) -> io::Result<()> {
        self.announce(number)?;
        let (unit, duplicate) = {
            let open = &mut self.open[number.0];
            open.entries += 1;
            match line.state {
                State::Booked if line.minor >= 0 => open.credits += line.minor,
                State::Booked => open.debits -= line.minor,
                State::Pending | State::Information => open.not_booked += 1,
            }
            (open.header.unit, !open.seen.insert(fingerprint(&line)))
        };
        if duplicate
            && line
                .references
                .iter()
                .any(|(kind, _)| kind.is_of_one_line())
        {
            let message = "the same line, with the same reference, came before";
            self.deviate(number, Rule::Duplicate, at, message);
        }
        match (unit, line.unit) {
            (Some(account), Some(found)) if account != found => {
                let message = format!("the line is in {found}, the account in {account}");
                self.deviate(number, Rule::Currency, at, message);
            }
            (None, Some(found)) => self.open[number.0].header.unit = Some(found),
            _ => {}
        }
        self.sink.line(number, line)
    }

    /// A line that moves the balance and is not counted among the entries: the payout that empties
    /// a PSP's batch.
    pub fn uncounted_line(&mut self, number: StatementNumber, line: Line) -> io::Result<()> {
        self.announce(number)?;
        self.sink.line(number, line)
    }

    fn announce(&mut self, number: StatementNumber) -> io::Result<()> {
        let open = &mut self.open[number.0];
        if !std::mem::replace(&mut open.announced, true) {
            self.sink.begin(number, &open.header)?;
        }
        Ok(())
    }

    /// Ends a statement: holds its sums against its balances.
    pub fn end(&mut self, number: StatementNumber) -> io::Result<()> {
        self.announce(number)?;
        let open = &mut self.open[number.0];
        open.ended = true;
        open.seen.clear();
        let (opening, closing) = (open.header.opening, open.closing);
        let difference = opening.zip(closing).map(|(opening, closing)| {
            closing.minor - opening.minor.saturating_add(open.credits - open.debits)
        });
        if let Some(off) = difference.filter(|off| *off != 0) {
            let message =
                format!("closing is {off} minor units off opening + credits \u{2212} debits");
            self.deviate(number, Rule::Balance, "balance", message);
        }
        let summary = self.summary(number, difference);
        self.sink.end(number, &summary)
    }

    fn summary(&mut self, number: StatementNumber, difference: Option<i64>) -> Summary {
        let open = &mut self.open[number.0];
        let (opening, closing) = (open.header.opening, open.closing);
        let consistent = match difference {
            _ if open.contradicted => Some(false),
            Some(off) => Some(off == 0),
            None if open.uncounted => Some(false),
            None => open.confirmed.then_some(true),
        };
        Summary {
            account: std::mem::take(&mut open.header.account),
            currency: open.header.unit,
            opening: opening.map(|it| it.minor),
            closing: closing.map(|it| it.minor),
            entries: open.entries,
            credits: open.credits,
            debits: open.debits,
            consistent,
            difference: difference.filter(|off| *off != 0),
            deviations: std::mem::take(&mut open.deviations),
            deviation_count: open.deviation_count,
            not_booked: open.not_booked,
            id: std::mem::take(&mut open.header.id),
            sequence: open.header.sequence,
            opening_date: opening.and_then(|it| it.date),
            closing_date: closing.and_then(|it| it.date),
        }
    }

    /// Ends what is still open, in order.
    pub fn end_all(&mut self) -> io::Result<()> {
        for place in 0..self.open.len() {
            if !self.open[place].ended {
                self.end(StatementNumber(place))?;
            }
        }
        Ok(())
    }
}

/// The same line again has the same fingerprint. Only within one reading, so the hash need not be
/// the same on every machine.
fn fingerprint(line: &Line) -> u64 {
    let mut hasher = DefaultHasher::new();
    (line.minor, line.booked, line.value, &line.code).hash(&mut hasher);
    (&line.references, &line.text, line.kind).hash(&mut hasher);
    hasher.finish()
}
