//! Exchanging keys while everything runs.
//!
//! **Two kinds.** A new key-encryption key wraps from the moment it is there; the walk then wraps
//! the data keys of every subject anew. New data keys seal from the moment they are there; the
//! walk then seals every token of a subject anew and destroys the keys that nothing is sealed
//! under any more (keys that seal payments stay). What was sealed or wrapped before opens
//! throughout.
//!
//! **Shape.** A [`Rotation`] is a record: how far the walk over the list of subjects has come. It
//! is written after each page, so a walk that was interrupted goes on where it was; every step
//! may be done twice.

use std::sync::Arc;

use lombard_core::{
    store::{Body, Key, Snapshot, decode},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tracing::{info, warn};

use super::{
    subjects::{self, LIST, Subject},
    tokens::{Token, TokenError, Tokens, key, listed},
};
use crate::{
    ports::{CommitError, Found, Range, ReadError},
    records::{Then, change},
    worker::feed::rest,
};

const PAGE: usize = 100;
const TRIES_MAX: u32 = 16;
/// How often a rotation that was asked for is looked for, in milliseconds.
const TICK_MS: u64 = 500;

/// What is exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Key-encryption keys: data keys are wrapped anew.
    KeyEncryptionKeys,
    /// Data keys: tokens are sealed anew.
    DataKeys,
}

impl What {
    /// Both.
    pub const ALL: [Self; 2] = [Self::KeyEncryptionKeys, Self::DataKeys];

    /// As it is written in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::KeyEncryptionKeys => "key_encryption_keys",
            Self::DataKeys => "data_keys",
        }
    }
}

/// How far an exchange has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// What is exchanged.
    pub what: What,
    /// Since when.
    pub started_at: Timestamp,
    /// Subjects that there were at the start.
    pub total: u64,
    /// Subjects that are done.
    pub done: u64,
    /// Up to which place of the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// When it ended, if it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

fn place(what: What) -> Key {
    Key::new("rotation", what.name())
}

impl Tokens {
    /// How far the last exchange has come, if there was one.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn rotation(&self, what: What) -> Result<Option<Rotation>, ReadError> {
        self.app().value(&place(what)).await
    }

    /// Starts an exchange, unless one is under way; [`run`] carries it out.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub async fn rotate(&self, what: What) -> Result<Rotation, TokenError> {
        if let Some(running) = self.rotation(what).await?
            && running.ended_at.is_none()
        {
            return Ok(running);
        }
        let now = self.app().host.now();
        if what == What::KeyEncryptionKeys {
            self.subjects().keys().rotate(now).await?;
        }
        let rotation = Rotation {
            what,
            started_at: now,
            total: count(self).await?,
            done: 0,
            after: None,
            ended_at: None,
        };
        let kept = rotation.clone();
        change(self.app(), &place(what), |_: Option<Rotation>| {
            (Then::Put(Body::of(&kept)), ())
        })
        .await?;
        Ok(rotation)
    }
}

async fn count(tokens: &Tokens) -> Result<u64, ReadError> {
    let (mut after, mut total) = (None, 0);
    loop {
        let page = tokens.subjects().page(LIST, after, 1000).await?;
        let Some((last, _)) = page.last() else {
            return Ok(total);
        };
        total += page.len() as u64;
        after = Some(last.clone());
    }
}

/// Carries exchanges out until `stop` turns true.
pub async fn run(tokens: Arc<Tokens>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        for what in What::ALL {
            loop {
                match step(&tokens, what).await {
                    Ok(true) if !*stop.borrow() => {}
                    Ok(_) => break,
                    Err(error) => {
                        warn!(what = what.name(), %error, "keys are not exchanged at the moment");
                        break;
                    }
                }
            }
        }
        if rest(&mut stop, TICK_MS).await {
            break;
        }
    }
}

/// One page of an exchange; false when there is nothing (more) to do.
///
/// # Errors
/// See [`TokenError`].
pub async fn step(tokens: &Tokens, what: What) -> Result<bool, TokenError> {
    let Some(mut rotation) = tokens.rotation(what).await? else {
        return Ok(false);
    };
    if rotation.ended_at.is_some() {
        return Ok(false);
    }
    let after = rotation.after.clone();
    let page = tokens.subjects().page(LIST, after, PAGE).await?;
    for (_, subject) in page.iter().filter(|(_, subject)| !subject.is_erased()) {
        match what {
            What::KeyEncryptionKeys => alter(tokens, subject, Change::Rewrap).await.map(drop)?,
            What::DataKeys => renew(tokens, subject, rotation.started_at).await?,
        }
    }
    rotation.done += page.len() as u64;
    match page.last() {
        Some((last, _)) => rotation.after = Some(last.clone()),
        None => {
            rotation.ended_at = Some(tokens.app().host.now());
            info!(
                what = what.name(),
                done = rotation.done,
                "keys were exchanged"
            );
        }
    }
    let more = rotation.ended_at.is_none();
    change(tokens.app(), &place(what), |_: Option<Rotation>| {
        (Then::Put(Body::of(&rotation)), ())
    })
    .await?;
    Ok(more)
}

