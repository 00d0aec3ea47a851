//! Whose data it is: subjects, and the data keys that open what is known of them.
//!
//! **Shape.** A subject is a person or a firm of a tenant. Its record has its data keys, wrapped;
//! everything about it is sealed under one of them, by number. The newest seals, all that are
//! there open. Keys that were unwrapped are remembered for [`REMEMBERED_MS`] and [`USES_MAX`] uses, at
//! most [`REMEMBERED_MAX`] of them, and wiped when they are forgotten.
//!
//! **Invariants.** Nothing that a subject's record says in clear is personal. A subject that was
//! erased has no keys, its record stays, and the slots that were destroyed are destroyed again at
//! each start, in case an old copy of the key files was put back.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use lombard_core::{
    id::{Id, Named},
    ledger::Account,
    store::{Body, Key, decode},
    tenant::TenantId,
    time::Timestamp,
};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use super::keys::{Context, DataKey, Keys, KeysError, Wrapped};
use crate::ports::{Found, Host, Range, ReadError, Store};

/// How long an unwrapped key is remembered, in milliseconds.
pub const REMEMBERED_MS: u64 = 300_000;
/// How many unwrapped keys are remembered.
pub const REMEMBERED_MAX: usize = 10_000;
/// How often a remembered key is used before it is unwrapped anew, so that whoever holds the keys sees
/// what is read in bulk.
pub const USES_MAX: u32 = 100;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// `sub_…`.
    pub id: Id<Subject>,
    /// Whose customer or payee it is.
    pub tenant: TenantId,
    /// Its data keys, oldest first; empty once it is erased.
    pub keys: Vec<SubjectKey>,
    /// Since when it is known.
    pub created_at: Timestamp,
    /// The last time that a payment used something of it, to the day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Timestamp>,
    /// The accounts that it holds: their payments count for its retention.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<Id<Account>>,
    /// Whether payments are sealed under its keys, so that old ones must stay.
    #[serde(default)]
    pub seals_payments: bool,
    /// Whether and when it is to be forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erasure: Option<Erasure>,
}

impl Named for Subject {
    const PREFIX: &'static str = "sub";
}

/// A data key of a subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectKey {
    /// From 1.
    pub number: u32,
    /// As it is kept.
    pub wrapped: Wrapped,
    /// Since when.
    pub made_at: Timestamp,
}

/// Where forgetting somebody stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// Who asked for it.
    pub asked_by: String,
    /// When.
    pub asked_at: Timestamp,
    /// Not before: the law wants the data kept until then.
    pub not_before: Timestamp,
    /// Since when the keys are gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<Timestamp>,
    /// What was destroyed, without the wrapped keys themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub destroyed: Vec<Wrapped>,
}

/// The list of all subjects.
pub const LIST: &str = "subjects";
/// The list of subjects that are to be erased, by when.
pub const ERASURES: &str = "erasures";

/// Where a subject is kept.
#[must_use]
pub fn key(tenant: TenantId, id: Id<Subject>) -> Key {
    Key::new(&format!("{}/{id}", tenant.short()), "subject")
}

impl Subject {
    /// Its record.
    #[must_use]
    pub fn body(&self) -> Body {
        let place = format!("{}/{}", self.tenant.short(), self.id);
        let body = Body::of(self).listed(Key::new(LIST, &place));
        match &self.erasure {
            Some(erasure) if erasure.erased_at.is_none() => {
                let due = format!("{:015}#{place}", erasure.not_before.unix_ms());
                body.listed(Key::new(ERASURES, &due))
            }
            _ => body,
        }
    }

    /// Whether its keys are gone.
    #[must_use]
    pub fn is_erased(&self) -> bool {
        self.erasure
            .as_ref()
            .is_some_and(|erasure| erasure.erased_at.is_some())
    }

    /// To whom its keys belong.
    #[must_use]
    pub fn context(&self) -> Context {
        Context {
            tenant: self.tenant,
            subject: self.id.to_string(),
        }
    }

    fn wrapped(&self, number: u32) -> Option<&Wrapped> {
        let key = self.keys.iter().find(|key| key.number == number);
        key.map(|key| &key.wrapped)
    }
}

/// Why a subject's key was not to be had.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SubjectError {
    /// Its keys were destroyed.
    #[error("the subject was erased")]
    Erased,
    /// The keys' adapter did not help.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The store did not.
    #[error(transparent)]
    Read(#[from] ReadError),
}

type Name = (TenantId, Id<Subject>, u32);

