//! One run: a file against our books.

mod arrivals;
mod days;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    io::BufRead,
};

use futures_util::{StreamExt, TryStreamExt, future, stream};
use lombard_core::{
    command::{LineRecord, SETTLES_MAX, TakeLines},
    id::Id,
    matching::{self, BreakKind, Match, Outcome, Rules},
    payment::Payment,
    rail::Rail,
    statement::{Format, Mapping, Unit},
    tenant::TenantId,
};
use time::Date;

use super::{
    beside,
    breaks::{self, Found, Over},
    expected::{self, Gathered, Known, Way},
    known,
    payouts::{self, Awaited},
    quarantine,
    read::{self, Entry, File, Statement},
    report::Report,
    restated,
    source::Source,
    take::Teller,
    together::{ARRIVAL, SETTLEMENT, Wish, taken},
};
use crate::{
    app::App,
    ports::{CommitError, ExecuteError, ReadError},
};

/// How many breaks are told of at once: they are independent of each other, and share a commit group.
const AT_ONCE: usize = 256;

/// How many matches are made commands at once, so that memory is bounded.
const PART: usize = 1_024;

/// A run that did not come to its end. It can be made again.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It is no statement of any kind that is known.
    #[error("the file is no statement or report that is known here")]
    Unknown,
    /// The store does not answer.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store takes no writes.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// A posting was not made.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
}

/// Reconciles a file of a source.
///
/// # Errors
/// See [`Failure`]. What was done stays done, and is done once however often this is called.
pub async fn reconcile(
    app: &App,
    tenant: TenantId,
    source: &Source,
    input: impl BufRead + Send + 'static,
) -> Result<Report, Failure> {
    let mapping = match &source.mapping {
        None => None,
        Some(path) => {
            let text = tokio::fs::read_to_string(path).await?;
            Some(Mapping::from_toml(&text).map_err(std::io::Error::other)?)
        }
    };
    let reading = tokio::task::spawn_blocking(move || read::file(input, mapping.as_ref()));
    // The books are read while the file is.
    let (file, gathered) = future::join(reading, expected::gather(app, tenant)).await;
    let file = file.map_err(std::io::Error::other)??;
    let format = file.format.ok_or(Failure::Unknown)?;
    let units = file.statements.iter().filter_map(|it| it.summary.currency);
    let units: BTreeSet<Unit> = units.collect();
    let mut gathered = gathered?;
    gathered.keep(&units, |rail| source.tells_of(format, rail));
    let awaited = if format.is_of_a_provider() {
        Awaited::default()
    } else {
        Awaited::gather(app, tenant, source, &units).await?
    };
    let lines = file.statements.iter().map(|it| it.entries.len()).sum();
    let run = Run {
        teller: Teller {
            app,
            tenant,
            source,
        },
        gathered,
        format,
        awaited,
        known: Vec::new(),
        taken: HashSet::new(),
        fates: vec![Fate::Open; lines],
        found: Vec::new(),
        paid: HashSet::new(),
        came: BTreeSet::new(),
    };
    run.all(&file).await
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nothing yet.
    Open,
    /// It is a payment of ours.
    Matched,
    /// It is what its kind says.
    Explained,
}

/// A run and what it has come to so far.
pub(super) struct Run<'a> {
    pub(super) teller: Teller<'a>,
    pub(super) gathered: Gathered,
    format: Format,
    awaited: Awaited,
    /// What became of lines in earlier runs, at their places.
    known: Vec<Option<Box<LineRecord>>>,
    /// Payments that this file, or a line of it that was known, accounts for.
    taken: HashSet<usize>,
    /// What becomes of lines now, at their places.
    fates: Vec<Fate>,
    found: Vec<Found>,
    /// Payments that lines tell of: exceptions about them are over.
    paid: HashSet<Id<Payment>>,
    /// Payouts that lines tell of, by their names.
    came: BTreeSet<String>,
}

