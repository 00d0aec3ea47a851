//! `GET /v1/exceptions/{id}/preview`: what an action would do, before it is done.

use axum::{extract::State, response::Response};
use lombard_core::{id::Id, journal::Journal, ledger::Transaction, payment::Payment};
use serde::Serialize;
use utoipa::ToSchema;

use super::act::decision;
use crate::{
    exceptions::{self, Exception, preview::Preview, repair::REFERENCE_MAX},
    http::{
        Api, Call, PathId, Problem,
        query::Query,
        reply::shown,
        wire::{
            ledger::LegView,
            scalar::{ExceptionId, JournalName, PaymentId, StatusName},
        },
    },
    reconcile::{action::Action, resolve::Decision},
};

/// What an action would do.
#[derive(Serialize, ToSchema)]
#[schema(as = ExceptionPreview)]
pub struct PreviewView {
    /// What would be posted; nothing where no money moves.
    journal: Vec<PlannedView>,
    /// Where the payment that the case is about stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<StatusName>, nullable = false)]
    status: Option<&'static str>,
    /// Where it would stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<StatusName>, nullable = false)]
    status_after: Option<&'static str>,
    /// Whether it would only be proposed: it takes a second person.
    needs_approval: bool,
    /// Names what is shown here: to be given with the action, which is then done as shown, or not at all.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    seen: String,
}

/// A transaction that would be posted.
#[derive(Serialize, ToSchema)]
#[schema(as = PlannedTransaction)]
struct PlannedView {
    #[schema(value_type = JournalName)]
    journal: Journal,
    /// Debits and credits are equal for each currency in each layer.
    legs: Vec<LegView>,
}

impl PlannedView {
    fn of(transaction: &Transaction) -> Self {
        Self {
            journal: transaction.journal,
            legs: transaction.legs.iter().map(LegView::of).collect(),
        }
    }
}

impl PreviewView {
    /// The view of a preview.
    pub fn of(preview: Preview) -> Self {
        Self {
            journal: preview.journal.iter().map(PlannedView::of).collect(),
            status: preview.moves.map(|(before, _)| before.name()),
            status_after: preview.moves.map(|(_, after)| after.name()),
            needs_approval: preview.waits,
            seen: preview.seen,
        }
    }
}

/// Preview an action
///
/// What resolving the exception by one of its `actions` would post, and where its payment would stand, as
/// things are now. Nothing is done.
#[utoipa::path(get, path = "/v1/exceptions/{id}/preview", tag = "exceptions",
    params(("id" = inline(ExceptionId), Path, description = "The exception."),
           ("action" = inline(Action), Query, description = "One of its actions."),
           ("payment" = inline(Option<PaymentId>), Query, description = "Of a link: the payment that the line is."),
           ("reference" = inline(Option<String>), Query, description = "Of a mark: where the rail's own records say so.", min_length = 1, max_length = 140)),
    responses((status = 200, description = "What it would do.", body = PreviewView)))]
pub async fn preview(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Exception>,
    mut query: Query,
) -> Result<Response, Problem> {
    let known = exceptions::get(api.app(), call.tenant(), id).await?;
    known.ok_or(Problem::not_found())?;
    let action = query.take_with("action", |text| {
        let found = Action::ALL.into_iter().find(|action| action.name() == text);
        found.ok_or_else(|| "there is no such action".to_owned())
    })?;
    let action = action.ok_or_else(|| Problem::parameter("action", "which action?"))?;
    let payment: Option<Id<Payment>> = query.take("payment")?;
    let reference = query.take_text("reference", REFERENCE_MAX)?;
    query.finish()?;
    let decision = Decision {
        payment,
        reference: reference.as_deref(),
        ..decision(&api, &call, action)
    };
    Ok(shown(&PreviewView::of(decision.preview(id).await?)))
}
