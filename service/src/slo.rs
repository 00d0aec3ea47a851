//! Objectives: what was promised, as data.
//!
//! **Shape.** What counts towards an objective is counted where it happens, good or bad by the
//! objective's own bound ([`Slo::note`]). Recording rules, burn-rate alerts ([`rules`]), the
//! dashboard and `lombard slo` all come from [`Slo::ALL`] and those two counters.

pub mod alerts;
pub mod burn;
mod dashboard;
mod rules;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::metrics::{METRICS, Metrics, label::Label};
pub use dashboard::dashboard;
pub use rules::{page, rules};

/// An objective.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slo {
    /// Requests for payments get an answer that is not our failure.
    Served,
    /// A payment is decided and durable in time.
    Accepted,
    /// A payment that waits for nobody is cleared in time.
    Cleared,
    /// Rails answer when they are called.
    RailAnswers,
    /// People are told of what cannot wait.
    Alerted,
}

/// What an objective promises.
#[derive(Clone, Copy, Debug)]
pub struct Promise {
    /// What is promised.
    pub what: &'static str,
    /// What is counted, and what of it spends the budget.
    pub counts: &'static str,
    /// The share that must be good, in millionths.
    pub good_ppm: u32,
    /// From when on a good answer comes too late to count as good.
    pub within: Option<Duration>,
}

/// Over how many days a budget is spent.
pub const WINDOW_DAYS: u32 = 30;

impl Label for Slo {
    const NAME: &'static str = "slo";
    const ALL: &'static [Self] = &[
        Self::Served,
        Self::Accepted,
        Self::Cleared,
        Self::RailAnswers,
        Self::Alerted,
    ];

    fn value(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::Accepted => "accepted",
            Self::Cleared => "cleared",
            Self::RailAnswers => "rail_answers",
            Self::Alerted => "alerted",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

impl Slo {
    /// What it promises.
    #[must_use]
    pub const fn promise(self) -> Promise {
        match self {
            Self::Served => Promise {
                what: "99.99 % of requests for payments are served",
                counts: "`POST /v1/payments`; an answer of 5xx spends the budget",
                good_ppm: 999_900,
                within: None,
            },
            Self::Accepted => Promise {
                what: "99 % of payments are decided and durable within 10 ms",
                counts: "commands that ask for a payment and get a decision; one that took longer spends the budget",
                good_ppm: 990_000,
                within: Some(Duration::from_millis(10)),
            },
            Self::Cleared => Promise {
                what: "99 % of payments are CLEARED within 50 ms",
                counts: "payments that reached CLEARED and waited for no person, day or money; one that took longer spends the budget",
                good_ppm: 990_000,
                within: Some(Duration::from_millis(50)),
            },
            Self::RailAnswers => Promise {
                what: "95 % of calls to a rail are answered within 3 s",
                counts: "calls to gateways; no answer, none that can be read, or none to be reached spends the budget",
                good_ppm: 950_000,
                within: None,
            },
            Self::Alerted => Promise {
                what: "99 % of exceptions that cannot wait are told within a minute",
                counts: "exceptions that cannot wait, where a channel is configured; one that was told later spends the budget",
                good_ppm: 990_000,
                within: Some(Duration::from_secs(60)),
            },
        }
    }

    /// Counts something towards it.
    pub fn note(self, good: bool) {
        METRICS.slo_events.of((self,)).inc();
        if !good {
            METRICS.slo_errors.of((self,)).inc();
        }
    }

    /// Counts something good, unless it took too long.
    pub fn note_within(self, took: Duration) {
        self.note(self.promise().within.is_none_or(|within| took <= within));
    }

    /// The share that may be bad.
    #[must_use]
    pub fn budget(self) -> f64 {
        f64::from(1_000_000 - self.promise().good_ppm) / 1e6
    }
}

/// How an objective stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// Its name.
    pub slo: String,
    /// What it promises.
    pub promise: String,
    /// What counted.
    pub events: u64,
    /// What of it was bad.
    pub errors: u64,
    /// What of the budget is left: 1 is all, 0 nothing, less than 0 too much was spent.
    pub left: f64,
}

impl Budget {
    /// After so many events and errors.
    #[must_use]
    pub fn after(slo: Slo, events: u64, errors: u64) -> Self {
        let spent = match events {
            0 => 0.0,
            events => errors as f64 / events as f64 / slo.budget(),
        };
        Self {
            slo: slo.value().to_owned(),
            promise: slo.promise().what.to_owned(),
            events,
            errors,
            left: 1.0 - spent,
        }
    }
}

/// How all objectives stand since the process began.
#[must_use]
pub fn budgets(metrics: &Metrics) -> Vec<Budget> {
    let budget = |slo: &Slo| {
        let (events, errors) = (
            metrics.slo_events.of((*slo,)),
            metrics.slo_errors.of((*slo,)),
        );
        Budget::after(*slo, events.get(), errors.get())
    };
    Slo::ALL.iter().map(budget).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_spent_by_errors_alone() {
        let left = |events, errors| Budget::after(Slo::Served, events, errors).left;
        assert!((left(0, 0) - 1.0).abs() < 1e-9);
        assert!((left(1_000_000, 50) - 0.5).abs() < 1e-9);
        assert!(left(10_000, 2) < -0.9);
    }

    #[test]
    fn what_takes_too_long_is_no_good() {
        let within = Slo::Accepted.promise().within.unwrap();
        let errors = || METRICS.slo_errors.of((Slo::Accepted,)).get();
        let before = errors();
        Slo::Accepted.note_within(within);
        assert_eq!(errors(), before);
        Slo::Accepted.note_within(within + Duration::from_nanos(1));
        assert_eq!(errors(), before + 1);
    }
}