impl Run<'_> {
    pub(super) fn fate(&self, entry: &Entry) -> Fate {
        self.fates[entry.place as usize]
    }

    fn is_known(&self, entry: &Entry) -> bool {
        self.known[entry.place as usize].is_some()
    }

    async fn all(mut self, file: &File) -> Result<Report, Failure> {
        let Teller {
            app,
            tenant,
            source,
        } = self.teller;
        let entries = || file.statements.iter().flat_map(|it| &it.entries);
        let digests: Vec<&str> = entries().map(|it| it.digest.as_str()).collect();
        self.known = known::look(app, tenant, source, &digests).await?;
        self.recall(entries());
        let present: HashSet<&str> = digests.into_iter().collect();
        let mut changed = HashSet::new();
        let mut broken = Vec::new();
        let mut sound: Vec<&Statement> = Vec::new();
        for statement in &file.statements {
            if source.is_foreign(&statement.summary.account) {
                self.found.push(quarantine::foreign(statement));
                continue;
            }
            let gone = known::of_statement(app, tenant, source, &statement.name, &present).await?;
            let restated = restated::compare(statement, gone, &self.known);
            changed.extend(
                restated
                    .iter()
                    .filter_map(|it| Some(it.line.as_ref()?.digest.clone())),
            );
            if statement.summary.consistent == Some(false) {
                broken.push((statement, restated));
            } else {
                self.found.extend(restated);
                sound.push(statement);
            }
        }
        let fresh = |it: &&Entry| !self.is_known(it) && !changed.contains(&it.digest);
        let entries_of = sound.iter().flat_map(|it| &it.entries);
        let mut input: Vec<&Entry> = entries_of.filter(fresh).collect();
        let arrivals = self.named_payouts(&mut input).await?;
        let mut outcome = self.matched_with(&input);
        let arrivals = self.payouts_alike(&input, &mut outcome, arrivals).await?;
        let due = self.due(&outcome, seen_until(&sound));
        let interim = file.format.is_some_and(Format::is_interim);
        outcome.breaks.retain(|it| {
            let missed = it.expected.iter().all(|id| due.misses(&self.gathered, *id));
            it.kind != BreakKind::MissingThere || (missed && !interim)
        });
        self.carry_out(&input, &outcome).await?;
        self.found.extend(self.awaited.missing(&arrivals, false));
        for statement in &sound {
            self.pay_out(statement).await?;
        }
        self.repeat(entries()).await?;
        for (statement, restated) in broken {
            let fresh = |it: &&Entry| !self.is_known(it) && !changed.contains(&it.digest);
            let input: Vec<&Entry> = statement.entries.iter().filter(fresh).collect();
            let mut outcome = self.matched_with(&input);
            self.keep_own(&mut outcome);
            let (named, differing) = self.awaited.named(&input, &self.teller.source.rules);
            let mut also = restated;
            also.extend(differing.into_iter().map(|it| it.1));
            also.extend(self.awaited.missing(&named, true));
            let found = quarantine::found(statement, &input, &outcome, &self.gathered, also);
            self.found.push(found);
        }
        let joined = self.keep_sheets(file).await?;
        let mut report = self.report(file);
        let mut named = BTreeSet::new();
        let raised = self.found.iter();
        let raised = raised.map(|found| breaks::raise(app, tenant, source, found));
        let mut raised = stream::iter(raised.collect::<Vec<_>>()).buffered(AT_ONCE);
        while let Some((id, told)) = raised.try_next().await? {
            named.insert(id);
            report.exceptions.extend(told);
        }
        drop(raised);
        let agrees = entries().filter(|it| self.fate(it) != Fate::Open);
        let over = Over {
            lines: agrees.map(|it| it.digest.as_str()).collect(),
            statements: { sound.iter().map(|it| it.subject()) }
                .chain(self.came.iter().map(|name| payouts::subject(name)))
                .chain(joined)
                .collect(),
            payments: self.paid,
        };
        breaks::close_found(app, tenant, source, &over, &named).await?;
        Ok(report)
    }

    /// Takes over what became of lines that were seen before.
    fn recall<'e>(&mut self, entries: impl Iterator<Item = &'e Entry>) {
        let payments = self.gathered.payments.iter().enumerate();
        let places: HashMap<_, usize> = payments.map(|(at, it)| (it.id, at)).collect();
        let (rules, mut beside) = (&self.teller.source.rules, Vec::new());
        for entry in entries {
            let Some(record) = &self.known[entry.place as usize] else {
                continue;
            };
            let settled = record.payments.iter().filter(|_| record.settles);
            for at in settled.filter_map(|id| places.get(id)) {
                beside.extend(beside::found(entry, &self.gathered.items[*at], rules));
                self.taken.insert(*at);
                self.gathered.items[*at].standing = matching::Standing::Settled;
            }
            self.paid.extend(&record.payments);
            self.came.extend(record.payouts.iter().cloned());
            self.fates[entry.place as usize] = if record.is_of_payments() {
                Fate::Matched
            } else {
                Fate::Explained
            };
        }
        self.found.extend(beside);
    }

    /// The engine's answer, over what no line accounts for yet: with all that is open missed, which is
    /// for the caller to judge.
    fn matched_with(&self, entries: &[&Entry]) -> Outcome {
        matching::run(
            entries.iter().map(|it| &it.movement),
            &self.gathered.items,
            &self.teller.source.rules,
            Some(Date::MAX),
        )
    }

    /// Leaves out of what is missing what goes another way than all that is there, and that the source does
    /// not stand for.
    fn keep_own(&self, outcome: &mut Outcome) {
        let there = outcome.matches.iter().flat_map(|it| &it.expected);
        let ways: BTreeSet<Way> = there.map(|id| self.gathered.way(id.0 as usize)).collect();
        let is_own = |id: &matching::ExpectedId| {
            let at = id.0 as usize;
            let known = &self.gathered.payments[at];
            known.is_told_here || ways.is_empty() || ways.contains(&self.gathered.way(at))
        };
        outcome
            .breaks
            .retain(|it| it.kind != BreakKind::MissingThere || it.expected.iter().all(is_own));
    }

    /// What must be there by now: by the day of the statements' close, and by the payments that are.
    fn due(&self, outcome: &Outcome, until: Option<Date>) -> Due<'_> {
        let mut newest = BTreeMap::new();
        let matched = outcome.matches.iter().flat_map(|it| &it.expected);
        let matched = matched.map(|id| id.0 as usize);
        for at in matched.chain(self.taken.iter().copied()) {
            let day: &mut Date = newest.entry(self.gathered.way(at)).or_insert(Date::MIN);
            *day = (*day).max(self.gathered.items[at].day);
        }
        Due {
            rules: &self.teller.source.rules,
            until,
            newest,
        }
    }

    /// Takes in what the engine found.
    async fn carry_out(&mut self, input: &[&Entry], outcome: &Outcome) -> Result<(), Failure> {
        let teller = self.teller;
        for some in outcome.matches.chunks(PART) {
            let wishes = some.iter().map(|it| self.wish(input, it));
            let refused = taken(teller, wishes.collect()).await?;
            for (it, refused) in some.iter().zip(refused) {
                self.took(input, it, refused);
            }
        }
        for some in outcome.explained.chunks(PART) {
            let entries: Vec<&Entry> = some.iter().map(|id| input[id.0 as usize]).collect();
            let wishes = entries.iter().map(|entry| Wish {
                steps: { teller.explained(entry, self.rail_of(entry)) }.map(|it| vec![it]),
                // The line, what it posts, and that it is on its way to a bank.
                weight: 3,
            });
            let refused = taken(teller, wishes.collect()).await?;
            for (entry, refused) in entries.into_iter().zip(refused) {
                match refused {
                    None => {
                        self.fates[entry.place as usize] = Fate::Explained;
                    }
                    Some(why) => {
                        let found = Found::of_line(entry, BreakKind::Currency, &why);
                        self.found.push(found);
                    }
                }
            }
        }
        let described = outcome.breaks.iter();
        let described = described.map(|it| breaks::describe(it, input, &self.gathered));
        self.found.extend(described);
        Ok(())
    }

    /// The rail whose money a line of a provider is about, where no payment says so: cards, if there are any.
    fn rail_of(&self, entry: &Entry) -> Option<Rail> {
        let mut both = self.gathered.payments.iter().zip(&self.gathered.items);
        let of_cards = |(known, item): (&Known, &matching::Expected)| {
            known.rail == Rail::Card && item.unit == entry.movement.unit
        };
        let cards = self.format.is_of_a_provider() && both.any(of_cards);
        cards.then_some(Rail::Card)
    }

    fn wish(&self, input: &[&Entry], it: &Match) -> Wish {
        let steps = self.teller.steps(input, &self.gathered, it);
        let beside = |steps: &Vec<_>| steps.first().map_or(0, |it: &TakeLines| it.postings.len());
        let settled = it.expected.iter().map(|id| {
            let known = &self.gathered.payments[id.0 as usize];
            if known.has_cleared {
                SETTLEMENT
            } else {
                ARRIVAL
            }
        });
        let postings = steps.as_ref().map_or(0, beside);
        Wish {
            weight: it.movements.len() + settled.sum::<usize>() + postings,
            steps,
        }
    }

    fn took(&mut self, input: &[&Entry], it: &Match, refused: Option<String>) {
        let entries = it.movements.iter().map(|(id, _)| input[id.0 as usize]);
        if let Some(why) = refused {
            let first = entries.take(1);
            let found = first.map(|it| Found::of_line(it, BreakKind::ConflictingStatus, &why));
            return self.found.extend(found);
        }
        let settles = it
            .movements
            .iter()
            .any(|it| it.1 == matching::Role::Settles);
        for id in &it.expected {
            let known = &self.gathered.payments[id.0 as usize];
            self.paid.insert(known.id);
            if settles {
                self.taken.insert(id.0 as usize);
                self.gathered.items[id.0 as usize].standing = matching::Standing::Settled;
            }
        }
        let settling = it.movements.iter();
        for (at, _) in settling.filter(|it| it.1 == matching::Role::Settles) {
            if let Some(first) = it.expected.first() {
                let payment = &self.gathered.items[first.0 as usize];
                let rules = &self.teller.source.rules;
                let found = beside::found(input[at.0 as usize], payment, rules);
                self.found.extend(found);
            }
        }
        for entry in entries {
            self.fates[entry.place as usize] = Fate::Matched;
        }
    }

    /// Settles again what was taken in before: a crash may have come between the parts of a match.
    /// What is settled stays.
    async fn repeat<'e>(&self, entries: impl Iterator<Item = &'e Entry>) -> Result<(), Failure> {
        let due = self.gathered.payments.iter().filter(|it| it.has_cleared);
        let due: HashSet<_> = due.map(|it| it.id).collect();
        for entry in entries {
            let record = self.known[entry.place as usize].as_ref();
            let Some(record) = record.filter(|it| it.settles) else {
                continue;
            };
            let left: Vec<_> = { record.payments.iter() }
                .filter(|id| due.contains(*id))
                .copied()
                .collect();
            let steps = left.chunks(SETTLES_MAX);
            let steps = steps.map(|part| self.teller.settling(part)).collect();
            self.teller.carry_out(steps).await?;
        }
        Ok(())
    }
}

/// Which payments a file should have told of and did not.
struct Due<'a> {
    rules: &'a Rules,
    /// The last day that the statements of a source tell everything of, for the rails that it
    /// stands for.
    until: Option<Date>,
    /// The day of the newest payment that is in the file, for each way of money: what is older and
    /// went the same way should have come with it.
    newest: BTreeMap<Way, Date>,
}

impl Due<'_> {
    fn misses(&self, gathered: &Gathered, id: matching::ExpectedId) -> bool {
        let at = id.0 as usize;
        let known = &gathered.payments[at];
        let day = self
            .rules
            .calendar
            .after(gathered.items[at].day, self.rules.expected_within);
        let closed = known.is_told_here && self.until.is_some_and(|until| day <= until);
        let passed = self
            .newest
            .get(&gathered.way(at))
            .is_some_and(|it| day <= *it);
        known.has_cleared && (closed || passed)
    }
}

/// The day up to which all of these statements tell everything.
fn seen_until(statements: &[&Statement]) -> Option<Date> {
    let days = statements.iter().map(|it| it.summary.closing_date);
    days.collect::<Option<Vec<Date>>>()?.into_iter().min()
}
