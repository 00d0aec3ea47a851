//! How far a consumer has come in a shard of the change feed: durable, and behind the truth at
//! the worst, so that after a crash the last work is done again and none is left out.

use lombard_core::store::{Body, Key, Snapshot};

use crate::{
    app::App,
    ports::{CommitError, ReadError},
};

/// Where a consumer's cursor is kept.
#[must_use]
pub fn key(consumer: &str, shard: u16) -> Key {
    Key::new(&format!("cursor#{consumer}#{shard:04}"), "cursor")
}

/// The position up to which the consumer has done everything; 0 at the beginning.
///
/// # Errors
/// See [`ReadError`].
pub async fn load(app: &App, consumer: &str, shard: u16) -> Result<u64, ReadError> {
    Ok(app.value(&key(consumer, shard)).await?.unwrap_or(0))
}

/// Notes that everything up to `position` is done. Never goes back.
///
/// # Errors
/// See [`CommitError`]; whatever happens, an earlier position stands.
pub async fn save(app: &App, consumer: &str, shard: u16, position: u64) -> Result<(), CommitError> {
    let key = key(consumer, shard);
    let found = app
        .get(&key)
        .await
        .map_err(|error| CommitError::Unavailable(std::sync::Arc::new(error)))?;
    let stored: u64 = found
        .as_ref()
        .map_or(0, |record| lombard_core::store::decode(&record.body.bytes));
    if stored >= position {
        return Ok(());
    }
    let mut snapshot = Snapshot::default();
    snapshot.put(key.clone(), found);
    let mut writes = snapshot.checks();
    writes.put(&key, Body::of(&position));
    app.store.commit(&writes).await
}
