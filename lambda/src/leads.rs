//! Hands payments to their workflows, and tells a workflow that waits that a person has answered.
//!
//! **The straight machine** is started for each instruction that is to be sent, under a name that
//! follows from the event, so that a repeat starts nothing. **The waiting machine** is started when a
//! payment waits for a person. Its token comes as a record in the payment's own partition; whichever
//! comes later in the stream, the token or the answer, finds the other.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use lombard_aws::workflows::Workflows;
use lombard_core::{
    event::{Errand, Event, News},
    id::Id,
    lifecycle::{Happened, Stage},
    payment::Payment,
    plan::keys,
    store::{Change, Commit, decode},
    tenant::TenantId,
};
use lombard_service::{
    app::App,
    exceptions::{self, Kind, Trouble},
    ports::Cause,
    worker::{
        feed::{Consumer, Job, JobError},
        saga::{AWAITED, Awaited, awaited},
    },
};
use serde_json::json;

/// The consumer.
pub struct Leads {
    pub app: App,
    pub workflows: Workflows,
    pub straight: String,
    pub waiting: String,
}

/// What a commit asks for.
#[derive(Clone)]
enum Lead {
    /// To start a machine under a name.
    Start { machine: String, name: String },
    /// To see whether a workflow still waits for what is answered.
    Answer,
}

impl Consumer for Leads {
    fn name(&self) -> &'static str {
        "workflows"
    }

    fn concurrency(&self) -> usize {
        64
    }

    fn jobs(&self, commit: &Commit) -> Vec<Job> {
        let jobs = commit.changes.iter().filter_map(|change| {
            let (tenant, id) = change.key.partition().split_once('/')?;
            let (tenant, id) = (tenant.parse().ok()?, id.parse().ok()?);
            let leads = self.leads(change).into_iter();
            Some(leads.map(move |lead| self.job(tenant, id, lead)))
        });
        jobs.flatten().collect()
    }
}

impl Leads {
    fn leads(&self, change: &Change) -> Vec<Lead> {
        if change.key.sort() == AWAITED {
            return vec![Lead::Answer];
        }
        let Some(record) = change.record.as_ref() else {
            return Vec::new();
        };
        if !change.key.sort().starts_with("e#") {
            return Vec::new();
        }
        let event: Event = decode(&record.body.bytes);
        let start = |machine: &str| Lead::Start {
            machine: machine.to_owned(),
            name: format!("{}-{}", event.payment, event.number),
        };
        let mut leads = Vec::new();
        if event.effects.contains(&Errand::Submit) {
            leads.push(start(&self.straight));
        }
        match event.news {
            News::Step(Happened::VerificationNeeded) => leads.push(start(&self.waiting)),
            // What a payment that waited for a person can come to.
            News::Step(
                Happened::Accepted
                | Happened::BookAccepted
                | Happened::Scheduled
                | Happened::FundsMissing
                | Happened::Refused
                | Happened::Cancelled
                | Happened::Expired,
            ) if event.number > 1 => leads.push(Lead::Answer),
            News::Step(_) | News::Beside(_) => {}
        }
        leads
    }

    fn job(&self, tenant: TenantId, id: Id<Payment>, lead: Lead) -> Job {
        let (app, workflows) = (self.app.clone(), self.workflows.clone());
        let giving_up = self.app.clone();
        Job {
            subject: id.to_string(),
            run: Arc::new(move || -> BoxFuture<'static, _> {
                let (app, workflows, lead) = (app.clone(), workflows.clone(), lead.clone());
                Box::pin(async move { carry_out(&app, &workflows, tenant, id, &lead).await })
            }),
            give_up: Arc::new(move |cause| -> BoxFuture<'static, _> {
                let app = giving_up.clone();
                Box::pin(async move { raise(&app, tenant, id, cause).await })
            }),
        }
    }
}

async fn carry_out(
    app: &App,
    workflows: &Workflows,
    tenant: TenantId,
    id: Id<Payment>,
    lead: &Lead,
) -> Result<(), JobError> {
    match lead {
        Lead::Start { machine, name } => {
            let input = json!({"tenant": tenant, "payment": id});
            let started = workflows.start(machine, name, &input).await;
            started.map_err(JobError::Retry)
        }
        Lead::Answer => {
            let wanted = [awaited(tenant, id), keys::payment(tenant, id)];
            let found = app.store.get(&wanted).await;
            let found = found.map_err(|error| JobError::Busy(Arc::new(error)))?;
            let [Some(awaited), Some(payment)] = found.as_slice() else {
                return Ok(());
            };
            let payment: Payment = decode(&payment.body.bytes);
            if payment.stage == Stage::Verifying {
                return Ok(());
            }
            let Awaited { token } = decode(&awaited.body.bytes);
            let output = json!({"outcome": "answered"});
            let told = workflows.answer(&token, &output).await;
            told.map_err(JobError::Retry)
        }
    }
}

async fn raise(app: &App, tenant: TenantId, id: Id<Payment>, cause: Cause) -> Result<(), JobError> {
    let text = "the payment could not be handed to its workflow";
    let trouble = Trouble::with_payment(tenant, Kind::EffectFailed, id, text);
    let raised = exceptions::raise(app, trouble.evidence("error", cause)).await;
    raised
        .map(drop)
        .map_err(|error| JobError::Busy(Arc::new(error)))
}
