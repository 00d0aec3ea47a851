//! Who calls: keys proved once, and remembered for a while.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    net::IpAddr,
    sync::Arc,
};

use ipnet::IpNet;
use lombard_core::{id::Id, mandate::Agency, tenant::TenantId, time::Timestamp};
use parking_lot::RwLock;
use sha2::{Digest, Sha256};

use super::{ApiKey, Pace, keys};
use crate::{
    access::Access,
    app::App,
    config::Config,
    identity::{Issuers, TokenError},
    password::{self, Hashed},
    ports::ReadError,
};

/// How long a key is remembered, in milliseconds.
pub const REMEMBERED_MS: u64 = 30_000;
/// How many keys are remembered. Only keys that exist are, so guesses cannot push them out.
pub const REMEMBERED_MAX: usize = 10_000;

/// Parts of a signed token (RFC 7515, section 7.1); the text of a key has no dot.
const TOKEN_PARTS: usize = 3;
/// When to come again while an issuer cannot be asked for its keys, in milliseconds.
const ISSUER_PAUSE_MS: u64 = 1_000;

/// Somebody who showed a valid key.
#[derive(Clone, Debug)]
pub struct Caller {
    /// For whom it acts.
    pub tenant: TenantId,
    /// By which key.
    pub key: Id<ApiKey>,
    /// Who acts, as timelines say it: `key/key_…`.
    pub actor: Arc<str>,
    /// What it may do.
    pub access: Arc<Access>,
    /// Of a machine that pays: by whom its payments are made.
    pub agency: Option<Arc<Agency>>,
    /// From where alone it may ask; from everywhere when empty.
    networks: Arc<[IpNet]>,
    /// How often it asks.
    pub pace: Arc<Pace>,
}

impl Caller {
    /// The bearer of a key, with a pace of his own.
    #[must_use]
    pub fn of(key: ApiKey) -> Self {
        let actor = key.actor();
        let agency = key.agent.map(|agent| Agency {
            mandate: agent.mandate,
            human: agent.human,
            workload: actor.to_string(),
            agent: agent.name,
        });
        Self {
            tenant: key.tenant,
            key: key.id,
            actor,
            agency: agency.map(Arc::new),
            access: Arc::new(key.access),
            networks: key.networks.into(),
            pace: Arc::default(),
        }
    }

    /// Whether its key is taken from an address. One that is not known is none of a list's.
    #[must_use]
    pub fn may_come_from(&self, address: Option<IpAddr>) -> bool {
        let listed = |address| {
            self.networks
                .iter()
                .any(|network| network.contains(&address))
        };
        self.networks.is_empty() || address.is_some_and(listed)
    }
}

/// What a text that was shown as a key is.
#[derive(Debug)]
pub enum Shown {
    /// A key that is good.
    Caller(Caller),
    /// No key, or one that is revoked or has expired.
    Nobody,
    /// To know that would take more work than whoever shows it may ask for now: after how many
    /// milliseconds he may again.
    Later(u64),
}

/// The keys that were seen lately.
pub struct Keys {
    issuers: Issuers,
    known: RwLock<HashMap<[u8; 32], Known, BuildHasherDefault<Already>>>,
    /// The pace of all keys together that find no place among the known.
    crowd: Arc<Pace>,
}

#[derive(Clone)]
struct Known {
    caller: Caller,
    /// The hash that the text was proved against; a token has none.
    hash: Option<Hashed>,
    until: Timestamp,
}

/// The hash of a digest is a part of it: it has been hashed enough.
#[derive(Default)]
struct Already(u64);

