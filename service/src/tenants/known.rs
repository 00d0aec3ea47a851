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
    password::{self, Hashed},
    ports::ReadError,
};

/// How long a key is remembered, in milliseconds.
pub const REMEMBERED_MS: u64 = 30_000;
/// How many keys are remembered. Only keys that exist are, so guesses cannot push them out.
pub const REMEMBERED_MAX: usize = 10_000;

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
#[derive(Default)]
pub struct Keys {
    known: RwLock<HashMap<[u8; 32], Known, BuildHasherDefault<Already>>>,
    /// The pace of all keys together that find no place among the known.
    crowd: Arc<Pace>,
}

#[derive(Clone)]
struct Known {
    caller: Caller,
    /// The hash that the text was proved against.
    hash: Hashed,
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
        let found = keys::named_by(app, text).await?;
        let Some(key) = found.filter(|key| key.is_good(now)) else {
            self.known.write().remove(&digest);
            return Ok(Shown::Nobody);
        };
        if !self.proved_before(&digest, &key.hash) {
            if let Err(wait_ms) = may_try() {
                return Ok(Shown::Later(wait_ms));
            }
            if !password::verify(text, &key.hash).await {
                return Ok(Shown::Nobody);
            }
        }
        keys::note_use(app, &key, now).await;
        Ok(Shown::Caller(self.remember(digest, key, now)))
    }

    fn proved_before(&self, digest: &[u8; 32], hash: &Hashed) -> bool {
        let known = self.known.read();
        known.get(digest).is_some_and(|known| known.hash == *hash)
    }

    /// Remembers a caller, with the pace that it had when it was looked up before.
    fn remember(&self, digest: [u8; 32], key: ApiKey, now: Timestamp) -> Caller {
        let until = now.plus_ms(REMEMBERED_MS);
        let until = key.expires_at.map_or(until, |expires| expires.min(until));
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
