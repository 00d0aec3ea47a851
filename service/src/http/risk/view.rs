//! A decision as callers are shown it.

use std::collections::BTreeMap;

use lombard_core::{
    id::Id,
    lifecycle::Status,
    payment::Payment,
    risk::{Action, Kept},
};
use lombard_risk::{
    decision::{Challenger, Thresholds},
    features::{Kind, catalogue},
    model::scorer::Contribution,
    rules::Fired,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    http::wire::{Moment, scalar},
    risk::{Judged, replay::Replay},
};

/// What was decided about a payment, and why.
#[derive(Serialize, ToSchema)]
#[schema(as = RiskDecision)]
pub struct DecisionView<'a> {
    /// `risk_decision`.
    #[schema(pattern = "^risk_decision$")]
    object: &'static str,
    #[schema(value_type = scalar::PaymentId)]
    payment: Id<Payment>,
    /// When it was decided.
    #[schema(value_type = scalar::Time)]
    decided_at: Moment,
    /// Where the payment stands now.
    #[schema(value_type = scalar::StatusName)]
    status: Status,
    /// What was done: `approve`, `challenge`, `review` or `decline`.
    #[schema(value_type = String, pattern = "^(approve|challenge|review|decline)$")]
    action: Action,
    /// What rules and model asked for; a limit that was exceeded can ask for more.
    #[schema(value_type = String, pattern = "^(approve|challenge|review|decline)$")]
    asked: Action,
    /// Why, in plain words, the weightiest first.
    #[schema(value_type = Vec<scalar::RiskReason>)]
    reasons: Vec<String>,
    /// The limits that the payment would have exceeded.
    #[schema(value_type = Vec<scalar::RiskName>)]
    limits_exceeded: &'a [String],
    /// The rules that held.
    #[schema(value_type = Vec<FiredRule>)]
    rules: &'a [Fired],
    /// The probability of fraud, in millionths.
    #[schema(minimum = 0, maximum = 1_000_000, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<u32>,
    /// Which model gave it.
    #[schema(value_type = Option<scalar::RiskName>, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    /// The version of the policy.
    policy_version: u64,
    /// From which scores on what is done, in millionths.
    #[schema(value_type = RiskThresholds)]
    thresholds: Thresholds,
    /// Why the policy's fallback decided, if it did: `too_slow` or `unavailable`.
    #[schema(nullable = false, pattern = "^(too_slow|unavailable)$")]
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback: Option<&'static str>,
    /// What the model in the shadow would have said.
    #[schema(value_type = Option<RiskChallenger>, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    challenger: Option<&'a Challenger>,
    /// How long it took, in microseconds.
    took_us: u32,
    #[serde(flatten)]
    more: Option<Explained>,
}

/// What is told of one decision beside what a list shows.
#[derive(Serialize, ToSchema)]
#[schema(as = RiskExplanation)]
pub struct Explained {
    /// Whom the payment names, by kind, as lists name them.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    subjects: BTreeMap<&'static str, String>,
    /// Every feature that was known, by name.
    #[schema(value_type = std::collections::HashMap<String, f64>)]
    features: BTreeMap<&'static str, f64>,
    /// What moved the model, the strongest first: how much each feature added to the log odds.
    #[schema(value_type = Vec<RiskContribution>)]
    contributions: Vec<Contribution>,
    /// What came of making the decision again from what was stored.
    replay: ReplayView,
}

/// What came of it.
#[derive(Serialize, ToSchema)]
#[schema(as = RiskReplay)]
struct ReplayView {
    /// `same`, `other`, or `missing` when something that it takes is not there.
    #[schema(pattern = "^(same|other|missing)$")]
    result: &'static str,
    /// What is not there, or what it would be now.
    #[schema(nullable = false, max_length = 1000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl<'a> DecisionView<'a> {
    /// The view of a decision of a payment that stands at `status`.
    #[must_use]
    pub fn of(kept: &'a Kept, judged: &'a Judged, status: Status) -> Self {
        let decision = &judged.decision;
        Self {
            object: "risk_decision",
            payment: judged.payment,
            decided_at: judged.event.at.into(),
            status,
            action: kept.action,
            asked: decision.action,
            reasons: reasons(kept, judged),
            limits_exceeded: &kept.exceeded,
            rules: &decision.fired,
            score: decision.score,
            model: decision.model.as_deref(),
            policy_version: decision.rule_set,
            thresholds: decision.thresholds,
            fallback: decision.fallback.map(|why| why.name()),
            challenger: decision.challenger.as_ref(),
            took_us: decision.took_us,
            more: None,
        }
    }

    /// The same with everything that explains it.
    #[must_use]
    pub fn explained(
        mut self,
        judged: &Judged,
        contributions: Vec<Contribution>,
        replay: &Replay,
    ) -> Self {
        let subject = |kind: Kind| Some((kind.name(), judged.event.subject(kind)?.to_string()));
        let vector = judged.decision.vector.as_ref();
        let values = vector.map_or(&[][..], |vector| vector.values());
        let known = catalogue::all().iter().zip(values);
        self.more = Some(Explained {
            subjects: Kind::ALL.into_iter().filter_map(subject).collect(),
            features: known
                .filter(|(_, value)| !value.is_nan())
                .map(|(feature, value)| (feature.name.as_str(), *value))
                .collect(),
            contributions,
            replay: ReplayView {
                result: replay.name(),
                detail: match replay {
                    Replay::Same => None,
                    Replay::Missing(what) => Some((*what).to_owned()),
                    Replay::Other(again) => Some(format!(
                        "{} with a score of {:?}: {}",
                        again.action.name(),
                        again.score,
                        again.reasons.join("; ")
                    )),
                },
            },
        });
        self
    }
}

/// Why, with the limits first that asked for more than anything else did.
fn reasons(kept: &Kept, judged: &Judged) -> Vec<String> {
    let decision = &judged.decision;
    let limits = kept.exceeded.iter();
    let limits = limits.map(|limit| format!("it would exceed the limit \"{limit}\""));
    let said = decision.reasons.iter().cloned();
    if kept.action > decision.action {
        limits.chain(said).collect()
    } else {
        said.chain(limits).collect()
    }
}

/// A rule that held.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
pub struct FiredRule {
    /// Which.
    #[schema(value_type = scalar::RiskName)]
    rule: String,
    /// Which version of it.
    version: u32,
    /// What it asks for.
    #[schema(pattern = "^(approve|challenge|review|decline)$")]
    action: String,
    /// Whether it decided, or was only noted.
    decides: bool,
    /// What it says.
    #[schema(value_type = scalar::RiskReason)]
    says: String,
}

/// From which scores on what is done, in millionths.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
pub struct RiskThresholds {
    /// The payer must authenticate.
    challenge: u32,
    /// An analyst must look.
    review: u32,
    /// It is refused.
    decline: u32,
}

/// What the model in the shadow would have said.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
pub struct RiskChallenger {
    /// Which.
    #[schema(value_type = scalar::RiskName)]
    model: String,
    /// Its score, in millionths.
    score: u32,
}

/// How much a feature moved the model.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
pub struct RiskContribution {
    /// The feature.
    #[schema(value_type = scalar::RiskName)]
    feature: String,
    /// Its value; absent when there was none.
    value: Option<f64>,
    /// How much it added to the log odds.
    weight: f32,
}