impl Hasher for Already {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_ne_bytes(*first);
        }
    }

    // The length that `Hash` writes before an array's bytes is always the same.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Keys {
    /// None seen yet, and the issuers whose tokens are taken.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self {
            issuers: Issuers::of(config),
            known: RwLock::default(),
            crowd: Arc::default(),
        }
    }

    /// The issuers of tokens.
    #[must_use]
    pub const fn issuers(&self) -> &Issuers {
        &self.issuers
    }

    /// Whom a key belongs to. Before a text is proved that was not proved yet, `may_try` says
    /// whether its bearer may have that work done, or after how many milliseconds.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn find(
        &self,
        app: &App,
        text: &str,
        may_try: impl FnOnce() -> Result<(), u64>,
    ) -> Result<Shown, ReadError> {
        let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        let now = app.host.now();
        if let Some(known) = self.known.read().get(&digest)
            && now < known.until
        {
            return Ok(Shown::Caller(known.caller.clone()));
        }
        if text.split('.').count() == TOKEN_PARTS {
            return self.find_by_token(app, text, digest, may_try).await;
        }
        let found = keys::named_by(app, text).await?;
        let found = found.filter(|key| key.is_good(now));
        let Some((key, hash)) = found.and_then(|key| Some((key.clone(), key.hash?))) else {
            self.known.write().remove(&digest);
            return Ok(Shown::Nobody);
        };
        if !self.proved_before(&digest, &hash) {
            if let Err(wait_ms) = may_try() {
                return Ok(Shown::Later(wait_ms));
            }
            if !password::verify(text, &hash).await {
                return Ok(Shown::Nobody);
            }
        }
        keys::note_use(app, &key, now).await;
        Ok(Shown::Caller(self.remember(digest, key, now, None)))
    }

    /// Whom a token of an issuer belongs to.
    async fn find_by_token(
        &self,
        app: &App,
        token: &str,
        digest: [u8; 32],
        may_try: impl FnOnce() -> Result<(), u64>,
    ) -> Result<Shown, ReadError> {
        let now = app.host.now();
        let seen = self.known.read().contains_key(&digest);
        if !seen && let Err(wait_ms) = may_try() {
            return Ok(Shown::Later(wait_ms));
        }
        let claims = match self.issuers.bearer(token, now).await {
            Ok(claims) => claims,
            Err(error) => {
                tracing::info!(%error, "a token was refused");
                self.known.write().remove(&digest);
                return Ok(match error {
                    TokenError::Refused(_) => Shown::Nobody,
                    TokenError::Unavailable(_) => Shown::Later(ISSUER_PAUSE_MS),
                });
            }
        };
        let found = keys::of_token(app, &claims.iss, &claims.sub).await?;
        let Some(key) = found.filter(|key| key.is_good(now)) else {
            return Ok(Shown::Nobody);
        };
        keys::note_use(app, &key, now).await;
        let until = Some(claims.until());
        Ok(Shown::Caller(self.remember(digest, key, now, until)))
    }

    fn proved_before(&self, digest: &[u8; 32], hash: &Hashed) -> bool {
        let known = self.known.read();
        let known = known.get(digest).and_then(|known| known.hash.as_ref());
        known.is_some_and(|known| known == hash)
    }

    /// Remembers a caller, with the pace that it had when it was looked up before.
    fn remember(
        &self,
        digest: [u8; 32],
        key: ApiKey,
        now: Timestamp,
        good_until: Option<Timestamp>,
    ) -> Caller {
        let ends = [key.expires_at, good_until].into_iter().flatten();
        let until = ends.fold(now.plus_ms(REMEMBERED_MS), Timestamp::min);
        let hash = key.hash.clone();
        let mut caller = Caller::of(key);
        let mut all = self.known.write();
        if all.len() >= REMEMBERED_MAX {
            all.retain(|_, known| now < known.until);
        }
        let before = all.get(&digest).map(|known| known.caller.pace.clone());
        if before.is_none() && all.len() >= REMEMBERED_MAX {
            caller.pace = self.crowd.clone();
            return caller;
        }
        caller.pace = before.unwrap_or_default();
        let known = Known {
            caller: caller.clone(),
            hash,
            until,
        };
        all.insert(digest, known);
        caller
    }

    /// Forgets a key that was just revoked or shortened.
    pub fn forget(&self, actor: &str) {
        let ours = |known: &Known| *known.caller.actor == *actor;
        self.known.write().retain(|_, known| !ours(known));
    }
}
