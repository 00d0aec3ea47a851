//! Tokens: what the rest of the system holds instead of card numbers, accounts and people's data.
//!
//! **Shape.** A token is 128 random bits. Its record says in clear whose it is, of what kind, and
//! what it may be used for; everything else, the masked view too, is sealed under the subject's
//! data key, so that nothing is left to tell when the subject is erased. [`Tokens`] is the vault
//! as the API sees it.
//!
//! **Invariants.** A security code is checked and let go of: no record, sealed or not, and no
//! fingerprint has it. What a token stands for leaves the vault only with a deed on record, which
//! is committed before the answer is given.

mod detokenize;
mod matter;
mod record;
mod scope;

use std::sync::Arc;

use lombard_core::{id::Id, store::Snapshot, tenant::TenantId};
use ring::rand::SystemRandom;

pub use detokenize::{Asker, DetokenizeError, Reader};
pub use matter::{BankAccount, Card, Kind, Matter, Person, Shown};
pub use record::{Sealing, Token, key, listed};
pub use scope::{Operation, OutOfScope, Scope, Use};

use super::{
    envelope,
    subjects::{self, Subject, SubjectError, Subjects},
};
use crate::{app::App, ports::CommitError};

/// The vault's tokens. Cheap to clone.
#[derive(Clone)]
pub struct Tokens {
    /// The vault's own store and the ports that it needs; its deeds go to `records`.
    vault: App,
    /// Where deeds and exceptions are put on record.
    records: App,
    subjects: Arc<Subjects>,
    random: Arc<SystemRandom>,
}

/// Why a token was not made or opened.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TokenError {
    /// There is no such token or subject of this tenant.
    #[error("it is not there")]
    NotFound,
    /// Its subject's keys are not to be had.
    #[error(transparent)]
    Subject(#[from] SubjectError),
    /// What is stored is not what was sealed.
    #[error("the sealed data cannot be opened")]
    NotGenuine,
    /// The store did not take it.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl From<super::keys::KeysError> for TokenError {
    fn from(error: super::keys::KeysError) -> Self {
        Self::Subject(error.into())
    }
}

impl From<crate::ports::ReadError> for TokenError {
    fn from(error: crate::ports::ReadError) -> Self {
        Self::Subject(error.into())
    }
}

/// What is asked for: a token of some matter.
pub struct Wish {
    /// Whose data it is; a new subject when absent.
    pub subject: Option<Id<Subject>>,
    /// What it stands for.
    pub matter: Matter,
    /// What it may be used for.
    pub scope: Scope,
}

impl Tokens {
    /// Over the vault's own ports. Deeds are put on record in `records`, which may be the same.
    #[must_use]
    pub fn new(vault: App, records: App, subjects: Arc<Subjects>) -> Self {
        Self {
            vault,
            records,
            subjects,
            random: Arc::new(SystemRandom::new()),
        }
    }

    /// The vault's own ports.
    #[must_use]
    pub const fn app(&self) -> &App {
        &self.vault
    }

    /// Where deeds are put on record.
    #[must_use]
    pub const fn records(&self) -> &App {
        &self.records
    }

    /// The subjects.
    #[must_use]
    pub fn subjects(&self) -> &Subjects {
        &self.subjects
    }

    /// The subject that is wished for: the one that is named, or one to be stored with the token.
    ///
    /// # Errors
    /// [`TokenError::NotFound`], or [`SubjectError::Erased`].
    pub async fn subject(
        &self,
        tenant: TenantId,
        id: Option<Id<Subject>>,
    ) -> Result<Subject, TokenError> {
        match id {
            Some(id) => {
                let subject = self.subjects.find(tenant, id).await?;
                let subject = subject.ok_or(TokenError::NotFound)?;
                // Somebody who is about to be forgotten gets nothing new.
                match subject.erasure {
                    Some(_) => Err(SubjectError::Erased.into()),
                    None => Ok(subject),
                }
            }
            None => {
                let host = &self.vault.host;
                let id = Id::new(host.now(), host.random());
                Ok(self.subjects.draft(tenant, id).await?)
            }
        }
    }

