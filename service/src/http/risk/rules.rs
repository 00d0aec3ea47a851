//! Rules: proposed by one, tried on what was paid before, put in force by somebody else.

pub mod force;
pub mod propose;
pub mod view;

use std::{ops::Bound, str::FromStr};

use axum::{extract::State, response::Response};
use lombard_core::{
    store::{Snapshot, decode},
    tenant::TenantId,
};
use lombard_risk::policy::{NAME_MAX, Policy};

use self::view::{HitsView, RuleView, RulesView};
use super::desk;
use crate::{
    http::{
        Api, Call, Cursor, ErrorCode, Paging, Problem, call::PathOf, query::Query, reply::shown,
        wire::scalar,
    },
    risk::{
        history::{self, Part},
        policies::rules::{self, Book},
    },
};

/// The most characters of why something is done.
pub const REASON_MAX: usize = 1000;
/// The most of the newest payments that are looked at for one answer.
const NEWEST_MAX: usize = 20_000;
/// The newest payments of which hits are counted, unless it is said otherwise.
const HITS_DEFAULT: usize = 1_000;

/// List rules
///
/// All of them, by name, with their versions: those in force, those that wait for a second person,
/// and those that were taken out.
#[utoipa::path(get, path = "/v1/risk/rules", tag = "risk",
    params(("limit" = inline(Option<u32>), Query, description = "How many at the most; 25 when absent.", minimum = 1, maximum = 100),
           ("cursor" = inline(Option<String>), Query, description = "`next_cursor` of the page before.", max_length = 100)),
    responses((status = 200, description = "A page.", body = RulesView)))]
pub async fn list(
    State(api): State<Api>,
    call: Call,
    mut query: Query,
) -> Result<Response, Problem> {
    let paging: Paging<After> = Paging::of(&mut query)?;
    query.finish()?;
    let policy = desk(&api)?.policy(call.tenant());
    let books = rules::all(api.app(), call.tenant(), &policy).await?;
    let after = paging
        .cursor
        .as_ref()
        .map(|Cursor(After(name))| name.as_str());
    let after = after.map_or(Bound::Unbounded, Bound::Excluded);
    let mut page = books.range::<str, _>((after, Bound::Unbounded));
    let shown_now: Vec<&Book> = page.by_ref().take(paging.limit).map(|(_, it)| it).collect();
    Ok(shown(&RulesView::of(
        &policy,
        &shown_now,
        page.next().is_some(),
    )))
}

/// The name of a rule after which a page begins.
struct After(String);

impl FromStr for After {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let fits = text.chars().count() <= NAME_MAX;
        fits.then(|| Self(text.to_owned())).ok_or(())
    }
}

/// Get a rule
///
/// With all its versions, and what came of trying each when it was proposed.
#[utoipa::path(get, path = "/v1/risk/rules/{id}", tag = "risk",
    params(("id" = inline(scalar::RiskName), Path, description = "The rule's name.")),
    responses((status = 200, description = "The rule.", body = RuleView)))]
pub async fn get(
    State(api): State<Api>,
    call: Call,
    PathOf(name): PathOf<String>,
) -> Result<Response, Problem> {
    let policy = desk(&api)?.policy(call.tenant());
    let book = rules::find(api.app(), call.tenant(), &policy, &name).await?;
    let book = book.ok_or(Problem::not_found())?;
    Ok(shown(&RuleView::of(&book)))
}

/// Count what rules did
///
/// To the newest payments, by rule and version: those that decided, and those in the shadow, of
/// which it is only noted that they held.
#[utoipa::path(get, path = "/v1/risk/hits", tag = "risk",
    params(("limit" = inline(Option<u32>), Query, description = "How many payments are looked at; 1,000 when absent.", minimum = 1, maximum = 20_000)),
    responses((status = 200, description = "What they did.", body = HitsView)))]
pub async fn hits(
    State(api): State<Api>,
    call: Call,
    mut query: Query,
) -> Result<Response, Problem> {
    let limit = query.take_with("limit", |text| match text.parse() {
        Ok(limit @ 1..=NEWEST_MAX) => Ok(limit),
        _ => Err(format!("expected a whole number from 1 to {NEWEST_MAX}")),
    })?;
    query.finish()?;
    desk(&api)?;
    let part = Part::newest(limit.unwrap_or(HITS_DEFAULT));
    let told = history::performance(api.app(), call.tenant(), part).await?;
    Ok(shown(&HitsView::of(told)))
}

/// A rule as it is kept, or as the policy has it; without a version when there is none.
fn kept_or_written(read: &Snapshot, tenant: TenantId, policy: &Policy, name: &str) -> Book {
    let kept = read.get(&rules::key(tenant, name));
    kept.map_or_else(
        || Book::of(policy, name),
        |record| decode(&record.body.bytes),
    )
}

fn standing(book: &Book) -> Result<(), Problem> {
    match &book.retired {
        None => Ok(()),
        Some(_) => Err(Problem::saying(
            ErrorCode::WrongState,
            "the rule was retired: propose one of another name".into(),
        )),
    }
}

fn stale(detail: String) -> Problem {
    Problem::saying(ErrorCode::VersionStale, detail.into())
}
