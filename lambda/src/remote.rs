//! A rail as those see it who have no key to it: what concerns it is left to a workflow, whose steps
//! the one function carries out that has.

use futures_util::{FutureExt, future::BoxFuture};
use lombard_aws::workflows::Workflows;
use lombard_core::{payment::Payment, reason::Reason, tenant::TenantId};
use lombard_service::rails::{Answer, RailError, RailPort};
use serde_json::json;

/// See the module.
#[derive(Default)]
pub struct Remote {
    /// Who asks the rail, and by which machine; `None` for a role that starts no workflow.
    pub asks: Option<(Workflows, String)>,
}

/// What is not carried by a workflow.
fn unspeakable() -> RailError {
    let text = "the functions do not carry this; send it by the rail's own means";
    RailError::Unspeakable(Reason::MessageInvalid, text.to_owned())
}

impl RailPort for Remote {
    fn submit<'a>(
        &'a self,
        _: TenantId,
        _: &'a Payment,
    ) -> BoxFuture<'a, Result<Answer, RailError>> {
        async { Err(unspeakable()) }.boxed()
    }

    /// Has the rail asked; its answer comes by the workflow.
    fn enquire<'a>(
        &'a self,
        tenant: TenantId,
        payment: &'a Payment,
    ) -> BoxFuture<'a, Result<Answer, RailError>> {
        async move {
            if let Some((workflows, machine)) = &self.asks {
                let asked = payment.attempt.enquiries;
                let name = format!("{}-enquiry-{asked}", payment.id);
                let input = json!({"tenant": tenant, "payment": payment.id});
                let started = workflows.start(machine, &name, &input).await;
                started.map_err(RailError::NotSent)?;
            }
            Ok(Answer::Pending)
        }
        .boxed()
    }

    fn recall<'a>(&'a self, _: TenantId, _: &'a Payment) -> BoxFuture<'a, Result<(), RailError>> {
        async { Err(unspeakable()) }.boxed()
    }

    fn refuse_recall<'a>(
        &'a self,
        _: TenantId,
        _: &'a Payment,
    ) -> BoxFuture<'a, Result<(), RailError>> {
        async { Err(unspeakable()) }.boxed()
    }
}