/// A key that was unwrapped.
struct Known {
    key: DataKey,
    until: Timestamp,
    uses: AtomicU32,
}

/// Subjects over a store and the keys that wrap theirs.
pub struct Subjects {
    store: Arc<dyn Store>,
    keys: Arc<dyn Keys>,
    host: Arc<dyn Host>,
    known: RwLock<HashMap<Name, Known>>,
}

impl Subjects {
    /// Over the vault's own store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, keys: Arc<dyn Keys>, host: Arc<dyn Host>) -> Self {
        let known = RwLock::default();
        Self {
            store,
            keys,
            host,
            known,
        }
    }

    /// The keys that wrap.
    #[must_use]
    pub const fn keys(&self) -> &Arc<dyn Keys> {
        &self.keys
    }

    /// A subject of a tenant, if there is one.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn find(
        &self,
        tenant: TenantId,
        id: Id<Subject>,
    ) -> Result<Option<Subject>, ReadError> {
        let found = self.store.get(&[key(tenant, id)]).await?.pop().flatten();
        Ok(found.map(|record| decode(&record.body.bytes)))
    }

    /// A subject that is not stored yet, with its first key.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub async fn draft(&self, tenant: TenantId, id: Id<Subject>) -> Result<Subject, KeysError> {
        let now = self.host.now();
        let mut subject = Subject {
            id,
            tenant,
            keys: Vec::new(),
            created_at: now,
            used_at: None,
            accounts: Vec::new(),
            seals_payments: false,
            erasure: None,
        };
        self.add_key(&mut subject).await?;
        Ok(subject)
    }

    /// Gives a subject a further key, which seals from now on.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub async fn add_key(&self, subject: &mut Subject) -> Result<(), KeysError> {
        let number = subject.keys.last().map_or(1, |key| key.number + 1);
        let (key, wrapped) = self.keys.generate(&subject.context()).await?;
        let made_at = self.host.now();
        subject.keys.push(SubjectKey {
            number,
            wrapped,
            made_at,
        });
        self.remember((subject.tenant, subject.id, number), key);
        Ok(())
    }

    /// The key that seals, with its number.
    ///
    /// # Errors
    /// See [`SubjectError`].
    pub async fn newest(&self, subject: &Subject) -> Result<(u32, DataKey), SubjectError> {
        let number = subject.keys.last().ok_or(SubjectError::Erased)?.number;
        Ok((number, self.numbered(subject, number).await?))
    }

    /// The key of a number.
    ///
    /// # Errors
    /// See [`SubjectError`].
    pub async fn numbered(&self, subject: &Subject, number: u32) -> Result<DataKey, SubjectError> {
        let wrapped = subject.wrapped(number).ok_or(SubjectError::Erased)?;
        let name = (subject.tenant, subject.id, number);
        if let Some(key) = self.remembered(&name) {
            return Ok(key);
        }
        let key = self.keys.unwrap(&subject.context(), wrapped).await;
        let key = key.map_err(|error| match error {
            KeysError::Gone(_) => SubjectError::Erased,
            error => error.into(),
        })?;
        self.remember(name, key.clone());
        Ok(key)
    }

    fn remembered(&self, name: &Name) -> Option<DataKey> {
        let known = self.known.read();
        let found = known.get(name)?;
        let used = found.uses.fetch_add(1, Ordering::Relaxed);
        (self.host.now() < found.until && used < USES_MAX).then(|| found.key.clone())
    }

    fn remember(&self, name: Name, key: DataKey) {
        let now = self.host.now();
        let mut known = self.known.write();
        if known.len() >= REMEMBERED_MAX {
            known.retain(|_, found| now < found.until);
        }
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        let until = now.plus_ms(REMEMBERED_MS);
        let uses = AtomicU32::new(0);
        known.insert(name, Known { key, until, uses });
    }

    /// Forgets the keys of a subject. Other processes forget them after [`REMEMBERED_MS`].
    pub fn forget(&self, tenant: TenantId, id: Id<Subject>) {
        let ours = |name: &Name| name.0 == tenant && name.1 == id;
        self.known.write().retain(|name, _| !ours(name));
    }

    /// A page of a list of subjects, each with its place.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn page(
        &self,
        list: &str,
        after: Option<String>,
        limit: usize,
    ) -> Result<Vec<(String, Subject)>, ReadError> {
        let range = Range::listed(list, limit).after(after);
        let found = self.store.range(&range).await?;
        let read = |found: Found| (found.at.sort().to_owned(), decode(&found.record.body.bytes));
        Ok(found.into_iter().map(read).collect())
    }
}
