//! Lets payments go ahead, or fails them, that waited for one of their parties, once something was
//! decided about it.
//!
//! The change of a side's standing is the news, and the consumer that wakes payments for money
//! ([`super::funds`]) hears it; the payments that wait for a side are listed under it. Each is decided
//! anew by its plan, so one that still must wait stays as it is.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use lombard_core::{
    command::{Act, Command},
    party,
    payment::Payment,
    store::{Commit, decode},
    tenant::TenantId,
};

use super::{
    feed::{Job, JobError},
    rails::job_error,
};
use crate::{
    app::App,
    exceptions::{self, Kind, Trouble},
    ports::{Cause, ExecuteError, Range},
};

/// Waiting payments that are read at once.
const PAGE: usize = 256;

/// What a commit asks for: a look at the payments that wait for each side that it changed.
pub fn jobs(app: &App, commit: &Commit) -> Vec<Job> {
    let changed = commit.changes.iter();
    let sides = changed.filter_map(|change| party::side_of_key(&change.key));
    sides.map(|(tenant, side)| job(app, tenant, side)).collect()
}

fn job(app: &App, tenant: TenantId, side: &str) -> Job {
    let (app, giving_up) = (app.clone(), app.clone());
    let (waited, subject) = (side.to_owned(), side.to_owned());
    Job {
        subject: side.to_owned(),
        run: Arc::new(move || {
            let (app, side) = (app.clone(), waited.clone());
            Box::pin(async move { retry_waiting(&app, tenant, &side).await })
                as BoxFuture<'static, _>
        }),
        give_up: Arc::new(move |cause| {
            let (app, side) = (giving_up.clone(), subject.clone());
            Box::pin(async move { raise(&app, tenant, &side, cause).await })
                as BoxFuture<'static, _>
        }),
    }
}

async fn raise(app: &App, tenant: TenantId, side: &str, cause: Cause) -> Result<(), JobError> {
    let text = "payments that wait for a party could not be looked at";
    let trouble = Trouble::new(tenant, Kind::EffectFailed, side, text).evidence("error", cause);
    let raised = exceptions::raise(app, trouble).await;
    let unraised = |error| JobError::Busy(Arc::new(error));
    raised.map(|_| ()).map_err(unraised)
}

/// Goes through the payments that wait for a side.
async fn retry_waiting(app: &App, tenant: TenantId, side: &str) -> Result<(), JobError> {
    let list = party::waiting_list(tenant, side);
    let mut after = None;
    loop {
        let range = Range::listed(&list, PAGE).past_damage().after(after);
        let found = app.store.range(&range).await;
        let found = found.map_err(|error| JobError::Busy(Arc::new(error)))?;
        for waiting in &found {
            let payment: Payment = decode(&waiting.record.body.bytes);
            let command = Command {
                tenant,
                actor: "worker/parties".into(),
                trace: payment.trace,
                idempotency: None,
                act: Act::RetryParties(payment.id),
            };
            match app.execute(command).await {
                // What refuses it now is its own affair: the next has its turn.
                Ok(_) | Err(ExecuteError::Rejected(_)) => {}
                Err(error) => return Err(job_error(error)),
            }
        }
        match found.last() {
            Some(last) if found.len() == PAGE => after = Some(last.at.sort().to_owned()),
            _ => return Ok(()),
        }
    }
}
