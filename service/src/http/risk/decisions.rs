//! Looking at decisions: the list of those that somebody may have to look at, and one explained.

use axum::{extract::State, response::Response};
use lombard_core::{
    id::Id,
    lifecycle::Status,
    payment::Payment,
    plan::keys,
    risk::Kept,
    store::{Key, decode},
};
use utoipa::ToSchema;

use super::{decided, desk, judged, view::DecisionView};
use crate::{
    http::{
        Api, Call, Cursor, Page, Paging, PathId, Problem, query::Query, reply::shown, wire::scalar,
    },
    ports::Range,
    risk::{Judged, replay::replay},
};

/// Decisions, newest first.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
struct RiskDecisionPage<'a> {
    data: Vec<DecisionView<'a>>,
    /// Whether there may be more after them.
    has_more: bool,
    /// Where to go on.
    #[schema(nullable = false, max_length = 100)]
    next_cursor: Option<String>,
}

/// List decisions
///
/// Those that were not to approve, newest first. A payment that was sent to review waits at
/// `AUTH_PENDING` for `verification`: answer it with `POST /v1/payments/{id}/verification`.
#[utoipa::path(get, path = "/v1/risk/decisions", tag = "risk",
    params(("limit" = inline(Option<u32>), Query, description = "How many at the most; 25 when absent.", minimum = 1, maximum = 100),
           ("cursor" = inline(Option<scalar::PaymentId>), Query, description = "`next_cursor` of the page before.")),
    responses((status = 200, description = "A page.", body = RiskDecisionPage)))]
pub async fn list(
    State(api): State<Api>,
    call: Call,
    mut query: Query,
) -> Result<Response, Problem> {
    let paging: Paging<Id<Payment>> = Paging::of(&mut query)?;
    query.finish()?;
    let after = paging.cursor.map(|Cursor(id)| id.to_string());
    let list = keys::decisions_list(call.tenant());
    let range = Range::listed(&list, paging.limit + 1)
        .backwards()
        .after(after);
    let mut found = api.app().store.range(&range).await?;
    let more = found.len() > paging.limit;
    found.truncate(paging.limit);
    let decisions: Vec<(Kept, Judged)> = found
        .iter()
        .map(|item| {
            let kept: Kept = decode(&item.record.body.bytes);
            let judged = judged(&kept)?;
            Ok((kept, judged))
        })
        .collect::<Result<_, Problem>>()?;
    let places: Vec<Key> = decisions
        .iter()
        .map(|(_, judged)| keys::payment(call.tenant(), judged.payment))
        .collect();
    let payments = api.app().store.get(&places).await?;
    let data: Vec<DecisionView<'_>> = decisions
        .iter()
        .zip(payments)
        .map(|((kept, judged), payment)| {
            let payment = payment.map(|it| decode::<Payment>(&it.body.bytes));
            // It is in the commit of its decision.
            let status = payment.map_or(Status::Initiated, |it| it.stage.status());
            DecisionView::of(kept, judged, status)
        })
        .collect();
    let next = decisions.last().filter(|_| more);
    let next = next.map(|(_, judged)| judged.payment);
    Ok(shown(&Page::new(data, next)))
}

/// Explain a decision
///
/// With the features that were known, what moved the model, and what comes of deciding again from
/// what was stored.
#[utoipa::path(get, path = "/v1/risk/decisions/{id}", tag = "risk",
    params(("id" = inline(scalar::PaymentId), Path, description = "The payment.")),
    responses((status = 200, description = "The decision.", body = DecisionView)))]
pub async fn get(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Payment>,
) -> Result<Response, Problem> {
    let (kept, judged) = decided(&api, &call, id).await?;
    let desk = desk(&api)?;
    let payment: Option<Payment> = api.app().value(&keys::payment(call.tenant(), id)).await?;
    let payment = payment.ok_or(Problem::not_found())?;
    let again = replay(api.app(), desk, &judged).await?;
    let view = DecisionView::of(&kept, &judged, payment.stage.status());
    let (parts, replay) = (again.contributions, again.result);
    Ok(shown(&view.explained(&judged, parts, &replay)))
}
