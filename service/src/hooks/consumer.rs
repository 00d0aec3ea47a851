//! Finds the events in the change feed and has them delivered.

use std::sync::Arc;

use lombard_core::{
    event::Event,
    payment::Payment,
    plan::keys,
    store::{Commit, decode},
    tenant::TenantId,
};

use super::{dispatch::Hooks, endpoint, give_up};
use crate::{
    ports::Cause,
    worker::feed::{Consumer, Job, JobError},
};

/// Events under way at once. Each is stored after [`super::dispatch`]'s short wait at the latest,
/// so this bounds memory, not the number of slow tries.
const CONCURRENCY: usize = 256;

/// The consumer of the change feed that sends webhooks.
pub struct WebhookConsumer(pub Arc<Hooks>);

impl Consumer for WebhookConsumer {
    fn name(&self) -> &'static str {
        "webhooks"
    }

    fn concurrency(&self) -> usize {
        CONCURRENCY
    }

    fn jobs(&self, commit: &Commit) -> Vec<Job> {
        for change in commit.changes.iter() {
            if let Some(tenant) = endpoint::tenant_of(&change.key) {
                self.0.directory.forget(tenant);
            }
        }
        told(commit)
            .filter(|told| !self.is_known_deaf(told.tenant))
            .map(|told| self.job(told))
            .collect()
    }
}

impl WebhookConsumer {
    /// Whether it is known, without a read, that a tenant has no endpoint that is told anything.
    fn is_known_deaf(&self, tenant: TenantId) -> bool {
        let now = self.0.app.host.now();
        let known = self.0.directory.known(tenant, now);
        known.is_some_and(|endpoints| endpoints.iter().all(|one| one.disabled.is_some()))
    }

    fn job(&self, told: Told) -> Job {
        let tenant = told.tenant;
        let subject = told.subject();
        let run = {
            let (hooks, told) = (self.0.clone(), told.clone());
            move || -> futures_util::future::BoxFuture<'static, Result<(), JobError>> {
                let (hooks, told) = (hooks.clone(), told.clone());
                Box::pin(async move {
                    let event: Event = decode(&told.event);
                    let payment: Payment = decode(&told.payment);
                    let delivered = hooks.deliver(told.tenant, &event, &payment).await;
                    if lombard_core::planted!(WebhookCursorAhead) {
                        return Ok(());
                    }
                    delivered.map_err(|error| JobError::Busy(Arc::new(error)))
                })
            }
        };
        let give_up = {
            let (hooks, subject) = (self.0.clone(), subject.clone());
            move |cause: Cause| -> futures_util::future::BoxFuture<'static, Result<(), JobError>> {
                let (hooks, subject) = (hooks.clone(), subject.clone());
                Box::pin(async move {
                    let raised =
                        give_up::raise_unstored(&hooks.app, tenant, &subject, &cause).await;
                    raised.map_err(|error| JobError::Busy(Arc::new(error)))
                })
            }
        };
        Job {
            subject,
            run: Arc::new(run),
            give_up: Arc::new(give_up),
        }
    }
}

/// An event as the feed tells it, with its payment as the same commit left it; not yet parsed.
#[derive(Clone)]
struct Told {
    tenant: TenantId,
    payment_id: String,
    number: String,
    event: Arc<[u8]>,
    payment: Arc<[u8]>,
}

impl Told {
    fn subject(&self) -> String {
        format!("{}/{}", self.payment_id, self.number)
    }
}

/// The events of a commit. The plan writes an event and its payment in the same commit.
fn told(commit: &Commit) -> impl Iterator<Item = Told> {
    let events = commit
        .changes
        .iter()
        .filter(|change| change.key.sort().starts_with("e#"));
    events.filter_map(|change| {
        let (tenant, payment_id) = change.key.partition().split_once('/')?;
        let tenant: TenantId = tenant.parse().ok()?;
        let payment_key = keys::payment(tenant, payment_id.parse().ok()?);
        let payment = commit
            .changes
            .iter()
            .find(|change| change.key == payment_key)?;
        Some(Told {
            tenant,
            payment_id: payment_id.to_owned(),
            number: change.key.sort().trim_start_matches("e#").to_owned(),
            event: change.record.as_ref()?.body.bytes.clone(),
            payment: payment.record.as_ref()?.body.bytes.clone(),
        })
    })
}
