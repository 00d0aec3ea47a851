//! Proposals as they are shown.

use axum::{extract::State, response::Response};
use lombard_core::{id::Id, time::Timestamp};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    access::Grant,
    http::{
        Api, Call, Page, Paging, PathId, Problem,
        page::{Verdict, newest_first},
        query::Query,
        reply::shown,
        wire::scalar::{self, Moment},
    },
    proposals::{self, Proposal, State as Standing},
    tenants::ApiKey,
};

/// An operation that was proposed.
#[derive(Serialize, ToSchema)]
#[schema(as = Proposal)]
pub struct ProposalView<'a> {
    #[schema(value_type = scalar::ProposalId)]
    id: Id<Proposal>,
    /// Where it stands.
    #[schema(value_type = String, pattern = "^(open|approved|done|rejected|expired)$")]
    state: Standing,
    /// By which key it was proposed.
    #[schema(value_type = scalar::ApiKeyId)]
    maker: Id<ApiKey>,
    #[schema(pattern = "^(POST|PATCH|DELETE)$")]
    method: &'a str,
    #[schema(max_length = 300)]
    path: &'a str,
    /// What an approval names: it follows from method, path and body.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    digest: &'a str,
    /// The body, for its maker and for those who may approve it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, nullable = false)]
    body: Option<Value>,
    #[schema(value_type = scalar::Time)]
    created_at: Moment,
    #[schema(value_type = scalar::Time)]
    expires_at: Moment,
    /// Who approved or rejected it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200, nullable = false)]
    decided_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::Time>, nullable = false)]
    decided_at: Option<Moment>,
    /// The HTTP status that the operation was answered with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 200, maximum = 599, nullable = false)]
    answer_status: Option<u16>,
    /// What the operation was answered; to whoever approved it, once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, nullable = false)]
    answer: Option<Value>,
}

impl<'a> ProposalView<'a> {
    /// A proposal without its body.
    pub fn of(proposal: &'a Proposal, now: Timestamp) -> Self {
        let decision = proposal.decision.as_ref();
        Self {
            id: proposal.id,
            state: proposal.state(now),
            maker: proposal.maker,
            method: &proposal.method,
            path: &proposal.path,
            digest: &proposal.digest,
            body: None,
            created_at: proposal.created_at.into(),
            expires_at: proposal.expires_at.into(),
            decided_by: decision.map(|decision| decision.by.as_str()),
            decided_at: decision.map(|decision| decision.at.into()),
            answer_status: proposal.answered,
            answer: None,
        }
    }

    /// The same, with what the operation was answered.
    pub fn answered(mut self, answer: Option<Value>) -> Self {
        self.answer = answer;
        self
    }
}

/// Proposals, newest first.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
#[schema(as = ProposalPage)]
struct ProposalPage<'a> {
    data: Vec<ProposalView<'a>>,
    /// Whether there may be more after them.
    has_more: bool,
    /// Where to go on.
    #[schema(nullable = false, max_length = 100)]
    next_cursor: Option<String>,
}

/// List proposals
///
/// Newest first, without their bodies.
#[utoipa::path(get, path = "/v1/proposals", tag = "approvals",
    params(
        ("limit" = inline(Option<u32>), Query, description = "How many at the most; 25 when absent.", minimum = 1, maximum = 100),
        ("cursor" = inline(Option<scalar::ProposalId>), Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page.", body = ProposalPage)))]
pub async fn list(
    State(api): State<Api>,
    call: Call,
    mut query: Query,
) -> Result<Response, Problem> {
    let paging: Paging<Id<Proposal>> = Paging::of(&mut query)?;
    query.finish()?;
    let partition = proposals::list(call.tenant());
    let page = newest_first(&api, &partition, paging, |_: &Proposal| Verdict::Keep).await?;
    let now = api.app().host.now();
    let data: Vec<_> = page
        .data
        .iter()
        .map(|it| ProposalView::of(it, now))
        .collect();
    Ok(shown(&Page {
        data,
        has_more: page.has_more,
        next_cursor: page.next_cursor,
    }))
}

/// Look a proposal up
///
/// Its maker, and those who may approve it, see its body.
#[utoipa::path(get, path = "/v1/proposals/{id}", tag = "approvals",
    params(("id" = inline(scalar::ProposalId), Path, description = "The proposal.")),
    responses((status = 200, description = "The proposal.", body = ProposalView)))]
pub async fn get(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Proposal>,
) -> Result<Response, Problem> {
    let proposal = find(&api, &call, id).await?;
    let mut view = ProposalView::of(&proposal, api.app().host.now());
    let caller = call.caller();
    if caller.access.grants.has(Grant::Approve) || caller.key == proposal.maker {
        view.body = serde_json::from_slice(&body_of(&api, &call, &proposal)?).ok();
    }
    Ok(shown(&view))
}

/// A proposal of the caller's tenant.
pub async fn find(api: &Api, call: &Call, id: Id<Proposal>) -> Result<Proposal, Problem> {
    let found: Option<Proposal> = api.app().value(&proposals::key(call.tenant(), id)).await?;
    found.ok_or(Problem::not_found())
}

/// The body that was proposed.
pub fn body_of(api: &Api, call: &Call, proposal: &Proposal) -> Result<Vec<u8>, Problem> {
    let (vault, subject) = (&api.app().vault, proposal.id.to_string());
    Ok(vault.open(call.tenant(), &subject, &proposal.body)?)
}
