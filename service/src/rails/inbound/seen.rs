//! What came in, under its own reference: written before it is acted on, so that however often and
//! however many at once the same message comes, it is one payment, and one answer.
//!
//! A bank's reference belongs to the bank, so the key is rail, kind of message, bank and
//! reference. What the message asks is remembered by a keyed hash, because it names accounts: the
//! same reference with other contents is refused and changes nothing.

use std::sync::Arc;

use lombard_core::{
    id::{Id, digest_text},
    iso20022::Agent,
    ledger::Account,
    payment::Payment,
    rail::Rail,
    reason::Reason,
    store::{Body, Key, Snapshot, decode},
    tenant::TenantId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::Later;
use crate::{
    app::App,
    ports::CommitError,
    rails::{
        dialect::agent_text,
        names::{self, Names},
    },
};

/// A message that was seen, and what was decided of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The tenant whose it is, or the operator if it is nobody's.
    pub tenant: TenantId,
    /// The payment or return that it became, or would have.
    pub payment: Id<Payment>,
    /// The account of ours that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Id<Account>>,
    /// Keyed hash of what it asks.
    pub asks: String,
    /// When it was first seen.
    pub at: Timestamp,
    /// Why it was refused, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Reason>,
}

/// Under which reference a message is kept.
pub fn key(rail: Rail, kind: &str, agent: &Agent, reference: &str) -> Key {
    let digest = digest_text(&[rail.name(), kind, &agent_text(agent), reference]);
    Key::new(&format!("seen#{digest}"), "message")
}

/// Where the payment of a UETR is kept.
pub fn uetr_key(rail: Rail, uetr: &str) -> Key {
    let digest = digest_text(&[rail.name(), "uetr", uetr]);
    Key::new(&format!("seen#{digest}"), "uetr")
}

/// Where the payments of an end-to-end id of a bank's customer are kept: several, if it is used again.
pub fn end_to_end_key(rail: Rail, agent: &Agent, end_to_end_id: &str) -> Key {
    let digest = digest_text(&[rail.name(), "e2e", &agent_text(agent), end_to_end_id]);
    Key::new(&format!("seen#{digest}"), "end_to_end")
}

/// How many payments of one end-to-end id can be found by it: the last ones.
const SAME_NAME_MAX: usize = 8;

/// What was decided of a message before, if anything was.
pub async fn find(app: &App, key: &Key) -> Result<Option<Seen>, Later> {
    Ok(app.value(key).await?)
}

/// Writes a message down, unless it was written down meanwhile. What stands afterwards is given.
pub async fn note(
    app: &App,
    key: &Key,
    seen: &Seen,
    names: Option<(Rail, &Agent, &Names)>,
) -> Result<Seen, Later> {
    let same_name = names.and_then(|(rail, agent, names)| {
        let name = names::end_to_end(Some(&names.end_to_end_id))?;
        Some(end_to_end_key(rail, agent, name))
    });
    let mut snapshot = Snapshot::default();
    snapshot.put(key.clone(), None);
    if let Some(key) = &same_name {
        snapshot.put(key.clone(), app.get(key).await?);
    }
    let mut writes = snapshot.checks();
    writes.create(key.clone(), Body::of(seen));
    if let Some((rail, _, names)) = names {
        writes.create(names::key(seen.tenant, seen.payment), Body::of(names));
        if let Some(uetr) = &names.uetr {
            let key = uetr_key(rail, uetr);
            // Two payments with one UETR are a mistake of their bank's: the first keeps it.
            if app.get(&key).await?.is_none() {
                writes.create(key, Body::of(&(seen.tenant, seen.payment)));
            }
        }
    }
    if let Some(key) = same_name {
        let all: Option<Vec<(TenantId, Id<Payment>)>> = snapshot.value(&key);
        let mut all = all.unwrap_or_default();
        all.push((seen.tenant, seen.payment));
        let old = all.len().saturating_sub(SAME_NAME_MAX);
        all.drain(..old);
        writes.put(&key, Body::of(&all));
    }
    match app.store.commit(&writes).await {
        Ok(()) => Ok(seen.clone()),
        Err(error @ (CommitError::Conflict(_) | CommitError::Unknown(_))) => {
            find(app, key).await?.ok_or_else(|| Later(Arc::new(error)))
        }
        Err(error) => Err(error.into()),
    }
}

/// Notes that a message was refused after it had been written down.
pub async fn refuse(app: &App, key: &Key, reason: Reason) -> Result<Seen, Later> {
    let found = app.get(key).await?;
    let Some(record) = &found else {
        return Err(Later(Arc::new(std::fmt::Error)));
    };
    let mut seen: Seen = decode(&record.body.bytes);
    if seen.refused.is_some() {
        return Ok(seen);
    }
    seen.refused = Some(reason);
    let mut snapshot = Snapshot::default();
    snapshot.put(key.clone(), found);
    let mut writes = snapshot.checks();
    writes.update(key, Body::of(&seen));
    // A rival that refuses the same message at the same time makes this one try again.
    app.store.commit(&writes).await?;
    Ok(seen)
}
