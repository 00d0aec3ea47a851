//! Risk: what was decided about payments and why, what became of them, and what a rule would do.

mod backtest;
mod change;
mod decisions;
mod fraud_rates;
mod health;
mod labels;
mod lists;
mod rules;
mod view;

use std::sync::Arc;

use lombard_core::{id::Id, payment::Payment, plan::keys, risk::Kept};
use lombard_risk::rules::Wrong;
use utoipa_axum::{router::OpenApiRouter, routes};

use self::{
    lists::act,
    rules::{force, propose},
};
use super::{Api, Call, ErrorCode, Problem};
use crate::risk::{Desk, Judged};

/// The routes of risk.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(decisions::list))
        .routes(routes!(decisions::get))
        .routes(routes!(labels::tell))
        .routes(routes!(backtest::backtest))
        .routes(routes!(health::health))
        .routes(routes!(fraud_rates::list))
        .routes(routes!(rules::list, propose::propose))
        .routes(routes!(rules::get))
        .routes(routes!(force::mode))
        .routes(routes!(force::retire))
        .routes(routes!(rules::hits))
        .routes(routes!(lists::list, act::make))
        .routes(routes!(lists::get))
        .routes(routes!(act::add))
        .routes(routes!(act::remove))
        .routes(routes!(change::list))
}

/// Whoever judges payments here. Where nobody does, there is nothing to look at or to ask.
fn desk(api: &Api) -> Result<&Arc<Desk>, Problem> {
    let nobody = "nobody judges payments here: neither a policy nor a model is set";
    let desk = api.app().risk.as_ref();
    desk.ok_or_else(|| Problem::saying(ErrorCode::NotFound, nobody.into()))
}

/// What is wrong with a condition, each with its line and column.
fn in_words(wrong: &[Wrong]) -> String {
    let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    wrong.join("; ")
}

/// What was decided about a payment of the caller's.
async fn decided(api: &Api, call: &Call, id: Id<Payment>) -> Result<(Kept, Judged), Problem> {
    let kept: Option<Kept> = api.app().value(&keys::decision(call.tenant(), id)).await?;
    let kept = kept.ok_or(Problem::not_found())?;
    let judged = judged(&kept)?;
    Ok((kept, judged))
}

/// How it came about.
fn judged(kept: &Kept) -> Result<Judged, Problem> {
    serde_json::from_str(kept.decision.get())
        .map_err(|error| Problem::new(ErrorCode::Internal).because(Arc::new(error)))
}
