//! A file as statements with their lines, each line under its digest.

use std::{
    borrow::Cow,
    collections::HashMap,
    io::{self, BufRead},
    sync::Arc,
};

use lombard_core::{
    id::digest_text,
    matching::Movement,
    statement::{
        self, Detail, Deviation, Header, Kind, Line, Mapping, Outcome, Sink, State,
        StatementNumber, Summary, Unit,
    },
};

/// One booked line, or a part of one.
#[derive(Clone)]
pub struct Entry {
    /// What it says, as a digest: the same line has the same in whatever file it comes.
    pub digest: String,
    /// As the engine takes it.
    pub movement: Movement,
    /// Its place in the file.
    pub place: u32,
    /// The statement that it stands in, as a digest of that one's name.
    pub statement: Arc<str>,
}

impl Entry {
    /// As exceptions name it.
    pub fn subject(&self) -> String {
        format!("line:{}", self.digest)
    }

    /// By what a person knows it: its surest reference, or its text.
    pub fn reference(&self) -> Cow<'_, str> {
        let Movement {
            references, text, ..
        } = &self.movement;
        let first = references.iter().min_by_key(|(kind, _)| *kind);
        first.map_or_else(
            || text.chars().take(140).collect(),
            |(_, text)| Cow::Borrowed(&**text),
        )
    }
}

/// A statement and its booked lines.
pub struct Statement {
    /// Its account and its own name, as a digest: the same statement has the same in another file.
    pub name: Arc<str>,
    /// What became of its sums.
    pub summary: Summary,
    /// Its lines.
    pub entries: Vec<Entry>,
}

impl Statement {
    fn new(summary: Summary, mut entries: Vec<Entry>) -> Self {
        let currency = summary.currency.map(|it| it.code().to_owned());
        let sequence = summary
            .sequence
            .map(|it| format!("{}/{:?}", it.number, it.page));
        // One that has no name of its own is known by its day.
        let day = summary.closing_date.map(|it| it.to_string());
        let day = day.filter(|_| summary.id.is_empty() && sequence.is_none());
        let name: Arc<str> = digest_text(&[
            &summary.account,
            &currency.unwrap_or_default(),
            &summary.id,
            &sequence.unwrap_or_default(),
            &day.unwrap_or_default(),
        ])
        .into();
        for entry in &mut entries {
            entry.statement = Arc::clone(&name);
        }
        Self {
            name,
            summary,
            entries,
        }
    }

    /// As exceptions name it.
    pub fn subject(&self) -> String {
        format!("statement:{}", self.name)
    }

    /// The lines between its opening and its closing. A provider's batch closes with what it pays
    /// out, so that the payout itself stands after its close.
    pub fn lines(&self) -> impl Iterator<Item = &Entry> + Clone {
        let is_payout = |it: &&Entry| it.movement.kind == Kind::Payout;
        let payouts = self.entries.iter().filter(is_payout);
        let paid_out: i64 = payouts.map(|it| it.movement.minor).sum();
        let Summary {
            opening, closing, ..
        } = self.summary;
        let after_close = paid_out != 0 && closing == Some(opening.unwrap_or_default() - paid_out);
        self.entries
            .iter()
            .filter(move |it| !(after_close && is_payout(it)))
    }
}

/// A whole file.
pub struct File {
    /// The format; `None` when it is none that is known.
    pub format: Option<statement::Format>,
    /// Its statements.
    pub statements: Vec<Statement>,
    /// What is wrong with it as a whole.
    pub deviations: Vec<Deviation>,
}

/// Reads a file. Blocks.
///
/// # Errors
/// The file cannot be read.
pub fn file(input: impl BufRead, mapping: Option<&Mapping>) -> io::Result<File> {
    let mut gather = Gather::default();
    let Outcome {
        format, deviations, ..
    } = statement::read(input, mapping, &mut gather)?;
    let mut statements: Vec<_> = gather.done;
    statements.sort_by_key(|it| it.0);
    let mut statements: Vec<Statement> = statements.into_iter().map(|it| it.1).collect();
    let entries = statements.iter_mut().flat_map(|it| &mut it.entries);
    for (place, entry) in (0..).zip(entries) {
        entry.place = place;
    }
    Ok(File {
        format,
        statements,
        deviations,
    })
}

