//! Everything after the commit: consumers of the change feed and of the timers.
//!
//! A runtime owns its loops and the step is here, so that the same step is called by a task, by
//! a stream's batch, or by a seed. Steps are idempotent, because a crash runs the last ones
//! again; what cannot be done in three tries becomes an exception, never silence.

pub mod cursor;
pub mod feed;
pub mod funds;
mod parties;
pub mod rails;
pub mod rollup;
pub mod saga;
pub mod soundness;
pub mod standing;
pub mod timers;

use std::sync::Arc;

use tokio::{sync::watch, task::JoinSet};

use crate::{app::App, batch::tally, duty};

/// Starts every worker of a single-process runtime; they end when `stop` turns true.
///
/// One process runs them: the embedded store lets only one open its folder. A second runner
/// would do no harm, because every step may be run twice, and no good.
#[must_use]
pub fn spawn_all(app: &App, stop: &watch::Receiver<bool>) -> JoinSet<()> {
    let mut workers = JoinSet::new();
    for shard in 0..app.store.shards() {
        workers.spawn(duty::on(
            "rollup",
            rollup::run(app.clone(), shard, stop.clone()),
        ));
        workers.spawn(duty::on(
            "batches",
            tally::run(app.clone(), shard, stop.clone()),
        ));
        for consumer in consumers(app) {
            workers.spawn(feed::run(app.clone(), consumer, shard, stop.clone()));
        }
    }
    workers.spawn(duty::on("timers", timers::run(app.clone(), stop.clone())));
    workers
}

/// The consumers of the change feed whose jobs are independent.
fn consumers(app: &App) -> Vec<Arc<dyn feed::Consumer>> {
    let mut all: Vec<Arc<dyn feed::Consumer>> = vec![Arc::new(funds::Funds::new(app.clone()))];
    for rail in rails::carried(app) {
        all.push(Arc::new(rails::Errands::new(app.clone(), rail)));
    }
    all
}
