//! Payouts: what providers said that they sent, and the lines of a bank that it came by.
//!
//! A payout waits in suspense from the provider's report on. The bank's line is found by a name that both
//! give it, or else as the only one of its amount and days; never by less.

use std::collections::BTreeSet;

use lombard_core::{
    command::Payout,
    matching::{
        self, BreakKind, Expected, FeeRule, MovementId, Outcome, RuleName, Rules, Standing,
    },
    plan::keys,
    rail::Rail,
    statement::{Format, Kind, RefKind, Unit},
    store::decode,
    tenant::TenantId,
};
use time::{Date, format_description::well_known::Iso8601};

use super::{
    breaks::Found,
    read::{Entry, Statement},
    source::Source,
};
use crate::{
    app::App,
    ports::{RANGE_MAX, Range, ReadError},
};

/// What a line says was paid out, if it says so.
pub fn sent(source: &Source, entry: &Entry, rail: Rail) -> Option<Payout> {
    let movement = &entry.movement;
    let (day, currency) = (movement.day?, movement.unit.currency()?);
    let is_payout = movement.kind == Kind::Payout && movement.minor < 0;
    is_payout.then(|| Payout {
        name: format!("{}/{}", source.name, entry.digest),
        minor: -movement.minor,
        currency,
        day: day.to_string(),
        references: { movement.references.iter() }
            .map(|(_, text)| text.to_string())
            .collect(),
        rail,
        arrived: None,
    })
}

/// The payout of a report that tells what it is made of and has no row for it: what its rows come to.
pub fn implied(format: Format, statement: &Statement) -> Option<Entry> {
    let summary = &statement.summary;
    let told = format == Format::StripePayout && !summary.id.is_empty();
    let has_row = statement
        .entries
        .iter()
        .any(|it| it.movement.kind == Kind::Payout);
    let minor = summary.debits - summary.credits;
    let last = statement.entries.iter().max_by_key(|it| it.movement.day)?;
    (told && !has_row && minor < 0).then(|| {
        let mut entry = last.clone();
        entry.digest = format!("{}-payout", statement.name);
        // It is no line of the statement.
        entry.statement = entry.digest.as_str().into();
        entry.movement.minor = minor;
        entry.movement.gross = None;
        entry.movement.original = None;
        entry.movement.fee = 0;
        entry.movement.kind = Kind::Payout;
        entry.movement.references = Box::new([(RefKind::Group, summary.id.as_str().into())]);
        entry.movement.text = Box::default();
        entry
    })
}

/// The payouts that no bank has told of yet, in some currencies, but those of one source.
#[derive(Default)]
pub struct Awaited {
    payouts: Vec<Payout>,
    items: Vec<Expected>,
}

/// A bank's line, at its place in the input, and the payouts that it is.
pub struct Arrival {
    pub line: usize,
    pub rule: RuleName,
    payouts: Vec<usize>,
}

impl Arrival {
    /// Whether two lines are of one payout.
    pub fn is_of_one_with(&self, other: &Self) -> bool {
        self.payouts.iter().any(|it| other.payouts.contains(it))
    }
}

