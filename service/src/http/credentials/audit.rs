//! The record of deeds, for those who may read it (grant `audit`).

use axum::{extract::State, response::Response};
use lombard_core::{
    audit::{self, Audit},
    id::Id,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::{
    Api, Call, Page, Paging, Problem,
    page::{Verdict, newest_first},
    query::Query,
    reply::shown,
    wire::scalar::{self, Moment},
};

/// One deed.
#[derive(Serialize, ToSchema)]
#[schema(as = Audit)]
struct AuditView<'a> {
    #[schema(value_type = scalar::AuditId)]
    id: Id<Audit>,
    #[schema(value_type = scalar::Time)]
    at: Moment,
    /// Who did it: the id of a credential, or a worker.
    #[schema(max_length = 200)]
    who: &'a str,
    /// What was done.
    #[schema(max_length = 100)]
    what: &'a str,
    /// On what.
    #[schema(max_length = 200)]
    on: &'a str,
    /// Why, in the doer's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200, nullable = false)]
    why: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::TraceId>, nullable = false)]
    trace_id: Option<&'a str>,
    /// `done`, or the rule that refused it.
    #[schema(max_length = 100)]
    outcome: &'a str,
}

/// Deeds, newest first.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
#[schema(as = AuditPage)]
struct AuditPage<'a> {
    data: Vec<AuditView<'a>>,
    /// Whether there may be more after them.
    has_more: bool,
    /// Where to go on.
    #[schema(nullable = false, max_length = 100)]
    next_cursor: Option<String>,
}

/// List deeds on record
///
/// What was done with tokens, subjects, keys and credentials, newest first.
#[utoipa::path(get, path = "/v1/audit", tag = "credentials",
    params(
        ("limit" = inline(Option<u32>), Query, description = "How many at the most; 25 when absent.", minimum = 1, maximum = 100),
        ("cursor" = inline(Option<scalar::AuditId>), Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page.", body = AuditPage)))]
pub async fn list(
    State(api): State<Api>,
    call: Call,
    mut query: Query,
) -> Result<Response, Problem> {
    let paging: Paging<Id<Audit>> = Paging::of(&mut query)?;
    query.finish()?;
    let partition = audit::list(call.tenant());
    let page = newest_first(&api, &partition, paging, |_: &Audit| Verdict::Keep).await?;
    let data: Vec<_> = page.data.iter().map(view).collect();
    Ok(shown(&Page {
        data,
        has_more: page.has_more,
        next_cursor: page.next_cursor,
    }))
}

fn view(audit: &Audit) -> AuditView<'_> {
    AuditView {
        id: audit.id,
        at: audit.at.into(),
        who: &audit.who,
        what: &audit.what,
        on: &audit.on,
        why: audit.why.as_deref(),
        trace_id: audit.trace.as_deref(),
        outcome: &audit.outcome,
    }
}
