//! A party as it is shown, and the list of them.

use axum::{extract::State, response::Response};
use lombard_core::{
    id::Id,
    party::{self, Decision, Document, DocumentKind, Kind, Profile, State as Known},
    time::Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::find;
use crate::http::{
    Api, Call, Page, Paging, PathId, Problem,
    page::{Verdict, newest_first},
    query::Query,
    reply::shown,
    wire::scalar::{self, Moment},
};

/// What is known of a customer or payee. Its name and the like are in the vault alone.
#[derive(Serialize, ToSchema)]
pub struct PartyProfile<'a> {
    #[schema(value_type = scalar::PartyId)]
    id: Id<Profile>,
    /// `party`.
    #[schema(pattern = "^party$")]
    object: &'static str,
    /// `person` or `business`.
    #[schema(value_type = String, pattern = "^(person|business)$")]
    kind: Kind,
    /// Where its data lives.
    #[schema(pattern = "^[a-z0-9-]{2,32}$")]
    region: &'a str,
    /// Your own reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 140, nullable = false)]
    reference: Option<&'a str>,
    /// The vault's token for its name and the like.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::TokenId>, nullable = false)]
    data: Option<&'a str>,
    /// How far it is known, now: `pending`, `verified`, `rejected`, or `expired` when a verification is past its time.
    #[schema(value_type = String, pattern = "^(pending|verified|rejected|expired)$")]
    state: Known,
    /// Until when the verification is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::Time>, nullable = false)]
    valid_until: Option<Moment>,
    /// Whether it should be verified again: its time is over, or is within 30 days.
    due: bool,
    /// By what payments find it: ids of accounts here, fingerprints of accounts elsewhere.
    #[schema(inline, value_type = Vec<SideName>, max_items = 20)]
    accounts: &'a [String],
    #[schema(max_items = 20)]
    documents: Vec<DocumentView<'a>>,
    /// The latest decisions, the newest last.
    #[schema(max_items = 20)]
    decisions: Vec<DecisionView<'a>>,
    #[schema(value_type = scalar::Time)]
    created_at: Moment,
    #[schema(value_type = scalar::Time)]
    updated_at: Moment,
}

/// An account's id, or the fingerprint of an account elsewhere.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^(acc_[0-7][0-9a-hjkmnp-tv-z]{25}|[0-9a-f]{64})$")]
#[allow(dead_code)] // Only described.
pub struct SideName(String);

/// A document, as far as it may be told.
#[derive(Serialize, ToSchema)]
#[schema(as = PartyDocument)]
struct DocumentView<'a> {
    #[schema(value_type = scalar::PartyDocumentKind)]
    kind: DocumentKind,
    /// ISO 3166 code of who issued it.
    #[schema(pattern = "^[A-Z]{2}$")]
    country: &'a str,
    /// The vault's token for its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::TokenId>, nullable = false)]
    data: Option<&'a str>,
    /// When it stops proving anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::Time>, nullable = false)]
    good_until: Option<Moment>,
    #[schema(value_type = scalar::Time)]
    added_at: Moment,
}

/// What was decided.
#[derive(Serialize, ToSchema)]
#[schema(as = PartyDecision)]
struct DecisionView<'a> {
    #[schema(value_type = String, pattern = "^(pending|verified|rejected)$")]
    state: Known,
    #[schema(max_length = 100)]
    by: &'a str,
    #[schema(max_length = 500)]
    reason: &'a str,
    #[schema(value_type = scalar::Time)]
    at: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::Time>, nullable = false)]
    valid_until: Option<Moment>,
}

impl<'a> PartyProfile<'a> {
    /// The view of a profile at a moment.
    pub fn of(profile: &'a Profile, now: Timestamp) -> Self {
        Self {
            id: profile.id,
            object: "party",
            kind: profile.kind,
            region: &profile.region,
            reference: profile.reference.as_deref(),
            data: profile.data.as_deref(),
            state: profile.state(now),
            valid_until: profile.standing().valid_until.map(Moment),
            due: profile.is_due(now),
            accounts: &profile.sides,
            documents: profile.documents.iter().map(DocumentView::of).collect(),
            decisions: profile.decisions.iter().map(DecisionView::of).collect(),
            created_at: profile.created_at.into(),
            updated_at: profile.updated_at.into(),
        }
    }
}

impl<'a> DocumentView<'a> {
    fn of(document: &'a Document) -> Self {
        Self {
            kind: document.kind,
            country: &document.country,
            data: document.data.as_deref(),
            good_until: document.good_until.map(Moment),
            added_at: document.added_at.into(),
        }
    }
}

impl<'a> DecisionView<'a> {
    fn of(decision: &'a Decision) -> Self {
        Self {
            state: decision.state,
            by: &decision.by,
            reason: &decision.reason,
            at: decision.at.into(),
            valid_until: decision.valid_until.map(Moment),
        }
    }
}

/// Look a party up
#[utoipa::path(get, path = "/v1/parties/{id}", tag = "parties",
    params(("id" = inline(scalar::PartyId), Path, description = "The party.")),
    responses((status = 200, description = "The party.", body = PartyProfile),
        (status = 409, description = "It belongs to another region.")))]
pub async fn get(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Profile>,
) -> Result<Response, Problem> {
    let profile = find(&api, &call, id).await?;
    Ok(shown(&PartyProfile::of(&profile, api.app().host.now())))
}

/// A part of the list of parties.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
#[schema(as = PartyPage)]
struct PartyPage<'a> {
    data: Vec<PartyProfile<'a>>,
    /// Whether there may be more after them.
    has_more: bool,
    /// Where to go on.
    #[schema(nullable = false, max_length = 100)]
    next_cursor: Option<String>,
}

/// List parties
///
/// Newest first; those of another region are left out.
#[utoipa::path(get, path = "/v1/parties", tag = "parties",
    params(
        ("limit" = inline(Option<u32>), Query, description = "How many at the most; 25 when absent.", minimum = 1, maximum = 100),
        ("cursor" = inline(Option<scalar::PartyId>), Query, description = "`next_cursor` of the page before."),
        ("state" = inline(Option<String>), Query, description = "Only those of this state, now.", pattern = "^(pending|verified|rejected|expired)$"),
        ("due" = inline(Option<bool>), Query, description = "Only those that should, or should not, be verified again."),
    ),
    responses((status = 200, description = "A page.", body = PartyPage)))]
pub async fn list(
    State(api): State<Api>,
    call: Call,
    mut query: Query,
) -> Result<Response, Problem> {
    let paging = Paging::of(&mut query)?;
    let state = query.take_with("state", |text| match text {
        "pending" => Ok(Known::Pending),
        "verified" => Ok(Known::Verified),
        "rejected" => Ok(Known::Rejected),
        "expired" => Ok(Known::Expired),
        _ => Err("expected `pending`, `verified`, `rejected` or `expired`".to_owned()),
    })?;
    let due: Option<bool> = query.take("due")?;
    query.finish()?;
    let now = api.app().host.now();
    let region = &api.app().config.parties.region;
    let wanted = |profile: &Profile| {
        let wanted = profile.region == *region
            && state.is_none_or(|state| profile.state(now) == state)
            && due.is_none_or(|due| profile.is_due(now) == due);
        if wanted { Verdict::Keep } else { Verdict::Skip }
    };
    let page = newest_first(&api, &party::list(call.tenant()), paging, wanted).await?;
    let data: Vec<_> = page
        .data
        .iter()
        .map(|it| PartyProfile::of(it, now))
        .collect();
    Ok(shown(&Page {
        data,
        has_more: page.has_more,
        next_cursor: page.next_cursor,
    }))
}
