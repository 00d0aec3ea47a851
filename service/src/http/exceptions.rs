//! Exceptions: what a person must look at, and what he does about it.

mod act;

use std::{collections::BTreeMap, fmt, str::FromStr};

use axum::{extract::State, response::Response};
use lombard_core::id::Id;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api, Call, Page, Paging, PathId, Problem,
    page::Cursor,
    query::Query,
    reply::shown,
    wire::{
        Moment,
        scalar::{ExceptionId, Time},
    },
};
use crate::{
    exceptions::{self, Deed, Exception},
    reconcile::resolve::Action,
};

/// The routes of exceptions.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(act::claim))
        .routes(routes!(act::comment))
        .routes(routes!(act::resolve))
        .routes(routes!(act::reopen))
}

/// Something that a person must look at.
#[derive(Serialize, ToSchema)]
#[schema(as = Exception)]
pub struct ExceptionView<'a> {
    /// Names it; the same trouble with the same subject keeps its id.
    #[schema(value_type = ExceptionId)]
    id: Id<Exception>,
    /// `exception`.
    #[schema(pattern = "^exception$")]
    object: &'static str,
    /// What is wrong, such as `contradiction`, `unresolved` or `effect_failed`.
    #[schema(pattern = "^[a-z_]{1,40}$")]
    kind: &'static str,
    /// With what: the id of a payment or account, or the reference that a message gave.
    #[schema(max_length = 200)]
    subject: &'a str,
    /// In a sentence.
    #[schema(max_length = 1000)]
    reason: &'a str,
    /// Ids, codes and amounts that are known of it.
    evidence: &'a BTreeMap<String, String>,
    /// `open` or `resolved`.
    #[schema(value_type = String, pattern = "^(open|resolved)$")]
    state: exceptions::State,
    /// When it was opened, or opened again.
    #[schema(value_type = Time)]
    opened_at: Moment,
    /// Who looks at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 100)]
    assignee: Option<&'a str>,
    /// What can be done about it; the first is what mostly helps.
    #[schema(value_type = Vec<Action>)]
    actions: &'static [&'static str],
    /// What was done about it, in order.
    history: Vec<DeedView<'a>>,
}

/// Something that somebody did about an exception.
#[derive(Serialize, ToSchema)]
#[schema(as = ExceptionDeed)]
struct DeedView<'a> {
    /// When.
    #[schema(value_type = Time)]
    at: Moment,
    /// Who.
    #[schema(max_length = 100)]
    actor: &'a str,
    /// What: `claimed`, `commented`, `reopened`, or an action.
    #[schema(max_length = 100)]
    what: &'a str,
    /// Why.
    #[schema(max_length = 1000)]
    note: &'a str,
}

impl<'a> ExceptionView<'a> {
    /// The view of an exception.
    #[must_use]
    pub fn of(exception: &'a Exception) -> Self {
        Self {
            id: exception.id,
            object: "exception",
            kind: exception.kind.name(),
            subject: &exception.subject,
            reason: &exception.reason,
            evidence: &exception.evidence,
            state: exception.state,
            opened_at: exception.opened_at.into(),
            assignee: exception.assignee.as_deref(),
            actions: exception.kind.actions(),
            history: exception.history.iter().map(DeedView::of).collect(),
        }
    }
}

impl<'a> DeedView<'a> {
    fn of(deed: &'a Deed) -> Self {
        Self {
            at: deed.at.into(),
            actor: &deed.actor,
            what: &deed.what,
            note: &deed.note,
        }
    }
}

/// Exceptions, newest first.
#[derive(Serialize, ToSchema)]
struct ExceptionPage<'a> {
    data: Vec<ExceptionView<'a>>,
    /// Whether there may be more after them.
    has_more: bool,
    /// Where to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 100)]
    next_cursor: Option<String>,
}

/// A place in the list: the moment in milliseconds, and the id.
#[derive(Clone)]
struct Place(String);

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let proper = text.split_once('-').is_some_and(|(ms, id)| {
            ms.len() == 15
                && ms.bytes().all(|byte| byte.is_ascii_digit())
                && id.parse::<Id<Exception>>().is_ok()
        });
        proper
            .then(|| Self(text.replacen('-', "#", 1)))
            .ok_or("expected a cursor of this list")
    }
}

impl fmt::Display for Place {
    /// A cursor stands in a URL, where `#` would end it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.replacen('#', "-", 1))
    }
}

/// List exceptions
///
/// What the machine could not settle, newest first.
#[utoipa::path(get, path = "/v1/exceptions", tag = "exceptions",
    params(("limit" = inline(Option<u32>), Query, description = "How many at the most; 25 when absent.", minimum = 1, maximum = 100),
           ("cursor" = inline(Option<String>), Query, description = "`next_cursor` of the page before.", max_length = 46)),
    responses((status = 200, description = "A page of them.", body = ExceptionPage)))]
async fn list(State(api): State<Api>, call: Call, mut query: Query) -> Result<Response, Problem> {
    let paging: Paging<Place> = Paging::of(&mut query)?;
    query.finish()?;
    let after = paging.cursor.map(|Cursor(Place(sort))| sort);
    let mut found = exceptions::list(api.app(), call.tenant(), after, paging.limit + 1).await?;
    let more = found.len() > paging.limit;
    found.truncate(paging.limit);
    let next = found.last().filter(|_| more);
    let next = next.map(|(sort, _)| Place(sort.clone()));
    let data = found.iter().map(|(_, it)| ExceptionView::of(it)).collect();
    let Page {
        data,
        has_more,
        next_cursor,
    } = Page::new(data, next);
    Ok(shown(&ExceptionPage {
        data,
        has_more,
        next_cursor,
    }))
}

/// Get an exception
#[utoipa::path(get, path = "/v1/exceptions/{id}", tag = "exceptions",
    params(("id" = inline(ExceptionId), Path, description = "The exception.")),
    responses((status = 200, description = "It.", body = ExceptionView)))]
async fn get(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Exception>,
) -> Result<Response, Problem> {
    let found = exceptions::get(api.app(), call.tenant(), id).await?;
    let found = found.ok_or(Problem::not_found())?;
    Ok(shown(&ExceptionView::of(&found)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_a_place_and_back() {
        let text = "001795000000123-exc_01k9z8q4v7n3r5t6w8x0y2z4a6";
        let place: Place = text.parse().unwrap();
        assert_eq!(place.0, text.replacen('-', "#", 1));
        assert_eq!(place.to_string(), text);
        for bad in [
            "",
            "-",
            "1-exc_01k9z8q4v7n3r5t6w8x0y2z4a6",
            "001795000000123-x",
        ] {
            assert!(bad.parse::<Place>().is_err(), "{bad}");
        }
    }
}
