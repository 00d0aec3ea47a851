//! Alerts: what wakes somebody, as data. Each has a runbook in `docs/runbooks/alerts/`.

use crate::{exceptions::Kind, metrics::label::Label};

use super::Slo;

/// How urgent an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Somebody's sleep: customers notice, or money is in doubt.
    Page,
    /// Tomorrow's work.
    Ticket,
}

impl Severity {
    /// As it is written in rules.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Ticket => "ticket",
        }
    }
}

/// An alert of the rules.
#[derive(Clone, Debug)]
pub struct Alert {
    /// Its name.
    pub name: String,
    /// How urgent it is.
    pub severity: Severity,
    /// When it rings, in PromQL.
    pub when: String,
    /// For how long that must hold.
    pub hold: &'static str,
    /// What it means, in a sentence.
    pub means: String,
    /// Its runbook's file name.
    pub runbook: String,
}

/// A budget that burns so many times too fast over both windows rings. The factors spend 2 %, 5 %,
/// 10 % and 10 % of thirty days' budget (Google's SRE Workbook, chapter 5).
pub const BURNS: [(&str, &str, f64, Severity); 4] = [
    ("1h", "5m", 14.4, Severity::Page),
    ("6h", "30m", 6.0, Severity::Page),
    ("1d", "2h", 3.0, Severity::Ticket),
    ("3d", "6h", 1.0, Severity::Ticket),
];
/// With fewer errors than this a share says nothing.
const ERRORS_MIN: u32 = 10;

/// All alerts.
#[must_use]
pub fn alerts() -> Vec<Alert> {
    let mut all: Vec<Alert> = Slo::ALL.iter().flat_map(|slo| burns(*slo)).collect();
    all.extend(fixed());
    all.push(exceptions());
    all
}

fn burns(slo: Slo) -> impl Iterator<Item = Alert> {
    let name = slo.value();
    BURNS.into_iter().map(move |(long, short, factor, severity)| {
        let bound = factor * slo.budget();
        // A share below one in a million is no bound of ours, so six places are exact.
        let above = |window| format!("lombard:slo_errors:ratio_rate{window}{{slo=\"{name}\"}} > {bound:.6}");
        let enough = format!(
            "sum by (slo) (increase(lombard_slo_errors_total{{slo=\"{name}\"}}[{long}])) >= {ERRORS_MIN}"
        );
        Alert {
            name: format!("LombardBudget{}", camel(name)),
            severity,
            when: format!("{} and {} and {enough}", above(long), above(short)),
            hold: "0m",
            means: format!("{}: the error budget of 30 days burns {factor} times too fast over {long}", slo.promise().what),
            runbook: format!("budget-{}.md", name.replace('_', "-")),
        }
    })
}

fn camel(name: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    };
    name.split('_').map(word).collect()
}

/// Name, severity, expression, hold, meaning.
const FIXED: &[(&str, Severity, &str, &str, &str)] = &[
    (
        "LombardDown",
        Severity::Page,
        "up{job=\"lombard\"} == 0",
        "1m",
        "The process is not there, or does not answer: no payment is taken",
    ),
    (
        "LombardStoreRefuses",
        Severity::Page,
        "lombard_store_refuses > 0",
        "0m",
        "The store takes no writes: every payment is refused until somebody acts",
    ),
    (
        "LombardDiskFilling",
        Severity::Page,
        "lombard_store_disk_free_bytes < 2e9 or predict_linear(lombard_store_disk_free_bytes[6h], 86400) < 0",
        "10m",
        "The disk of the store is full within a day, or almost is; below 256 MB free no payment is taken",
    ),
    (
        "LombardShedding",
        Severity::Page,
        "sum by (reason) (rate(lombard_requests_shed_total{reason!=\"rate_limited\"}[5m])) > 0",
        "2m",
        "Callers are turned away because too much is going on",
    ),
    (
        "LombardRailBreakerOpen",
        Severity::Page,
        "max_over_time(lombard_rail_breaker[1m]) == 2",
        "0m",
        "A rail fails: its payments wait here, where they can still be cancelled",
    ),
    (
        "LombardInDoubt",
        Severity::Page,
        "lombard_payments_at_stage{stage=\"in_doubt\"} > 10",
        "5m",
        "Payments are in doubt: money may have moved, and the rail does not say",
    ),
    (
        "LombardFeedBehind",
        Severity::Page,
        "lombard_feed_lag_seconds > 60",
        "1m",
        "A reader of the change feed is a minute behind: what was committed is not carried out",
    ),
    (
        "LombardLogBehind",
        Severity::Page,
        "lombard_log_lag_seconds > 30",
        "1m",
        "Ledger entries wait for a checkpoint of the verifiable log: what was paid cannot be proven yet",
    ),
    (
        "LombardLogUnwitnessed",
        Severity::Ticket,
        "lombard_log_witnessed == 0",
        "15m",
        "Too few witnesses cosign the log's checkpoints",
    ),
    (
        "LombardExceptionsOld",
        Severity::Ticket,
        "lombard_exceptions_oldest_seconds > 14400",
        "0m",
        "An exception has waited four hours for a person",
    ),
    (
        "LombardWebhooksGivenUp",
        Severity::Ticket,
        "increase(lombard_webhooks_given_up_total[1h]) > 0",
        "0m",
        "A customer's endpoint did not take a webhook at any try",
    ),
    (
        "LombardHandlesShort",
        Severity::Ticket,
        "process_open_fds / process_max_fds > 0.8",
        "10m",
        "The process is running out of file handles; then no connection is accepted",
    ),
    (
        "LombardPersonalDataStopped",
        Severity::Ticket,
        "lombard_redactions > 0",
        "0m",
        "Personal data was stopped on its way into a log or an answer: somewhere it leaks",
    ),
];

fn fixed() -> impl Iterator<Item = Alert> {
    FIXED
        .iter()
        .map(|(name, severity, when, hold, means)| Alert {
            name: (*name).to_owned(),
            severity: *severity,
            when: (*when).to_owned(),
            hold,
            means: (*means).to_owned(),
            runbook: format!("{}.md", kebab(name.trim_start_matches("Lombard"))),
        })
}

fn kebab(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

/// New exceptions that cannot wait; whoever has routes of our own is told by them within a minute.
fn exceptions() -> Alert {
    let urgent: Vec<_> = Kind::ALL
        .into_iter()
        .filter(|kind| kind.is_urgent())
        .collect();
    let kinds: Vec<_> = urgent.into_iter().map(Kind::name).collect();
    let kinds = kinds.join("|");
    Alert {
        name: "LombardExceptionUrgent".to_owned(),
        severity: Severity::Page,
        when: format!("increase(lombard_exceptions_opened_total{{kind=~\"{kinds}\"}}[5m]) > 0"),
        hold: "0m",
        means: "An exception was opened that cannot wait".to_owned(),
        runbook: "exception-urgent.md".to_owned(),
    }
}
