//! What follows from a match on the books, as commands of the core.
//!
//! Payments that were found are settled: from clearing to settlement. What a source kept back goes
//! from settlement to fees, what remains within the tolerance to differences, what was exchanged
//! through differences in both currencies, and what a line does that no payment stands for to
//! suspense. A match is taken in by one command, so in one commit; one of more payments than fit
//! takes its lines in with the first of them.

use std::sync::Arc;

use lombard_core::{
    command::{
        Act, Command, LINES_MAX, LineRecord, Payout, Posting, ReceiveReturn, Rejection,
        SETTLES_MAX, TakeLines, TakenLine,
    },
    currency::Currency,
    id::Id,
    journal::{self, Journal},
    ledger::Leg,
    matching::{Match, Role, RuleName},
    money::{Amount, Money},
    payment::Payment,
    rail::Rail,
    reason::Reason,
    statement::{Kind, Unit},
    tenant::TenantId,
};

use super::{breaks::WORKER, expected::Gathered, payouts, read::Entry, source::Source};
use crate::{app::App, ports::ExecuteError};

/// Takes lines in for one tenant and source.
#[derive(Clone, Copy)]
pub struct Teller<'a> {
    /// Where.
    pub app: &'a App,
    /// For whom.
    pub tenant: TenantId,
    /// Whose lines.
    pub source: &'a Source,
}

