//! Forgetting somebody (GDPR Art. 17): the keys of the subject are destroyed, and with them
//! everything that was sealed under them, wherever copies lie. The ledger and its proofs stay.
//!
//! **The law in the way.** Records of payments are kept for years (UK MLR 2017 reg. 40: five after
//! the last transaction; GDPR Art. 17(3)(b) yields to it). Until then a wish to be forgotten is
//! put on record and carried out by [`run`] when the time has come; the answer says until when
//! and why.
//!
//! **Order.** First the record says that the subject is erased, so that nobody seals anything new;
//! then the keys are destroyed; the list of what was destroyed stays in the record. A crash in
//! between is made good by [`replay`], which each start does.

use std::sync::Arc;

use lombard_core::{
    audit::Audit,
    id::Id,
    ledger::Entry,
    plan::keys as places,
    store::{Snapshot, WriteSet, decode},
    tenant::TenantId,
    time::Timestamp,
};
use tokio::sync::watch;
use tracing::{info, warn};

use super::{
    keys::{KeysError, Wrapped},
    subjects::{self, ERASURES, Erasure, LIST, Subject},
    tokens::{Asker, Reader, TokenError, Tokens},
};
use crate::{
    ports::{CommitError, Range, ReadError},
    worker::feed::rest,
};

/// Why data is kept although somebody wants to be forgotten.
pub const LEGAL_BASIS: &str =
    "records of transactions must be kept (UK MLR 2017 reg. 40; GDPR Art. 17(3)(b))";
const TRIES_MAX: u32 = 16;
const PAGE: usize = 200;
/// How often due erasures are looked for, in milliseconds.
const TICK_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// What became of a wish to be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The keys are gone.
    Erased(Timestamp),
    /// They go then, and not before.
    Deferred(Timestamp),
}

