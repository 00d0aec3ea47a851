//! Exceptions: what the machine cannot settle and a person must look at.
//!
//! **Shape.** One record for each thing that is wrong with each subject: raising it again while
//! it is open changes nothing, raising it after it was resolved opens it again. An exception has
//! no personal data: its evidence is ids, codes and amounts, and what an error said of itself.
//! What is done about it is added to its history, and put on record beside it ([`act`]).

mod act;

use std::collections::BTreeMap;

use lombard_core::{
    audit::{self, Audit},
    id::{Id, Named},
    matching::BreakKind,
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

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The outside world contradicts our books.
    Contradiction,
    /// A rail does not say what became of a payment.
    Unresolved,
    /// A batch was interrupted and cannot be gone on with.
    BatchInterrupted,
    /// A recall was not answered within the scheme's time.
    RecallOverdue,
    /// A worker could not do what an event asked for.
    EffectFailed,
    /// A message speaks of a payment that we do not know.
    UnmatchedMessage,
    /// A provider says something that no row of its file means.
    UnknownStatus,
    /// A message cannot be reconciled with the payment that it speaks of.
    ImplausibleMessage,
    /// An endpoint of a tenant did not take a webhook at any try.
    WebhookGivenUp,
    /// The verifiable log is behind the ledger for too long.
    LogBehind,
    /// The files of the verifiable log are not what was written.
    LogDamaged,
    /// What is stored is damaged.
    StoreDamaged,
    /// A credential reads more tokens back than is usual.
    DetokenizeAnomaly,
    /// The amounts of a statement's line and its payment differ.
    AmountDiffers,
    /// A statement lacks a payment of ours.
    MissingThere,
    /// Our books lack a line of a statement.
    MissingHere,
    /// A line of a statement came before.
    Duplicate,
    /// A line of a statement has a reference that we never gave.
    UnknownReference,
    /// A line is in another currency than its payment.
    Currency,
    /// A statement contradicts itself.
    BrokenStatement,
    /// A payment that failed stands in a statement.
    ConflictingStatus,
    /// A line could be several payments.
    Ambiguous,
}

impl Kind {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 22] = [
        Self::Contradiction,
        Self::Unresolved,
        Self::BatchInterrupted,
        Self::RecallOverdue,
        Self::EffectFailed,
        Self::UnmatchedMessage,
        Self::UnknownStatus,
        Self::ImplausibleMessage,
        Self::WebhookGivenUp,
        Self::LogBehind,
        Self::LogDamaged,
        Self::StoreDamaged,
        Self::DetokenizeAnomaly,
        Self::AmountDiffers,
        Self::MissingThere,
        Self::MissingHere,
        Self::Duplicate,
        Self::UnknownReference,
        Self::Currency,
        Self::BrokenStatement,
        Self::ConflictingStatus,
        Self::Ambiguous,
    ];

    /// As it is written in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Contradiction => "contradiction",
            Self::Unresolved => "unresolved",
            Self::BatchInterrupted => "batch_interrupted",
            Self::RecallOverdue => "recall_overdue",
            Self::EffectFailed => "effect_failed",
            Self::UnmatchedMessage => "unmatched_message",
            Self::UnknownStatus => "unknown_status",
            Self::ImplausibleMessage => "implausible_message",
            Self::WebhookGivenUp => "webhook_given_up",
            Self::LogBehind => "log_behind",
            Self::LogDamaged => "log_damaged",
            Self::StoreDamaged => "store_damaged",
            Self::DetokenizeAnomaly => "detokenize_anomaly",
            Self::AmountDiffers => "amount_differs",
            Self::MissingThere => "missing_there",
            Self::MissingHere => "missing_here",
            Self::Duplicate => "duplicate",
            Self::UnknownReference => "unknown_reference",
            Self::Currency => "currency",
            Self::BrokenStatement => "broken_statement",
            Self::ConflictingStatus => "conflicting_status",
            Self::Ambiguous => "ambiguous",
        }
    }

    /// The kind of a break of reconciliation.
    #[must_use]
    pub const fn of_break(kind: BreakKind) -> Self {
        match kind {
            BreakKind::AmountDiffers | BreakKind::FeeDiffers => Self::AmountDiffers,
            BreakKind::MissingThere | BreakKind::Late => Self::MissingThere,
            BreakKind::MissingHere => Self::MissingHere,
            BreakKind::Duplicate => Self::Duplicate,
            BreakKind::UnknownReference => Self::UnknownReference,
            BreakKind::Currency => Self::Currency,
            BreakKind::BrokenStatement | BreakKind::WrongAccount => Self::BrokenStatement,
            BreakKind::ConflictingStatus => Self::ConflictingStatus,
            BreakKind::Ambiguous => Self::Ambiguous,
        }
    }

    /// Whether it is over when its line or payment is matched after all.
    #[must_use]
    pub const fn closes_by_a_match(self) -> bool {
        matches!(
            self,
            Self::AmountDiffers
                | Self::MissingThere
                | Self::MissingHere
                | Self::UnknownReference
                | Self::Currency
                | Self::BrokenStatement
                | Self::Ambiguous
        )
    }

    /// What a person can do about it; the first is what mostly helps.
    #[must_use]
    pub const fn actions(self) -> &'static [&'static str] {
        match self {
            Self::AmountDiffers => &["ask", "write_off", "ignore"],
            Self::MissingHere | Self::UnknownReference => &["link", "suspense", "ask", "ignore"],
            Self::Duplicate | Self::Currency | Self::ConflictingStatus => {
                &["ask", "suspense", "ignore"]
            }
            Self::Ambiguous => &["link", "ask", "ignore"],
            _ => &["ask", "ignore"],
        }
    }
}

impl Kind {
    /// Whether a person must be told within a minute: money may be wrong, or cannot move, or
    /// somebody may be reading what he should not.
    #[must_use]
    pub const fn is_urgent(self) -> bool {
        match self {
            Self::Contradiction
            | Self::Unresolved
            | Self::BatchInterrupted
            | Self::RecallOverdue
            | Self::EffectFailed
            | Self::UnmatchedMessage
            | Self::UnknownStatus
            | Self::ImplausibleMessage
            | Self::LogBehind
            | Self::LogDamaged
            | Self::StoreDamaged
            | Self::DetokenizeAnomaly
            | Self::ConflictingStatus => true,
            // The day's work of whoever closes it.
            Self::WebhookGivenUp
            | Self::AmountDiffers
            | Self::MissingThere
            | Self::MissingHere
            | Self::Duplicate
            | Self::UnknownReference
            | Self::Currency
            | Self::BrokenStatement
            | Self::Ambiguous => false,
        }
    }
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

    fn id(&self) -> Id<Exception> {
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

/// One exception of a tenant.
///
/// # Errors
/// See [`ReadError`].
pub async fn get(
    app: &App,
    tenant: TenantId,
    id: Id<Exception>,
) -> Result<Option<Exception>, ReadError> {
    app.value(&key(tenant, id)).await
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
