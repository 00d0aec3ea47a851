//! `POST /v1/exceptions/bulk`: the same done about many exceptions, each for itself.
//!
//! A dry run says of each what would become of it and names how it stands ([`Preview::seen`]); the run
//! gives these names back, and leaves alone whatever stands otherwise by then. So no case is changed that
//! nobody looked at, and a run that a crash cut short can be sent again.
//!
//! [`Preview::seen`]: crate::exceptions::preview::Preview::seen

use axum::{extract::State, response::Response};
use lombard_core::{id::Id, time::Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::act::{ASSIGNEE_MAX, NOTE_MAX, SEEN_MAX, decision, until};
use crate::{
    exceptions::{self, Exception, Refused, Standing, State as CaseState, Wish, preview::Preview},
    http::{
        Api, Call, IdempotencyKey, Json, Problem,
        input::Text,
        once::after,
        reply::reply,
        wire::scalar::{ExceptionId, Time},
    },
    reconcile::{
        action::Action,
        resolve::{Decision, Undecided},
    },
};

/// The most exceptions of one call.
const CASES_MAX: usize = 100;

/// What is done about each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BulkDeed)]
enum Deed {
    /// Somebody looks at it.
    Claim,
    /// Something is said about it.
    Comment,
    /// Nobody need look at it for a while.
    Snooze,
    /// One of its actions is carried out.
    Resolve,
}

/// The same, about many.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BulkExceptions)]
struct BulkBody<'a> {
    /// Which exceptions.
    #[serde(borrow)]
    #[schema(min_items = 1, max_items = 100)]
    cases: Vec<CaseBody<'a>>,
    /// What is done about each.
    deed: Deed,
    /// Of `resolve`: by which action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    action: Option<Action>,
    /// Of `claim`: who looks at them; the caller when absent.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 100)]
    assignee: Option<Text<'a>>,
    /// Of `snooze`: until when, at most 30 days from now.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Time>, nullable = false)]
    until: Option<Text<'a>>,
    /// Why; it is kept with each.
    #[serde(borrow)]
    #[schema(value_type = String, min_length = 1, max_length = 1000)]
    note: Text<'a>,
    /// Say what would become of each, and do nothing.
    #[serde(default)]
    #[schema(required = false)]
    dry_run: bool,
}

/// One of them.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BulkCase)]
struct CaseBody<'a> {
    #[schema(value_type = ExceptionId)]
    id: Id<Exception>,
    /// `seen` of the dry run. Without it nothing is done.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false, pattern = "^[0-9a-f]{32}$")]
    seen: Option<Text<'a>>,
}

/// What became of each.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkOutcome)]
struct BulkView {
    /// Whether nothing was done.
    dry_run: bool,
    /// In the order of the request.
    data: Vec<OutcomeView>,
}

/// What became of one.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkCaseOutcome)]
struct OutcomeView {
    #[schema(value_type = ExceptionId)]
    id: Id<Exception>,
    /// `would` of a dry run; `done`; `proposed`, where it takes a second person; `refused`.
    #[schema(pattern = "^(would|done|proposed|refused)$")]
    outcome: &'static str,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 1000)]
    detail: Option<String>,
    /// How many transactions it would post.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    transactions: Option<usize>,
    /// Whether it would only be proposed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    needs_approval: Option<bool>,
    /// Of a dry run: how it stands, for the run to name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^[0-9a-f]{32}$")]
    seen: Option<String>,
}

/// What is asked, checked.
struct Asked<'a> {
    api: &'a Api,
    call: &'a Call,
    deed: Asking,
    note: &'a str,
    dry_run: bool,
    now: Timestamp,
}

/// A deed with what it takes.
enum Asking {
    Note(Wish),
    Resolve(Action),
}

impl BulkBody<'_> {
    fn asking(&self, call: &Call, now: Timestamp) -> Result<Asking, Problem> {
        Ok(match self.deed {
            Deed::Claim => Asking::Note(Wish::Claim(match &self.assignee {
                Some(who) => who.checked("/assignee", ASSIGNEE_MAX)?.to_owned(),
                None => call.caller().actor.to_string(),
            })),
            Deed::Comment => Asking::Note(Wish::Comment("commented".to_owned())),
            Deed::Snooze => {
                let missing = || Problem::field("/until", "a snooze says until when");
                let text = self.until.as_ref().ok_or_else(missing)?;
                Asking::Note(Wish::Snooze(until(text, now)?))
            }
            Deed::Resolve => {
                let missing = || Problem::field("/action", "by which action?");
                Asking::Resolve(self.action.ok_or_else(missing)?)
            }
        })
    }
}

