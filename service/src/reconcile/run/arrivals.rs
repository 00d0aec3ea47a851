//! Payouts in a run: those that a bank's lines came by, and those that a provider's report implies.

use std::collections::HashSet;

use lombard_core::matching::{self, BreakKind, Outcome};

use super::{Failure, Fate, Run};
use crate::reconcile::{
    breaks::Found,
    payouts::{self, Arrival},
    read::{Entry, Statement},
    together::{Wish, taken},
};

impl Run<'_> {
    /// Takes the lines that name payouts out of the input, and in.
    pub(super) async fn named_payouts(
        &mut self,
        input: &mut Vec<&Entry>,
    ) -> Result<Vec<Arrival>, Failure> {
        let (arrivals, differing) = self.awaited.named(input, &self.teller.source.rules);
        self.arrive(input, &arrivals).await?;
        let mut lines: HashSet<usize> = arrivals.iter().map(|it| it.line).collect();
        for (line, found) in differing {
            lines.insert(line);
            self.found.push(found);
        }
        let mut at = 0..;
        input.retain(|_| !at.next().is_some_and(|at| lines.contains(&at)));
        Ok(arrivals)
    }

    /// Takes in the lines that no payment was found for and that are a payout by their amount and days.
    pub(super) async fn payouts_alike(
        &mut self,
        input: &[&Entry],
        outcome: &mut Outcome,
        mut arrivals: Vec<Arrival>,
    ) -> Result<Vec<Arrival>, Failure> {
        let stray = |it: &matching::Break| match (it.kind, it.movements.as_ref()) {
            (BreakKind::MissingHere | BreakKind::UnknownReference, [only]) => Some(*only),
            _ => None,
        };
        let strays: Vec<_> = outcome.breaks.iter().filter_map(stray).collect();
        let rules = &self.teller.source.rules;
        let mut alike = self.awaited.alike(input, &strays, rules);
        let known = |it: &Arrival| arrivals.iter().any(|other| other.is_of_one_with(it));
        alike.retain(|it| !known(it));
        self.arrive(input, &alike).await?;
        let lines: HashSet<usize> = alike.iter().map(|it| it.line).collect();
        let came =
            |it: &matching::Break| stray(it).is_some_and(|id| lines.contains(&(id.0 as usize)));
        outcome.breaks.retain(|it| !came(it));
        arrivals.extend(alike);
        Ok(arrivals)
    }

    async fn arrive(&mut self, input: &[&Entry], arrivals: &[Arrival]) -> Result<(), Failure> {
        let teller = self.teller;
        let wishes = arrivals.iter().map(|it| {
            let payouts = self.awaited.of(it);
            let step = teller.arrived(input[it.line], &payouts, it.rule);
            Wish {
                steps: step.map(|it| vec![it]),
                // The line, and of each payout itself and what it posts.
                weight: 1 + 2 * payouts.len(),
            }
        });
        let refused = taken(teller, wishes.collect()).await?;
        for (it, refused) in arrivals.iter().zip(refused) {
            let entry = input[it.line];
            if let Some(why) = refused {
                let found = Found::of_line(entry, BreakKind::ConflictingStatus, &why);
                self.found.push(found);
                continue;
            }
            self.fates[entry.place as usize] = Fate::Matched;
            let names = self.awaited.of(it).into_iter().map(|it| it.name.clone());
            self.came.extend(names);
        }
        Ok(())
    }

    /// Takes in the payout that a report is about and has no row for, once all of it agrees.
    pub(super) async fn pay_out(&self, statement: &Statement) -> Result<(), Failure> {
        let lacks = |it: &Found| it.kind == BreakKind::MissingThere;
        let mut lines = statement.lines();
        if lines.any(|it| self.fate(it) == Fate::Open) || self.found.iter().any(lacks) {
            return Ok(());
        }
        if let Some(entry) = payouts::implied(self.format, statement)
            && let Ok(step) = self.teller.explained(&entry, self.rail_of(&entry))
        {
            self.teller.carry_out(vec![step]).await?;
        }
        Ok(())
    }
}
