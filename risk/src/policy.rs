//! A policy: everything that a bank decides about risk, in one document.
//!
//! Rules, lists, limits, thresholds and the fallback, in JSON, compiled as a whole: a policy with
//! one wrong rule is refused, so that nobody believes a rule in force that is not.

use std::collections::BTreeSet;

use lombard_core::risk::{Action, Limit};
use serde::{Deserialize, Serialize};

use crate::{
    decision::{Thresholds, fallback::Plan},
    features::{Event, Kind},
    rules::{Lists, Rule, RuleSet, Wrong, lists::ENTRIES_MAX, set::RULES_MAX},
};

/// The most limits. A payment's commit reads and writes those that it counts against, beside its
/// own records, and has room for a hundred.
pub const LIMITS_MAX: usize = 32;

/// The most characters of the name of a rule or a limit.
pub const NAME_MAX: usize = 100;
/// The most characters of what a rule says.
pub const SAYS_MAX: usize = 500;

/// A policy as it is written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Document {
    /// Grows with every change; decisions name it.
    pub version: u64,
    /// The rules.
    pub rules: Vec<Rule>,
    /// The lists.
    pub lists: Lists,
    /// The limits.
    pub limits: Vec<LimitRule>,
    /// At which scores what is done.
    pub thresholds: Option<Thresholds>,
    /// What is done when no judgement can be had in time.
    pub fallback: Plan,
}

/// A limit as it is written: at most so much in a period, for each of what it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitRule {
    /// What it is called.
    pub name: String,
    /// Whom it is about, together: `["account", "payee"]` is each payee of each account.
    pub per: Vec<Kind>,
    /// How long a period is, in hours; periods begin at midnight UTC for 24.
    pub hours: u32,
    /// What is counted.
    pub counts: Counts,
    /// The most in a period: minor units, or attempts.
    pub most: u64,
    /// What is done with a payment that would exceed it.
    pub action: Action,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// The money of payments that were not refused.
    Amount,
    /// Payments, refused ones too.
    Attempts,
}

/// Why a policy is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is not a policy document.
    #[error("not a policy: {0}")]
    Document(String),
    /// A rule is wrong.
    #[error("the rule `{rule}`: {}", .wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Rule {
        /// Which.
        rule: String,
        /// Where and how.
        wrong: Vec<Wrong>,
    },
    /// Two limits, two versions of a rule that decide, or one version twice: one of them would not
    /// be found.
    #[error("`{0}` is there twice")]
    Twice(String),
    /// There is more than is held.
    #[error("there are {found} {what}, {most} are the most")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// A rule is in force without a second person.
    #[error("the rule `{0}` is in force, but nobody else than its author activated it")]
    OnePerson(String),
    /// A threshold lies below one that is milder.
    #[error(
        "thresholds must not fall from challenge to review to decline, unless one is 1000001 (never)"
    )]
    Thresholds,
    /// A limit that nothing could meet or that is about nobody.
    #[error("the limit `{0}` needs somebody that it is about, and a period")]
    Limit(String),
}

/// A policy in force.
#[derive(Debug, Default)]
pub struct Policy {
    /// The rules that are asked.
    pub rules: RuleSet,
    /// All rules as they were written, those that are off as well.
    written: Vec<Rule>,
    /// The lists.
    pub lists: Lists,
    /// The limits.
    pub limits: Vec<LimitRule>,
    /// At which scores what is done.
    pub thresholds: Thresholds,
    /// What is done when no judgement can be had in time.
    pub fallback: Plan,
}

