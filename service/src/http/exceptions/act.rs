//! What a person does about an exception.

use axum::{extract::State, response::Response};
use lombard_core::{id::Id, idempotency::Idempotency, payment::Payment};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ExceptionView;
use crate::{
    access::Grant,
    exceptions::{self, Exception, Refused, Wish},
    http::{
        Api, Call, ErrorCode, IdempotencyKey, Json, PathId, Problem,
        input::Text,
        once::after,
        reply::reply,
        wire::scalar::{ExceptionId, PaymentId},
    },
    reconcile::resolve::{self, Action, Decision, Undecided},
};

/// The longest note.
const NOTE_MAX: usize = 1000;
/// The longest name of whoever looks at it.
const ASSIGNEE_MAX: usize = 100;

/// Why something is done.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExceptionNote)]
struct NoteBody<'a> {
    /// In words; it is kept.
    #[serde(borrow)]
    #[schema(value_type = String, min_length = 1, max_length = 1000)]
    note: Text<'a>,
}

/// Who looks at it, and why.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClaimException)]
struct ClaimBody<'a> {
    /// Who looks at it, as `operator/…` or `key/…`; the caller when absent.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 100)]
    assignee: Option<Text<'a>>,
    /// In words; it is kept.
    #[serde(borrow)]
    #[schema(value_type = String, min_length = 1, max_length = 1000)]
    note: Text<'a>,
}

/// What is to be done.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ResolveException)]
struct ResolveBody<'a> {
    /// What.
    action: Action,
    /// Of a link: the payment that the line is.
    #[schema(value_type = Option<PaymentId>)]
    payment: Option<Id<Payment>>,
    /// Why; it is kept.
    #[serde(borrow)]
    #[schema(value_type = String, min_length = 1, max_length = 1000)]
    note: Text<'a>,
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NotFound => Self::not_found(),
            Refused::WrongState(_) | Refused::Full => {
                Self::saying(ErrorCode::WrongState, refused.to_string().into())
            }
            Refused::Commit(error) => error.into(),
        }
    }
}

impl From<Undecided> for Problem {
    fn from(undecided: Undecided) -> Self {
        match undecided {
            Undecided::Refused(refused) => refused.into(),
            Undecided::Impossible(why) => Self::saying(ErrorCode::WrongState, why.into()),
            Undecided::Read(error) => error.into(),
            Undecided::Commit(error) => error.into(),
            Undecided::Execute(error) => error.into(),
        }
    }
}

/// A view that can be kept as an answer.
fn shown(exception: &Exception) -> serde_json::Value {
    // Our own views have text for keys and no serialisation that fails.
    serde_json::to_value(ExceptionView::of(exception)).unwrap_or_default()
}

/// Claim an exception
///
/// The caller, or whom he names, looks at it from now on.
#[utoipa::path(post, path = "/v1/exceptions/{id}/claim", tag = "exceptions",
    params(("id" = inline(ExceptionId), Path, description = "The exception.")),
    request_body = ClaimBody,
    responses((status = 200, description = "It is claimed.", body = ExceptionView)))]
pub async fn claim(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Exception>,
    key: IdempotencyKey,
    json: Json,
) -> Result<Response, Problem> {
    let body: ClaimBody<'_> = json.parse()?;
    let who = match &body.assignee {
        Some(who) => who.checked("/assignee", ASSIGNEE_MAX)?,
        None => &call.caller().actor,
    };
    let (wish, note) = (Wish::Claim(who.to_owned()), &body.note);
    let once = key.wish("exceptions.claim", &(id, &body));
    done(&api, &call, once, id, &wish, note).await
}

/// Comment on an exception
#[utoipa::path(post, path = "/v1/exceptions/{id}/comment", tag = "exceptions",
    params(("id" = inline(ExceptionId), Path, description = "The exception.")),
    request_body = NoteBody,
    responses((status = 200, description = "It is noted.", body = ExceptionView)))]
pub async fn comment(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Exception>,
    key: IdempotencyKey,
    json: Json,
) -> Result<Response, Problem> {
    let body: NoteBody<'_> = json.parse()?;
    let wish = Wish::Comment("commented".to_owned());
    let once = key.wish("exceptions.comment", &(id, &body));
    done(&api, &call, once, id, &wish, &body.note).await
}

async fn done(
    api: &Api,
    call: &Call,
    once: Idempotency,
    id: Id<Exception>,
    wish: &Wish,
    note: &Text<'_>,
) -> Result<Response, Problem> {
    let note = note.checked("/note", NOTE_MAX)?;
    let work = async {
        let (app, tenant, actor) = (api.app(), call.tenant(), &call.caller().actor);
        let found = exceptions::act(app, tenant, id, actor, wish, note).await?;
        Ok(shown(&found))
    };
    Ok(reply(after(api, call.tenant(), &once, 200, work).await?))
}

/// Resolve an exception
///
/// Carries out one of its `actions`. `ask` leaves it open. What moves more money than one person may
/// move alone is proposed by the first caller and done when another one asks for the same.
#[utoipa::path(post, path = "/v1/exceptions/{id}/resolve", tag = "exceptions",
    params(("id" = inline(ExceptionId), Path, description = "The exception.")),
    request_body = ResolveBody,
    responses((status = 200, description = "It is resolved, or proposed: `state` says which.", body = ExceptionView)))]
pub async fn resolve(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Exception>,
    key: IdempotencyKey,
    json: Json,
) -> Result<Response, Problem> {
    let body: ResolveBody<'_> = json.parse()?;
    let note = body.note.checked("/note", NOTE_MAX)?;
    let once = key.wish("exceptions.resolve", &(id, &body));
    let work = async {
        let decision = Decision {
            app: api.app(),
            tenant: call.tenant(),
            actor: &call.caller().actor,
            may_approve: call.caller().access.grants.has(Grant::Approve),
            action: body.action,
            payment: body.payment,
            note,
        };
        Ok(shown(&decision.carry_out(id).await?))
    };
    Ok(reply(after(&api, call.tenant(), &once, 200, work).await?))
}

/// Open an exception again
///
/// Takes back what was posted to resolve it.
#[utoipa::path(post, path = "/v1/exceptions/{id}/reopen", tag = "exceptions",
    params(("id" = inline(ExceptionId), Path, description = "The exception.")),
    request_body = NoteBody,
    responses((status = 200, description = "It is open.", body = ExceptionView)))]
pub async fn reopen(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Exception>,
    key: IdempotencyKey,
    json: Json,
) -> Result<Response, Problem> {
    let body: NoteBody<'_> = json.parse()?;
    let note = body.note.checked("/note", NOTE_MAX)?;
    let once = key.wish("exceptions.reopen", &(id, &body));
    let work = async {
        let actor = &call.caller().actor;
        let found = resolve::reverse(api.app(), call.tenant(), id, actor, note).await?;
        Ok(shown(&found))
    };
    Ok(reply(after(&api, call.tenant(), &once, 200, work).await?))
}
