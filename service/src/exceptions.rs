//! Exceptions: what the machine cannot settle and a person must look at.
//!
//! **Shape.** One record for each thing that is wrong with each subject: raising it again while
//! it is open changes nothing, raising it after it was resolved opens it again. An exception has
//! no personal data: its evidence is ids, codes and amounts, and what an error said of itself.
//! What is done about it is added to its history, and put on record beside it ([`act`]).

mod act;
pub mod again;
mod kind;
pub mod preview;
mod queue;
pub mod repair;

use std::collections::BTreeMap;

use lombard_core::{
    audit::{self, Audit},
    id::{Id, Named},
    payment::Payment,
    store::{Body, Key, Snapshot, decode},
    tenant::TenantId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::{
    app::App,
    metrics::METRICS,
    ports::{CommitError, Found, Range, ReadError},
};

/// Who opens exceptions, as audit records say it.
const ACTOR: &str = "worker/exceptions";
pub use act::{HISTORY_MAX, Refused, Wish, act, resolve};
pub use kind::Kind;
pub use queue::{get, list_for};

/// The tenant of what belongs to none, such as a message about a payment that nobody made: the
/// operator of this installation.
#[must_use]
pub fn operator() -> TenantId {
    TenantId::new(0)
}

/// Something that a person must look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// `exc_…`; follows from tenant, kind and subject.
    pub id: Id<Exception>,
    /// What is wrong.
    pub kind: Kind,
    /// With what: a payment's id, or the reference that a message gave.
    pub subject: String,
    /// In a sentence.
    pub reason: String,
    /// Ids, codes, amounts: what is known of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub evidence: BTreeMap<String, String>,
    /// When it was first raised, or raised again after it had been resolved.
    pub opened_at: Timestamp,
    /// Where it stands.
    pub state: State,
    /// Who looks at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// Until when nobody need look at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<Timestamp>,
    /// What was done about it, in order: who, when, what, why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Deed>,
}

/// Something that somebody did about an exception.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// When.
    pub at: Timestamp,
    /// Who: `key/…`, `operator/…`, `worker/…`.
    pub actor: String,
    /// What: `claimed`, `commented`, `resolved`, `reopened`, or the action that resolved it.
    pub what: String,
    /// Why, in his words.
    pub note: String,
}

impl Named for Exception {
    const PREFIX: &'static str = "exc";
}

/// Where an exception stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Somebody must look.
    Open,
    /// Somebody has.
    Resolved,
}

/// Where an exception stands with those who work the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nobody looks at it yet.
    Open,
    /// Somebody does.
    Claimed,
    /// What somebody wishes to do about it waits for a second person.
    WaitingForApproval,
    /// Nobody need look at it before a moment.
    Snoozed,
    /// It is done with.
    Resolved,
}

impl Standing {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Open,
        Self::Claimed,
        Self::WaitingForApproval,
        Self::Snoozed,
        Self::Resolved,
    ];

    /// As it is written in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Claimed => "claimed",
            Self::WaitingForApproval => "waiting_for_approval",
            Self::Snoozed => "snoozed",
            Self::Resolved => "resolved",
        }
    }
}

impl Exception {
    /// Where it stands at a moment. A snooze ends by itself.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Standing {
        let proposed = || {
            let last = self.history.iter().rev().find(|it| it.what != "commented");
            last.is_some_and(|it| it.what.starts_with("proposed:"))
        };
        match self.state {
            State::Resolved => Standing::Resolved,
            State::Open if self.snoozed_until.is_some_and(|until| until > now) => Standing::Snoozed,
            State::Open if proposed() => Standing::WaitingForApproval,
            State::Open if self.assignee.is_some() => Standing::Claimed,
            State::Open => Standing::Open,
        }
    }

    /// How often it was opened again.
    #[must_use]
    pub fn reopened(&self) -> usize {
        let opened = |it: &&Deed| it.what == "reopened";
        self.history.iter().filter(opened).count()
    }

    /// The deed by which it was resolved last, whatever was said of it afterwards.
    #[must_use]
    pub fn resolved_by(&self) -> Option<&str> {
        let said = |it: &&Deed| it.what != "commented";
        self.history
            .iter()
            .rev()
            .find(said)
            .map(|it| it.what.as_str())
    }

    /// How often what was posted to resolve it was taken back. What is posted next is something new only
    /// then: while the last posting stands, money that was borne is not borne again, however often the
    /// trouble is raised, resolved and opened.
    #[must_use]
    pub fn taken_back(&self) -> usize {
        let (mut stands, mut times) = (None, 0);
        for deed in self.history.iter().filter(|it| it.what != "commented") {
            let posted = matches!(stands, Some("compensate" | "write_off" | "suspense"));
            times += usize::from(posted && deed.what == "reopened");
            stands = Some(deed.what.as_str());
        }
        times
    }
}

/// What is wrong, before it is stored.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// Whose.
    pub tenant: TenantId,
    /// What is wrong.
    pub kind: Kind,
    /// With what.
    pub subject: String,
    /// In a sentence.
    pub reason: String,
    /// What is known of it.
    pub evidence: BTreeMap<String, String>,
}

impl Trouble {
    /// Trouble with `subject`.
    #[must_use]
    pub fn new(tenant: TenantId, kind: Kind, subject: &str, reason: &str) -> Self {
        Self {
            tenant,
            kind,
            subject: subject.to_owned(),
            reason: reason.to_owned(),
            evidence: BTreeMap::new(),
        }
    }

