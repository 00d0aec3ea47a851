//! What a person does about an exception.

use axum::{extract::State, response::Response};
use lombard_core::{id::Id, idempotency::Idempotency, payment::Payment, time::Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ExceptionView;
use crate::{
    access::Grant,
    exceptions::{
        self, Exception, Refused, Wish,
        repair::{By, REFERENCE_MAX},
    },
    http::{
        Api, Call, ErrorCode, IdempotencyKey, Json, PathId, Problem,
        input::Text,
        once::after,
        reply::reply,
        wire::scalar::{ExceptionId, PaymentId, Time},
    },
    reconcile::{
        action::Action,
        resolve::{Decision, Undecided},
        reverse,
    },
    tenants::Scope,
};

/// The longest note.
pub const NOTE_MAX: usize = 1000;
/// The longest name of whoever looks at it.
pub const ASSIGNEE_MAX: usize = 100;
/// The length of what names a preview.
pub const SEEN_MAX: usize = 32;
/// For how long an exception can be snoozed, in milliseconds: 30 days.
const SNOOZE_MAX: u64 = 30 * 24 * 60 * 60 * 1000;

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

/// Until when nobody need look at it, and why.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SnoozeException)]
struct SnoozeBody<'a> {
    /// At most 30 days from now.
    #[serde(borrow)]
    #[schema(value_type = Time)]
    until: Text<'a>,
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
    /// Of `mark_paid` and `mark_not_paid`: where the rail's own records say so.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 140)]
    reference: Option<Text<'a>>,
    /// `seen` of the preview. When things stand otherwise by now, nothing is done. Needed where the case is
    /// about a payment and money moves.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false, pattern = "^[0-9a-f]{32}$")]
    seen: Option<Text<'a>>,
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
            Undecided::FailedAgain(_) => {
                Self::saying(ErrorCode::WrongState, undecided.to_string().into())
            }
            Undecided::NotProposed => Self::new(ErrorCode::Forbidden),
            Undecided::Stale => Self::saying(ErrorCode::WrongState, undecided.to_string().into()),
            Undecided::Unseen => Self::field("/seen", undecided.to_string()),
            Undecided::Read(error) => error.into(),
            Undecided::Commit(error) => error.into(),
            Undecided::Execute(error) => error.into(),
        }
    }
}

/// A view that can be kept as an answer.
fn shown(exception: &Exception, now: Timestamp) -> serde_json::Value {
    // Our own views have text for keys and no serialisation that fails.
    serde_json::to_value(ExceptionView::of(exception, now)).unwrap_or_default()
}

/// A decision of the caller's, without what only some have.
pub fn decision<'a>(api: &'a Api, call: &'a Call, action: Action) -> Decision<'a> {
    Decision {
        app: api.app(),
        tenant: call.tenant(),
        actor: &call.caller().actor,
        may_decide: call.caller().access.scope == Scope::Write,
        may_approve: call.caller().access.grants.has(Grant::Approve),
        action,
        payment: None,
        reference: None,
        trace: Some(call.trace_id()),
        seen: None,
        note: "",
    }
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

/// Snooze an exception
///
/// It stands aside in the queue until then, and is back by itself afterwards. What is wrong stays wrong: a
/// snooze silences no alert.
#[utoipa::path(post, path = "/v1/exceptions/{id}/snooze", tag = "exceptions",
    params(("id" = inline(ExceptionId), Path, description = "The exception.")),
    request_body = SnoozeBody,
    responses((status = 200, description = "It is snoozed.", body = ExceptionView)))]
pub async fn snooze(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Exception>,
    key: IdempotencyKey,
    json: Json,
) -> Result<Response, Problem> {
    let body: SnoozeBody<'_> = json.parse()?;
    let until = until(&body.until, api.app().host.now())?;
    let once = key.wish("exceptions.snooze", &(id, &body));
    done(&api, &call, once, id, &Wish::Snooze(until), &body.note).await
}

/// A moment to come, up to which an exception may be snoozed.
pub fn until(text: &Text<'_>, now: Timestamp) -> Result<Timestamp, Problem> {
    let text = text.checked("/until", 40)?;
    let until = Timestamp::parse_rfc3339(text);
    let until = until.filter(|it| *it > now && it.ms_since(now) <= SNOOZE_MAX);
    until.ok_or_else(|| Problem::field("/until", "expected a moment within 30 days from now"))
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
        Ok(shown(&found, app.host.now()))
    };
    Ok(reply(after(api, call.tenant(), &once, 200, work).await?))
}

/// Resolve an exception
///
/// Carries out one of its `actions`. `ask` leaves it open. What moves more money than one person may
/// move alone is proposed by the first caller and done when another one, with the grant `approve`, asks for the
/// same; who has the grant alone can do nothing else here.
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
    let checked = |text: &Option<Text<'_>>, field, chars| match text {
        Some(text) => text.checked(field, chars).map(|it| Some(it.to_owned())),
        None => Ok(None),
    };
    let reference = checked(&body.reference, "/reference", REFERENCE_MAX)?;
    let seen = checked(&body.seen, "/seen", SEEN_MAX)?;
    let work = async {
        let decision = Decision {
            payment: body.payment,
            reference: reference.as_deref(),
            seen: seen.as_deref(),
            note,
            ..decision(&api, &call, body.action)
        };
        let done = decision.carry_out(id).await?;
        Ok(shown(&done, api.app().host.now()))
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
        let by = By {
            actor,
            trace: Some(call.trace_id()),
            why: note,
        };
        let found = reverse::reverse(api.app(), call.tenant(), id, by).await?;
        Ok(shown(&found, api.app().host.now()))
    };
    Ok(reply(after(&api, call.tenant(), &once, 200, work).await?))
}
