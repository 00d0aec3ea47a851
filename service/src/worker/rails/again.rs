//! An errand that was given up, done once more because a person says so.

use std::sync::Arc;

use lombard_core::{
    event::{Errand, Event},
    payment::{AskedBy, Payment, Recall, RecallState},
    tenant::TenantId,
};

use super::{
    super::{feed::JobError, timers},
    SwitchedOff, Task,
};
use crate::app::App;

/// Does once more what an event asked of its rail, and waits for the answer of the rail once. A submission
/// is not sent from here: its payment is in doubt, and the rail is asked about it.
///
/// # Errors
/// Why it was not done.
pub async fn again(
    app: &App,
    tenant: TenantId,
    event: Event,
    payment: Payment,
) -> Result<(), JobError> {
    let errands = event.effects.clone();
    let task = Task {
        app: app.clone(),
        tenant,
        event,
        payment,
    };
    for errand in errands {
        match errand {
            Errand::Submit => timers::enquire(app, tenant, task.payment.id)
                .await
                .map_err(JobError::Busy)?,
            Errand::AskRecall | Errand::RefuseRecall => {
                let port = task.port()?;
                port.ready().await;
                let told = task.say(port.as_ref(), errand).await;
                told.map_err(|error| JobError::Hopeless(Arc::new(error)))?;
            }
            Errand::Contradiction | Errand::Unresolved | Errand::RecallOverdue => {
                task.run(errand).await?;
            }
        }
    }
    Ok(())
}

/// Sends our request for the money back once more, under its id.
///
/// # Errors
/// Why it was not taken.
pub async fn ask_recall_again(
    app: &App,
    tenant: TenantId,
    payment: &Payment,
) -> Result<(), JobError> {
    let open = |it: &Recall| it.asked_by == AskedBy::Us && it.state == RecallState::Asked;
    if !payment.recall.as_ref().is_some_and(open) {
        return Err(JobError::Hopeless(Arc::new(NotOurs)));
    }
    let port = app.rails.get(payment.rail);
    let port = port.ok_or_else(|| JobError::Hopeless(Arc::new(SwitchedOff(payment.rail))))?;
    port.ready().await;
    let told = port.recall(tenant, payment).await;
    told.map_err(|error| JobError::Hopeless(Arc::new(error)))
}

#[derive(Debug, thiserror::Error)]
#[error("no recall of ours waits for an answer")]
struct NotOurs;
