//! Looking at batches: one, its rows, its report, and the list.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, header},
    response::Response,
};
use lombard_core::{id::Id, payment::Batch};
use tokio_stream::wrappers::ReceiverStream;
use utoipa::ToSchema;

use super::{find, view::BatchView};
use crate::{
    batch::{
        record::{self, Record},
        report::{self, Line},
        rows, tally,
    },
    http::{
        Api, Call, Page, Paging, PathId, Problem,
        page::{Cursor, Verdict, newest_first},
        query::Query,
        reply::shown,
        wire::scalar,
    },
};

/// Batches, newest first.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
struct BatchPage<'a> {
    data: Vec<BatchView<'a>>,
    /// Whether there may be more after them.
    has_more: bool,
    /// Where to go on.
    #[schema(nullable = false, max_length = 100)]
    next_cursor: Option<String>,
}

/// List batches
///
/// Newest first.
#[utoipa::path(get, path = "/v1/batches", tag = "batches",
    params(("limit" = inline(Option<u32>), Query, description = "How many at the most; 25 when absent.", minimum = 1, maximum = 100),
           ("cursor" = inline(Option<scalar::BatchId>), Query, description = "`next_cursor` of the page before.")),
    responses((status = 200, description = "A page of them.", body = BatchPage)))]
pub async fn list(
    State(api): State<Api>,
    call: Call,
    mut query: Query,
) -> Result<Response, Problem> {
    let paging: Paging<Id<Named>> = Paging::of(&mut query)?;
    query.finish()?;
    let (app, tenant) = (api.app(), call.tenant());
    let keep = |_: &Named| Verdict::Keep;
    let page = newest_first::<Named>(&api, &record::list(tenant), paging, keep).await?;
    let mut tallies = Vec::with_capacity(page.data.len());
    for Named(record) in &page.data {
        tallies.push(tally::read(app, tenant, record.id).await?);
    }
    let now = app.host.now();
    let views = page.data.iter().zip(tallies);
    let data: Vec<_> = views
        .map(|(Named(record), tally)| BatchView::of(record, tally, now))
        .collect();
    Ok(shown(&Page {
        data,
        has_more: page.has_more,
        next_cursor: page.next_cursor.clone(),
    }))
}

/// A batch's record, which lists name as [`Batch`] is named.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Named(Record);

impl lombard_core::id::Named for Named {
    const PREFIX: &'static str = <Batch as lombard_core::id::Named>::PREFIX;
}

/// Look a batch up
#[utoipa::path(get, path = "/v1/batches/{id}", tag = "batches",
    params(("id" = inline(scalar::BatchId), Path, description = "The batch.")),
    responses((status = 200, description = "The batch.", body = BatchView)))]
pub async fn get(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Batch>,
) -> Result<Response, Problem> {
    let record = find(&api, &call, id).await?;
    let tally = tally::read(api.app(), call.tenant(), id).await?;
    Ok(shown(&BatchView::of(&record, tally, api.app().host.now())))
}

/// Rows, in the order of the file.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
struct BatchRowPage<'a> {
    data: Vec<Line<'a>>,
    /// Whether there are more after them.
    has_more: bool,
    /// Where to go on.
    #[schema(nullable = false, max_length = 100)]
    next_cursor: Option<String>,
}

/// List a batch's rows
///
/// What became of each row of the file, in the order of the file.
#[utoipa::path(get, path = "/v1/batches/{id}/rows", tag = "batches",
    params(("id" = inline(scalar::BatchId), Path, description = "The batch."),
           ("limit" = inline(Option<u32>), Query, description = "How many at the most; 25 when absent.", minimum = 1, maximum = 100),
           ("cursor" = inline(Option<u32>), Query, description = "`next_cursor` of the page before.", minimum = 0, maximum = 10_000_000)),
    responses((status = 200, description = "A page of them.", body = BatchRowPage)))]
pub async fn rows(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Batch>,
    mut query: Query,
) -> Result<Response, Problem> {
    let paging: Paging<u64> = Paging::of(&mut query)?;
    query.finish()?;
    let record = find(&api, &call, id).await?;
    let after = paging.cursor.map_or(0, |Cursor(row)| row);
    let limit = paging.limit as u64;
    let seen = rows::read(api.app(), call.tenant(), id, record.rows, after, limit).await?;
    let last = seen.last().map_or(after, |seen| seen.row);
    let data: Vec<_> = seen.iter().map(Line::of).collect();
    Ok(shown(&Page::new(
        data,
        (last < record.rows).then_some(last),
    )))
}

/// Report on a batch
///
/// The whole of it as a file: pain.002 for pain.001 (in the version that answers it), CSV for CSV, JSON
/// Lines for JSON Lines. It may be asked for at any time and says how things stand then.
#[utoipa::path(get, path = "/v1/batches/{id}/report", tag = "batches",
    params(("id" = inline(scalar::BatchId), Path, description = "The batch.")),
    responses((status = 200, description = "The report.", content(
        (String = "application/xml"), (String = "text/csv"), (String = "application/x-ndjson")))))]
pub async fn report(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Batch>,
) -> Result<Response, Problem> {
    let (app, tenant) = (api.app().clone(), call.tenant());
    let record = find(&api, &call, id).await?;
    let tally = tally::read(&app, tenant, id).await?;
    let media = report::media_type(record.file.format);
    let pieces = report::write(app, tenant, record, tally);
    let mut response = Response::new(Body::from_stream(ReceiverStream::new(pieces)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    let private = HeaderValue::from_static("private, no-store");
    headers.insert(header::CACHE_CONTROL, private);
    Ok(response)
}