impl Awaited {
    /// Reads them.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn gather(
        app: &App,
        tenant: TenantId,
        source: &Source,
        units: &BTreeSet<Unit>,
    ) -> Result<Self, ReadError> {
        let (list, own) = (keys::payouts_list(tenant), format!("{}/", source.name));
        let mut awaited = Self::default();
        let mut after = None;
        loop {
            let range = Range::listed(&list, RANGE_MAX).after(after);
            let found = app.store.range(&range).await?;
            let Some(last) = found.last() else {
                return Ok(awaited);
            };
            after = Some(last.at.sort().to_owned());
            for it in &found {
                let payout: Payout = decode(&it.record.body.bytes);
                if units.contains(&payout.currency.into()) && !payout.name.starts_with(&own) {
                    awaited.push(payout);
                }
            }
        }
    }

    fn push(&mut self, payout: Payout) {
        self.items.push(Expected {
            minor: payout.minor,
            unit: payout.currency.into(),
            day: Date::parse(&payout.day, &Iso8601::DATE).unwrap_or(Date::MAX),
            references: payout.references.iter().collect(),
            group: None,
            standing: Standing::Open,
        });
        self.payouts.push(payout);
    }

    pub fn of(&self, arrival: &Arrival) -> Vec<&Payout> {
        arrival
            .payouts
            .iter()
            .map(|at| &self.payouts[*at])
            .collect()
    }

    /// The lines that name payouts: those that are of their amount, and what to tell of the others.
    pub fn named(&self, input: &[&Entry], rules: &Rules) -> (Vec<Arrival>, Vec<(usize, Found)>) {
        let rules = exact(rules, false);
        let movements = input.iter().map(|it| &it.movement);
        let Outcome {
            matches, breaks, ..
        } = matching::run(movements, &self.items, &rules, None);
        let differs = breaks
            .iter()
            .filter(|it| it.kind == BreakKind::AmountDiffers);
        let told = differs.filter_map(|it| {
            let line = it.movements.first()?.0 as usize;
            let payout = &self.payouts[it.expected.first()?.0 as usize];
            let why = format!("it differs by {} from payout {}", it.minor, payout.title());
            let found = Found {
                minor: it.minor,
                ..Found::of_line(input[line], BreakKind::AmountDiffers, &why)
            };
            Some((line, found))
        });
        (matches.iter().filter_map(arrival).collect(), told.collect())
    }

    /// The lines, of those that no payment is found for, that are the only ones of a payout's amount and days.
    pub fn alike(&self, input: &[&Entry], strays: &[MovementId], rules: &Rules) -> Vec<Arrival> {
        let rules = exact(rules, true);
        let plain = strays.iter().map(|id| {
            let mut movement = input[id.0 as usize].movement.clone();
            // Whatever the bank calls it, it is no payment of ours.
            movement.references = Box::default();
            movement
        });
        let plain: Vec<_> = plain.collect();
        let outcome = matching::run(&plain, &self.items, &rules, None);
        let found = outcome.matches.iter().filter_map(arrival);
        let at_input = |mut it: Arrival| {
            it.line = strays[it.line].0 as usize;
            it
        };
        found.map(at_input).collect()
    }

    /// Of payouts that have not come, what to tell: those that a statement with these arrivals should
    /// have told of, because a later one of the same provider is in it; or all of them.
    pub fn missing(&self, arrivals: &[Arrival], all: bool) -> Vec<Found> {
        let came: BTreeSet<usize> = arrivals.iter().flat_map(|it| it.payouts.clone()).collect();
        let passed = |at: usize| {
            let later = |other: &usize| {
                self.payouts[*other].provider() == self.payouts[at].provider()
                    && self.items[*other].day >= self.items[at].day
            };
            came.iter().any(later)
        };
        let open = (0..self.payouts.len()).filter(|at| !came.contains(at));
        let told = open.filter(|at| all || passed(*at));
        told.map(|at| {
            let payout = &self.payouts[at];
            Found {
                kind: BreakKind::MissingThere,
                subject: subject(&payout.name),
                minor: payout.minor,
                unit: Some(payout.currency.into()),
                reference: payout.references.first().cloned().unwrap_or_default(),
                why: format!(
                    "payout {} is not in the statement that covers its day",
                    payout.title()
                ),
                payments: Vec::new(),
                line: None,
            }
        })
        .collect()
    }
}

/// As exceptions name a payout.
pub fn subject(name: &str) -> String {
    format!("payout:{name}")
}

/// As people name a payout.
trait Titled {
    fn title(&self) -> String;
    fn provider(&self) -> &str;
}

impl Titled for Payout {
    fn title(&self) -> String {
        let name = self.references.first().map_or("", String::as_str);
        format!(
            "{name} of {} ({}, {})",
            self.minor,
            self.provider(),
            self.day
        )
    }

    fn provider(&self) -> &str {
        self.name
            .split_once('/')
            .map_or("", |(provider, _)| provider)
    }
}

fn arrival(it: &matching::Match) -> Option<Arrival> {
    let [(line, _)] = it.movements.as_ref() else {
        return None;
    };
    Some(Arrival {
        line: line.0 as usize,
        rule: it.rule,
        payouts: it.expected.iter().map(|id| id.0 as usize).collect(),
    })
}

/// What is on its way from one of our accounts to another arrives as it left.
fn exact(rules: &Rules, match_by_amount: bool) -> Rules {
    Rules {
        amount_tolerance: 0,
        fee: FeeRule::default(),
        match_by_amount,
        ..rules.clone()
    }
}