    /// Trouble with a payment.
    #[must_use]
    pub fn with_payment(tenant: TenantId, kind: Kind, id: Id<Payment>, reason: &str) -> Self {
        Self::new(tenant, kind, &id.to_string(), reason)
    }

    /// The same, with one more thing known.
    #[must_use]
    pub fn evidence(mut self, name: &str, value: impl ToString) -> Self {
        self.evidence.insert(name.to_owned(), value.to_string());
        self
    }

    /// The id of its exception, which is there once it was raised.
    #[must_use]
    pub fn id(&self) -> Id<Exception> {
        let (tenant, kind) = (self.tenant.short(), self.kind.name());
        Id::of_name(&format!("exception/{tenant}/{kind}/{}", self.subject))
    }
}

/// How the keys of exceptions sort within their partitions.
pub const SORT: &str = "exception";

/// Where an exception is kept.
#[must_use]
pub fn key(tenant: TenantId, id: Id<Exception>) -> Key {
    Key::new(&format!("{}/{id}", tenant.short()), SORT)
}

/// The list of a tenant's exceptions, in the order in which they were opened.
#[must_use]
pub fn list_partition(tenant: TenantId) -> String {
    format!("{}/exceptions", tenant.short())
}

/// How often a raise is tried when others write the same record.
const TRIES_MAX: u32 = 5;

/// Stores that something is wrong, once for as long as it is open.
///
/// # Errors
/// See [`CommitError`]; nothing but the store can refuse.
pub async fn raise(app: &App, trouble: Trouble) -> Result<Id<Exception>, CommitError> {
    let id = trouble.id();
    let key = key(trouble.tenant, id);
    let mut last = None;
    for _ in 0..TRIES_MAX {
        let found = app.get(&key).await.map_err(unread)?;
        let known = found
            .as_ref()
            .map(|record| decode::<Exception>(&record.body.bytes));
        if known
            .as_ref()
            .is_some_and(|known| known.state == State::Open)
        {
            return Ok(id);
        }
        let exception = Exception {
            id,
            kind: trouble.kind,
            subject: trouble.subject.clone(),
            reason: trouble.reason.clone(),
            evidence: trouble.evidence.clone(),
            opened_at: app.host.now(),
            state: State::Open,
            assignee: None,
            snoozed_until: None,
            // What was done about it when it was open before stays on record.
            history: known.map(|known| known.history).unwrap_or_default(),
        };
        if lombard_core::planted!(ExceptionLost) {
            return Ok(id);
        }
        let mut snapshot = Snapshot::default();
        snapshot.put(key.clone(), found);
        let mut writes = snapshot.checks();
        writes.put(&key, body(trouble.tenant, &exception));
        let (now, random) = (exception.opened_at, app.host.random());
        let note = Audit::new(
            Id::new(now, random),
            trouble.tenant,
            now,
            ACTOR,
            "exception.open",
        );
        let note = note.on(id).because(trouble.kind.name());
        audit::enter(&mut writes, &note);
        match app.store.commit(&writes).await {
            Ok(()) => {
                METRICS.exceptions_opened.of((trouble.kind,)).inc();
                let (kind, subject) = (trouble.kind.name(), &trouble.subject);
                warn!(exception = %id, kind, %subject, reason = trouble.reason, "exception");
                return Ok(id);
            }
            Err(error @ (CommitError::Conflict(_) | CommitError::Unknown(_))) => last = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(last.unwrap_or(CommitError::Conflict(key)))
}

fn body(tenant: TenantId, exception: &Exception) -> Body {
    let sort = format!("{:015}#{}", exception.opened_at.unix_ms(), exception.id);
    Body::of(exception).listed(Key::new(&list_partition(tenant), &sort))
}

fn unread(error: ReadError) -> CommitError {
    CommitError::Unavailable(std::sync::Arc::new(error))
}

/// A tenant's exceptions, the newest first, after a place in the list; each with its place.
///
/// # Errors
/// See [`ReadError`].
pub async fn list(
    app: &App,
    tenant: TenantId,
    after: Option<String>,
    limit: usize,
) -> Result<Vec<(String, Exception)>, ReadError> {
    let range = Range::listed(&list_partition(tenant), limit)
        .backwards()
        .past_damage()
        .after(after);
    let found = app.store.range(&range).await?;
    let read = |found: Found| (found.at.sort().to_owned(), decode(&found.record.body.bytes));
    Ok(found.into_iter().map(read).collect())
}

/// What became of a raise.
pub struct Raised {
    /// Which it is.
    pub id: Id<Exception>,
    /// Where it stands: it may have been resolved before.
    pub state: State,
}

/// Stores that something is wrong, unless it was stored before: what a person has resolved stays
/// resolved, however often the same file says it again. What a worker took for over, and is not,
/// is opened again.
///
/// # Errors
/// See [`CommitError`].
pub async fn raise_once(app: &App, trouble: Trouble) -> Result<Raised, CommitError> {
    let id = trouble.id();
    let known = get(app, trouble.tenant, id).await.map_err(unread)?;
    if let Some(known) = known {
        let by_worker = |deed: &Deed| deed.actor.starts_with("worker/");
        let stands = known.state == State::Open || !known.history.last().is_some_and(by_worker);
        if stands {
            let state = known.state;
            return Ok(Raised { id, state });
        }
    }
    let state = State::Open;
    raise(app, trouble).await.map(|id| Raised { id, state })
}
