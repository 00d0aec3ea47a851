//! What was sent to an endpoint, and what came of it.

use axum::{extract::State, response::Response};
use lombard_core::{event::Event, id::Id, payment::Payment, store::decode};
use utoipa::ToSchema;

use super::{find, view::DeliveryView};
use crate::{
    hooks::{
        delivery::{self, Delivery},
        endpoint::Endpoint,
    },
    http::{
        Api, Call, Page, Paging, PathId, Problem,
        page::Cursor,
        payments::{READ_MAX, events_of},
        query::Query,
        reply::shown,
        wire::scalar,
    },
    ports::Range,
};

/// The deliveries to an endpoint that are about a payment, newest first: there is one for an event at
/// the most, under the event's id.
async fn about(
    api: &Api,
    call: &Call,
    endpoint: Id<Endpoint>,
    payment: Id<Payment>,
) -> Result<Vec<Delivery>, Problem> {
    let (app, tenant) = (api.app(), call.tenant());
    let mut events = events_of(api, tenant, payment).await?;
    events.sort_by_key(|event| std::cmp::Reverse(event.id));
    let places: Vec<_> = { events.iter() }
        .map(|event| delivery::key(tenant, endpoint, event.id))
        .collect();
    let mut deliveries = Vec::new();
    for some in places.chunks(READ_MAX) {
        let found = app.store.get(some).await?;
        let read = found.into_iter().flatten();
        deliveries.extend(read.map(|record| decode::<Delivery>(&record.body.bytes)));
    }
    Ok(deliveries)
}

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
/// In the order of their events, newest first; with `state=failed`, only those that were given up; with
/// `payment`, only those about it.
#[utoipa::path(get, path = "/v1/webhook_endpoints/{id}/deliveries", tag = "webhooks",
    params(("id" = inline(scalar::WebhookEndpointId), Path, description = "The endpoint."),
           ("state" = inline(Option<String>), Query, description = "`failed`: only those that were given up.", pattern = "^failed$"),
           ("payment" = inline(Option<scalar::PaymentId>), Query, description = "Only those about this payment."),
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
    let payment: Option<Id<Payment>> = query.take("payment")?;
    query.finish()?;
    find(&api, &call, id).await?;
    let after = paging.cursor.map(|Cursor(id)| id);
    let mut deliveries = match payment {
        Some(payment) => {
            let mut all = about(&api, &call, id, payment).await?;
            all.retain(|it| failed.is_none() || it.state == delivery::State::Failed);
            all.retain(|it| after.is_none_or(|after| it.event < after));
            all
        }
        None => {
            let tenant = call.tenant();
            let range = match failed {
                Some(()) => Range::listed(&delivery::failed_list(tenant, id), paging.limit + 1),
                None => Range::of(&delivery::partition(tenant, id), paging.limit + 1),
            };
            let after = after.map(|id| id.to_string());
            let range = range.backwards().after(after);
            let found = api.app().store.range(&range).await?;
            let read = found.iter().map(|found| decode(&found.record.body.bytes));
            read.collect()
        }
    };
    let more = deliveries.len() > paging.limit;
    deliveries.truncate(paging.limit);
    let next = deliveries.last().filter(|_| more).map(|last| last.event);
    let data: Vec<_> = deliveries.iter().map(DeliveryView::of).collect();
    Ok(shown(&Page::new(data, next)))
}
