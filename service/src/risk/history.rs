//! Asks stored payments, each with the features that were known when it was made: what a condition
//! would have done, and what the rules did.

use std::collections::BTreeMap;

use lombard_core::{
    id::Id,
    payment::Payment,
    plan::keys,
    risk::Kept,
    store::{Key, decode},
    tenant::TenantId,
};
use lombard_risk::rules::{
    Condition, Facts, Lists,
    backtest::{Backtest, Report},
};
use serde::Serialize;

use super::{
    Judged,
    label::{self, Label},
};
use crate::{
    app::App,
    ports::{Range, ReadError},
};

/// Payments that are read at once: two records of each, and DynamoDB reads at most 100 records of
/// one moment.
const AT_ONCE: usize = 50;

/// What came of a part of history.
pub struct Tried {
    /// The sums.
    pub report: Report,
    /// Payments that were not judged when they were made, and so cannot be tried.
    pub unjudged: u64,
    /// After which payment the rest begins, if there is more.
    pub next: Option<Id<Payment>>,
}

/// Which payments are asked.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Whether from the newest to the oldest.
    pub newest_first: bool,
    /// After which payment, in that order.
    pub after: Option<Id<Payment>>,
    /// How many at the most.
    pub limit: usize,
}

impl Part {
    /// The newest payments.
    #[must_use]
    pub const fn newest(limit: usize) -> Self {
        Self {
            newest_first: true,
            after: None,
            limit,
        }
    }
}

/// Tries a condition on a part of history.
///
/// # Errors
/// See [`ReadError`].
pub async fn try_on(
    app: &App,
    tenant: TenantId,
    (condition, lists): (&Condition, &Lists),
    part: Part,
) -> Result<Tried, ReadError> {
    let mut backtest = Backtest::new(condition);
    let mut unjudged = 0;
    let next = walk(app, tenant, part, |judged, fraud| {
        let known = judged.and_then(|judged| Some((judged, judged.decision.vector.as_ref()?)));
        let Some((judged, vector)) = known else {
            unjudged += 1;
            return;
        };
        let facts = Facts {
            vector,
            event: &judged.event,
            rail: &judged.rail,
            currency: &judged.currency,
            lists,
        };
        let fired = judged.decision.fired.iter();
        backtest.add(&facts, fraud, fired.map(|fired| fired.rule.as_str()));
    })
    .await?;
    Ok(Tried {
        report: backtest.finish(),
        unjudged,
        next,
    })
}

/// What a version of a rule did to payments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Hits {
    /// Payments that it held for.
    pub hits: u64,
    /// Of these, those that it decided about; for the others it was only noted.
    pub decided: u64,
    /// Of the hits, the known frauds.
    pub frauds_caught: u64,
    /// Those that are known to be genuine.
    pub false_positives: u64,
    /// Their sum, by currency, in minor units.
    pub amount: BTreeMap<String, u64>,
}

/// What every version of every rule did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Performance {
    /// Payments that were looked at and had been judged.
    pub payments: u64,
    /// The known frauds among them.
    pub frauds: u64,
    /// By rule and version; what never held is not there.
    pub rules: BTreeMap<(String, u32), Hits>,
}

/// What the rules did to a part of history.
///
/// # Errors
/// See [`ReadError`].
pub async fn performance(
    app: &App,
    tenant: TenantId,
    part: Part,
) -> Result<Performance, ReadError> {
    let mut told = Performance::default();
    walk(app, tenant, part, |judged, fraud| {
        let Some(judged) = judged else { return };
        told.payments += 1;
        told.frauds += u64::from(fraud == Some(true));
        for fired in &judged.decision.fired {
            let rule = (fired.rule.clone(), fired.version);
            let hits = told.rules.entry(rule).or_default();
            hits.hits += 1;
            hits.decided += u64::from(fired.decides);
            hits.frauds_caught += u64::from(fraud == Some(true));
            hits.false_positives += u64::from(fraud == Some(false));
            let sum = hits.amount.entry(judged.currency.clone()).or_default();
            *sum = sum.saturating_add(judged.event.amount);
        }
    })
    .await?;
    Ok(told)
}

/// Shows payments one after another, with what is known of each: how it was judged, if it was, and
/// whether it was fraud. Gives the last payment, if there are more after it.
async fn walk(
    app: &App,
    tenant: TenantId,
    part: Part,
    mut each: impl FnMut(Option<&Judged>, Option<bool>),
) -> Result<Option<Id<Payment>>, ReadError> {
    let (mut after, mut looked) = (part.after, 0);
    while looked < part.limit {
        let wanted = AT_ONCE.min(part.limit - looked);
        let range = Range::listed(&keys::payments_list(tenant), wanted)
            .after(after.map(|id| id.to_string()));
        let range = Range {
            backwards: part.newest_first,
            ..range
        };
        let found = app.store.range(&range).await?;
        let ids = found.iter().filter_map(|item| item.at.sort().parse().ok());
        let ids: Vec<Id<Payment>> = ids.collect();
        let places = |id: &Id<Payment>| [keys::decision(tenant, *id), label::key(tenant, *id)];
        let places: Vec<Key> = ids.iter().flat_map(places).collect();
        for pair in app.store.get(&places).await?.chunks_exact(2) {
            let kept = pair[0].as_ref().map(|it| decode::<Kept>(&it.body.bytes));
            let judged =
                kept.and_then(|kept| serde_json::from_str::<Judged>(kept.decision.get()).ok());
            let label = pair[1].as_ref().map(|it| decode::<Label>(&it.body.bytes));
            each(judged.as_ref(), label.map(|label| label.outcome.fraud));
        }
        looked += found.len();
        after = ids.last().copied();
        if found.len() < wanted {
            return Ok(None);
        }
    }
    Ok(after)
}
