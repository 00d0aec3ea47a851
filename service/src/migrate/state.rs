//! What a store says of being moved, so that no server starts on a half of an installation, and none
//! on one that has moved away.

use lombard_core::store::{Body, Key, Record, Snapshot, decode};
use serde::{Deserialize, Serialize};

use super::read;
use crate::ports::{CommitError, ReadError, Store};

/// Where a store is in being moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum State {
    /// It is a target, and not whole yet.
    Importing {
        /// The export's id.
        export: String,
        /// Up to which frame everything is here.
        frame: u64,
    },
    /// It was a target, and is whole.
    Imported {
        /// The export's id.
        export: String,
    },
    /// It was a source, and what it had is served elsewhere.
    Retired {
        /// The export's id.
        export: String,
    },
}

/// Why no server may start on a store.
#[derive(Debug, thiserror::Error)]
pub enum NotToBeServed {
    /// It is a half.
    #[error("an import into this store is not finished; give `lombard import` again")]
    Importing,
    /// It is the past.
    #[error("this installation has moved (export {0}); it is served elsewhere")]
    Retired(String),
    /// Nobody knows.
    #[error("the store cannot be read")]
    Read(#[from] ReadError),
}

/// Where the record is.
#[must_use]
pub fn key() -> Key {
    Key::new("migration#state", "state")
}

/// The state, with the record that says so.
///
/// # Errors
/// See [`ReadError`].
pub async fn load(store: &dyn Store) -> Result<(Option<State>, Option<Record>), ReadError> {
    let found = read(store, key()).await?;
    let state = found.as_ref().map(|record| decode(&record.body.bytes));
    Ok((state, found))
}

/// Puts a state in the place of the one that was found.
///
/// # Errors
/// See [`CommitError`].
pub async fn save(
    store: &dyn Store,
    found: Option<Record>,
    state: &State,
) -> Result<(), CommitError> {
    let mut snapshot = Snapshot::default();
    snapshot.put(key(), found);
    let mut writes = snapshot.checks();
    writes.put(&key(), Body::of(state));
    store.commit(&writes).await
}

/// Whether a server may start on a store.
///
/// # Errors
/// See [`NotToBeServed`].
pub async fn may_serve(store: &dyn Store) -> Result<(), NotToBeServed> {
    match load(store).await?.0 {
        None | Some(State::Imported { .. }) => Ok(()),
        Some(State::Importing { .. }) => Err(NotToBeServed::Importing),
        Some(State::Retired { export }) => Err(NotToBeServed::Retired(export)),
    }
}
