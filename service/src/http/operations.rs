//! How things run: objectives and how fast their budgets burn, the ways to rails and providers, and
//! what a payment costs. It is told of the installation, and of no tenant: shares, and no counts.

use std::time::Instant;

use axum::{extract::State, response::Response};
use lombard_core::{
    cost::{Femto, TARGET, Weather},
    rail::Rail,
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api, Call, Problem,
    query::Query,
    reply::shown,
    wire::{Moment, scalar},
};
use crate::{
    cost,
    metrics::{METRICS, label::Label},
    rails::Way,
    slo::{self, Slo, burn},
};

/// Payments a month for which the cost is told unless it is asked for others.
const PAYMENTS_A_MONTH: u64 = 1_000_000;
/// The most that can be asked for.
const PAYMENTS_A_MONTH_MAX: u64 = 1_000_000_000_000;
/// Femto-units in a pico-unit.
const FEMTO: u128 = 1_000;

/// The routes of operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(get))
}

/// How things run.
#[derive(Serialize, ToSchema)]
#[schema(as = Operations)]
struct OperationsView {
    /// `operations`.
    #[schema(pattern = "^operations$")]
    object: &'static str,
    /// What is promised, and what is left of what may fail.
    #[schema(max_items = 100)]
    objectives: Vec<ObjectiveView>,
    /// The ways to the outside that are switched on.
    #[schema(max_items = 100)]
    ways: Vec<WayView>,
    cost: CostView,
}

/// An objective, and how it stands since this process began.
#[derive(Serialize, ToSchema)]
#[schema(as = OperationsObjective)]
struct ObjectiveView {
    #[schema(max_length = 40)]
    name: &'static str,
    /// In a sentence.
    #[schema(max_length = 400)]
    what: &'static str,
    /// Whether anything counted towards it yet.
    measured: bool,
    /// What is left of its budget: 1 is all, 0 nothing, less than 0 that too much was spent.
    budget_left: f64,
    /// How fast it burns.
    #[schema(max_items = 10)]
    burn: Vec<BurnView>,
}

/// How fast a budget burns over a window.
#[derive(Serialize, ToSchema)]
#[schema(as = OperationsBurn)]
struct BurnView {
    /// How long the window is.
    minutes: u32,
    /// How many times too fast: 1 spends the budget exactly in its days. Absent where nothing counted.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<f64>,
}

/// A way to a rail, or to a provider of charges.
#[derive(Serialize, ToSchema)]
#[schema(as = OperationsWay)]
struct WayView {
    #[schema(value_type = scalar::RailName)]
    rail: Rail,
    /// The provider, where the rail has several.
    #[schema(nullable = false, max_length = 60)]
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<&'static str>,
    /// `closed` lets calls pass, `open` holds them back, `trying` lets one pass.
    #[schema(pattern = "^(closed|trying|open)$")]
    breaker: &'static str,
    /// The share of the last minute's calls that failed, in millionths; absent when there were none.
    #[schema(nullable = false, maximum = 1_000_000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    errors_ppm: Option<u64>,
    /// When a call worked last, of those since this process began.
    #[schema(value_type = Option<scalar::Time>, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    worked_at: Option<Moment>,
}

/// What a payment costs on AWS as it is deployed, from measured operations: `lombard cost`.
#[derive(Serialize, ToSchema)]
#[schema(as = OperationsCost)]
struct CostView {
    /// In which currency.
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: &'static str,
    /// For so many payments a month.
    payments_a_month: u64,
    /// Of which day the prices are.
    #[schema(max_length = 40)]
    prices_dated: &'static str,
    /// One payment more on an ordinary day, in 10⁻¹² of the currency.
    per_payment_pico: u64,
    /// The same when nothing goes wrong.
    straight_through_pico: u64,
    /// What that may be.
    target_pico: u64,
    /// By component, dearest first; they add up to `per_payment_pico` but for rounding.
    #[schema(max_items = 100)]
    components: Vec<ComponentView>,
}

/// What a component costs for one payment.
#[derive(Serialize, ToSchema)]
#[schema(as = OperationsComponent)]
struct ComponentView {
    #[schema(max_length = 60)]
    name: String,
    /// In 10⁻¹² of the currency.
    pico: u64,
}

/// How things run
///
/// Objectives with what is left of their budgets and how fast these burn, breakers and last answers
/// of rails and providers, and what a payment costs. All of it is the installation's, none of it a tenant's.
#[utoipa::path(get, path = "/v1/operations", tag = "operations",
    params(("payments_a_month" = inline(Option<u64>), Query, description = "For how many payments a month the cost is told; 1,000,000 when absent.", minimum = 1, maximum = 1_000_000_000_000u64)),
    responses((status = 200, description = "How they run.", body = OperationsView)))]
async fn get(State(api): State<Api>, _call: Call, mut query: Query) -> Result<Response, Problem> {
    let payments = query.take_with("payments_a_month", |text| match text.parse() {
        Ok(payments) if (1..=PAYMENTS_A_MONTH_MAX).contains(&payments) => Ok(payments),
        _ => Err(format!("expected 1 to {PAYMENTS_A_MONTH_MAX}")),
    })?;
    query.finish()?;
    let payments = payments.unwrap_or(PAYMENTS_A_MONTH);
    let now = Instant::now();
    let budgets = slo::budgets(&METRICS);
    let objectives = Slo::ALL.iter().zip(budgets);
    Ok(shown(&OperationsView {
        object: "operations",
        objectives: objectives
            .map(|(slo, budget)| ObjectiveView {
                name: slo.value(),
                what: slo.promise().what,
                measured: budget.events > 0,
                budget_left: budget.left,
                burn: burns(*slo, now),
            })
            .collect(),
        ways: { api.app().rails.ways().into_iter() }
            .map(WayView::of)
            .collect(),
        cost: CostView::of(payments),
    }))
}

fn burns(slo: Slo, now: Instant) -> Vec<BurnView> {
    let rates = burn::WINDOWS.into_iter().zip(burn::rates(slo, now));
    rates
        .map(|(minutes, times)| BurnView { minutes, times })
        .collect()
}

impl WayView {
    fn of(way: Way) -> Self {
        let health = way.health;
        let share = |errors: u32| u64::from(errors) * 1_000_000 / u64::from(health.calls);
        Self {
            rail: way.rail,
            provider: way.provider,
            breaker: health.breaker,
            errors_ppm: (health.calls > 0).then(|| share(health.errors)),
            worked_at: health.worked_at.map(Into::into),
        }
    }
}

fn pico(money: Femto) -> u64 {
    u64::try_from(money.get() / FEMTO).unwrap_or(u64::MAX)
}

impl CostView {
    fn of(payments: u64) -> Self {
        let (prices, ordinary) = cost::as_deployed(payments, Weather::Ordinary);
        let (_, calm) = cost::as_deployed(payments, Weather::Calm);
        let mut components: Vec<_> = { ordinary.components().into_iter() }
            .map(|(name, money)| ComponentView {
                name: name.to_owned(),
                pico: pico(money),
            })
            .collect();
        components.sort_by_key(|it| std::cmp::Reverse(it.pico));
        Self {
            currency: &prices.exchange.to,
            payments_a_month: ordinary.volume,
            prices_dated: &prices.dated,
            per_payment_pico: pico(ordinary.per_payment()),
            straight_through_pico: pico(calm.per_payment()),
            target_pico: pico(TARGET),
            components,
        }
    }
}
