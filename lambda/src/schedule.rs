//! What is due: woken each minute, it fires timers and has late webhooks tried.
//!
//! A rail that owes an answer is asked by a workflow, because this role has no rail's key.

use std::sync::Arc;

use lombard_aws::workflows::Workflows;
use lombard_service::{
    app::App,
    hooks::{dispatch::Hooks, forget, retry},
    worker::timers,
};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};
use tracing::warn;

use crate::{
    fault::Fault,
    remote::Remote,
    surroundings::{Surroundings, told},
};

/// See the module.
pub struct Schedule {
    app: App,
    hooks: Arc<Hooks>,
}

impl Schedule {
    pub async fn open(of: &Surroundings) -> Result<Self, Fault> {
        let workflows = Workflows::new(&of.aws, of.caller());
        let asks = Some((workflows, told("LOMBARD_SAGA_STRAIGHT")?));
        let app = of.app(
            of.vault(false).await?,
            of.remote_rails(&Remote { asks }.into()),
        );
        let hooks = Hooks::new(app.clone()).map_err(|error| Fault::not_done(error.as_ref()))?;
        Ok(Self { app, hooks })
    }

    pub async fn play(&self, until: Instant) -> Result<Value, Fault> {
        let all = async {
            // Each is tried, whatever became of the one before.
            let fired = timers::fire_due(&self.app)
                .await
                .map_err(|error| Fault::not_done(&error));
            let tried = retry::scan(&self.hooks)
                .await
                .map_err(|error| Fault::not_done(&error));
            let swept = forget::sweep(&self.hooks).await;
            let swept = swept.map_err(|error| Fault::not_done(error.as_ref()));
            self.hooks.settled().await;
            fired.and(tried).and(swept)
        };
        match timeout_at(until, all).await {
            Ok(ended) => ended?,
            Err(_) => warn!("not all that is due was done; the next minute goes on"),
        }
        Ok(json!({}))
    }
}