/// What is changed of a subject.
#[derive(Clone, Copy)]
enum Change {
    /// Its data keys are wrapped by the newest key-encryption key.
    Rewrap,
    /// It gets a data key made since then.
    Renew(Timestamp),
    /// It keeps only the data keys from this number on.
    KeepFrom(u32),
}

impl Change {
    /// Changes a subject; false when there is nothing to change.
    async fn apply(self, tokens: &Tokens, subject: &mut Subject) -> Result<bool, TokenError> {
        let before = subject.keys.clone();
        match self {
            Self::Rewrap => {
                let context = subject.context();
                for key in &mut subject.keys {
                    let again = tokens.subjects().keys().rewrap(&context, &key.wrapped);
                    if let Some(wrapped) = again.await? {
                        key.wrapped = wrapped;
                    }
                }
            }
            Self::Renew(since) => {
                let young = subject.keys.last().is_some_and(|key| key.made_at >= since);
                if !young {
                    tokens.subjects().add_key(subject).await?;
                }
            }
            Self::KeepFrom(number) => subject.keys.retain(|key| key.number >= number),
        }
        Ok(subject.keys != before)
    }
}

/// Changes a subject as it is now, until nobody else changed it meanwhile.
async fn alter(tokens: &Tokens, subject: &Subject, change: Change) -> Result<Subject, TokenError> {
    let place = subjects::key(subject.tenant, subject.id);
    for _ in 0..TRIES_MAX {
        let Some(found) = tokens.app().get(&place).await? else {
            return Err(TokenError::NotFound);
        };
        let mut now: Subject = decode(&found.body.bytes);
        if now.is_erased() || !change.apply(tokens, &mut now).await? {
            return Ok(now);
        }
        let mut snapshot = Snapshot::default();
        snapshot.put(place.clone(), Some(found));
        let mut writes = snapshot.checks();
        writes.update(&place, now.body());
        match tokens.app().store.commit(&writes).await {
            Ok(()) => return Ok(now),
            Err(CommitError::Conflict(_) | CommitError::Unknown(_)) => {
                // A key that was made for nothing must not be taken for one that is stored.
                tokens.subjects().forget(subject.tenant, subject.id);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(CommitError::Conflict(place).into())
}

/// Gives a subject a key younger than `since`, seals its tokens under it, and destroys the keys
/// that are left over.
async fn renew(tokens: &Tokens, subject: &Subject, since: Timestamp) -> Result<(), TokenError> {
    let subject = alter(tokens, subject, Change::Renew(since)).await?;
    let Some((newest, left)) = subject.keys.split_last() else {
        return Ok(());
    };
    reseal_tokens(tokens, &subject, newest.number).await?;
    if subject.seals_payments || left.is_empty() {
        return Ok(());
    }
    alter(tokens, &subject, Change::KeepFrom(newest.number)).await?;
    for key in left {
        let context = subject.context();
        let keys = tokens.subjects().keys();
        keys.destroy(&context, &key.wrapped).await?;
    }
    tokens.subjects().forget(subject.tenant, subject.id);
    Ok(())
}

async fn reseal_tokens(tokens: &Tokens, subject: &Subject, newest: u32) -> Result<(), TokenError> {
    let list = listed(subject.tenant, subject.id);
    let mut after = None;
    loop {
        let range = Range::listed(&list, PAGE).after(after);
        let page = tokens.app().store.range(&range).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some(last.at.sort().to_owned());
        for Found { record, .. } in page {
            let token: Token = decode(&record.body.bytes);
            if token.sealing.number >= newest {
                continue;
            }
            let resealed = tokens.resealed(subject, &token).await?;
            let place = key(token.tenant, token.id);
            change(tokens.app(), &place, |found: Option<Token>| match found {
                // Nothing else of a token ever changes; one that is gone stays gone.
                Some(_) => (Then::Put(resealed.body()), ()),
                None => (Then::Keep, ()),
            })
            .await?;
        }
    }
}
