//! What the operator set, as far as it binds those who call: limits, what takes two, what is
//! promised. No addresses of his, and no secret: each member is named here, so that a setting that
//! is added is not shown until somebody decides that it may be.

use axum::{extract::State, response::Response};
use lombard_core::rail::Rail;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Api, Call, Problem, reply::shown, wire::scalar::RailName};
use crate::{
    config::{Config, Environment},
    metrics::label::Label,
    slo::{Slo, WINDOW_DAYS},
};

/// The routes of settings.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(get))
}

/// What is set.
#[derive(Serialize, ToSchema)]
#[schema(as = Settings)]
struct SettingsView {
    /// `settings`.
    #[schema(pattern = "^settings$")]
    object: &'static str,
    /// Whether money is moved.
    #[schema(value_type = String, pattern = "^(test|live)$")]
    environment: Environment,
    /// The rails that are switched on.
    #[schema(value_type = Vec<RailName>)]
    rails: Vec<Rail>,
    /// The providers whose webhooks are taken.
    #[schema(inline, value_type = Vec<ProviderName>)]
    providers: Vec<String>,
    limits: Limits,
    approvals: Approvals,
    webhooks: Webhooks,
    /// Sources of statements with rules of their own.
    #[schema(max_items = 1000)]
    sources: Vec<Source>,
    /// What is promised.
    #[schema(max_items = 100)]
    objectives: Vec<Objective>,
}

/// A payment service provider, as it is configured.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^[a-z0-9_.-]{1,60}$")]
#[allow(dead_code)] // Only described.
struct ProviderName(String);

/// An operation of this API: its method and the path as it is declared.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^[A-Z]{3,6} /v1/[a-z_/{}]{1,120}$")]
#[allow(dead_code)] // Only described.
struct OperationName(String);

/// Limits of requests.
#[derive(Serialize, ToSchema)]
#[schema(as = SettingsLimits)]
struct Limits {
    body_bytes_max: usize,
    batch_bytes_max: usize,
    /// Of one API key; 0 for any number.
    requests_per_second_max: u32,
    /// Of one network address; 0 for any number.
    requests_per_second_per_address_max: u32,
}

/// What takes a second person.
#[derive(Serialize, ToSchema)]
#[schema(as = SettingsApprovals)]
struct Approvals {
    /// Payments above so many minor units; 0 for none.
    payments_above: u64,
    /// Operations that one proposes and another approves.
    #[schema(inline, value_type = Vec<OperationName>)]
    operations: Vec<String>,
}

/// How webhooks are sent.
#[derive(Serialize, ToSchema)]
#[schema(as = SettingsWebhooks)]
struct Webhooks {
    timeout_ms: u64,
    kept_days: u32,
}

/// A source of statements.
#[derive(Serialize, ToSchema)]
#[schema(as = SettingsSource)]
struct Source {
    #[schema(max_length = 60)]
    name: String,
    /// Minor units by which an amount may differ.
    amount_tolerance: u64,
    days_before: u16,
    days_after: u16,
}

/// An objective.
#[derive(Serialize, ToSchema)]
#[schema(as = SettingsObjective)]
struct Objective {
    #[schema(max_length = 40)]
    name: &'static str,
    /// In a sentence.
    #[schema(max_length = 400)]
    what: &'static str,
    /// The share that must be good, in millionths.
    good_ppm: u32,
    /// From when on what is good comes too late, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    within_ms: Option<u64>,
    /// Over how many days.
    window_days: u32,
}

/// Look at the settings
///
/// What the operator set that binds you. `docs/configuration.md` says what each means.
#[utoipa::path(get, path = "/v1/settings", tag = "settings",
    responses((status = 200, description = "They.", body = SettingsView)))]
async fn get(State(api): State<Api>, _call: Call) -> Result<Response, Problem> {
    Ok(shown(&SettingsView::of(&api.app().config)))
}

impl SettingsView {
    fn of(config: &Config) -> Self {
        let sources = config.reconciliation.sources.iter();
        Self {
            object: "settings",
            environment: config.environment,
            rails: config.rails.keys().copied().collect(),
            providers: config.psp.keys().cloned().collect(),
            limits: Limits {
                body_bytes_max: config.http.body_bytes_max,
                batch_bytes_max: config.http.batch_bytes_max,
                requests_per_second_max: config.http.requests_per_second_max,
                requests_per_second_per_address_max: config
                    .http
                    .requests_per_second_per_address_max,
            },
            approvals: Approvals {
                payments_above: config.approvals.payments_above,
                operations: config.approvals.operations.clone(),
            },
            webhooks: Webhooks {
                timeout_ms: config.webhooks.timeout_ms,
                kept_days: config.webhooks.kept_days,
            },
            sources: sources
                .map(|(name, source)| Source {
                    name: name.clone(),
                    amount_tolerance: source.rules.amount_tolerance,
                    days_before: source.rules.days_before,
                    days_after: source.rules.days_after,
                })
                .collect(),
            objectives: Slo::ALL.iter().map(|slo| Objective::of(*slo)).collect(),
        }
    }
}

impl Objective {
    fn of(slo: Slo) -> Self {
        let promise = slo.promise();
        let within = promise.within.map(|within| within.as_millis());
        Self {
            name: slo.value(),
            what: promise.what,
            good_ppm: promise.good_ppm,
            within_ms: within.map(|ms| u64::try_from(ms).unwrap_or(u64::MAX)),
            window_days: WINDOW_DAYS,
        }
    }
}
