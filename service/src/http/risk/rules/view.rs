//! Rules as callers are shown them.

use std::collections::HashMap;

use lombard_risk::policy::Policy;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    http::{risk::backtest::RiskBacktestReport, wire::scalar},
    risk::{
        history::{Hits, Performance},
        policies::{
            listed::Deed,
            rules::{Book, Version},
        },
    },
};

/// A rule with all its versions.
#[derive(Serialize, ToSchema)]
#[schema(as = RiskRule)]
pub struct RuleView<'a> {
    /// `risk_rule`.
    #[schema(pattern = "^risk_rule$")]
    object: &'static str,
    /// What it is called.
    #[schema(value_type = scalar::RiskName)]
    name: &'a str,
    /// Grows with every change; whoever changes the rule says which he has seen.
    revision: u32,
    /// The version that decides, if one does.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    deciding: Option<u32>,
    /// All versions, oldest first.
    #[schema(value_type = Vec<RiskRuleVersion>)]
    versions: &'a [Version],
    /// When it was taken out for good.
    #[schema(value_type = Option<RiskDeed>, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    retired: Option<&'a Deed>,
}

impl<'a> RuleView<'a> {
    /// The view of a rule.
    #[must_use]
    pub fn of(book: &'a Book) -> Self {
        Self {
            object: "risk_rule",
            name: &book.name,
            revision: book.revision,
            deciding: book.deciding().map(|version| version.rule.version),
            versions: &book.versions,
            retired: book.retired.as_ref(),
        }
    }
}

/// Rules, by name.
#[derive(Serialize, ToSchema)]
#[schema(as = RiskRules)]
pub struct RulesView<'a> {
    /// `risk_rules`.
    #[schema(pattern = "^risk_rules$")]
    object: &'static str,
    /// The version of the policy in force.
    policy_version: u64,
    /// The rules, by name.
    data: Vec<RuleView<'a>>,
    /// Whether there are more after them.
    has_more: bool,
    /// Where to go on.
    #[schema(nullable = false, max_length = 100)]
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<&'a str>,
}

impl<'a> RulesView<'a> {
    /// The view of a part of a policy's rules.
    pub fn of(policy: &Policy, books: &[&'a Book], has_more: bool) -> Self {
        let last = books.last().filter(|_| has_more);
        Self {
            object: "risk_rules",
            policy_version: policy.rules.version(),
            data: books.iter().copied().map(RuleView::of).collect(),
            has_more,
            next_cursor: last.map(|book| book.name.as_str()),
        }
    }
}

/// What the rules did to the newest payments.
#[derive(Serialize, ToSchema)]
#[schema(as = RiskHits)]
pub struct HitsView {
    /// `risk_hits`.
    #[schema(pattern = "^risk_hits$")]
    object: &'static str,
    /// Payments that were looked at and had been judged.
    payments: u64,
    /// The known frauds among them.
    frauds: u64,
    /// What each version of each rule did; what never held is not there.
    data: Vec<HitView>,
}

/// What a version of a rule did.
#[derive(Serialize, ToSchema)]
#[schema(as = RiskRuleHits)]
struct HitView {
    /// Which rule.
    #[schema(value_type = scalar::RiskName)]
    rule: String,
    /// Which version of it.
    version: u32,
    #[serde(flatten)]
    #[schema(value_type = RiskHitCounts)]
    hits: Hits,
}

impl HitsView {
    /// The view of what was counted.
    pub fn of(told: Performance) -> Self {
        let rules = told.rules.into_iter();
        Self {
            object: "risk_hits",
            payments: told.payments,
            frauds: told.frauds,
            data: rules
                .map(|((rule, version), hits)| HitView {
                    rule,
                    version,
                    hits,
                })
                .collect(),
        }
    }
}

/// Payments for which a rule held.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
pub struct RiskHitCounts {
    /// Payments that it held for.
    hits: u64,
    /// Of these, those that it decided about; for the others it was only noted.
    decided: u64,
    /// Of the hits, the known frauds.
    frauds_caught: u64,
    /// Those that are known to be genuine.
    false_positives: u64,
    /// Their sum, by currency, in minor units.
    amount: HashMap<String, u64>,
}

/// A version of a rule.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
pub struct RiskRuleVersion {
    /// What the rule is called.
    #[schema(value_type = scalar::RiskName)]
    name: String,
    /// From 1.
    version: u32,
    /// The condition.
    #[schema(max_length = 2000)]
    condition: String,
    /// What it asks for.
    #[schema(pattern = "^(approve|challenge|review|decline)$")]
    action: String,
    /// What is told to whoever asks why.
    #[schema(max_length = 500)]
    says: String,
    /// Who wrote it.
    #[schema(max_length = 200)]
    author: String,
    /// Why.
    #[schema(max_length = 1000)]
    reason: String,
    /// When.
    #[schema(value_type = scalar::Time)]
    written_at: String,
    /// `off`, `shadow`, `live` or `percentage`.
    #[schema(pattern = "^(off|shadow|live|percentage)$")]
    mode: String,
    /// Of a percentage: the share of payments that it decides about.
    #[schema(nullable = false, minimum = 1, maximum = 100)]
    percent: Option<u8>,
    /// Who set the mode last.
    #[schema(nullable = false, max_length = 200)]
    activated_by: Option<String>,
    /// When.
    #[schema(value_type = Option<scalar::Time>, nullable = false)]
    activated_at: Option<String>,
    /// What came of trying it when it was proposed.
    #[schema(nullable = false)]
    backtest: Option<RiskTrial>,
}

/// What came of trying a rule on the newest payments.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
pub struct RiskTrial {
    /// The sums.
    report: RiskBacktestReport,
    /// Payments that could not be tried, because they were not judged when they were made.
    unjudged: u64,
    /// Whether there are older payments that were not tried.
    more: bool,
}

/// Who did something, when and why.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
pub struct RiskDeed {
    /// Who.
    #[schema(max_length = 200)]
    by: String,
    /// When.
    #[schema(value_type = scalar::Time)]
    at: String,
    /// Why.
    #[schema(max_length = 1000)]
    reason: String,
}