    /// A token of what is wished, not stored yet.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub async fn draft(&self, subject: &Subject, wish: &Wish) -> Result<Token, TokenError> {
        let (number, data_key) = self.subjects.newest(subject).await?;
        let host = &self.vault.host;
        let id = Id::from_bits(host.random());
        let tenant = subject.tenant;
        let shown = wish.matter.shown(&*self.vault.vault, tenant);
        let seal = |what: &str, plain: &[u8]| {
            let bound = record::bound(tenant, id, what);
            envelope::seal(data_key.bytes(), &bound, plain, &self.random)
                .map_err(|_| TokenError::NotGenuine)
        };
        Ok(Token {
            id,
            tenant,
            subject: subject.id,
            kind: wish.matter.kind(),
            sealing: Sealing {
                number,
                shown: seal("shown", &lombard_core::store::encode(&shown))?,
                matter: seal("matter", &wish.matter.encode())?,
            },
            scope: wish.scope.clone(),
            created_at: host.now(),
        })
    }

    /// The writes that store a token of `subject`, given what was read of the subject.
    ///
    /// # Errors
    /// [`SubjectError::Erased`] when the subject changed beyond use meanwhile.
    pub fn store(
        read: &Snapshot,
        subject: &Subject,
        token: &Token,
    ) -> Result<lombard_core::store::WriteSet, TokenError> {
        let place = subjects::key(subject.tenant, subject.id);
        let mut writes = read.checks();
        match read.value::<Subject>(&place) {
            None => writes.create(place, subject.body()),
            Some(now) => {
                let seals = now
                    .keys
                    .iter()
                    .any(|key| key.number == token.sealing.number);
                if !seals || now.erasure.is_some() {
                    return Err(SubjectError::Erased.into());
                }
            }
        }
        writes.create(key(token.tenant, token.id), token.body());
        Ok(writes)
    }

    /// A tenant's token.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub async fn find(&self, tenant: TenantId, id: Id<Token>) -> Result<Token, TokenError> {
        let found = self.vault.value(&key(tenant, id)).await?;
        found.ok_or(TokenError::NotFound)
    }

    /// What may be shown of a token; `None` when its subject was erased.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub async fn shown(&self, token: &Token) -> Result<Option<Shown>, TokenError> {
        match self.open(token, "shown", &token.sealing.shown).await {
            Ok(plain) => serde_json::from_slice(&plain)
                .map(Some)
                .map_err(|_| TokenError::NotGenuine),
            Err(TokenError::Subject(SubjectError::Erased)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What a token stands for. Whoever calls this has put it on record.
    pub(super) async fn matter(&self, token: &Token) -> Result<Matter, TokenError> {
        let plain = self.open(token, "matter", &token.sealing.matter).await?;
        Matter::decode(token.kind, &plain).ok_or(TokenError::NotGenuine)
    }

    async fn open(
        &self,
        token: &Token,
        what: &str,
        sealed: &str,
    ) -> Result<zeroize::Zeroizing<Vec<u8>>, TokenError> {
        let subject = self.subjects.find(token.tenant, token.subject).await?;
        let subject = subject.ok_or(SubjectError::Erased)?;
        let number = token.sealing.number;
        let data_key = self.subjects.numbered(&subject, number).await?;
        let bound = record::bound(token.tenant, token.id, what);
        envelope::open(data_key.bytes(), &bound, sealed).map_err(|_| TokenError::NotGenuine)
    }

    /// Seals a token anew under the newest key of its subject.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub(super) async fn resealed(
        &self,
        subject: &Subject,
        token: &Token,
    ) -> Result<Token, TokenError> {
        let old = self
            .subjects
            .numbered(subject, token.sealing.number)
            .await?;
        let (number, new) = self.subjects.newest(subject).await?;
        let again = |what: &str, sealed: &str| {
            let bound = record::bound(token.tenant, token.id, what);
            envelope::open(old.bytes(), &bound, sealed)
                .and_then(|plain| envelope::seal(new.bytes(), &bound, &plain, &self.random))
                .map_err(|_| TokenError::NotGenuine)
        };
        let sealing = Sealing {
            number,
            shown: again("shown", &token.sealing.shown)?,
            matter: again("matter", &token.sealing.matter)?,
        };
        Ok(Token {
            sealing,
            ..token.clone()
        })
    }
}
