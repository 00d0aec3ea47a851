//! How the desk does: what is in force, what it decided, how long that took, and whether the model
//! has grown old.

use axum::{extract::State, response::Response};
use lombard_core::risk::Action;
use lombard_risk::{decision::Thresholds, drift};
use serde::Serialize;
use utoipa::ToSchema;

use super::{desk, view::RiskThresholds};
use crate::http::{Api, Call, Problem, query::Query, reply::shown, wire::scalar};

/// How the desk does.
#[derive(Serialize, ToSchema)]
#[schema(as = RiskHealth)]
struct HealthView {
    /// `risk_health`.
    #[schema(pattern = "^risk_health$")]
    object: &'static str,
    /// The version of the policy in force.
    policy_version: u64,
    /// How many rules are asked.
    rules: usize,
    /// The model that decides.
    #[schema(value_type = Option<scalar::RiskName>, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// The model in the shadow.
    #[schema(value_type = Option<scalar::RiskName>, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    challenger: Option<String>,
    /// Decisions since the server was started, by action.
    #[schema(value_type = std::collections::HashMap<String, u64>)]
    decisions: std::collections::BTreeMap<&'static str, u64>,
    /// How many of them were the fallback's, because something took too long.
    fallback_too_slow: u64,
    /// The same, because nobody could be asked.
    fallback_unavailable: u64,
    /// How many took longer than the limit.
    over_limit: u64,
    /// At how many payments the second look was severer than the first.
    worse_later: u64,
    /// Half of all decisions took less, in microseconds.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    p50_below_us: Option<u64>,
    /// All but one of a hundred took less, in microseconds.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    p99_below_us: Option<u64>,
    /// From which scores on what is done, in millionths.
    #[schema(value_type = RiskThresholds)]
    thresholds: Thresholds,
    /// How the scores of these decisions are spread.
    scores: Vec<ScoresView>,
    /// The population stability index of scores against those that the model was measured on.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    drift: Option<f64>,
    /// What it says: `steady`, `watch` (somebody should look) or `alarm` (train again).
    #[schema(nullable = false, pattern = "^(steady|watch|alarm)$")]
    #[serde(skip_serializing_if = "Option::is_none")]
    drift_state: Option<&'static str>,
}

/// How many scores there were from one on, below the next part's.
#[derive(Serialize, ToSchema)]
#[schema(as = RiskScores)]
struct ScoresView {
    /// From which score on, in millionths.
    from: u32,
    /// How many.
    count: u64,
}

/// How risk does
///
/// What is in force, and what was decided of your payments since the server was started.
#[utoipa::path(get, path = "/v1/risk/health", tag = "risk",
    responses((status = 200, description = "How it does.", body = HealthView)))]
pub async fn health(State(api): State<Api>, call: Call, query: Query) -> Result<Response, Problem> {
    query.finish()?;
    let desk = desk(&api)?;
    let (tally, policy) = (desk.tally(call.tenant()), desk.policy(call.tenant()));
    let drift = desk.drift(&tally.scores);
    let named = |model: &lombard_risk::model::Scorer| model.version().to_owned();
    let actions = Action::ALL.into_iter().zip(tally.actions);
    Ok(shown(&HealthView {
        object: "risk_health",
        policy_version: policy.rules.version(),
        rules: policy.rules.len(),
        model: desk.champion().map(named),
        challenger: desk.challenger().map(named),
        decisions: actions
            .map(|(action, count)| (action.name(), count))
            .collect(),
        fallback_too_slow: tally.too_slow,
        fallback_unavailable: tally.unavailable,
        over_limit: tally.over_limit,
        worse_later: tally.worse_later,
        p50_below_us: tally.below_us(500),
        p99_below_us: tally.below_us(990),
        thresholds: policy.thresholds,
        scores: tally
            .scores
            .buckets()
            .map(|(from, count)| ScoresView { from, count })
            .collect(),
        drift,
        drift_state: drift.map(|index| match index {
            index if index >= drift::ALARM => "alarm",
            index if index >= drift::WATCH => "watch",
            _ => "steady",
        }),
    }))
}
