//! Trying a rule on the payments that are stored.

use axum::{extract::State, response::Response};
use lombard_core::{id::Id, payment::Payment};
use lombard_risk::rules::{Condition, backtest::Report, language::SOURCE_MAX};
use serde::Serialize;
use utoipa::ToSchema;

use super::{desk, in_words};
use crate::{
    http::{Api, Call, Problem, query::Query, reply::shown, wire::scalar},
    risk::history,
};

/// Payments that one request looks at, unless it is said otherwise.
const LIMIT_DEFAULT: usize = 5_000;
/// The most that one request looks at: a few tenths of a second.
const LIMIT_MAX: usize = 20_000;

/// What a rule would have done.
#[derive(Serialize, ToSchema)]
#[schema(as = RiskBacktest)]
struct BacktestView {
    /// `risk_backtest`.
    #[schema(pattern = "^risk_backtest$")]
    object: &'static str,
    #[schema(value_type = RiskBacktestReport)]
    report: Report,
    /// Payments that were not judged when they were made, and so cannot be tried.
    unjudged: u64,
    /// Where to go on, if there is more: reports of parts add up.
    #[schema(value_type = Option<scalar::PaymentId>, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<Id<Payment>>,
}

/// Back-test a condition
///
/// Asks a condition about stored payments, oldest first, each with the features that were known
/// when it was made. A long history is tried a part at a time; the sums of the parts add up.
#[utoipa::path(get, path = "/v1/risk/backtest", tag = "risk",
    params(("condition" = inline(String), Query, description = "The condition; see `docs/risk-rules.md`.", min_length = 1, max_length = 2000),
           ("limit" = inline(Option<u32>), Query, description = "How many payments at the most; 5,000 when absent.", minimum = 1, maximum = 20_000),
           ("cursor" = inline(Option<scalar::PaymentId>), Query, description = "`next_cursor` of the part before.")),
    responses((status = 200, description = "What it would have done.", body = BacktestView)))]
pub async fn backtest(
    State(api): State<Api>,
    call: Call,
    mut query: Query,
) -> Result<Response, Problem> {
    let source = query.take_text("condition", SOURCE_MAX)?;
    let limit = query.take_with("limit", |text| match text.parse() {
        Ok(limit @ 1..=LIMIT_MAX) => Ok(limit),
        _ => Err(format!("expected a whole number from 1 to {LIMIT_MAX}")),
    })?;
    let after = query.take::<Id<Payment>>("cursor")?;
    query.finish()?;
    let source = source.ok_or_else(|| Problem::parameter("condition", "it is missing"))?;
    let condition = Condition::compile(&source)
        .map_err(|wrong| Problem::parameter("condition", in_words(&wrong)))?;
    let policy = desk(&api)?.policy(call.tenant());
    let tried = history::try_on(
        api.app(),
        call.tenant(),
        (&condition, &policy.lists),
        history::Part {
            newest_first: false,
            after,
            limit: limit.unwrap_or(LIMIT_DEFAULT),
        },
    )
    .await?;
    Ok(shown(&BacktestView {
        object: "risk_backtest",
        report: tried.report,
        unjudged: tried.unjudged,
        next_cursor: tried.next,
    }))
}

/// What a rule would have done to the payments that were looked at.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
pub struct RiskBacktestReport {
    /// Payments looked at.
    payments: u64,
    /// Payments for which the condition held.
    hits: u64,
    /// Their sum, by currency, in minor units.
    amount: std::collections::HashMap<String, u64>,
    /// Known frauds among all payments.
    frauds: u64,
    /// Known frauds among the hits.
    frauds_caught: u64,
    /// Their sum, by currency, in minor units.
    fraud_amount_caught: std::collections::HashMap<String, u64>,
    /// Hits that are known to be genuine.
    false_positives: u64,
    /// Hits of which nothing is known yet.
    unknown: u64,
    /// Genuine payments hit for each fraud caught; null when none was caught.
    false_positives_per_fraud: Option<f64>,
    /// Hits that other rules had too, by rule.
    overlap: std::collections::HashMap<String, u64>,
    /// Hits that no other rule had.
    alone: u64,
    /// Frauds caught that no other rule had.
    frauds_caught_alone: u64,
    /// Payments for which the condition could not be evaluated.
    failed: u64,
}
