//! Finds the deliveries that are due and has them tried.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use lombard_core::store::decode;
use tokio::sync::watch;
use tracing::warn;

use super::{
    delivery::{Delivery, SHARDS, due_list, due_prefix},
    dispatch::Hooks,
};
use crate::{
    duty,
    metrics::METRICS,
    ports::{Range, ReadError},
    worker::feed::rest,
};

/// How often the due lists are looked at, in milliseconds: the first retry is after 5 s.
const EVERY_MS: u64 = 500;
/// Deliveries read at once.
const PAGE: usize = 256;
/// Records written at once when a whole page must be put off.
const WRITES_AT_ONCE: usize = 64;

/// Tries what is due until `stop` turns true.
pub async fn run(hooks: Arc<Hooks>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(error) = duty::on("webhooks-due", scan(&hooks)).await {
            warn!(%error, "the webhooks that are due cannot be read");
        }
        if rest(&mut stop, EVERY_MS).await {
            return;
        }
    }
}

/// Takes up everything that is due now. Returns before the tries have ended.
///
/// # Errors
/// See [`ReadError`]; what was not reached is taken up the next time.
pub async fn scan(hooks: &Arc<Hooks>) -> Result<(), ReadError> {
    let until = format!("{}~", due_prefix(hooks.app.host.now()));
    let mut due = 0;
    for shard in 0..SHARDS {
        let mut after = None;
        loop {
            let range = Range::listed(&due_list(shard), PAGE)
                .past_damage()
                .after(after)
                .until(until.clone());
            let page = hooks.app.store.range(&range).await?;
            let full = page.len() == PAGE;
            due += page.len();
            after = page.last().map(|found| found.at.sort().to_owned());
            stream::iter(page)
                .for_each_concurrent(WRITES_AT_ONCE, |found| async move {
                    let delivery: Delivery = decode(&found.record.body.bytes);
                    hooks.take_up(delivery).await;
                })
                .await;
            if !full {
                break;
            }
        }
    }
    METRICS.webhooks_due.of(()).set(due as f64);
    Ok(())
}
