//! The close of each statement, and of a file.

use super::{
    read::{File, Statement},
    report::{Close, Report},
    run::{Fate, Run},
};

impl Run<'_> {
    /// What a file came to, but for its exceptions.
    pub fn report(&self, file: &File) -> Report {
        let statements: Vec<Close> = file.statements.iter().map(|it| self.close(it)).collect();
        let first = statements.first();
        let one_account = statements.iter().all(|it| {
            first.is_some_and(|first| {
                (&first.account, &first.currency) == (&it.account, &it.currency)
            })
        });
        let lines = file.statements.iter().flat_map(Statement::lines);
        let count = |of: Fate| lines.clone().filter(|it| self.fate(it) == of).count() as u64;
        Report {
            object: "reconciliation",
            format: file
                .format
                .map_or_else(String::new, |it| it.name().to_owned()),
            source: self.teller.source.name.clone(),
            lines: lines.clone().count() as u64,
            matched: count(Fate::Matched),
            explained: count(Fate::Explained),
            exceptions: Vec::new(),
            opening: first.filter(|_| one_account).and_then(|it| it.opening),
            closing: statements
                .last()
                .filter(|_| one_account)
                .and_then(|it| it.closing),
            deviations: { file.deviations.iter().take(100) }
                .map(|it| format!("{}: {}", it.at, it.message))
                .collect(),
            statements,
        }
    }

    fn close(&self, statement: &Statement) -> Close {
        let summary = &statement.summary;
        let mut close = Close {
            account: summary.account.clone(),
            currency: summary.currency.map(|it| it.code().to_owned()),
            id: summary.id.clone(),
            opening: summary.opening,
            closing: summary.closing,
            lines: statement.lines().count() as u64,
            consistent: summary.consistent,
            deviations: summary.deviation_count,
            quarantined: summary.consistent == Some(false)
                || self.teller.source.is_foreign(&summary.account),
            ..Close::default()
        };
        for entry in statement.lines() {
            let sum = match self.fate(entry) {
                Fate::Matched => &mut close.matched,
                Fate::Explained => &mut close.explained,
                Fate::Open => &mut close.open,
            };
            *sum += entry.movement.minor;
        }
        close
    }
}
