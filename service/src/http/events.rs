//! Events: what happened to all payments, in one list.

use axum::{extract::State, response::Response};
use lombard_core::{
    event::{Event, KINDS},
    id::Id,
    plan::keys,
    store::decode,
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api, Call, Page, Paging, PathId, Problem,
    page::{Verdict, newest_first},
    query::Query,
    reply::shown,
    wire::{EventView, scalar},
};
use crate::ports::Range;

/// The routes of events.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
}

/// Events, newest first.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
struct EventPage<'a> {
    data: Vec<EventView<'a>>,
    /// Whether there may be more after them.
    has_more: bool,
    /// Where to go on.
    #[schema(nullable = false, max_length = 100)]
    next_cursor: Option<String>,
}

/// List events
#[utoipa::path(get, path = "/v1/events", tag = "events",
    params(
        ("limit" = inline(Option<u32>), Query, description = "How many at the most; 25 when absent.", minimum = 1, maximum = 100),
        ("cursor" = inline(Option<scalar::EventId>), Query, description = "`next_cursor` of the page before."),
        ("type" = inline(Option<scalar::EventKind>), Query, description = "Only those of this type."),
    ),
    responses((status = 200, description = "A page.", body = EventPage)))]
async fn list(State(api): State<Api>, call: Call, mut query: Query) -> Result<Response, Problem> {
    let paging = Paging::of(&mut query)?;
    let kind = query.take_with("type", |text| {
        let known = KINDS.into_iter().find(|kind| *kind == text);
        known.ok_or_else(|| "there is no such type of event".to_owned())
    })?;
    query.finish()?;
    let wanted = |event: &Event| match kind {
        Some(kind) if event.kind() != kind => Verdict::Skip,
        _ => Verdict::Keep,
    };
    let partition = keys::events_list(call.tenant());
    let page = newest_first(&api, &partition, paging, wanted).await?;
    let data: Vec<_> = page.data.iter().map(EventView::of).collect();
    Ok(shown(&Page {
        data,
        has_more: page.has_more,
        next_cursor: page.next_cursor,
    }))
}

/// Look an event up
#[utoipa::path(get, path = "/v1/events/{id}", tag = "events",
    params(("id" = inline(scalar::EventId), Path, description = "The event.")),
    responses((status = 200, description = "The event.", body = EventView)))]
async fn get(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Event>,
) -> Result<Response, Problem> {
    let event = find(&api, &call, id).await?;
    Ok(shown(&EventView::of(&event)))
}

/// An event is kept with its payment and found by its place in the list.
async fn find(api: &Api, call: &Call, id: Id<Event>) -> Result<Event, Problem> {
    let sort = id.to_string();
    // From itself to itself, read backwards from the first text that sorts after it.
    let range = Range::listed(&keys::events_list(call.tenant()), 1)
        .backwards()
        .after(Some(format!("{sort}~")))
        .until(sort.clone());
    let found = api.app().store.range(&range).await?;
    let item = found.first().filter(|item| item.at.sort() == sort);
    let item = item.ok_or(Problem::not_found())?;
    Ok(decode(&item.record.body.bytes))
}
