//! Changes one record of ours: read, decide, commit, decide again.
//!
//! What is not part of a payment's plan (webhook endpoints, deliveries, batches) is changed here, a
//! record at a time, under the same guard: what was decided on is what is replaced.

use std::sync::Arc;

use lombard_core::audit::{self, Audit};
use lombard_core::store::{Body, Key, Snapshot, WriteSet, decode};
use serde::de::DeserializeOwned;

use crate::{app::App, ports::CommitError};

/// How often a change is decided before its caller is told of the conflict. Rivals for one of
/// these records are few: an owner's request, a try's end.
const TRIES_MAX: u32 = 16;

/// What becomes of a record.
pub enum Then {
    /// It stays.
    Keep,
    /// It is written, for the first time or anew.
    Put(Body),
    /// It goes.
    Delete,
}

/// Decides what becomes of the record under `key`, until nobody else changed it meanwhile. A
/// commit whose answer was lost is decided again too, so `decide` must know its own work.
///
/// # Errors
/// See [`CommitError`]; a failed read counts as [`CommitError::Unavailable`].
pub async fn change<T: DeserializeOwned, R>(
    app: &App,
    key: &Key,
    decide: impl FnMut(Option<T>) -> (Then, R) + Send,
) -> Result<R, CommitError> {
    change_noted(app, key, None, decide).await
}

/// The same; if anything is changed, `note` says in the same commit who did it.
///
/// # Errors
/// As [`change`].
pub async fn change_noted<T: DeserializeOwned, R>(
    app: &App,
    key: &Key,
    note: Option<&Audit>,
    mut decide: impl FnMut(Option<T>) -> (Then, R) + Send,
) -> Result<R, CommitError> {
    let mut tries = 0;
    loop {
        let found = app
            .get(key)
            .await
            .map_err(|error| CommitError::Unavailable(Arc::new(error)))?;
        let value = found.as_ref().map(|record| decode(&record.body.bytes));
        let (then, result) = decide(value);
        let mut snapshot = Snapshot::default();
        snapshot.put(key.clone(), found);
        let mut writes: WriteSet = snapshot.checks();
        match then {
            Then::Keep => return Ok(result),
            Then::Put(body) => writes.put(key, body),
            Then::Delete => writes.delete(key),
        }
        if let Some(note) = note {
            audit::enter(&mut writes, note);
        }
        tries += 1;
        match app.store.commit(&writes).await {
            Ok(()) => return Ok(result),
            Err(CommitError::Conflict(_) | CommitError::Unknown(_)) if tries < TRIES_MAX => {}
            Err(error) => return Err(error),
        }
    }
}

/// Writes a record that is not there.
///
/// # Errors
/// See [`CommitError`].
pub async fn put_new(app: &App, key: Key, body: Body) -> Result<(), CommitError> {
    let mut snapshot = Snapshot::default();
    snapshot.put(key.clone(), None);
    let mut writes = snapshot.checks();
    writes.create(key, body);
    app.store.commit(&writes).await
}

/// Writes records that are not there, and who did so.
///
/// # Errors
/// See [`CommitError`].
pub async fn create_noted<const N: usize>(
    app: &App,
    records: [(Key, Body); N],
    note: &Audit,
) -> Result<(), CommitError> {
    let mut writes = WriteSet::default();
    for (key, body) in records {
        writes.create(key, body);
    }
    audit::enter(&mut writes, note);
    app.store.commit(&writes).await
}