impl Asked<'_> {
    /// What becomes of one; what cannot be done about it is told, and does not stop the rest.
    async fn about(&self, id: Id<Exception>, seen: Option<&str>) -> Result<OutcomeView, Problem> {
        match self.carried(id, seen).await {
            Ok(view) => Ok(view),
            Err(why @ (Undecided::Refused(Refused::Commit(_)) | Undecided::Read(_))) => {
                Err(why.into())
            }
            Err(why @ (Undecided::Commit(_) | Undecided::Execute(_))) => Err(why.into()),
            Err(why) => Ok(OutcomeView {
                detail: Some(why.to_string()),
                ..OutcomeView::of(id, "refused")
            }),
        }
    }

    async fn carried(
        &self,
        id: Id<Exception>,
        seen: Option<&str>,
    ) -> Result<OutcomeView, Undecided> {
        let shown = self.preview(id).await?;
        if self.dry_run {
            return Ok(OutcomeView {
                transactions: Some(shown.journal.len()),
                needs_approval: Some(shown.waits),
                seen: Some(shown.seen),
                ..OutcomeView::of(id, "would")
            });
        }
        match seen {
            None => return Err(Undecided::Unseen),
            Some(seen) if seen != shown.seen => return Err(Undecided::Stale),
            Some(_) => {}
        }
        let (app, tenant) = (self.api.app(), self.call.tenant());
        let done = match &self.deed {
            Asking::Note(wish) => {
                let actor = &self.call.caller().actor;
                exceptions::act(app, tenant, id, actor, wish, self.note).await?
            }
            Asking::Resolve(action) => {
                let decision = Decision {
                    seen,
                    note: self.note,
                    ..decision(self.api, self.call, *action)
                };
                decision.carry_out(id).await?
            }
        };
        let waits = shown.waits && done.standing(self.now) == Standing::WaitingForApproval;
        Ok(OutcomeView::of(id, if waits { "proposed" } else { "done" }))
    }

    async fn preview(&self, id: Id<Exception>) -> Result<Preview, Undecided> {
        let (app, tenant) = (self.api.app(), self.call.tenant());
        match &self.deed {
            Asking::Resolve(action) => decision(self.api, self.call, *action).preview(id).await,
            Asking::Note(wish) => {
                let found = exceptions::get(app, tenant, id).await?;
                let found = found.ok_or(Refused::NotFound)?;
                if found.state == CaseState::Resolved && !matches!(wish, Wish::Comment(_)) {
                    return Err(Refused::WrongState("resolved").into());
                }
                Ok(Preview::of_nothing(&found, &format!("{wish:?}")))
            }
        }
    }
}

impl OutcomeView {
    const fn of(id: Id<Exception>, outcome: &'static str) -> Self {
        Self {
            id,
            outcome,
            detail: None,
            transactions: None,
            needs_approval: None,
            seen: None,
        }
    }
}

/// Act on many exceptions
///
/// The same about up to a hundred, each in a commit of its own. First as a dry run, which names how each
/// stands; then with these names: what stands otherwise by then is refused, and the rest is done.
#[utoipa::path(post, path = "/v1/exceptions/bulk", tag = "exceptions", request_body = BulkBody,
    responses((status = 200, description = "What became of each.", body = BulkView)))]
pub async fn bulk(
    State(api): State<Api>,
    call: Call,
    key: IdempotencyKey,
    json: Json,
) -> Result<Response, Problem> {
    let body: BulkBody<'_> = json.parse()?;
    if !(1..=CASES_MAX).contains(&body.cases.len()) {
        let detail = format!("expected 1 to {CASES_MAX} exceptions");
        return Err(Problem::field("/cases", detail));
    }
    let now = api.app().host.now();
    let asked = Asked {
        api: &api,
        call: &call,
        deed: body.asking(&call, now)?,
        note: body.note.checked("/note", NOTE_MAX)?,
        dry_run: body.dry_run,
        now,
    };
    let mut cases = Vec::with_capacity(body.cases.len());
    for case in &body.cases {
        let seen = { case.seen.as_ref() }.map(|it| it.checked("/cases", SEEN_MAX));
        cases.push((case.id, seen.transpose()?));
    }
    let once = key.wish("exceptions.bulk", &body);
    let work = async {
        let mut data = Vec::with_capacity(cases.len());
        for (id, seen) in cases {
            data.push(asked.about(id, seen).await?);
        }
        let dry_run = asked.dry_run;
        Ok(BulkView { dry_run, data })
    };
    Ok(reply(after(&api, call.tenant(), &once, 200, work).await?))
}