impl Tokens {
    /// Erases a subject, or puts the wish on record when the law wants its data kept.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub async fn erase(
        &self,
        id: Id<Subject>,
        asker: &Asker,
    ) -> Result<(Subject, Outcome), TokenError> {
        for _ in 0..TRIES_MAX {
            let place = subjects::key(asker.tenant, id);
            let found = self.app().get(&place).await?;
            let Some(found) = found else {
                return Err(TokenError::NotFound);
            };
            let mut subject: Subject = decode(&found.body.bytes);
            if let Some(at) = subject
                .erasure
                .as_ref()
                .and_then(|erasure| erasure.erased_at)
            {
                // A crash may have been in the way of the rest.
                self.shred(&subject).await?;
                return Ok((subject, Outcome::Erased(at)));
            }
            let now = self.app().host.now();
            let kept_until = self.kept_until(&subject).await?;
            let outcome = if kept_until > now {
                Outcome::Deferred(kept_until)
            } else {
                Outcome::Erased(now)
            };
            subject.wish_erasure(asker, now, outcome);
            let mut snapshot = Snapshot::default();
            snapshot.put(place.clone(), Some(found));
            let mut writes: WriteSet = snapshot.checks();
            writes.update(&place, subject.body());
            self.audit_erasure(&subject, asker, outcome).await?;
            match self.app().store.commit(&writes).await {
                Ok(()) => {
                    if matches!(outcome, Outcome::Erased(_)) {
                        self.shred(&subject).await?;
                    }
                    return Ok((subject, outcome));
                }
                Err(CommitError::Conflict(_) | CommitError::Unknown(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(CommitError::Conflict(subjects::key(asker.tenant, id)).into())
    }

    /// Until when the law wants a subject's data kept; the epoch when no payment used it.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn kept_until(&self, subject: &Subject) -> Result<Timestamp, ReadError> {
        let mut last = subject.used_at;
        for account in &subject.accounts {
            let partition = places::account_partition(subject.tenant, *account);
            let range = Range::of(&partition, 1)
                .after(Some("n#~".to_owned()))
                .backwards();
            let found = self.records().store.range(&range).await?.pop();
            if let Some(found) = found.filter(|found| found.at.sort().starts_with("n#")) {
                let entry: Entry = decode(&found.record.body.bytes);
                last = last.max(Some(entry.at));
            }
        }
        let days = self.records().config.vault.retention_days;
        Ok(last.map_or(Timestamp::default(), |last| last.plus_ms(days * DAY_MS)))
    }

    /// Notes that a payment used something of a subject, once a day.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub async fn note_use(&self, tenant: TenantId, id: Id<Subject>) -> Result<(), CommitError> {
        let now = self.app().host.now();
        let place = subjects::key(tenant, id);
        crate::records::change(self.app(), &place, |found: Option<Subject>| {
            let Some(mut subject) = found else {
                return (crate::records::Then::Keep, ());
            };
            let recent = |at: Timestamp| now.ms_since(at) < DAY_MS;
            if subject.used_at.is_some_and(recent) {
                return (crate::records::Then::Keep, ());
            }
            subject.used_at = Some(now);
            (crate::records::Then::Put(subject.body()), ())
        })
        .await
    }

    async fn audit_erasure(
        &self,
        subject: &Subject,
        asker: &Asker,
        outcome: Outcome,
    ) -> Result<(), CommitError> {
        let records = self.records();
        let now = records.host.now();
        let code = match outcome {
            Outcome::Erased(_) => lombard_core::audit::DONE,
            Outcome::Deferred(_) => "deferred",
        };
        let id = Id::new(now, records.host.random());
        let audit = Audit::new(id, asker.tenant, now, &asker.who, "subject.erase")
            .on(subject.id)
            .because(asker.purpose.clone())
            .outcome(code)
            .traced(asker.trace.clone());
        crate::records::put_new(records, audit.key(), audit.body()).await
    }

    /// Destroys what an erased subject's keys were wrapped with.
    async fn shred(&self, subject: &Subject) -> Result<(), KeysError> {
        let destroyed = subject.erasure.iter().flat_map(|it| &it.destroyed);
        for wrapped in destroyed {
            let context = subject.context();
            self.subjects().keys().destroy(&context, wrapped).await?;
        }
        self.subjects().forget(subject.tenant, subject.id);
        Ok(())
    }
}

impl Subject {
    fn wish_erasure(&mut self, asker: &Asker, now: Timestamp, outcome: Outcome) {
        let first = self.erasure.take();
        let mut erasure = first.unwrap_or_else(|| Erasure {
            asked_by: asker.who.clone(),
            asked_at: now,
            not_before: now,
            erased_at: None,
            destroyed: Vec::new(),
        });
        match outcome {
            Outcome::Deferred(until) => erasure.not_before = until,
            Outcome::Erased(at) => {
                erasure.erased_at = Some(at);
                let without_key = |wrapped: Wrapped| Wrapped {
                    data: String::new(),
                    ..wrapped
                };
                let keys = self.keys.drain(..).map(|key| without_key(key.wrapped));
                erasure.destroyed.extend(keys);
            }
        }
        self.erasure = Some(erasure);
    }
}

/// Destroys again what was destroyed before: an old copy of the key files, put back, brings
/// nobody back. Gives the number of erased subjects.
///
/// # Errors
/// See [`TokenError`].
pub async fn replay(tokens: &Tokens) -> Result<usize, TokenError> {
    let (mut after, mut erased) = (None, 0);
    loop {
        let page = tokens.subjects().page(LIST, after, PAGE).await?;
        let Some((last, _)) = page.last() else {
            return Ok(erased);
        };
        after = Some(last.clone());
        for (_, subject) in page.iter().filter(|(_, subject)| subject.is_erased()) {
            tokens.shred(subject).await?;
            erased += 1;
        }
    }
}

/// Carries out the erasures that are due, until `stop` turns true.
pub async fn run(tokens: Arc<Tokens>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(error) = carry_out(&tokens).await {
            warn!(%error, "erasures that are due could not be carried out");
        }
        if rest(&mut stop, TICK_MS).await {
            break;
        }
    }
}

/// One look at what is due; gives how many were erased.
///
/// # Errors
/// See [`TokenError`].
pub async fn carry_out(tokens: &Tokens) -> Result<usize, TokenError> {
    let now = tokens.app().host.now();
    let mut erased = 0;
    let due = tokens.subjects().page(ERASURES, None, PAGE).await?;
    let due = due.into_iter().map(|(_, subject)| subject);
    let is_due = |subject: &Subject| {
        let erasure = subject.erasure.as_ref();
        erasure.is_some_and(|erasure| erasure.not_before <= now)
    };
    for subject in due.filter(is_due) {
        let asker = Asker {
            tenant: subject.tenant,
            who: "worker/erasure".into(),
            purpose: "the time for which the law wants it kept is over".into(),
            trace: None,
            reader: Reader::Asker,
        };
        // A payment may have used it meanwhile: then it is deferred again.
        if let (_, Outcome::Erased(_)) = tokens.erase(subject.id, &asker).await? {
            info!(subject = %subject.id, "a subject was erased");
            erased += 1;
        }
    }
    Ok(erased)
}
