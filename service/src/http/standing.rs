//! How much stands where: payments by their status, and what a person must look at.

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use lombard_core::{
    currency::Currency,
    lifecycle::{Pending, Stage, Status},
    payment::Payment,
    plan::keys,
    store::decode,
    tenant::TenantId,
    time::Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api, Call, Problem,
    query::Query,
    reply::shown,
    wire::{
        Moment,
        scalar::{CurrencyCode, PendingName, StatusName, Time},
    },
};
use crate::{
    exceptions::{self, Kind},
    ports::{RANGE_MAX, Range, ReadError},
    roster::{Open, Standing, Sum},
};

const HOUR_MS: u64 = 3_600_000;

/// The routes of what stands where.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(get))
}

/// How much stands where.
#[derive(Serialize, ToSchema)]
#[schema(as = Standing)]
struct StandingView {
    /// `standing`.
    #[schema(pattern = "^standing$")]
    object: &'static str,
    /// Whether everything is counted. If not, it is of the newest 1,000 payments and exceptions.
    exact: bool,
    /// Payments, by status, what they wait for, and currency.
    #[schema(max_items = 10_000)]
    payments: Vec<PaymentsView>,
    /// Exceptions about which something can be done now, by kind.
    #[schema(max_items = 1_000)]
    exceptions: Vec<ExceptionsView>,
}

/// Payments that stand at the same place.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentsStanding)]
struct PaymentsView {
    #[schema(value_type = StatusName)]
    status: Status,
    /// What they wait for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<PendingName>, nullable = false)]
    pending: Option<Pending>,
    /// Whether the rail did not answer in time.
    in_doubt: bool,
    #[schema(value_type = CurrencyCode)]
    currency: Currency,
    /// How many.
    count: u64,
    /// Their amounts together, in minor units.
    amount: u64,
}

/// Exceptions of a kind.
#[derive(Serialize, ToSchema)]
#[schema(as = ExceptionsStanding)]
struct ExceptionsView {
    /// What is wrong.
    #[schema(pattern = "^[a-z_]{1,40}$")]
    kind: &'static str,
    /// `high` or `normal`.
    #[schema(pattern = "^(high|normal)$")]
    severity: &'static str,
    /// How many.
    count: u64,
    /// Those that are open for less than an hour.
    under_hour: u64,
    /// Those that are open for less than a day, and not for less than an hour.
    under_day: u64,
    /// Those that are open for less than a week, and not for less than a day.
    under_week: u64,
    /// Those that are open for a week or longer.
    older: u64,
    /// When the oldest was opened.
    #[schema(value_type = Time)]
    oldest_at: Moment,
}

/// How much stands where
///
/// All payments by status and what they wait for, and the exceptions that wait for somebody, counted as
/// they change. A change shows after a moment.
#[utoipa::path(get, path = "/v1/standing", tag = "standing",
    responses((status = 200, description = "The counts.", body = StandingView)))]
async fn get(State(api): State<Api>, call: Call, query: Query) -> Result<Response, Problem> {
    query.finish()?;
    let tenant = call.tenant();
    let kept = api.roster().and_then(|it| it.standing(tenant));
    let exact = kept.is_some();
    let standing = match kept {
        Some(standing) => standing,
        None => of_newest(&api, tenant).await?,
    };
    Ok(shown(&StandingView {
        object: "standing",
        exact,
        payments: payments(&standing),
        exceptions: by_kind(&standing.exceptions, api.app().host.now()),
    }))
}

/// What the newest say, where nobody counts all.
async fn of_newest(api: &Api, tenant: TenantId) -> Result<Standing, ReadError> {
    let mut standing = Standing::default();
    let range = Range::listed(&keys::payments_list(tenant), RANGE_MAX);
    let range = range.backwards().past_damage();
    for found in api.app().store.range(&range).await? {
        standing.add(&decode::<Payment>(&found.record.body.bytes));
    }
    let newest = exceptions::list(api.app(), tenant, None, RANGE_MAX).await?;
    let open = newest.iter().map(|it| &it.1);
    let open = open.filter(|it| it.state == exceptions::State::Open);
    standing.exceptions = open.map(Open::of).collect();
    Ok(standing)
}

fn payments(standing: &Standing) -> Vec<PaymentsView> {
    let mut sums: BTreeMap<_, Sum> = BTreeMap::new();
    for ((stage, currency), sum) in &standing.payments {
        let in_doubt = *stage == Stage::InDoubt;
        let place = (stage.status(), stage.pending(), in_doubt, *currency);
        sums.entry(place).or_default().add(*sum);
    }
    let view = |((status, pending, in_doubt, currency), sum): (_, Sum)| PaymentsView {
        status,
        pending,
        in_doubt,
        currency,
        count: sum.count,
        amount: sum.minor,
    };
    sums.into_iter().map(view).collect()
}

fn by_kind(open: &[Open], now: Timestamp) -> Vec<ExceptionsView> {
    let mut kinds: BTreeMap<Kind, ExceptionsView> = BTreeMap::new();
    for it in open {
        if it.snoozed_until.is_some_and(|until| until > now) {
            continue;
        }
        let view = kinds.entry(it.kind).or_insert_with(|| ExceptionsView {
            kind: it.kind.name(),
            severity: it.kind.severity(),
            count: 0,
            under_hour: 0,
            under_day: 0,
            under_week: 0,
            older: 0,
            oldest_at: it.opened_at.into(),
        });
        view.count += 1;
        view.oldest_at = view.oldest_at.0.min(it.opened_at).into();
        let age = now.ms_since(it.opened_at);
        *match age / HOUR_MS {
            0 => &mut view.under_hour,
            1..24 => &mut view.under_day,
            24..168 => &mut view.under_week,
            _ => &mut view.older,
        } += 1;
    }
    kinds.into_values().collect()
}