impl Policy {
    /// Reads a document.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn parse(text: &str) -> Result<Self, Refused> {
        let document: Document =
            serde_json::from_str(text).map_err(|error| Refused::Document(error.to_string()))?;
        Self::compile(document)
    }

    /// Compiles a document.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn compile(document: Document) -> Result<Self, Refused> {
        bounded("rules", document.rules.len(), RULES_MAX)?;
        bounded("limits", document.limits.len(), LIMITS_MAX)?;
        bounded("entries of lists", document.lists.len(), ENTRIES_MAX)?;
        for rule in &document.rules {
            bounded("characters in a name", rule.name.chars().count(), NAME_MAX)?;
            bounded("characters in `says`", rule.says.chars().count(), SAYS_MAX)?;
        }
        for limit in &document.limits {
            bounded("characters in a name", limit.name.chars().count(), NAME_MAX)?;
        }
        unique(&document.rules, |rule| (&rule.name, rule.version))?;
        unique(
            document.rules.iter().filter(|rule| rule.mode.may_decide()),
            |rule| (&rule.name, 0),
        )?;
        unique(&document.limits, |limit| (&limit.name, 0))?;
        for rule in &document.rules {
            let decides = rule.mode.may_decide();
            let second = rule
                .activated_by
                .as_ref()
                .is_some_and(|by| *by != rule.author);
            if decides && !second {
                return Err(Refused::OnePerson(rule.name.clone()));
            }
        }
        for limit in &document.limits {
            if limit.per.is_empty() || limit.hours == 0 {
                return Err(Refused::Limit(limit.name.clone()));
            }
        }
        let thresholds = document.thresholds.unwrap_or_default();
        if !thresholds.are_ordered() {
            return Err(Refused::Thresholds);
        }
        let rules = RuleSet::compile(document.version, document.rules.clone(), &document.lists)
            .map_err(|(rule, wrong)| Refused::Rule { rule, wrong })?;
        Ok(Self {
            rules,
            written: document.rules,
            lists: document.lists,
            limits: document.limits,
            thresholds,
            fallback: document.fallback,
        })
    }

    /// All rules as they were written, those that are off as well.
    #[must_use]
    pub fn written(&self) -> &[Rule] {
        &self.written
    }

    /// The policy as it is written.
    #[must_use]
    pub fn document(&self) -> Document {
        Document {
            version: self.rules.version(),
            rules: self.written.clone(),
            lists: self.lists.clone(),
            limits: self.limits.clone(),
            thresholds: Some(self.thresholds),
            fallback: self.fallback.clone(),
        }
    }

    /// The limits that a payment counts against: those about subjects that it names. Money is
    /// counted in each currency by itself.
    #[must_use]
    pub fn limits(&self, event: &Event, currency: &str) -> Vec<Limit> {
        let limits = self.limits.iter();
        limits
            .filter_map(|limit| limit.of(event, currency))
            .collect()
    }
}

fn bounded(what: &'static str, found: usize, most: usize) -> Result<(), Refused> {
    if found > most {
        return Err(Refused::TooMany { what, found, most });
    }
    Ok(())
}

/// Whether no two are known by the same name and number.
fn unique<'a, T: 'a>(
    all: impl IntoIterator<Item = &'a T>,
    known_by: impl Fn(&'a T) -> (&'a String, u32),
) -> Result<(), Refused> {
    let mut seen = BTreeSet::new();
    for one in all {
        let known = known_by(one);
        if !seen.insert(known) {
            return Err(Refused::Twice(known.0.clone()));
        }
    }
    Ok(())
}

impl LimitRule {
    fn of(&self, event: &Event, currency: &str) -> Option<Limit> {
        let subjects = self.per.iter().map(|kind| event.subject(*kind));
        let subjects: Vec<String> = subjects
            .map(|subject| subject.map(|subject| subject.to_string()))
            .collect::<Option<_>>()?;
        let mut parts: Vec<&str> = subjects.iter().map(String::as_str).collect();
        let attempts = self.counts == Counts::Attempts;
        if !attempts {
            parts.push(currency);
        }
        Some(Limit {
            name: self.name.clone(),
            counter: Limit::counter(&self.name, &parts),
            period_ms: u64::from(self.hours) * 3_600_000,
            most: self.most,
            add: if attempts { 1 } else { event.amount },
            always: attempts,
            action: self.action,
        })
    }
}

#[cfg(test)]
mod tests {
    use lombard_core::time::Timestamp;

    use super::*;
    use crate::{features::Subject, rules::Mode};

