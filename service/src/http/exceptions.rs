//! Exceptions: what a person must look at, and what he does about it.

mod act;
mod bulk;
mod preview;

use std::{collections::BTreeMap, fmt, str::FromStr};

use axum::{extract::State, response::Response};
use lombard_core::{id::Id, time::Timestamp};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api, Call, Page, Paging, PathId, Problem,
    page::{Cursor, SCANNED_MAX},
    query::Query,
    reply::shown,
    wire::{
        Moment,
        scalar::{ExceptionId, Time},
    },
};
use crate::{
    exceptions::{self, Deed, Exception, Kind, Standing},
    ports::RANGE_MAX,
    reconcile::action::Action,
};

/// The routes of exceptions.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(act::claim))
        .routes(routes!(act::comment))
        .routes(routes!(act::resolve))
        .routes(routes!(act::snooze))
        .routes(routes!(preview::preview))
        .routes(routes!(bulk::bulk))
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
    /// Where it stands with those who work the queue.
    #[schema(value_type = String, pattern = "^(open|claimed|waiting_for_approval|snoozed|resolved)$")]
    standing: Standing,
    /// `high` where money may be wrong or cannot move: people are alerted within a minute.
    #[schema(pattern = "^(high|normal)$")]
    severity: &'static str,
    /// Until when nobody need look at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Time>, nullable = false)]
    snoozed_until: Option<Moment>,
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
    pub fn of(exception: &'a Exception, now: Timestamp) -> Self {
        let standing = exception.standing(now);
        let snoozed = exception
            .snoozed_until
            .filter(|_| standing == Standing::Snoozed);
        Self {
            id: exception.id,
            object: "exception",
            kind: exception.kind.name(),
            subject: &exception.subject,
            reason: &exception.reason,
            evidence: &exception.evidence,
            state: exception.state,
            standing,
            severity: exception.kind.severity(),
            snoozed_until: snoozed.map(Into::into),
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

/// Where those that are wanted stand.
enum Wanted {
    /// Where a person can do something now: open, claimed or waiting for approval.
    Active,
    /// Just there.
    At(Standing),
}

/// Which exceptions are wanted.
struct Filter {
    standing: Option<Wanted>,
    kind: Option<Kind>,
}

impl Filter {
    fn of(query: &mut Query) -> Result<Self, Problem> {
        Ok(Self {
            standing: query.take_with("standing", |text| {
                let found = Standing::ALL.into_iter().find(|it| it.name() == text);
                match (text, found) {
                    ("active", _) => Ok(Wanted::Active),
                    (_, Some(standing)) => Ok(Wanted::At(standing)),
                    (_, None) => Err("there is no such standing".to_owned()),
                }
            })?,
            kind: query.take_with("kind", |text| {
                let found = Kind::ALL.into_iter().find(|kind| kind.name() == text);
                found.ok_or_else(|| "there is no such kind".to_owned())
            })?,
        })
    }

    fn wants(&self, exception: &Exception, now: Timestamp) -> bool {
        let standing = exception.standing(now);
        self.kind.is_none_or(|it| it == exception.kind)
            && match self.standing {
                None => true,
                Some(Wanted::At(wanted)) => standing == wanted,
                Some(Wanted::Active) => !matches!(standing, Standing::Snoozed | Standing::Resolved),
            }
    }
}

/// List exceptions
///
/// What the machine could not settle, newest first. A filtered page looks at up to 2,000 exceptions: it
/// can be shorter than `limit` and still have more after it.
#[utoipa::path(get, path = "/v1/exceptions", tag = "exceptions",
    params(("limit" = inline(Option<u32>), Query, description = "How many at the most; 25 when absent.", minimum = 1, maximum = 100),
           ("cursor" = inline(Option<String>), Query, description = "`next_cursor` of the page before.", max_length = 46),
           ("standing" = inline(Option<String>), Query, description = "Only those that stand there; `active` is any but snoozed and resolved.", pattern = "^(active|open|claimed|waiting_for_approval|snoozed|resolved)$"),
           ("kind" = inline(Option<String>), Query, description = "Only those of this kind.", pattern = "^[a-z_]{1,40}$")),
    responses((status = 200, description = "A page of them.", body = ExceptionPage)))]
async fn list(State(api): State<Api>, call: Call, mut query: Query) -> Result<Response, Problem> {
    let paging: Paging<Place> = Paging::of(&mut query)?;
    let filter = Filter::of(&mut query)?;
    query.finish()?;
    let now = api.app().host.now();
    let mut after = paging.cursor.map(|Cursor(Place(sort))| sort);
    let (mut kept, mut scanned, mut next) = (Vec::new(), 0, None);
    // One more than is wanted says whether there is more.
    'pages: while scanned < SCANNED_MAX {
        let wanted = if scanned == 0 {
            paging.limit + 1
        } else {
            RANGE_MAX
        };
        let found = exceptions::list_for(api.app(), call.tenant(), after.clone(), wanted).await?;
        let ended = found.len() < wanted;
        scanned += found.len();
        for (sort, exception) in found {
            if kept.len() == paging.limit {
                next = after.take();
                break 'pages;
            }
            after = Some(sort);
            if filter.wants(&exception, now) {
                kept.push(exception);
            }
        }
        next = if ended { None } else { after.clone() };
        if ended {
            break;
        }
    }
    let data = kept.iter().map(|it| ExceptionView::of(it, now)).collect();
    let Page {
        data,
        has_more,
        next_cursor,
    } = Page::new(data, next.map(Place));
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
    Ok(shown(&ExceptionView::of(&found, api.app().host.now())))
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
