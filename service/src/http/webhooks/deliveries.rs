//! What was sent to an endpoint, and what came of it.

use axum::{extract::State, response::Response};
use lombard_core::{event::Event, id::Id, store::decode};
use utoipa::ToSchema;

use super::{find, view::DeliveryView};
use crate::{
    hooks::{
        delivery::{self, Delivery},
        endpoint::Endpoint,
    },
    http::{
        Api, Call, Page, Paging, PathId, Problem, page::Cursor, query::Query, reply::shown,
        wire::scalar,
    },
    ports::Range,
};

/// Deliveries, newest first.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
#[schema(as = WebhookDeliveryPage)]
struct DeliveryPage<'a> {
    data: Vec<DeliveryView<'a>>,
    /// Whether there may be more after them.
    has_more: bool,
    /// Where to go on.
    #[schema(nullable = false, max_length = 100)]
    next_cursor: Option<String>,
}

/// List a webhook endpoint's deliveries
///
/// In the order of their events, newest first; with `state=failed`, only those that were given up.
#[utoipa::path(get, path = "/v1/webhook_endpoints/{id}/deliveries", tag = "webhooks",
    params(("id" = inline(scalar::WebhookEndpointId), Path, description = "The endpoint."),
           ("state" = inline(Option<String>), Query, description = "`failed`: only those that were given up.", pattern = "^failed$"),
           ("limit" = inline(Option<u32>), Query, description = "How many at the most; 25 when absent.", minimum = 1, maximum = 100),
           ("cursor" = inline(Option<scalar::EventId>), Query, description = "`next_cursor` of the page before.")),
    responses((status = 200, description = "A page of them.", body = DeliveryPage)))]
pub async fn list(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Endpoint>,
    mut query: Query,
) -> Result<Response, Problem> {
    let paging: Paging<Id<Event>> = Paging::of(&mut query)?;
    let failed = query.take_with("state", |text| match text {
        "failed" => Ok(()),
        _ => Err("expected `failed`".to_owned()),
    })?;
    query.finish()?;
    find(&api, &call, id).await?;
    let after = paging.cursor.map(|Cursor(id)| id.to_string());
    let range = match failed {
        Some(()) => Range::listed(&delivery::failed_list(call.tenant(), id), paging.limit + 1),
        None => Range::of(&delivery::partition(call.tenant(), id), paging.limit + 1),
    };
    let found = api
        .app()
        .store
        .range(&range.backwards().after(after))
        .await?;
    let mut deliveries: Vec<Delivery> = found
        .iter()
        .map(|found| decode(&found.record.body.bytes))
        .collect();
    let more = deliveries.len() > paging.limit;
    deliveries.truncate(paging.limit);
    let next = deliveries.last().filter(|_| more).map(|last| last.event);
    let data: Vec<_> = deliveries.iter().map(DeliveryView::of).collect();
    Ok(shown(&Page::new(data, next)))
}
