//! Forgets deliveries that ended long ago, of whichever tenant and endpoint, also of endpoints that are
//! gone. What was delivered is then known from the event alone, which is never forgotten.

use std::sync::Arc;

use lombard_core::{
    store::{Snapshot, decode},
    time::Timestamp,
};
use tokio::sync::watch;
use tracing::warn;

use super::{
    delivery::{Delivery, SHARDS, due_prefix, ended_list},
    dispatch::Hooks,
};
use crate::{
    duty,
    ports::{Cause, CommitError, Found, Range},
    worker::feed::rest,
};

/// How often the lists are looked at, in milliseconds: what is kept for days may stay an hour more.
const EVERY_MS: u64 = 60 * 60 * 1000;
/// Deliveries forgotten in one commit, well within what one takes.
const PAGE: usize = 64;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// The moment before which ended deliveries are forgotten.
#[must_use]
pub fn horizon(now: Timestamp, kept_days: u32) -> Timestamp {
    Timestamp::from_unix_ms(now.unix_ms().saturating_sub(u64::from(kept_days) * DAY_MS))
}

/// Forgets until `stop` turns true.
pub async fn run(hooks: Arc<Hooks>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(error) = duty::on("webhooks-forget", sweep(&hooks)).await {
            warn!(%error, "old webhook deliveries are not forgotten yet");
        }
        if rest(&mut stop, EVERY_MS).await {
            return;
        }
    }
}

/// Forgets everything that is past its time now.
///
/// # Errors
/// Of the store; what was not reached is forgotten the next time.
pub async fn sweep(hooks: &Hooks) -> Result<(), Cause> {
    let app = &hooks.app;
    let before = horizon(app.host.now(), app.config.webhooks.kept_days);
    for shard in 0..SHARDS {
        let range = Range::listed(&ended_list(shard), PAGE).until(due_prefix(before));
        loop {
            let page = app.store.range(&range).await.map_err(cause)?;
            let full = page.len() == PAGE;
            match forget(hooks, page).await {
                // A conflict: one of them was replayed meanwhile, and stands elsewhere now.
                Ok(()) | Err(CommitError::Conflict(_)) => {}
                Err(error) => return Err(Arc::new(error)),
            }
            if !full {
                break;
            }
        }
    }
    Ok(())
}

async fn forget(hooks: &Hooks, page: Vec<Found>) -> Result<(), CommitError> {
    if page.is_empty() {
        return Ok(());
    }
    let mut snapshot = Snapshot::default();
    let mut keys = Vec::with_capacity(page.len());
    for found in page {
        let key = decode::<Delivery>(&found.record.body.bytes).key();
        snapshot.put(key.clone(), Some(found.record));
        keys.push(key);
    }
    let mut writes = snapshot.checks();
    keys.iter().for_each(|key| writes.delete(key));
    hooks.app.store.commit(&writes).await
}

fn cause<E: std::error::Error + Send + Sync + 'static>(error: E) -> Cause {
    Arc::new(error)
}
