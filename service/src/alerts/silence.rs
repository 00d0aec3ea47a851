//! Silences: a kind of exception that nobody need be told of for a while, on record and with an end.

use lombard_core::{
    audit::Audit,
    id::Id,
    store::{Body, Key},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    exceptions::{self, Kind},
    ports::{CommitError, ReadError},
    records::{Then, change_noted},
};

/// The longest silence: a day. What is known for longer is to be mended.
pub const SILENCE_MS_MAX: u64 = 24 * 60 * 60 * 1000;

/// One silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Of which kind nothing is told.
    pub kind: Kind,
    /// Until when.
    pub until: Timestamp,
    /// Why.
    pub why: String,
}

fn key() -> Key {
    Key::new("alerts#silences", "silences")
}

/// The silences that have not ended.
///
/// # Errors
/// See [`ReadError`].
pub async fn list(app: &App) -> Result<Vec<Silence>, ReadError> {
    let mut all: Vec<Silence> = app.value(&key()).await?.unwrap_or_default();
    let now = app.host.now();
    all.retain(|silence| now < silence.until);
    Ok(all)
}

/// Silences a kind for so many milliseconds, at most [`SILENCE_MS_MAX`]; 0 ends its silence.
///
/// # Errors
/// See [`CommitError`].
pub async fn set(app: &App, kind: Kind, for_ms: u64, why: &str) -> Result<Silence, CommitError> {
    let now = app.host.now();
    let silence = Silence {
        kind,
        until: now.plus_ms(for_ms.min(SILENCE_MS_MAX)),
        why: why.to_owned(),
    };
    let id = Id::new(now, app.host.random());
    let note = Audit::new(
        id,
        exceptions::operator(),
        now,
        "operator/local",
        "alert.silence",
    );
    let note = note.on(kind.name()).because(why);
    change_noted(app, &key(), Some(&note), |known: Option<Vec<Silence>>| {
        let mut all = known.unwrap_or_default();
        all.retain(|one| one.kind != kind && now < one.until);
        all.push(silence.clone());
        (Then::Put(Body::of(&all)), ())
    })
    .await?;
    Ok(silence)
}
