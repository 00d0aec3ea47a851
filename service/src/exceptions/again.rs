//! What a worker gave up, done once more because a person says so: at once, once, and told how it ended.
//!
//! Nothing here can be done twice by being asked for twice: a rail knows an attempt and a recall by their
//! ids, an endpoint a message by its own, and money that waits is looked for by what the books say now.

use std::sync::Arc;

use lombard_core::{
    event::Event,
    id::{Id, digest_text},
    lifecycle::Stage,
    payment::Payment,
    tenant::TenantId,
};

use super::{Exception, Kind, repair};
use crate::{
    app::App,
    hooks::{
        endpoint::{self, Endpoint},
        replay::{Replay, Wish, event_of},
    },
    reconcile::resolve::Undecided,
    worker::{feed::JobError, funds, rails, timers},
};

/// Whether what was asked is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// It is.
    Yes,
    /// It is not, or the answer comes later.
    NotYet,
}

/// Asks the rail what became of the case's payment, or the other bank for its answer to a recall.
///
/// # Errors
/// See [`Undecided`].
pub async fn enquire(app: &App, tenant: TenantId, case: &Exception) -> Result<Answered, Undecided> {
    let payment = payment_of(app, tenant, case).await?;
    if case.kind == Kind::RecallOverdue {
        let asked = rails::ask_recall_again(app, tenant, &payment).await;
        asked.map_err(failed)?;
        return Ok(Answered::NotYet);
    }
    let asked = timers::enquire(app, tenant, payment.id).await;
    asked.map_err(Undecided::FailedAgain)?;
    let payment = payment_of(app, tenant, case).await?;
    Ok(if payment.stage == Stage::InDoubt {
        Answered::NotYet
    } else {
        Answered::Yes
    })
}

/// Does again what the case's worker gave up.
///
/// # Errors
/// See [`Undecided`]: [`Undecided::FailedAgain`] where it failed as before.
pub async fn reprocess(app: &App, tenant: TenantId, case: &Exception) -> Result<(), Undecided> {
    if case.kind == Kind::WebhookGivenUp {
        return deliver(app, tenant, case).await;
    }
    if let Ok(account) = case.subject.parse() {
        let looked = funds::retry_waiting(app, tenant, account).await;
        return looked.map_err(failed);
    }
    let payment = payment_of(app, tenant, case).await?;
    let event: Id<Event> = known(case, "event")?;
    let event = event_of(app, tenant, event).await?;
    let event = event.ok_or_else(|| impossible("the event that it followed from is not there"))?;
    let done = rails::again(app, tenant, event, payment).await;
    done.map_err(failed)
}

/// Makes the delivery of a webhook due again, by the retry plan from its beginning.
async fn deliver(app: &App, tenant: TenantId, case: &Exception) -> Result<(), Undecided> {
    let id: Id<Endpoint> = known(case, "endpoint")?;
    let endpoint: Option<Endpoint> = app.value(&endpoint::key(tenant, id)).await?;
    let endpoint = endpoint.ok_or_else(|| impossible("there is no such endpoint any more"))?;
    if endpoint.disabled.is_some() {
        return Err(impossible("the endpoint is disabled; enable it first"));
    }
    let request = digest_text(&[
        "exceptions.reprocess",
        &case.id.to_string(),
        &case.history.len().to_string(),
    ]);
    let replay = Replay {
        app,
        tenant,
        endpoint: &endpoint,
        request: &request,
    };
    let replayed = replay.carry_out(Wish::One(known(case, "event")?)).await?;
    replayed
        .map(drop)
        .ok_or_else(|| impossible("its event is not kept any more"))
}

async fn payment_of(app: &App, tenant: TenantId, case: &Exception) -> Result<Payment, Undecided> {
    let payment = repair::payment_of(app, tenant, case).await?;
    payment.ok_or_else(|| impossible("nothing of it can be done again from here; see its runbook"))
}

/// An id that the case's evidence names.
fn known<T: std::str::FromStr>(case: &Exception, name: &str) -> Result<T, Undecided> {
    let said = case.evidence.get(name).and_then(|it| it.parse().ok());
    said.ok_or_else(|| impossible("nothing of it can be done again from here; see its runbook"))
}

fn impossible(why: &str) -> Undecided {
    Undecided::Impossible(why.to_owned())
}

fn failed(error: JobError) -> Undecided {
    Undecided::FailedAgain(Arc::new(error))
}
