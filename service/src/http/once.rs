//! Answers a POST once, where no plan does it: the records that it changes and its answer are
//! kept in one commit, under the caller's key.

use lombard_core::{
    command::{Rejection, Reply},
    idempotency::{Idempotency, Outcome},
    store::{BODY_BYTES_MAX, Body, Key, Snapshot, WriteSet, decode, encode},
    tenant::TenantId,
};
use serde::Serialize;

use super::{Api, ErrorCode, Problem};
use crate::{app::App, ports::CommitError};

/// How often it is decided before the caller is told to come back.
const TRIES_MAX: u32 = 16;

/// The longest answer that is kept: the rest of a record is for what is kept beside it.
const KEPT_BYTES_MAX: usize = BODY_BYTES_MAX - 4_096;

/// What is to be written and said.
pub struct Decided {
    /// The writes, begun as the checks of what was read.
    pub writes: WriteSet,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The answer, in JSON, as it is kept: without secrets.
    pub body: Vec<u8>,
}

/// Decides over the records under `keys`, commits, and answers; or gives the answer that the key
/// remembers. `decide` is asked again when a record changed meanwhile.
///
/// # Errors
/// What `decide` refuses, `idempotency_key_reused`, and the store's.
pub async fn once(
    api: &Api,
    tenant: TenantId,
    wish: &Idempotency,
    keys: &[Key],
    decide: impl FnMut(&Snapshot) -> Result<Decided, Problem> + Send,
) -> Result<Reply, Problem> {
    let _turn = api.turn(tenant, wish).await?;
    commit_once(api.app(), tenant, wish, keys, decide).await
}

/// Answers with what `work` gives, and keeps that as the key's answer; or gives the answer that
/// the key remembers, without any work. What `work` does is its own, in commits of its own, so it
/// must be such that doing it again after a crash does no more than doing it once. An answer that no
/// record holds, such as of a statement with thousands of exceptions, is given without being kept.
///
/// # Errors
/// What `work` refuses, `idempotency_key_reused`, and the store's.
pub async fn after<T: Serialize>(
    api: &Api,
    tenant: TenantId,
    wish: &Idempotency,
    status: u16,
    work: impl Future<Output = Result<T, Problem>> + Send,
) -> Result<Reply, Problem> {
    let _turn = api.turn(tenant, wish).await?;
    let mut body = Vec::new();
    if api.app().get(&wish.record_key(tenant)).await?.is_none() {
        body = encode(&work.await?);
        if body.len() > KEPT_BYTES_MAX {
            return Ok(Reply {
                status,
                body: body.into(),
                stage: None,
                replayed: false,
            });
        }
    }
    commit_once(api.app(), tenant, wish, &[], |read| {
        Ok(Decided {
            writes: read.checks(),
            status,
            body: body.clone(),
        })
    })
    .await
}

/// The same over other ports than the API's own, such as the vault's; whoever calls it has the
/// key's turn.
///
/// # Errors
/// See [`once`].
pub async fn commit_once(
    app: &App,
    tenant: TenantId,
    wish: &Idempotency,
    keys: &[Key],
    mut decide: impl FnMut(&Snapshot) -> Result<Decided, Problem> + Send,
) -> Result<Reply, Problem> {
    let outcome_key = wish.record_key(tenant);
    let mut wanted = vec![outcome_key.clone()];
    wanted.extend_from_slice(keys);
    // Set when an answer of the store was lost: then nobody is told that nothing was done.
    let mut lost: Option<Problem> = None;
    for _ in 0..TRIES_MAX {
        let found = match app.store.get(&wanted).await {
            Ok(found) => found,
            Err(error) => return Err(lost.unwrap_or_else(|| error.into())),
        };
        let mut snapshot = Snapshot::default();
        for (key, record) in wanted.iter().zip(found) {
            snapshot.put(key.clone(), record);
        }
        if let Some(reply) = answered(&snapshot, &outcome_key, wish)? {
            return Ok(reply);
        }
        let mut decided = decide(&snapshot)?;
        decided
            .writes
            .put(&outcome_key, outcome(app, wish, &decided));
        match app.store.commit(&decided.writes).await {
            Ok(()) => {
                return Ok(Reply {
                    status: decided.status,
                    body: decided.body.into(),
                    stage: None,
                    replayed: false,
                });
            }
            Err(CommitError::Conflict(_)) => {}
            // Reading again tells whether it landed.
            Err(error @ CommitError::Unknown(_)) => lost = Some(error.into()),
            Err(error) => return Err(lost.unwrap_or_else(|| error.into())),
        }
    }
    Err(lost.unwrap_or_else(|| Problem::new(ErrorCode::Overloaded)))
}

fn answered(snapshot: &Snapshot, key: &Key, wish: &Idempotency) -> Result<Option<Reply>, Problem> {
    let Some(record) = snapshot.get(key) else {
        return Ok(None);
    };
    let outcome: Outcome = decode(&record.body.bytes);
    if outcome.fingerprint != wish.fingerprint {
        return Err(Rejection::KeyReused.into());
    }
    Ok(Some(Reply {
        status: outcome.status,
        body: outcome.body.get().as_bytes().into(),
        stage: None,
        replayed: true,
    }))
}

fn outcome(app: &App, wish: &Idempotency, decided: &Decided) -> Body {
    let (status, at) = (decided.status, app.host.now());
    Body {
        bytes: Outcome::encode(wish.fingerprint, status, at, &decided.body).into(),
        index: Vec::new(),
    }
}