#[derive(Default)]
struct Gather {
    open: HashMap<StatementNumber, (Header, Vec<Entry>)>,
    done: Vec<(StatementNumber, Statement)>,
    /// How often each line came, so that the same line twice is two lines.
    seen: HashMap<String, u32>,
}

impl Sink for Gather {
    fn begin(&mut self, number: StatementNumber, header: &Header) -> io::Result<()> {
        self.open.insert(number, (header.clone(), Vec::new()));
        Ok(())
    }

    fn line(&mut self, number: StatementNumber, line: Line) -> io::Result<()> {
        let Some((header, entries)) = self.open.get_mut(&number) else {
            return Ok(());
        };
        let unit = line.unit.or(header.unit);
        let Some(unit) = unit.filter(|_| line.state == State::Booked) else {
            return Ok(());
        };
        let base = digest(&header.account, unit, &line);
        let again = self.seen.entry(base.clone()).or_default();
        *again += 1;
        let name = format!("{base}-{again}");
        entries.extend(parts(line, unit, &name));
        Ok(())
    }

    fn end(&mut self, number: StatementNumber, summary: &Summary) -> io::Result<()> {
        let (_, entries) = self.open.remove(&number).unwrap_or_default();
        let statement = Statement::new(summary.clone(), entries);
        self.done.push((number, statement));
        Ok(())
    }
}

/// The digest of a line. A reference that the bank gives to one line names it by itself; without
/// one it is all that the line says.
fn digest(account: &str, unit: Unit, line: &Line) -> String {
    let amount = line.minor.to_string();
    let day = line
        .booked
        .or(line.value)
        .map_or_else(String::new, |day| day.to_string());
    let own = line
        .references
        .iter()
        .filter(|(kind, _)| kind.is_of_one_line());
    let mut names: Vec<&str> = own.map(|(_, text)| text.as_str()).collect();
    if names.is_empty() {
        names.extend(line.references.iter().map(|(_, text)| text.as_str()));
        names.push(&line.text);
    }
    let code = if names.is_empty() {
        line.code.as_str()
    } else {
        ""
    };
    let head = [account, unit.code(), &amount, &day, code];
    digest_text(&[&head[..], &names[..]].concat())
}

/// A line that books several movements, as these, when they say their amounts and add up to it;
/// else the line as a whole, with the references of all of them.
fn parts(mut line: Line, unit: Unit, name: &str) -> Vec<Entry> {
    let details = std::mem::take(&mut line.details);
    let sum = details.iter().map(|it| it.minor).sum::<Option<i64>>();
    if !details.is_empty() && sum == Some(line.minor) {
        let numbered = details.into_iter().enumerate();
        return numbered
            .map(|(at, detail)| {
                let digest = format!("{name}.{}", at + 1);
                entry(part(&line, detail), unit, digest)
            })
            .collect();
    }
    for detail in details {
        line.references.extend(detail.references);
    }
    vec![entry(line, unit, name.to_owned())]
}

fn part(line: &Line, detail: Detail) -> Line {
    let mut references = detail.references;
    references.extend(line.references.iter().cloned());
    Line {
        minor: detail.minor.unwrap_or_default(),
        fee: detail.fee,
        references,
        text: detail.text,
        details: Vec::new(),
        ..line.clone()
    }
}

fn entry(line: Line, unit: Unit, digest: String) -> Entry {
    let references = line.references.into_iter();
    Entry {
        digest,
        place: 0,
        statement: Arc::default(),
        movement: Movement {
            minor: line.minor,
            unit,
            gross: line.gross,
            fee: line.fee.unwrap_or_default(),
            original: line.original,
            day: line.booked.or(line.value),
            kind: line.kind,
            references: references.map(|(kind, text)| (kind, text.into())).collect(),
            text: line.text.into(),
        },
    }
}
