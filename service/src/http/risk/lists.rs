//! Lists: who is on them, and putting somebody on one or taking him off.

pub mod act;

use axum::{extract::State, response::Response};
use lombard_core::{store::decode, time::Timestamp};
use lombard_risk::features::Subject;
use serde::Serialize;
use utoipa::ToSchema;

use super::{desk, rules::view::RiskDeed};
use crate::{
    http::{
        Api, Call, Cursor, Page, Paging, Problem,
        call::PathOf,
        query::Query,
        reply::shown,
        wire::{Moment, scalar},
    },
    risk::policies::listed::{self, Entry},
};

/// A list.
#[derive(Serialize, ToSchema)]
#[schema(as = RiskList)]
struct ListView<'a> {
    /// `risk_list`.
    #[schema(pattern = "^risk_list$")]
    object: &'static str,
    /// What it is called.
    #[schema(value_type = scalar::RiskName)]
    name: &'a str,
    /// How many are on it, those whose entry has ended included.
    entries: usize,
}

/// All lists.
#[derive(Serialize, ToSchema)]
#[schema(as = RiskLists)]
struct ListsView<'a> {
    /// `risk_lists`.
    #[schema(pattern = "^risk_lists$")]
    object: &'static str,
    /// The version of the policy in force.
    policy_version: u64,
    /// The lists, by name.
    data: Vec<ListView<'a>>,
}

/// Somebody on a list.
#[derive(Serialize, ToSchema)]
#[schema(as = RiskListEntry)]
struct EntryView {
    /// `risk_list_entry`.
    #[schema(pattern = "^risk_list_entry$")]
    object: &'static str,
    /// Which list.
    #[schema(value_type = scalar::RiskName)]
    list: String,
    /// Who.
    #[schema(value_type = String, pattern = "^[0-9a-f]{16}$")]
    subject: Subject,
    /// Whether he is on it now.
    listed: bool,
    /// When the entry ends by itself.
    #[schema(value_type = Option<scalar::Time>, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Moment>,
    /// Who put him there, when and why; absent when the policy's file did.
    #[schema(value_type = Option<RiskDeed>, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    added: Option<listed::Deed>,
    /// Who took him off.
    #[schema(value_type = Option<RiskDeed>, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<listed::Deed>,
}

impl EntryView {
    fn of(entry: &Entry, now: Timestamp) -> Self {
        let span = entry.spans.last();
        let expires_at = span.and_then(|span| span.expires_at);
        let open = span.is_some_and(|span| span.until.is_none());
        Self {
            object: "risk_list_entry",
            list: entry.list.clone(),
            subject: entry.subject,
            listed: open && expires_at.is_none_or(|end| now < end),
            expires_at: expires_at.map(Into::into),
            added: span.and_then(|span| span.added.clone()),
            removed: span.and_then(|span| span.removed.clone()),
        }
    }
}

/// Those on a list.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
struct RiskListPage {
    data: Vec<EntryView>,
    /// Whether there may be more after them.
    has_more: bool,
    /// Where to go on.
    #[schema(nullable = false, max_length = 100)]
    next_cursor: Option<String>,
}

/// List lists
///
/// Those of subjects to block, to allow or to watch: what being on one means, rules say.
#[utoipa::path(get, path = "/v1/risk/lists", tag = "risk",
    responses((status = 200, description = "The lists.", body = ListsView)))]
pub async fn list(State(api): State<Api>, call: Call, query: Query) -> Result<Response, Problem> {
    query.finish()?;
    let policy = desk(&api)?.policy(call.tenant());
    let names = policy.lists.names();
    Ok(shown(&ListsView {
        object: "risk_lists",
        policy_version: policy.rules.version(),
        data: names
            .map(|(name, entries)| ListView {
                object: "risk_list",
                name,
                entries,
            })
            .collect(),
    }))
}

/// Get a list
///
/// Who is on it, in the order of subjects, with who put them there and why.
#[utoipa::path(get, path = "/v1/risk/lists/{id}", tag = "risk",
    params(("id" = inline(scalar::RiskName), Path, description = "The list's name."),
           ("limit" = inline(Option<u32>), Query, description = "How many at the most; 25 when absent.", minimum = 1, maximum = 100),
           ("cursor" = inline(Option<String>), Query, description = "`next_cursor` of the page before.", max_length = 20)),
    responses((status = 200, description = "A page.", body = RiskListPage)))]
pub async fn get(
    State(api): State<Api>,
    call: Call,
    PathOf(name): PathOf<String>,
    mut query: Query,
) -> Result<Response, Problem> {
    let paging: Paging<Subject> = Paging::of(&mut query)?;
    query.finish()?;
    let (app, tenant) = (api.app(), call.tenant());
    let policy = desk(&api)?.policy(tenant);
    if !policy.lists.exists(&name) {
        return Err(Problem::not_found());
    }
    let after = paging.cursor.map(|Cursor(subject)| subject);
    let entries = policy.lists.entries_after(&name, after);
    let mut found: Vec<_> = entries.take(paging.limit + 1).collect();
    let more = found.len() > paging.limit;
    found.truncate(paging.limit);
    let places: Vec<_> = found
        .iter()
        .map(|(subject, _)| listed::key(tenant, &name, *subject))
        .collect();
    let kept = app.store.get(&places).await?;
    let now = app.host.now();
    let data: Vec<EntryView> = found
        .iter()
        .zip(kept)
        .map(|((subject, until), kept)| match kept {
            Some(record) => EntryView::of(&decode(&record.body.bytes), now),
            None => EntryView::of(&Entry::begun(&name, *subject, Some(*until)), now),
        })
        .collect();
    let next = data.last().filter(|_| more).map(|last| last.subject);
    Ok(shown(&Page::new(data, next)))
}
