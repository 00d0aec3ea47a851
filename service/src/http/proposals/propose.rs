//! `POST /v1/proposals`.

use axum::{
    extract::State,
    http::{Method, StatusCode},
    response::Response,
};
use lombard_core::{audit, id::Id, store::encode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::view::ProposalView;
use crate::{
    access::needs,
    http::{
        Api, Call, ErrorCode, IdempotencyKey, Json, Problem,
        input::Text,
        once::{Decided, once},
        reply::reply,
    },
    proposals::{self, Proposal, STANDS_MS},
};

/// The longest path of an operation.
const PATH_MAX: usize = 300;

/// An operation that takes a second person.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateProposal)]
struct ProposeBody<'a> {
    /// The operation's method.
    #[serde(borrow)]
    #[schema(value_type = String, pattern = "^(POST|PATCH|DELETE)$")]
    method: Text<'a>,
    /// Its path, with ids filled in.
    #[serde(borrow)]
    #[schema(value_type = String, pattern = "^/v1/[!-~]{1,296}$", example = "/v1/payments/pay_01j0000000000000000000000/returns")]
    path: Text<'a>,
    /// Its body, as it is to be sent.
    #[serde(default)]
    #[schema(value_type = Object, required = false)]
    body: Value,
}

/// Propose an operation
///
/// Of the operations that the installation lets nobody do alone. It is carried out as you when
/// somebody else approves it within a day, with exactly this body. You must be allowed to do it.
#[utoipa::path(post, path = "/v1/proposals", tag = "approvals", request_body = ProposeBody,
    responses((status = 201, description = "It waits for somebody else.", body = ProposalView)))]
pub async fn propose(
    State(api): State<Api>,
    call: Call,
    key: IdempotencyKey,
    json: Json,
) -> Result<Response, Problem> {
    let request: ProposeBody<'_> = json.parse()?;
    let method = request.method.checked("/method", 10)?;
    let path = request.path.checked("/path", PATH_MAX)?;
    let (app, tenant) = (api.app(), call.tenant());
    let route = app.config.approvals.route(method, path);
    let route = route.ok_or_else(|| {
        let detail = "this operation takes no second person; call it";
        Problem::saying(ErrorCode::NotApplicable, detail.into())
    })?;
    let maker = call.caller();
    let may = maker.access.allows(&needs(method, route));
    if !may {
        return Err(Problem::new(ErrorCode::Forbidden));
    }
    let body = match &request.body {
        Value::Null => Vec::new(),
        body => encode(body),
    };
    let wish = key.wish_blinded("proposals.create", &request, &*app.vault, tenant);
    let now = app.host.now();
    let id: Id<Proposal> = Id::new(now, app.host.random());
    let proposal = Proposal {
        id,
        maker: maker.key,
        method: method.to_owned(),
        path: path.to_owned(),
        digest: proposals::digest(method, path, &body),
        body: app.vault.seal(tenant, &id.to_string(), &body)?,
        created_at: now,
        expires_at: now.plus_ms(STANDS_MS),
        decision: None,
        answered: None,
    };
    let note = call.note(&*app.host, "proposal.create", id);
    let done = once(&api, tenant, &wish, &[], |read| {
        let mut writes = read.checks();
        writes.create(proposals::key(tenant, id), proposal.record(tenant));
        audit::enter(&mut writes, &note);
        Ok(Decided {
            writes,
            status: StatusCode::CREATED.as_u16(),
            body: encode(&ProposalView::of(&proposal, now)),
        })
    })
    .await?;
    Ok(reply(done))
}

/// The method of a proposal, whose text was checked when it was made.
pub fn method_of(proposal: &Proposal) -> Method {
    proposal.method.parse().unwrap_or(Method::POST)
}
