//! What is done about an exception: each deed changes it and goes on record, in one commit.

use std::sync::Arc;

use lombard_core::{
    audit::{self, Audit},
    id::Id,
    store::{Snapshot, decode},
    tenant::TenantId,
    time::Timestamp,
};

use super::{Deed, Exception, State, body, key, queue::queue_of};
use crate::{app::App, ports::CommitError};

/// What may be done about an exception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Look at it, or have somebody look at it.
    Claim(String),
    /// Say something about it: `commented`, `asked`, `proposed:…`.
    Comment(String),
    /// Nobody need look at it before this moment; from now on again when it has passed.
    Snooze(Timestamp),
    /// It is done with, by an action.
    Resolve(String),
    /// It is not done with after all.
    Reopen,
}

/// Why something cannot be done about an exception.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// There is none.
    #[error("there is no such exception")]
    NotFound,
    /// It stands where this cannot be done.
    #[error("the exception is {0}")]
    WrongState(&'static str),
    /// Too much was done about it for one record.
    #[error("nothing more can be noted about this exception")]
    Full,
    /// The store.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// The most deeds of one exception.
pub const HISTORY_MAX: usize = 500;

/// How often a deed is tried when others write the same record.
const TRIES_MAX: u32 = 8;

/// Does something about an exception, and keeps who did it and why.
///
/// # Errors
/// See [`Refused`].
pub async fn act(
    app: &App,
    tenant: TenantId,
    id: Id<Exception>,
    actor: &str,
    wish: &Wish,
    why: &str,
) -> Result<Exception, Refused> {
    let queue = queue_of(app, tenant, id).await;
    let queue = queue.map_err(|error| CommitError::Unavailable(Arc::new(error)))?;
    let key = key(queue, id);
    let now = app.host.now();
    let record: Id<Audit> = Id::new(now, app.host.random());
    let mut last = CommitError::Conflict(key.clone());
    for _ in 0..TRIES_MAX {
        let found = app.get(&key).await;
        let found = found.map_err(|error| CommitError::Unavailable(Arc::new(error)))?;
        let Some(known) = &found else {
            return Err(Refused::NotFound);
        };
        let known: Exception = decode(&known.body.bytes);
        let deed = |what: &str| Deed {
            at: now,
            actor: actor.to_owned(),
            what: what.to_owned(),
            note: why.to_owned(),
        };
        let Some((next, what)) = decide(&known, wish, deed)? else {
            // The answer of our commit was lost, and it landed.
            return Ok(known);
        };
        let note = Audit::new(record, tenant, now, actor, &format!("exception.{what}"));
        let note = note.on(id).because(why);
        let mut snapshot = Snapshot::default();
        snapshot.put(key.clone(), found);
        let mut writes = snapshot.checks();
        writes.put(&key, body(queue, &next));
        audit::enter(&mut writes, &note);
        match app.store.commit(&writes).await {
            Ok(()) => return Ok(next),
            Err(error @ (CommitError::Conflict(_) | CommitError::Unknown(_))) => last = error,
            Err(error) => return Err(error.into()),
        }
    }
    Err(last.into())
}

/// The exception after a deed, and the deed's name; `None` when it was done before by this very call.
fn decide(
    known: &Exception,
    wish: &Wish,
    deed: impl Fn(&str) -> Deed,
) -> Result<Option<(Exception, String)>, Refused> {
    let mut next = known.clone();
    let what = match (wish, known.state) {
        (Wish::Comment(what), _) => what.clone(),
        (Wish::Claim(who), State::Open) => {
            next.assignee = Some(who.clone());
            "claimed".to_owned()
        }
        (Wish::Snooze(until), State::Open) => {
            next.snoozed_until = Some(*until);
            "snoozed".to_owned()
        }
        (Wish::Resolve(action), State::Open) => {
            next.state = State::Resolved;
            next.snoozed_until = None;
            action.clone()
        }
        (Wish::Reopen, State::Resolved) => {
            next.state = State::Open;
            "reopened".to_owned()
        }
        (Wish::Claim(_) | Wish::Snooze(_), State::Resolved) => {
            return Err(Refused::WrongState("resolved"));
        }
        (Wish::Resolve(action), State::Resolved) => {
            let ours = known.history.last() == Some(&deed(action));
            return if ours {
                Ok(None)
            } else {
                Err(Refused::WrongState("resolved"))
            };
        }
        (Wish::Reopen, State::Open) => {
            let ours = known.history.last() == Some(&deed("reopened"));
            return if ours {
                Ok(None)
            } else {
                Err(Refused::WrongState("open"))
            };
        }
    };
    let done = deed(&what);
    if known.history.last() == Some(&done) {
        return Ok(None);
    }
    if known.history.len() >= HISTORY_MAX {
        return Err(Refused::Full);
    }
    next.history.push(done);
    Ok(Some((next, what)))
}

/// Resolves an open exception; one that is resolved, or is not there, stays as it is.
///
/// # Errors
/// See [`CommitError`].
pub async fn resolve(
    app: &App,
    tenant: TenantId,
    id: Id<Exception>,
    actor: &str,
    action: &str,
    note: &str,
) -> Result<(), CommitError> {
    let wish = Wish::Resolve(action.to_owned());
    match act(app, tenant, id, actor, &wish, note).await {
        Ok(_) | Err(Refused::NotFound | Refused::WrongState(_) | Refused::Full) => Ok(()),
        Err(Refused::Commit(error)) => Err(error),
    }
}
