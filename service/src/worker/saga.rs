//! The steps of the saga one by one, for an orchestrator outside that says when each is due
//! ([`lombard_core::saga::asl`]). What a step does is what the workers do, by the same functions, so
//! that a payment's history is the same whoever leads it.
//!
//! **Idempotent.** An orchestrator runs a step again whenever it does not know that it ended. Every
//! step looks where the payment stands and does what is left to do.

use std::sync::Arc;

use lombard_core::{
    command::Report,
    event::Event,
    id::Id,
    lifecycle::Stage,
    payment::Payment,
    plan::keys,
    saga::Retry,
    store::{Body, Key},
    tenant::TenantId,
    timer::{Due, Timer},
};
use serde::{Deserialize, Serialize};

use super::{
    feed::JobError,
    rails::{Sent, Task},
    timers,
};
use crate::{
    app::App,
    exceptions::Kind,
    ports::Cause,
    records::{Then, change},
};

/// What is to be done, as the orchestrator says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Which step.
    #[serde(flatten)]
    pub what: What,
    /// Whose payment.
    pub tenant: TenantId,
    /// Which payment.
    pub payment: Id<Payment>,
}

/// A step by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "step")]
pub enum What {
    /// Send the instruction to the rail.
    Submit,
    /// Ask the rail what became of it.
    Enquire,
    /// Show it to a person.
    Escalate,
    /// Keep the token by which the orchestrator is told that a person has answered.
    Verify {
        /// The token.
        token: String,
    },
    /// Nobody answered in time.
    Expire,
}

/// Where a step left the payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The rail's answer is known, one way or the other.
    Decided,
    /// It is not.
    Open,
}

/// Why a step did not end.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StepError {
    /// Certainly nothing was sent: the step may be run again.
    #[error("the rail cannot be reached")]
    NotSent(#[source] Cause),
    /// The rail does not know yet, or does not say.
    #[error("the rail does not say what became of the payment")]
    StillUnknown,
    /// The step's payment is not there.
    #[error("there is no such payment")]
    NoPayment,
    /// Our own store or vault did not help.
    #[error("not done: {0}")]
    NotDone(#[source] Cause),
}

/// Where the orchestrator's token is kept while a person is waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awaited {
    /// What the orchestrator knows the wait by.
    pub token: String,
}

/// The sort key of [`Awaited`], in the payment's own partition.
pub const AWAITED: &str = "awaited";

/// The key of [`Awaited`].
#[must_use]
pub fn awaited(tenant: TenantId, payment: Id<Payment>) -> Key {
    Key::new(&keys::payment_partition(tenant, payment), AWAITED)
}

/// Carries a step out.
///
/// # Errors
/// See [`StepError`].
pub async fn carry_out(app: &App, step: &Step) -> Result<Outcome, StepError> {
    let (tenant, id) = (step.tenant, step.payment);
    match &step.what {
        What::Submit => {
            let task = task(app, tenant, id).await?;
            // The orchestrator itself tries again, and sees each try.
            match task.submit(Retry::NONE).await.map_err(not_done)? {
                Sent::Noted => {}
                Sent::NotSent(cause) => return Err(StepError::NotSent(cause)),
            }
        }
        What::Enquire => {
            leave_in_doubt(app, tenant, id).await?;
            let asked = timers::enquire(app, tenant, id).await;
            asked.map_err(StepError::NotDone)?;
            if outcome(app, tenant, id).await? == Outcome::Open {
                return Err(StepError::StillUnknown);
            }
        }
        What::Escalate => {
            leave_in_doubt(app, tenant, id).await?;
            let task = task(app, tenant, id).await?;
            if task.payment.stage == Stage::InDoubt {
                let text = "the rail does not say what became of the payment";
                let raised = task.raise(Kind::Unresolved, text, None).await;
                raised.map_err(not_done)?;
            }
        }
        What::Verify { token } => {
            let awaited = Awaited {
                token: token.clone(),
            };
            let key = self::awaited(tenant, id);
            let keep = |_: Option<Awaited>| (Then::Put(Body::of(&awaited)), ());
            change(app, &key, keep).await.map_err(told)?;
        }
        What::Expire => {
            let payment = find(app, tenant, id).await?;
            if let (Stage::Verifying, Some(due)) = (payment.stage, payment.expires_at) {
                let what = Due::ExpirePayment(id);
                let timer = Timer { tenant, due, what };
                let fired = timers::fire(app, &timer).await;
                fired.map_err(StepError::NotDone)?;
            }
        }
    }
    outcome(app, tenant, id).await
}

/// A submission that was cut off, or never got through, is in doubt before it is asked about.
async fn leave_in_doubt(app: &App, tenant: TenantId, id: Id<Payment>) -> Result<(), StepError> {
    let task = task(app, tenant, id).await?;
    if task.payment.stage == Stage::Submitted {
        let noted = task.report("worker/rails", Report::TimedOut).await;
        noted.map_err(not_done)?;
    }
    Ok(())
}

async fn outcome(app: &App, tenant: TenantId, id: Id<Payment>) -> Result<Outcome, StepError> {
    let payment = find(app, tenant, id).await?;
    Ok(match payment.stage.is_decided() {
        true => Outcome::Decided,
        false => Outcome::Open,
    })
}

async fn find(app: &App, tenant: TenantId, id: Id<Payment>) -> Result<Payment, StepError> {
    let found = app.value(&keys::payment(tenant, id)).await.map_err(told)?;
    found.ok_or(StepError::NoPayment)
}

/// The payment with its newest event, whose trace its steps go on.
async fn task(app: &App, tenant: TenantId, id: Id<Payment>) -> Result<Task, StepError> {
    let payment = find(app, tenant, id).await?;
    let place = keys::event_sort(payment.events);
    let key = Key::new(&keys::payment_partition(tenant, id), &place);
    let event: Option<Event> = app.value(&key).await.map_err(told)?;
    Ok(Task {
        app: app.clone(),
        tenant,
        event: event.ok_or(StepError::NoPayment)?,
        payment,
    })
}

fn not_done(error: JobError) -> StepError {
    told(error)
}

fn told<E: std::error::Error + Send + Sync + 'static>(error: E) -> StepError {
    StepError::NotDone(Arc::new(error))
}
