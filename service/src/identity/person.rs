//! People with an account of ours: a password that they chose, and a generator of one-time
//! passwords (RFC 6238).
//!
//! **Shape.** [`Person`] says which credential is somebody's, and of an account of ours what its
//! owner proves himself by. An account begins with a one-time password, which does nothing but let
//! its owner choose a password and enrol a generator ([`super::entry`]). Names are found by a keyed
//! hash and kept sealed.
//!
//! **Invariants.** Without the vault's key nobody can look a name up in the store, or try
//! passwords on it.

use lombard_core::{
    id::Id,
    payment::Sealed,
    store::{Body, Key},
    tenant::TenantId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    access::Access,
    app::App,
    factors::{FAILURES_MAX, LOCKED_MS},
    password::{self, Cost, Hashed, NoRandomness},
    ports::{CommitError, ReadError, VaultError},
    records::create_noted,
    tenants::{self, ApiKey},
};

/// For how long a one-time password is good, in milliseconds: a week.
pub const ONE_TIME_MS: u64 = 7 * 24 * 60 * 60 * 1000;
/// How many passwords before are not taken again (PCI DSS 8.3.7).
const BEFORE_MAX: usize = 4;

/// Somebody who signs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// His credential.
    pub credential: Id<ApiKey>,
    /// Of which tenant he is.
    pub tenant: TenantId,
    /// What he is called, sealed.
    label: Sealed,
    /// What he proves himself by; nothing of his is here when a provider vouches for him.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) local: Option<Local>,
}

/// What the owner of an account of ours proves himself by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Local {
    pub password: Hashed,
    /// Until when the password is a one-time one; it was chosen by its owner when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_time_until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator: Option<Sealed>,
    #[serde(default)]
    pub last_step: u64,
    #[serde(default)]
    pub before: Vec<Hashed>,
    #[serde(default)]
    pub failures: u32,
    #[serde(default)]
    pub locked_until: Timestamp,
}

/// Why somebody could not be made, found or let in.
#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    /// The store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store did not take it.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The vault did not help.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// No secret could be drawn.
    #[error(transparent)]
    Random(#[from] NoRandomness),
}

/// Who somebody is, for finding his record.
#[derive(Clone, Copy, Debug)]
pub enum Who<'a> {
    /// By the name of his account here.
    Named(&'a str),
    /// By what a provider calls him.
    Vouched(&'a str, &'a str),
}

impl Who<'_> {
    /// Where his record is kept. Without the vault's key nobody can look a name up.
    #[must_use]
    pub fn place(self, app: &App) -> Key {
        let blinded = match self {
            Self::Named(name) => app.vault.blind("person-name", &name.to_lowercase()),
            Self::Vouched(issuer, subject) => app
                .vault
                .blind("person-vouched", &format!("{issuer}\n{subject}")),
        };
        Key::new(&format!("person#{blinded}"), "person")
    }
}

/// The list of a tenant's people.
#[must_use]
pub fn list(tenant: TenantId) -> String {
    format!("{}/people", tenant.short())
}

impl Person {
    /// Somebody for whom a provider vouches.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn vouched(app: &App, key: &ApiKey, label: &str) -> Result<Self, VaultError> {
        Ok(Self {
            credential: key.id,
            tenant: key.tenant,
            label: app
                .vault
                .seal(key.tenant, &bound(key.id, "label"), label.as_bytes())?,
            local: None,
        })
    }

    /// Somebody with an account here, and the one-time password that it begins with.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn local(
        app: &App,
        key: &ApiKey,
        name: &str,
    ) -> Result<(Self, Zeroizing<String>), PersonError> {
        let mut person = Self::vouched(app, key, name)?;
        let once = Zeroizing::new(format!("{:032x}", app.host.random()));
        person.local = Some(Local::one_time(app, key.id, &once).await?);
        Ok((person, once))
    }

    /// The same with a one-time password, without a generator and unlocked.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn reset(mut self, app: &App) -> Result<(Self, Zeroizing<String>), PersonError> {
        let once = Zeroizing::new(format!("{:032x}", app.host.random()));
        let mut fresh = Local::one_time(app, self.credential, &once).await?;
        if let Some(old) = self.local.take() {
            fresh.before = old.before;
            if old.one_time_until.is_none() {
                fresh.before.push(old.password);
            }
            let surplus = fresh.before.len().saturating_sub(BEFORE_MAX);
            fresh.before.drain(..surplus);
        }
        self.local = Some(fresh);
        Ok((self, once))
    }

    /// What he is called.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn label(&self, app: &App) -> Result<String, VaultError> {
        let open = app
            .vault
            .open(self.tenant, &bound(self.credential, "label"), &self.label)?;
        Ok(String::from_utf8_lossy(&open).into_owned())
    }

    /// Whether he has an account of ours, and not one of a provider.
    #[must_use]
    pub const fn is_local(&self) -> bool {
        self.local.is_some()
    }

    /// Whether his account has a generator of one-time passwords.
    #[must_use]
    pub fn is_enrolled(&self) -> bool {
        self.local
            .as_ref()
            .is_some_and(|local| local.generator.is_some())
    }

    /// Whether his account takes nothing for now.
    #[must_use]
    pub fn is_locked(&self, now: Timestamp) -> bool {
        self.local
            .as_ref()
            .is_some_and(|local| now < local.locked_until)
    }

    /// His record, in the tenant's list.
    #[must_use]
    pub fn body(&self) -> Body {
        Body::of(self).listed(Key::new(&list(self.tenant), &self.credential.to_string()))
    }
}

impl Local {
    async fn one_time(app: &App, id: Id<ApiKey>, once: &str) -> Result<Self, PersonError> {
        let until = app.host.now().plus_ms(ONE_TIME_MS);
        Ok(Self {
            password: password::hash(&peppered(app, id, once), Cost::Chosen).await?,
            one_time_until: Some(until),
            generator: None,
            last_step: 0,
            before: Vec::new(),
            failures: 0,
            locked_until: Timestamp::default(),
        })
    }

    /// Counts a failure.
    pub fn fail(&mut self, now: Timestamp) {
        self.failures += 1;
        if self.failures >= FAILURES_MAX {
            self.failures = 0;
            self.locked_until = now.plus_ms(LOCKED_MS);
        }
    }
}

/// What the vault seals of somebody is bound to.
pub(super) fn bound(id: Id<ApiKey>, what: &str) -> String {
    format!("{id}/{what}")
}

/// What is hashed of a password: without the vault's key nobody can try passwords on the store.
pub(super) fn peppered(app: &App, id: Id<ApiKey>, password: &str) -> Zeroizing<String> {
    let text = Zeroizing::new(format!("{id}/{password}"));
    Zeroizing::new(app.vault.blind("password", &text))
}

/// Makes the account of whoever runs a tenant's installation, if its name is not taken: its
/// one-time password, to be shown once.
///
/// # Errors
/// See [`PersonError`].
pub async fn first(
    app: &App,
    tenant: TenantId,
    name: &str,
    access: Access,
) -> Result<Option<Zeroizing<String>>, PersonError> {
    let place = Who::Named(name).place(app);
    if app.get(&place).await?.is_some() {
        return Ok(None);
    }
    let key = tenants::person(app, tenant, access);
    let (person, once) = Person::local(app, &key, name).await?;
    let note = tenants::made_by_us(app, &key);
    let records = [(key.key(), key.body()), (place, person.body())];
    match create_noted(app, records, &note).await {
        Ok(()) => Ok(Some(once)),
        // Another process was first.
        Err(CommitError::Conflict(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
