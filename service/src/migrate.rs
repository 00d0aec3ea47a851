//! Moving an installation from one store to another: out into one encrypted file, and in again.
//!
//! **What moves.** Every record of the ledger's store and of the vault's, the files of the verifiable
//! log, and where each consumer of the feed stands. An installation moves whole, with all of its
//! tenants, because its log proves the history of all of them: a part of a log proves nothing. The
//! keys of vault and log do not move; whoever carries the file is not who carries the keys. That the
//! right ones are at the target is proved before anything is written there.
//!
//! **Shape.** A [`Side`] is all that a store stands on. [`census`] reads every live record of it.
//! [`prove`] holds its log, its records and its balances together by the log's own checkpoint, and
//! sums its records up. [`quiet`] finds out whether any consumer still has work. [`file`] is the
//! export: frames that are sealed one by one, each with its number. [`people`] wraps the vault's data
//! keys for the journey. [`export`] and [`import`] are the two directions.
//!
//! **Invariants.** Nothing is exported of a side that is not proved and quiet. Nothing is written to a
//! target before the whole file was opened. What is at the target afterwards has the same
//! checkpoint, adds up to the same balances and to the same sums of records, or it never becomes an
//! installation: until the last commit, which sets all places in the feed, no server starts on it
//! ([`state`]). No data key is ever in clear outside of memory.
//!
//! **A crash** at any point of either direction is made good by giving the same command again.

pub mod census;
pub mod export;
pub mod file;
pub mod frame;
pub mod import;
pub mod key;
pub mod people;
pub mod prove;
pub mod quiet;
pub mod state;

use std::{io, sync::Arc};

use lombard_core::{
    proof::key::PublicKey,
    store::{Body, Key, Record},
};

pub use census::{ByFeed, Census, Sum};
pub use export::export;
pub use import::import;
pub use key::ExportKey;

use crate::{
    ports::{CommitError, ReadError, Store, Vault},
    proof::{Blobs, head},
    vault::keys::{Keys, KeysError},
};

/// All that an installation stands on.
pub struct Side {
    /// The ledger's records.
    pub store: Arc<dyn Store>,
    /// All of them.
    pub records: Arc<dyn Census>,
    /// The vault's.
    pub vault_store: Arc<dyn Store>,
    /// All of those.
    pub vault_records: Arc<dyn Census>,
    /// What sealed the personal data in the ledger's records.
    pub vault: Arc<dyn Vault>,
    /// What wraps the data keys of subjects.
    pub keys: Arc<dyn Keys>,
    /// The files of the verifiable log.
    pub log: Arc<dyn Blobs>,
    /// What checks the signatures of its checkpoints.
    pub log_keys: Vec<PublicKey>,
}

/// Why nothing was moved, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A server runs on the source, or has left work behind.
    #[error(
        "the source still has work: {0}. Start it where nobody can call it, let it come to rest, stop it, and try again"
    )]
    NotQuiet(String),
    /// The log, the records and the balances do not agree.
    #[error("the log does not prove the records: {0}")]
    NotProved(String),
    /// The source is not what it was when the export began.
    #[error("the source has changed since this export began; remove the file and export anew")]
    Changed,
    /// The target has records that are not of this export.
    #[error("the target is not empty: {0}")]
    NotEmpty(String),
    /// The keys beside the target are not those of the source.
    #[error(
        "{0} at the target is not that of the source; copy it from there before anything is imported"
    )]
    OtherKeys(&'static str),
    /// The target is not made for this.
    #[error("{0}")]
    Unfit(String),
    /// The file was changed, or the key is another.
    #[error("line {0} of the export is not what was written, or the key is another")]
    NotGenuine(u64),
    /// The export ended before its end.
    #[error("the export is not complete; give the command that writes it again")]
    Unfinished,
    /// What was imported is not what was exported.
    #[error("the target is not what the source was: {0}")]
    Differs(String),
    /// A file cannot be read or written.
    #[error("{0} cannot be used")]
    File(String, #[source] io::Error),
    /// A store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A store cannot be written.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// A data key cannot be wrapped or unwrapped.
    #[error(transparent)]
    Keys(#[from] KeysError),
}

impl MigrateError {
    fn files(error: io::Error) -> Self {
        Self::File("the log's files".to_owned(), error)
    }
}

/// Told of how many records were gone through so far.
pub type Progress<'a> = &'a (dyn Fn(u64) + Sync);

/// Whether a record says where a feed was read, or that something is being moved: it belongs to its
/// store, and is made anew at the target.
fn is_of_the_store(key: &Key) -> bool {
    key.partition().starts_with("cursor#") || *key == head::key() || *key == state::key()
}

async fn read(store: &dyn Store, key: Key) -> Result<Option<Record>, ReadError> {
    Ok(store.get(&[key]).await?.pop().flatten())
}

/// A record of the ledger that is a leaf of the log.
fn is_leaf(key: &Key) -> bool {
    matches!(key.sort(), "txn" | lombard_core::audit::SORT)
}

/// A record to be moved.
pub type Moved = (Key, Body);
