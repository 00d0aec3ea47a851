//! Lets payments go ahead that waited for money, once the money is there; and those that waited for
//! a party ([`super::parties`]).
//!
//! The balance of an account says how many payments wait for it, so a credit to an account for
//! which none waits costs nothing here. The waiting are gone through in the order in which they
//! were made; one that is too large is passed over, and later, smaller ones are tried: money
//! that suffices for a payment is not held back for the sake of the queue.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use lombard_core::{
    command::{Act, Command},
    id::Id,
    ledger::{Account, Balance},
    payment::Payment,
    plan::keys,
    store::{Change, Commit, decode, mentions},
    tenant::TenantId,
};

use super::{
    feed::{Consumer, Job, JobError},
    parties,
    rails::job_error,
};
use crate::{
    app::App,
    exceptions::{self, Kind, Trouble},
    ports::{Cause, ExecuteError, Range, ReadError},
};

/// Waiting payments that are read at once.
const PAGE: usize = 256;

/// The consumer; see the module.
pub struct Funds {
    app: App,
}

impl Funds {
    /// Over an app.
    #[must_use]
    pub const fn new(app: App) -> Self {
        Self { app }
    }
}

impl Consumer for Funds {
    fn name(&self) -> &'static str {
        "funds"
    }

    /// One at a time: two over the same account would only get in each other's way, and waiting
    /// payments are rare.
    fn concurrency(&self) -> usize {
        1
    }

    fn jobs(&self, commit: &Commit) -> Vec<Job> {
        let credited = |change: &Change| {
            if change.key.sort() != "balance" {
                return None;
            }
            let body = &change.record.as_ref()?.body.bytes;
            if !mentions(body, "\"waiting\":") {
                return None; // Written only when some do, and most need not be read.
            }
            let (tenant, _) = change.key.partition().split_once('/')?;
            let balance: Balance = decode(body);
            let worth_it = !lombard_core::planted!(NeverWoken)
                && balance.waiting > 0
                && balance.sums.available() > 0;
            worth_it.then_some((tenant.parse().ok()?, balance.account))
        };
        let job = |(tenant, account)| self.job(tenant, account);
        let mut jobs = parties::jobs(&self.app, commit);
        jobs.extend(commit.changes.iter().filter_map(credited).map(job));
        jobs
    }
}

impl Funds {
    fn job(&self, tenant: TenantId, account: Id<Account>) -> Job {
        let (app, giving_up) = (self.app.clone(), self.app.clone());
        Job {
            subject: account.to_string(),
            run: Arc::new(move || {
                let app = app.clone();
                Box::pin(async move { retry_waiting(&app, tenant, account).await })
                    as BoxFuture<'static, _>
            }),
            give_up: Arc::new(move |cause| {
                let app = giving_up.clone();
                Box::pin(async move { raise(&app, tenant, account, cause).await })
                    as BoxFuture<'static, _>
            }),
        }
    }
}

/// Goes through the payments that wait for money in an account.
///
/// # Errors
/// When the store cannot be read or written at the moment.
pub async fn retry_waiting(
    app: &App,
    tenant: TenantId,
    account: Id<Account>,
) -> Result<(), JobError> {
    let mut after = None;
    loop {
        let waiting = keys::waiting_list(tenant, account);
        let range = Range::listed(&waiting, PAGE).past_damage().after(after);
        let found = app.store.range(&range).await.map_err(unread)?;
        for waiting in &found {
            let payment: Payment = decode(&waiting.record.body.bytes);
            let available = available(app, tenant, account).await?;
            if available == 0 {
                return Ok(());
            }
            if payment.money.amount.minor() <= available {
                retry(app, tenant, &payment).await?;
            }
        }
        match found.last() {
            Some(last) if found.len() == PAGE => after = Some(last.at.sort().to_owned()),
            _ => return Ok(()),
        }
    }
}

async fn available(app: &App, tenant: TenantId, account: Id<Account>) -> Result<u64, JobError> {
    let balance: Option<Balance> = app
        .value(&keys::balance(tenant, account))
        .await
        .map_err(unread)?;
    Ok(balance.map_or(0, |balance| balance.sums.available()))
}

/// Looks again at one payment. What refuses it now, such as an account closed meanwhile, is its
/// own affair: the next in the list has its turn, and this one expires.
async fn retry(app: &App, tenant: TenantId, payment: &Payment) -> Result<(), JobError> {
    let command = Command {
        tenant,
        actor: "worker/funds".into(),
        trace: payment.trace.clone(),
        idempotency: None,
        act: Act::RetryFunds(payment.id),
    };
    match app.execute(command).await {
        Ok(_) | Err(ExecuteError::Rejected(_)) => Ok(()),
        Err(error) => Err(job_error(error)),
    }
}

async fn raise(
    app: &App,
    tenant: TenantId,
    account: Id<Account>,
    cause: Cause,
) -> Result<(), JobError> {
    let text = "payments that wait for money could not be looked at";
    let trouble = Trouble::new(tenant, Kind::EffectFailed, &account.to_string(), text)
        .evidence("error", cause);
    let raised = exceptions::raise(app, trouble).await;
    raised
        .map(|_| ())
        .map_err(|error| JobError::Busy(Arc::new(error)))
}

fn unread(error: ReadError) -> JobError {
    JobError::Busy(Arc::new(error))
}
