//! The close of each statement, and of a file.

use serde::{Deserialize, Serialize};

use super::{
    read::{File, Statement},
    report::{Close, Report},
    run::{Fate, Run},
};

/// Lines, and what they add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// How many.
    pub lines: u64,
    /// Minor units.
    pub minor: i64,
}

impl Sum {
    /// Counts a line in.
    pub fn put(&mut self, minor: i64) {
        self.lines += 1;
        self.minor += minor;
    }

    /// Counts a line out.
    pub fn take(&mut self, minor: i64) {
        self.lines = self.lines.saturating_sub(1);
        self.minor -= minor;
    }

    fn add(&mut self, other: Self) {
        self.lines += other.lines;
        self.minor += other.minor;
    }
}

/// What became of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// They are payments of ours.
    pub matched: Sum,
    /// Fees, payouts and the like.
    pub explained: Sum,
    /// Nothing accounts for them.
    pub open: Sum,
}

impl Sums {
    /// Counts others in.
    pub fn add(&mut self, other: &Self) {
        self.matched.add(other.matched);
        self.explained.add(other.explained);
        self.open.add(other.open);
    }

    /// All of them, in minor units.
    pub fn total(&self) -> i64 {
        self.matched.minor + self.explained.minor + self.open.minor
    }

    fn of(&mut self, fate: Fate) -> &mut Sum {
        match fate {
            Fate::Matched => &mut self.matched,
            Fate::Explained => &mut self.explained,
            Fate::Open => &mut self.open,
        }
    }
}

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
        let sums = self.sums(statement);
        close.matched = sums.matched.minor;
        close.explained = sums.explained.minor;
        close.open = sums.open.minor;
        close
    }

    /// What became of a statement's lines.
    pub fn sums(&self, statement: &Statement) -> Sums {
        let mut sums = Sums::default();
        for entry in statement.lines() {
            sums.of(self.fate(entry)).put(entry.movement.minor);
        }
        sums
    }
}