    /// As the documentation shows it.
    const POLICY: &str = r#"{
        "version": 3,
        "rules": [{"name": "mules", "version": 1, "condition": "in_list('mules', payee)", "action": "decline",
            "says": "the payee is a known mule", "author": "ann", "reason": "case 7", "written_at": "2026-11-23",
            "mode": "live", "activated_by": "bob"}],
        "lists": {"mules": {"0123456789abcdef": null}},
        "limits": [{"name": "payee_day", "per": ["account", "payee"], "hours": 24, "counts": "amount", "most": 200000, "action": "review"}],
        "fallback": [{"up_to": 1000, "action": "approve"}]
    }"#;

    #[test]
    fn a_policy_is_taken_whole_or_not_at_all() {
        let policy = Policy::parse(POLICY).unwrap();
        assert_eq!((policy.rules.len(), policy.rules.version()), (1, 3));
        let again = Policy::compile(policy.document()).unwrap();
        assert_eq!(again.document(), policy.document());
        for (from, to, wanted) in [
            ("payee)", "paye)", "in_list("),
            (
                "\"mules\": {",
                "\"others\": {",
                "line 1, column 9: there is no list `mules`",
            ),
            ("\"bob\"", "\"ann\"", "nobody else than its author"),
            ("\"hours\": 24", "\"hours\": 0", "needs somebody"),
            ("\"limits\"", "\"limit\"", "unknown field"),
            ("2026-11-23", "yesterday", "neither a day"),
            (
                "\"live\"",
                "\"percentage\", \"percent\": 150",
                "from 1 to 100",
            ),
            ("\"live\"", "\"percentage\"", "from 1 to 100"),
            ("\"live\"", "\"live\", \"percent\": 5", "only the mode"),
            ("\"reason\"", "\"raeson\"", "unknown field `raeson`"),
            ("\"live\"", "\"off\", \"until\": 5", "unknown field `until`"),
            ("payee)", "paye)\", \"mode\": \"off", "duplicate field"),
            (
                "\"fallback\"",
                "\"thresholds\": {\"challenge\": 9, \"review\": 8, \"decline\": 10}, \"fallback\"",
                "must not fall",
            ),
        ] {
            let refused = Policy::parse(&POLICY.replace(from, to))
                .unwrap_err()
                .to_string();
            assert!(refused.contains(wanted), "{to}: {refused}");
        }
    }

    #[test]
    fn a_rule_that_is_off_is_checked_as_well() {
        let off = POLICY.replace("\"live\"", "\"off\"");
        assert_eq!(Policy::parse(&off).unwrap().rules.len(), 0);
        let refused = Policy::parse(&off.replace("payee)", "paye)")).unwrap_err();
        assert!(refused.to_string().contains("column"), "{refused}");
        // Its list may be made later.
        Policy::parse(&off.replace("\"mules\": {", "\"others\": {")).unwrap();
    }

    #[test]
    fn a_version_may_be_in_the_shadow_of_the_one_that_decides() {
        let mut document = Policy::parse(POLICY).unwrap().document();
        let mut next = document.rules[0].clone();
        next.version = 2;
        document.rules.push(next);
        let twice = Refused::Twice("mules".into());
        assert_eq!(Policy::compile(document.clone()).unwrap_err(), twice);
        document.rules[1].mode = Mode::Shadow;
        assert_eq!(Policy::compile(document.clone()).unwrap().rules.len(), 2);
        document.rules[1].version = 1;
        assert_eq!(Policy::compile(document).unwrap_err(), twice);
    }

    #[test]
    fn a_limit_is_counted_for_each_that_it_is_about() {
        let policy = Policy::parse(POLICY).unwrap();
        let event = |payee| {
            Event::new(1, Timestamp::from_unix_ms(1_700_000_000_000), 500)
                .with(Kind::Account, Subject(1))
                .with(Kind::Payee, Subject(payee))
        };
        let counter = |payee| policy.limits(&event(payee), "GBP")[0].counter.clone();
        assert_eq!(counter(2), counter(2));
        assert_ne!(counter(2), counter(3));
        assert_ne!(
            counter(2),
            policy.limits(&event(2), "EUR")[0].counter,
            "pounds and euros are not added up"
        );
        assert_eq!(policy.limits(&event(2), "GBP")[0].add, 500);
        let nobody = Event::new(1, Timestamp::default(), 500);
        assert!(
            policy.limits(&nobody, "GBP").is_empty(),
            "it names neither account nor payee"
        );
    }
}
