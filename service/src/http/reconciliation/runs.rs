//! Earlier runs: what each file came to.

use axum::{extract::State, response::Response};
use lombard_core::id::Id;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    http::{
        Api, Call, Page, Paging, PathId, Problem,
        page::{Verdict, newest_first},
        query::Query,
        reply::shown,
        wire::scalar::{self, Moment},
    },
    reconcile::{
        Report,
        kept::{self, Kept},
    },
};

/// A run.
#[derive(Serialize, ToSchema)]
#[schema(as = ReconciliationRun)]
struct RunView<'a> {
    #[schema(value_type = scalar::RunId)]
    id: Id<Kept>,
    /// `reconciliation_run`.
    #[schema(pattern = "^reconciliation_run$")]
    object: &'static str,
    #[schema(value_type = scalar::Time)]
    at: Moment,
    /// Who sent the file.
    #[schema(max_length = 100)]
    by: &'a str,
    /// SHA-256 of the file, in lower-case hexadecimal.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    digest: &'a str,
    /// How many things did not agree.
    open: u64,
    /// What it came to; of many exceptions the first 500.
    #[schema(value_type = Report)]
    report: &'a Value,
}

impl<'a> RunView<'a> {
    fn of(kept: &'a Kept) -> Self {
        Self {
            id: kept.id,
            object: "reconciliation_run",
            at: kept.at.into(),
            by: &kept.by,
            digest: &kept.digest,
            open: kept.open,
            report: &kept.report,
        }
    }
}

/// Runs, newest first.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
#[schema(as = ReconciliationRunPage)]
struct RunPage<'a> {
    data: Vec<RunView<'a>>,
    /// Whether there may be more after them.
    has_more: bool,
    /// Where to go on.
    #[schema(nullable = false, max_length = 100)]
    next_cursor: Option<String>,
}

/// List runs of reconciliation
///
/// What each statement or report came to, newest first.
#[utoipa::path(get, path = "/v1/reconciliation/runs", tag = "reconciliation",
    params(
        ("limit" = inline(Option<u32>), Query, description = "How many at the most; 25 when absent.", minimum = 1, maximum = 100),
        ("cursor" = inline(Option<scalar::RunId>), Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page.", body = RunPage)))]
pub async fn list(
    State(api): State<Api>,
    call: Call,
    mut query: Query,
) -> Result<Response, Problem> {
    let paging: Paging<Id<Kept>> = Paging::of(&mut query)?;
    query.finish()?;
    let partition = kept::list(call.tenant());
    let page = newest_first(&api, &partition, paging, |_: &Kept| Verdict::Keep).await?;
    let data: Vec<_> = page.data.iter().map(RunView::of).collect();
    Ok(shown(&Page {
        data,
        has_more: page.has_more,
        next_cursor: page.next_cursor,
    }))
}

/// Get a run of reconciliation
#[utoipa::path(get, path = "/v1/reconciliation/runs/{id}", tag = "reconciliation",
    params(("id" = inline(scalar::RunId), Path, description = "The run.")),
    responses((status = 200, description = "It.", body = RunView)))]
pub async fn get(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Kept>,
) -> Result<Response, Problem> {
    let kept: Option<Kept> = api.app().value(&kept::key(call.tenant(), id)).await?;
    let kept = kept.ok_or(Problem::not_found())?;
    Ok(shown(&RunView::of(&kept)))
}
