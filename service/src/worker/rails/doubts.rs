//! Doubts that end: what became of a payment is known, so nobody need look at it any more.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use lombard_core::{
    event::Event,
    store::{Change, Commit, decode, mentions},
    tenant::TenantId,
};

use crate::{
    app::App,
    exceptions::{self, Kind, Trouble},
    worker::feed::{Job, JobError},
};

/// Who closes cases whose payments were decided.
const ACTOR: &str = "worker/rails";

/// The events of a commit that end the doubt about what became of a payment.
pub fn doubts_ended(commit: &Commit) -> Vec<(TenantId, Event)> {
    let ended = |change: &Change| {
        let record = change.record.as_ref()?;
        if !change.key.sort().starts_with("e#")
            || !mentions(&record.body.bytes, "\"before\":\"in_doubt\"")
        {
            return None;
        }
        let (tenant, _) = change.key.partition().split_once('/')?;
        let event = decode::<Event>(&record.body.bytes);
        // What a person says is said in his case, which his decision closes.
        let from_outside = ["rail/", "psp/"]
            .iter()
            .any(|it| event.actor.starts_with(it));
        (from_outside && event.stage.is_decided()).then_some((tenant.parse().ok()?, event))
    };
    commit.changes.iter().filter_map(ended).collect()
}

/// Closes the case of a payment that is in doubt no more, if there is one: what it asked a person to find
/// out is known.
pub fn closing(app: &App, tenant: TenantId, event: &Event) -> Job {
    let case = Trouble::with_payment(tenant, Kind::Unresolved, event.payment, "").id();
    let (app, actor) = (app.clone(), event.actor.clone());
    let close = move || -> BoxFuture<'static, Result<(), JobError>> {
        let (app, actor) = (app.clone(), actor.clone());
        Box::pin(async move {
            let note = format!("{actor} has said what became of the payment");
            let closed = exceptions::resolve(&app, tenant, case, ACTOR, "decided", &note);
            closed
                .await
                .map_err(|error| JobError::Busy(Arc::new(error)))
        })
    };
    let give_up = close.clone();
    Job {
        subject: format!("{} decided", event.id),
        run: Arc::new(close),
        // What keeps it from being closed is our own store: it is tried until it is closed.
        give_up: Arc::new(move |_| give_up()),
    }
}