impl Teller<'_> {
    /// The commands of a match, in their order, or why it cannot be taken in.
    pub fn steps(
        &self,
        entries: &[&Entry],
        gathered: &Gathered,
        it: &Match,
    ) -> Result<Vec<TakeLines>, String> {
        let all = || {
            it.movements
                .iter()
                .map(|(id, role)| (entries[id.0 as usize], *role))
        };
        let payments: Vec<Id<Payment>> = it
            .expected
            .iter()
            .map(|id| gathered.payments[id.0 as usize].id)
            .collect();
        let own: Vec<&Entry> = all()
            .filter(|it| it.1 != Role::Returns)
            .map(|it| it.0)
            .collect();
        if own.len() > LINES_MAX {
            return Err(format!("{} lines are too many for one match", own.len()));
        }
        let record = |entry: &Entry, settles: bool| LineRecord {
            minor: entry.movement.minor,
            reference: entry.reference().into_owned(),
            payments: payments.clone(),
            settles,
            rule: Some(it.rule),
            payouts: Vec::new(),
        };
        let settles = all().any(|(_, role)| role == Role::Settles);
        let mut steps = Vec::new();
        if let (Some(first), Some(rail)) = (own.first(), rail_of(gathered, it)) {
            let mut step = self.step(own.iter().map(|entry| taken(entry, record(entry, settles))));
            step.postings = self.beside(rail, first, &own, it)?;
            steps.push(step);
        }
        if settles {
            let mut parts = payments.chunks(SETTLES_MAX);
            if let (Some(step), Some(part)) = (steps.first_mut(), parts.next()) {
                step.settles = part.to_vec();
            }
            steps.extend(parts.map(|part| self.settling(part)));
        }
        for (entry, _) in all().filter(|it| it.1 == Role::Returns) {
            let [original] = it.expected.as_ref() else {
                return Err("it is not clear which payment's money went back".to_owned());
            };
            let mut step = self.step([taken(entry, record(entry, false))]);
            let expected = &gathered.items[original.0 as usize];
            let known = &gathered.payments[original.0 as usize];
            step.returns = vec![self.went_back(entry, known.id, expected.minor)?];
            let (unit, fee) = (entry.movement.unit, entry.movement.fee);
            step.postings = self.fee(known.rail, &entry.digest, unit, fee)?;
            steps.push(step);
        }
        Ok(steps)
    }

    fn step(&self, lines: impl IntoIterator<Item = TakenLine>) -> TakeLines {
        TakeLines {
            source: self.source.name.clone(),
            lines: lines.into_iter().collect(),
            ..TakeLines::default()
        }
    }

    /// Settles payments whose line is taken in already; at most [`SETTLES_MAX`].
    pub fn settling(&self, payments: &[Id<Payment>]) -> TakeLines {
        TakeLines {
            settles: payments.to_vec(),
            ..self.step([])
        }
    }

    /// What a match posts beside the settlement of its payments.
    fn beside(
        &self,
        rail: Rail,
        first: &Entry,
        own: &[&Entry],
        it: &Match,
    ) -> Result<Vec<Posting>, String> {
        let digest = &first.digest;
        let mut postings = self.fee(rail, digest, first.movement.unit, it.fee)?;
        let legs = self.between(
            rail,
            journal::Role::Differences,
            first.movement.unit,
            it.difference,
        )?;
        postings.extend(self.posting("difference", digest, Journal::Difference, legs));
        for entry in own {
            let movement = &entry.movement;
            let exchanged = movement.original.filter(|it| it.1 != movement.unit);
            if let Some((paid, unit)) = exchanged.filter(|_| movement.kind != Kind::Fee) {
                let differences = journal::Role::Differences;
                let got = movement.gross.unwrap_or(movement.minor);
                let mut legs = self.between(rail, differences, movement.unit, got)?;
                legs.extend(self.between(rail, differences, unit, -paid)?);
                postings.extend(self.posting("exchange", &entry.digest, Journal::Exchange, legs));
            }
        }
        Ok(postings)
    }

    fn fee(
        &self,
        rail: Rail,
        digest: &str,
        unit: Unit,
        minor: i64,
    ) -> Result<Vec<Posting>, String> {
        let legs = self.between(rail, journal::Role::Fees, unit, -minor)?;
        let posting = self.posting("fee", digest, Journal::ProviderFee, legs);
        Ok(posting.into_iter().collect())
    }

    /// The money of a payment that a line shows gone back.
    fn went_back(
        &self,
        entry: &Entry,
        original: Id<Payment>,
        expected: i64,
    ) -> Result<ReceiveReturn, String> {
        let movement = &entry.movement;
        let minor = movement.gross.unwrap_or(movement.minor);
        if minor.signum() == expected.signum() {
            return Err("money that had gone back came again".to_owned());
        }
        let amount = Amount::try_from(minor.unsigned_abs()).map_err(|it| it.to_string())?;
        let (reason, code) = match movement.kind {
            Kind::Chargeback => (Reason::Disputed, "chargeback"),
            Kind::Refund => (Reason::Refunded, "refund"),
            _ => (Reason::Unspecified, "statement"),
        };
        Ok(ReceiveReturn {
            id: Id::of_name(&self.name("return", &entry.digest)),
            original,
            amount,
            reason,
            reason_code: code.to_owned(),
            rail_reference: entry.reference().into_owned(),
        })
    }

    /// A line that no payment stands for: a fee, or what waits in suspense for its other side. It is
    /// entered in the house accounts of `rail`, where the money that it is about stands.
    pub fn explained(&self, entry: &Entry, rail: Option<Rail>) -> Result<TakeLines, String> {
        let (unit, minor) = (entry.movement.unit, entry.movement.minor);
        let rail = rail.unwrap_or_else(|| own_rail(unit));
        let record = LineRecord {
            minor,
            reference: entry.reference().into_owned(),
            ..LineRecord::default()
        };
        let postings = match entry.movement.kind {
            Kind::Fee => self.fee(rail, &entry.digest, unit, -minor)?,
            _ => self.waiting(rail, &entry.digest, unit, minor)?,
        };
        let payout = payouts::sent(self.source, entry, rail);
        let line = TakenLine {
            payout,
            ..taken(entry, record)
        };
        Ok(TakeLines {
            postings,
            ..self.step([line])
        })
    }

    /// A bank's line that payouts came by: from where they waited to where the bank has them.
    pub fn arrived(
        &self,
        entry: &Entry,
        payouts: &[&Payout],
        rule: RuleName,
    ) -> Result<TakeLines, String> {
        let unit = entry.movement.unit;
        let record = LineRecord {
            minor: entry.movement.minor,
            reference: entry.reference().into_owned(),
            rule: Some(rule),
            payouts: payouts.iter().map(|it| it.name.clone()).collect(),
            ..LineRecord::default()
        };
        let mut step = self.step([taken(entry, record)]);
        for payout in payouts {
            let amount = Amount::try_from(payout.minor.unsigned_abs());
            let money = Money {
                amount: amount.map_err(|it| it.to_string())?,
                currency: payout.currency,
            };
            let house = |rail, role| journal::house(self.tenant, rail, role, payout.currency);
            let legs = journal::move_now(
                house(own_rail(unit), journal::Role::Settlement),
                house(payout.rail, journal::Role::Suspense),
                money,
            );
            let name = format!("{}/{}", entry.digest, payout.name);
            let posting = self.posting("arrived", &name, Journal::StatementLine, legs);
            step.postings.extend(posting);
        }
        Ok(step)
    }

    /// Money that came, or went, and waits in suspense.
    pub fn suspense(&self, name: &str, unit: Unit, minor: i64) -> Result<Vec<Posting>, String> {
        self.waiting(own_rail(unit), name, unit, minor)
    }

    fn waiting(
        &self,
        rail: Rail,
        name: &str,
        unit: Unit,
        minor: i64,
    ) -> Result<Vec<Posting>, String> {
        let legs = self.between(rail, journal::Role::Suspense, unit, minor)?;
        let posting = self.posting("line", name, Journal::StatementLine, legs);
        Ok(posting.into_iter().collect())
    }

    /// A fee that a line kept back, where no payment says of which rail it is.
    pub fn kept_back(&self, name: &str, unit: Unit, minor: i64) -> Result<Vec<Posting>, String> {
        self.fee(own_rail(unit), name, unit, minor)
    }

    /// Money that came, or went, and is a gain, or a loss, of ours.
    pub fn written_off(&self, name: &str, unit: Unit, minor: i64) -> Result<Vec<Posting>, String> {
        let legs = self.between(own_rail(unit), journal::Role::Differences, unit, minor)?;
        let posting = self.posting("write_off", name, Journal::Difference, legs);
        Ok(posting.into_iter().collect())
    }

    /// Legs that bring `minor` units to settlement from a role, or take them when negative.
    fn between(
        &self,
        rail: Rail,
        role: journal::Role,
        unit: Unit,
        minor: i64,
    ) -> Result<Vec<Leg>, String> {
        if minor == 0 {
            return Ok(Vec::new());
        }
        let currency: Currency = unit
            .currency()
            .ok_or_else(|| format!("our books have no {}", unit.code()))?;
        let amount = Amount::try_from(minor.unsigned_abs()).map_err(|it| it.to_string())?;
        let money = Money { amount, currency };
        let house = |role| journal::house(self.tenant, rail, role, currency);
        let (settlement, other) = (house(journal::Role::Settlement), house(role));
        Ok(if minor > 0 {
            journal::move_now(settlement, other, money)
        } else {
            journal::move_now(other, settlement, money)
        })
    }

    fn name(&self, what: &str, digest: &str) -> String {
        format!(
            "statement/{}/{}/{what}/{digest}",
            self.tenant, self.source.name
        )
    }

    fn posting(
        &self,
        what: &str,
        digest: &str,
        journal: Journal,
        legs: Vec<Leg>,
    ) -> Option<Posting> {
        let id = Id::of_name(&self.name(what, digest));
        (!legs.is_empty()).then_some(Posting { id, journal, legs })
    }

    /// Steps as one command, and so as one commit.
    pub fn command(&self, steps: Vec<TakeLines>) -> Command {
        Command {
            tenant: self.tenant,
            actor: Arc::from(WORKER),
            trace: None,
            idempotency: None,
            act: Act::TakeLines(steps),
        }
    }

    /// Carries steps out, one after the other; tells why when one is refused, and stops there.
    ///
    /// # Errors
    /// See [`ExecuteError`]; what was done stays done, and is not done again.
    pub async fn carry_out(
        &self,
        steps: Vec<TakeLines>,
    ) -> Result<Option<Rejection>, ExecuteError> {
        for step in steps {
            if let Some(rejection) = self.carry_out_together(vec![step]).await? {
                return Ok(Some(rejection));
            }
        }
        Ok(None)
    }

    /// Carries steps out in one commit; tells why when one is refused, and then nothing is done.
    ///
    /// # Errors
    /// See [`ExecuteError`].
    pub async fn carry_out_together(
        &self,
        steps: Vec<TakeLines>,
    ) -> Result<Option<Rejection>, ExecuteError> {
        match self.app.execute(self.command(steps)).await {
            Ok(_) => Ok(None),
            Err(ExecuteError::Rejected(rejection)) => Ok(Some(rejection)),
            Err(error) => Err(error),
        }
    }
}

fn taken(entry: &Entry, record: LineRecord) -> TakenLine {
    TakenLine {
        digest: entry.digest.clone(),
        place: entry.place,
        statement: entry.statement.to_string(),
        record,
        payout: None,
    }
}

/// The rail whose house accounts a match is posted to: that of its payments.
fn rail_of(gathered: &Gathered, it: &Match) -> Option<Rail> {
    let first = it.expected.first()?;
    Some(gathered.payments[first.0 as usize].rail)
}

/// The rail whose house accounts hold a currency where no payment says which.
fn own_rail(unit: Unit) -> Rail {
    let carries = |rail: &Rail| rail.currency().is_some() && rail.currency() == unit.currency();
    Rail::ALL.into_iter().find(carries).unwrap_or(Rail::Book)
}
