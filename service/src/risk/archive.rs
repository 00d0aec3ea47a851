//! Keeps every policy and model that ever decided, under its version, so that a decision can be
//! made again years later. What was kept under a version is never changed: another document under
//! the same version is refused.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use lombard_core::{
    id::digest_text,
    store::{Body, Key, Snapshot, decode},
};
use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    ports::{CommitError, ReadError},
};

/// Bytes of one record: in base64 they stay within every store's bound for a record.
const PART_BYTES: usize = 180 * 1024;

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A policy document.
    Policy,
    /// A model file.
    Model,
}

impl What {
    const fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Model => "model",
        }
    }
}

/// Why a document is not kept.
#[derive(Debug, thiserror::Error)]
pub enum NotKept {
    /// The version is taken.
    #[error("the {what} {version} is another one: a change needs a new version")]
    Taken {
        /// Of what.
        what: &'static str,
        /// Which.
        version: String,
    },
    /// The store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store takes nothing.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// The record that says that a document is there, whole.
#[derive(Serialize, Deserialize)]
struct Head {
    parts: usize,
}

fn key(what: What, version: &str, sort: &str) -> Key {
    // Versions of models are texts of somebody's choice.
    let name = digest_text(&[what.name(), version]);
    Key::new(&format!("risk#{}#{name}", what.name()), sort)
}

fn part(number: usize) -> String {
    format!("p#{number:06}")
}

/// Keeps a document under its version; a document that is kept already is kept.
///
/// # Errors
/// See [`NotKept`].
pub async fn keep(app: &App, what: What, version: &str, text: &str) -> Result<(), NotKept> {
    match load(app, what, version).await? {
        Some(kept) if kept == text => return Ok(()),
        Some(_) => {
            let (what, version) = (what.name(), version.to_owned());
            return Err(NotKept::Taken { what, version });
        }
        None => {}
    }
    for (key, body) in records(what, version, text) {
        put(app, key, body).await?;
    }
    Ok(())
}

/// The records that keep a document, the one that says that it is there at the end: until it is
/// there, nothing is. For a commit that keeps a document with what else it does.
#[must_use]
pub fn records(what: What, version: &str, text: &str) -> Vec<(Key, Body)> {
    let parts = text.as_bytes().chunks(PART_BYTES).enumerate();
    let mut records: Vec<(Key, Body)> = parts
        .map(|(number, bytes)| {
            let body = Body::of(&STANDARD_NO_PAD.encode(bytes));
            (key(what, version, &part(number)), body)
        })
        .collect();
    let head = Head {
        parts: records.len(),
    };
    records.push((key(what, version, "head"), Body::of(&head)));
    records
}

/// Writes over what a start that broke off may have left.
async fn put(app: &App, key: Key, body: Body) -> Result<(), CommitError> {
    let found = app.get(&key).await;
    let found = found.map_err(|error| CommitError::Unavailable(Arc::new(error)))?;
    let mut snapshot = Snapshot::default();
    snapshot.put(key.clone(), found);
    let mut writes = snapshot.checks();
    writes.put(&key, body);
    app.store.commit(&writes).await
}

/// The document of a version.
///
/// # Errors
/// See [`ReadError`].
pub async fn load(app: &App, what: What, version: &str) -> Result<Option<String>, ReadError> {
    let Some(head) = app.value::<Head>(&key(what, version, "head")).await? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    for number in 0..head.parts {
        let Some(record) = app.get(&key(what, version, &part(number))).await? else {
            return Ok(None);
        };
        let text: String = decode(&record.body.bytes);
        let part = STANDARD_NO_PAD.decode(text);
        bytes.extend(part.map_err(|error| ReadError::Damaged(Arc::new(error)))?);
    }
    let text = String::from_utf8(bytes);
    Ok(Some(
        text.map_err(|error| ReadError::Damaged(Arc::new(error)))?,
    ))
}
