//! Tries a rule on history before it decides about anybody's money.
//!
//! **Shape.** Payments come one after another, each with the vector that was known when it was
//! made and what became of it, if that is known; so nothing is replayed and nothing of the future
//! can be seen. Sums only: a million payments take no more memory than one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::language::{Condition, Facts};

/// What a rule would have done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Payments looked at.
    pub payments: u64,
    /// Payments for which the condition held.
    pub hits: u64,
    /// Their sum, by currency, in minor units.
    pub amount: BTreeMap<String, u64>,
    /// Known frauds among all payments.
    pub frauds: u64,
    /// Known frauds among the hits.
    pub frauds_caught: u64,
    /// Their sum, by currency, in minor units.
    pub fraud_amount_caught: BTreeMap<String, u64>,
    /// Hits that are known to be genuine.
    pub false_positives: u64,
    /// Hits of which nothing is known yet.
    pub unknown: u64,
    /// Genuine payments hit for each fraud caught; none when none was caught.
    pub false_positives_per_fraud: Option<f64>,
    /// Hits that other rules had too, by rule.
    pub overlap: BTreeMap<String, u64>,
    /// Hits, and frauds caught, that no other rule had.
    pub alone: u64,
    /// See [`Report::alone`].
    pub frauds_caught_alone: u64,
    /// Payments for which the condition could not be evaluated.
    pub failed: u64,
}

/// A back-test under way.
#[derive(Debug)]
pub struct Backtest<'a> {
    condition: &'a Condition,
    report: Report,
}

impl<'a> Backtest<'a> {
    /// Of a condition.
    #[must_use]
    pub fn new(condition: &'a Condition) -> Self {
        Self {
            condition,
            report: Report::default(),
        }
    }

    /// Takes in a payment: its facts, whether it was fraud, and the rules that held for it.
    pub fn add<'b>(
        &mut self,
        facts: &Facts<'_>,
        fraud: Option<bool>,
        others: impl Iterator<Item = &'b str>,
    ) {
        let report = &mut self.report;
        report.payments += 1;
        report.frauds += u64::from(fraud == Some(true));
        match self.condition.holds(facts) {
            Ok(true) => {}
            Ok(false) => return,
            Err(_) => {
                report.failed += 1;
                return;
            }
        }
        report.hits += 1;
        let add = |sums: &mut BTreeMap<String, u64>| {
            let sum = sums.entry(facts.currency.to_owned()).or_default();
            *sum = sum.saturating_add(facts.event.amount);
        };
        add(&mut report.amount);
        match fraud {
            Some(true) => {
                report.frauds_caught += 1;
                add(&mut report.fraud_amount_caught);
            }
            Some(false) => report.false_positives += 1,
            None => report.unknown += 1,
        }
        let mut alone = true;
        for other in others {
            alone = false;
            *report.overlap.entry(other.to_owned()).or_default() += 1;
        }
        report.alone += u64::from(alone);
        report.frauds_caught_alone += u64::from(alone && fraud == Some(true));
    }

    /// What came of it.
    #[must_use]
    pub fn finish(mut self) -> Report {
        self.report.rate();
        self.report
    }
}

impl Report {
    #[allow(clippy::cast_precision_loss)] // Counts of payments.
    fn rate(&mut self) {
        let (good, caught) = (self.false_positives, self.frauds_caught);
        self.false_positives_per_fraud = (caught > 0).then(|| good as f64 / caught as f64);
    }

    /// Takes in what came of other payments.
    pub fn merge(&mut self, other: Self) {
        self.payments += other.payments;
        self.hits += other.hits;
        self.frauds += other.frauds;
        self.frauds_caught += other.frauds_caught;
        self.false_positives += other.false_positives;
        self.unknown += other.unknown;
        self.alone += other.alone;
        self.frauds_caught_alone += other.frauds_caught_alone;
        self.failed += other.failed;
        for (sums, more) in [
            (&mut self.amount, other.amount),
            (&mut self.fraud_amount_caught, other.fraud_amount_caught),
            (&mut self.overlap, other.overlap),
        ] {
            for (name, sum) in more {
                let total = sums.entry(name).or_default();
                *total = total.saturating_add(sum);
            }
        }
        self.rate();
    }
}

#[cfg(test)]
mod tests {
    use lombard_core::time::Timestamp;

    use super::*;
    use crate::{
        features::{Book, Event},
        rules::Lists,
    };

    #[test]
    fn it_counts_what_was_caught_and_whom_it_cost() {
        let condition = Condition::compile("amount >= 100").unwrap();
        let mut backtest = Backtest::new(&condition);
        for (amount, fraud, other) in [
            (100, Some(true), None),
            (200, Some(true), Some("old")),
            (300, Some(false), None),
            (400, None, None),
            (99, Some(true), None),
        ] {
            let event = Event::new(amount, Timestamp::from_unix_ms(1_700_000_000_000), amount);
            let facts = Facts {
                vector: &Book::default().vector(&event),
                event: &event,
                rail: "fps",
                currency: "GBP",
                lists: &Lists::default(),
            };
            backtest.add(&facts, fraud, other.into_iter());
        }
        let report = backtest.finish();
        let mut twice = report.clone();
        twice.merge(report.clone());
        assert_eq!((twice.hits, twice.amount["GBP"]), (8, 2000));
        assert_eq!(twice.false_positives_per_fraud, Some(0.5));
        assert_eq!((report.payments, report.hits, report.frauds), (5, 4, 3));
        assert_eq!(
            (report.frauds_caught, report.false_positives, report.unknown),
            (2, 1, 1)
        );
        assert_eq!(report.amount["GBP"], 1000);
        assert_eq!(report.fraud_amount_caught["GBP"], 300);
        assert_eq!(report.false_positives_per_fraud, Some(0.5));
        assert_eq!(
            (
                report.overlap["old"],
                report.alone,
                report.frauds_caught_alone
            ),
            (1, 3, 1)
        );
    }
}
