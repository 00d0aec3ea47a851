//! Tries a condition on stored payments, each with the features that were known when it was made.

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

/// Tries a condition on up to `limit` payments after one, in the order of their ids.
///
/// # Errors
/// See [`ReadError`].
pub async fn try_on(
    app: &App,
    tenant: TenantId,
    (condition, lists): (&Condition, &Lists),
    mut after: Option<Id<Payment>>,
    limit: usize,
) -> Result<Tried, ReadError> {
    let mut backtest = Backtest::new(condition);
    let (mut looked, mut unjudged) = (0, 0);
    let mut next = None;
    while looked < limit {
        let wanted = AT_ONCE.min(limit - looked);
        let range = Range::listed(&keys::payments_list(tenant), wanted)
            .after(after.map(|id| id.to_string()));
        let found = app.store.range(&range).await?;
        let ids: Vec<Id<Payment>> = found
            .iter()
            .filter_map(|item| item.at.sort().parse().ok())
            .collect();
        unjudged += try_these(app, tenant, &ids, lists, &mut backtest).await?;
        looked += found.len();
        after = ids.last().copied();
        next = after;
        if found.len() < wanted {
            next = None;
            break;
        }
    }
    let report = backtest.finish();
    Ok(Tried {
        report,
        unjudged,
        next,
    })
}

async fn try_these(
    app: &App,
    tenant: TenantId,
    ids: &[Id<Payment>],
    lists: &Lists,
    backtest: &mut Backtest<'_>,
) -> Result<u64, ReadError> {
    let places = |id: &Id<Payment>| [keys::decision(tenant, *id), label::key(tenant, *id)];
    let wanted: Vec<Key> = ids.iter().flat_map(places).collect();
    let found = app.store.get(&wanted).await?;
    let mut unjudged = 0;
    for pair in found.chunks_exact(2) {
        let kept = pair[0].as_ref().map(|it| decode::<Kept>(&it.body.bytes));
        let judged = kept.and_then(|kept| serde_json::from_str::<Judged>(kept.decision.get()).ok());
        let Some((judged, vector)) = judged
            .as_ref()
            .and_then(|judged| Some((judged, judged.decision.vector.as_ref()?)))
        else {
            unjudged += 1;
            continue;
        };
        let label = pair[1].as_ref().map(|it| decode::<Label>(&it.body.bytes));
        let facts = Facts {
            vector,
            event: &judged.event,
            rail: &judged.rail,
            currency: &judged.currency,
            lists,
        };
        let others = judged
            .decision
            .fired
            .iter()
            .map(|fired| fired.rule.as_str());
        backtest.add(&facts, label.map(|label| label.outcome.fraud), others);
    }
    Ok(unjudged)
}
