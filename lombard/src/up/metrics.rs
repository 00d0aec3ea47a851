//! Starts what measures, and the address at which it is told.

use std::sync::Arc;

use lombard_service::{
    app::App,
    metrics::{
        sample::{self, Sampler},
        serve,
    },
    proof::Log,
    worker::standing,
};
use tokio::{sync::watch, task::JoinSet};
use tracing::error;

use super::{rig::listen, store::Parts};
use crate::{
    config::Settings,
    exit::{Exit, Failure, OrExit},
};

/// Starts it, and says where.
///
/// # Errors
/// [`Exit::Unreachable`] when the address cannot be listened on.
pub async fn spawn(
    settings: &Settings,
    parts: &Parts,
    app: &App,
    log: &Arc<Log>,
    stopped: &watch::Receiver<bool>,
    workers: &mut JoinSet<()>,
) -> Result<String, Failure> {
    let listener = listen(settings.process.metrics_listen).await?;
    let address = listener
        .local_addr()
        .or_exit(Exit::Unreachable, "no address")?;
    let sampler = Sampler {
        stores: parts.gauged.clone(),
        log: Some((log.clone(), app.host.clone())),
    };
    workers.spawn(sample::run(sampler, stopped.clone()));
    for shard in 0..app.store.shards() {
        workers.spawn(standing::run(app.clone(), shard, stopped.clone()));
    }
    let stop = stopped.clone();
    workers.spawn(async move {
        if let Err(error) = serve::serve(listener, stop).await {
            error!(%error, "metrics are not told any more");
        }
    });
    Ok(format!("http://{address}"))
}
