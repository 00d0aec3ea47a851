//! `POST /v1/proposals/{id}/approve` and `…/reject`: by somebody else than the maker, once.

use axum::{
    Extension,
    body::{Body as HttpBody, to_bytes},
    extract::State,
    http::{Request, StatusCode, header},
    response::Response,
};
use lombard_core::{audit, command::Reply, id::Id, idempotency::Idempotency, store::encode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower::ServiceExt;
use utoipa::ToSchema;

use super::{
    Approved, Inner,
    propose::method_of,
    view::{ProposalView, body_of, find},
};
use crate::{
    access::needs,
    http::{
        Api, Call, ErrorCode, IdempotencyKey, Json, PathId, Problem,
        input::Text,
        json::Nothing,
        once::{Decided, once},
        reply::{reply, shown},
        wire::scalar,
    },
    proposals::{self, Decision, Proposal, State as Standing},
    records::{Then, change},
    tenants::{self, Caller},
};

/// The most bytes of an operation's answer.
const ANSWER_MAX: usize = 1024 * 1024;

/// What is approved.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApproveProposal)]
struct ApproveBody<'a> {
    /// `digest` of the proposal as it was looked at.
    #[serde(borrow)]
    #[schema(value_type = String, pattern = "^[0-9a-f]{64}$")]
    digest: Text<'a>,
}

/// Approve a proposal
///
/// Needs the grant `approve`, and somebody else than the maker. The operation is carried out as
/// its maker, once, with what was proposed and nothing else; its answer is in this one. If the
/// answer is lost, approve again.
#[utoipa::path(post, path = "/v1/proposals/{id}/approve", tag = "approvals",
    params(("id" = inline(scalar::ProposalId), Path, description = "The proposal.")),
    request_body = ApproveBody,
    responses((status = 200, description = "It was carried out; `answer_status` says how it ended.", body = ProposalView)))]
pub async fn approve(
    State(api): State<Api>,
    Extension(inner): Extension<Inner>,
    call: Call,
    PathId(id): PathId<Proposal>,
    key: IdempotencyKey,
    json: Json,
) -> Result<Response, Problem> {
    let request: ApproveBody<'_> = json.parse()?;
    let digest = request.digest.checked("/digest", 64)?;
    let wish = key.wish("proposals.approve", &(id, digest));
    decided(&api, &call, wish, id, Some(digest)).await?;
    let proposal = find(&api, &call, id).await?;
    let now = api.app().host.now();
    if proposal.state(now) != Standing::Approved {
        return Ok(shown(&ProposalView::of(&proposal, now)));
    }
    let (status, answer) = carry_out(&api, inner, &call, &proposal).await?;
    let place = proposals::key(call.tenant(), id);
    let done = change(api.app(), &place, |found: Option<Proposal>| {
        let mut done = found.unwrap_or_else(|| proposal.clone());
        done.answered = Some(status.as_u16());
        (Then::Put(done.record(call.tenant())), done)
    })
    .await?;
    Ok(shown(&ProposalView::of(&done, now).answered(answer)))
}

/// Reject a proposal
///
/// Needs the grant `approve`, and somebody else than the maker. Nothing is done.
#[utoipa::path(post, path = "/v1/proposals/{id}/reject", tag = "approvals",
    params(("id" = inline(scalar::ProposalId), Path, description = "The proposal.")),
    request_body(content = Option<Nothing>, description = "Nothing, or an empty object."),
    responses((status = 200, description = "It is rejected.", body = ProposalView)))]
pub async fn reject(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Proposal>,
    key: IdempotencyKey,
    _: Nothing,
) -> Result<Response, Problem> {
    let wish = key.wish("proposals.reject", &id);
    let kept = decided(&api, &call, wish, id, None).await?;
    Ok(reply(kept))
}

/// Decides: approves what has this digest, or rejects. An approval that was not carried out yet
/// can be given again.
async fn decided(
    api: &Api,
    call: &Call,
    wish: Idempotency,
    id: Id<Proposal>,
    digest: Option<&str>,
) -> Result<Reply, Problem> {
    let (app, tenant) = (api.app(), call.tenant());
    let (now, by) = (app.host.now(), call.caller().actor.to_string());
    let what = match digest {
        Some(_) => "proposal.approve",
        None => "proposal.reject",
    };
    let note = call.note(&*app.host, what, id);
    let place = proposals::key(tenant, id);
    once(api, tenant, &wish, std::slice::from_ref(&place), |read| {
        let mut proposal: Proposal = read.value(&place).ok_or(Problem::not_found())?;
        if call.caller().key == proposal.maker {
            return Err(Problem::new(ErrorCode::OwnApproval));
        }
        if digest.is_some_and(|digest| digest != proposal.digest) {
            let detail = "this is not what was proposed; look at it again";
            return Err(Problem::field("/digest", detail));
        }
        let mut writes = read.checks();
        match proposal.state(now) {
            Standing::Open => {
                proposal.decision = Some(Decision {
                    approved: digest.is_some(),
                    by: by.clone(),
                    at: now,
                });
                writes.update(&place, proposal.record(tenant));
                audit::enter(&mut writes, &note);
            }
            Standing::Approved if digest.is_some() => {}
            _ => return Err(Problem::new(ErrorCode::ProposalClosed)),
        }
        Ok(Decided {
            writes,
            status: StatusCode::OK.as_u16(),
            body: encode(&ProposalView::of(&proposal, now)),
        })
    })
    .await
}

/// Carries the operation out as its maker, if he may still do it.
async fn carry_out(
    api: &Api,
    inner: Inner,
    call: &Call,
    proposal: &Proposal,
) -> Result<(StatusCode, Option<Value>), Problem> {
    let app = api.app();
    let forbidden = || Problem::new(ErrorCode::Forbidden);
    let maker = tenants::find_key(app, call.tenant(), proposal.maker).await?;
    let maker = maker.filter(|key| key.is_good(app.host.now()));
    let maker = maker.map(Caller::of).ok_or_else(forbidden)?;
    let route = app.config.approvals.route(&proposal.method, &proposal.path);
    let may = |route| maker.access.allows(&needs(&proposal.method, route));
    if !route.is_some_and(may) {
        return Err(forbidden());
    }
    let body = body_of(api, call, proposal)?;
    let mut request = Request::builder()
        .method(method_of(proposal))
        .uri(proposal.path.as_str())
        .header("idempotency-key", proposal.id.to_string())
        .extension(Approved(maker));
    if !body.is_empty() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    let request = request.body(HttpBody::from(body));
    let request = request.map_err(|_| Problem::new(ErrorCode::NotFound))?;
    let Ok(response) = inner.0.oneshot(request).await;
    let status = response.status();
    if status.is_server_error() {
        // Not known, or not now: it can be approved again.
        return Err(Problem::new(ErrorCode::OutcomeUnknown));
    }
    let bytes = to_bytes(response.into_body(), ANSWER_MAX).await;
    let answer = bytes
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok());
    Ok((status, answer))
}
