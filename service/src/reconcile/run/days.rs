//! The days of a run: each statement is kept under its account and day, held to its neighbours, and told of
//! when its day is closed.

use std::collections::BTreeSet;

use lombard_core::{matching::BreakKind, statement::Format};

use super::{Failure, Fate, Run};
use crate::reconcile::{
    breaks::Found,
    days::Closed,
    read::{Entry, File, Statement},
    sheets::{self, OPEN_MAX, OpenLine, Sheet},
};

impl Run<'_> {
    /// Keeps what the statements came to. Gives the names of gaps that are none any more.
    pub(super) async fn keep_sheets(&mut self, file: &File) -> Result<BTreeSet<String>, Failure> {
        let teller = self.teller;
        let mut joined = BTreeSet::new();
        if self.format.is_interim() {
            return Ok(joined);
        }
        let mut kept = Vec::new();
        for statement in &file.statements {
            let foreign = teller.source.is_foreign(&statement.summary.account);
            let quarantined = foreign || statement.summary.consistent == Some(false);
            let is_batch = self.format.is_of_a_provider();
            let Some(mut sheet) = Sheet::of(statement, is_batch, quarantined) else {
                continue;
            };
            sheet.sums = self.sums(statement);
            let open = statement.lines().filter(|it| self.fate(it) == Fate::Open);
            let open = open.map(|it| OpenLine {
                digest: it.digest.clone(),
                minor: it.movement.minor,
            });
            sheet.open = open.take(OPEN_MAX).collect();
            match sheets::keep(teller.app, teller.tenant, teller.source, &sheet).await? {
                None => kept.push(sheet),
                Some(closed) => self.found.extend(self.after(statement, &sheet, &closed)),
            }
        }
        let sound = kept.iter().filter(|it| !it.quarantined);
        for sheet in sound.filter(|_| Format::is_of_an_account(self.format)) {
            let name = &teller.source.name;
            let found = sheets::gaps(teller.app, teller.tenant, name, sheet, &mut joined).await?;
            self.found.extend(found);
        }
        Ok(joined)
    }

    /// Lines that came for a day after its close: they are true, and it does not have them.
    fn after(&self, statement: &Statement, sheet: &Sheet, closed: &Closed) -> Option<Found> {
        let fresh = |it: &&Entry| !self.is_known(it);
        let later: Vec<&Entry> = statement.lines().filter(fresh).collect();
        let was = closed.day.sums;
        let now = sheet.sums.total();
        let first = later.first()?;
        // What was open at the close, and is so still, is not news.
        if closed.day.statements.contains(&sheet.id) && was.total() == now {
            return None;
        }
        let sum: i64 = later.iter().map(|it| it.movement.minor).sum();
        let why = format!(
            "{} lines of {sum} came for {}, which was closed on {}: the first is {}",
            later.len(),
            sheet.day,
            closed.at,
            first.reference()
        );
        Some(Found {
            kind: BreakKind::Late,
            subject: format!("closed:{}", statement.name),
            minor: sum,
            unit: statement.summary.currency,
            reference: first.reference().into_owned(),
            why,
            payments: Vec::new(),
            line: None,
        })
    }
}
