//! Who calls: keys found by their digest, and remembered for a while.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::Arc,
};

use lombard_core::{tenant::TenantId, time::Timestamp};
use parking_lot::RwLock;

use super::{ApiKey, KEY_PREFIX, Pace, digest, records};
use crate::{access::Access, app::App, ports::ReadError};

/// How long a key is remembered, in milliseconds.
pub const REMEMBERED_MS: u64 = 30_000;
/// How many keys are remembered. Only keys that exist are, so guesses cannot push them out.
pub const REMEMBERED_MAX: usize = 10_000;

/// Somebody who showed a valid key.
#[derive(Clone, Debug)]
pub struct Caller {
    /// For whom it acts.
    pub tenant: TenantId,
    /// Who acts, as timelines say it: `key/key_…`.
    pub actor: Arc<str>,
    /// What it may do.
    pub access: Arc<Access>,
    /// How often it asks.
    pub pace: Arc<Pace>,
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
    /// Whom a key belongs to, `None` if it is no key, or revoked.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn find(&self, app: &App, key: &str) -> Result<Option<Caller>, ReadError> {
        if !key.starts_with(KEY_PREFIX) {
            return Ok(None);
        }
        let digest = digest(key);
        let now = app.host.now();
        if let Some(known) = self.known.read().get(&digest)
            && now < known.until
        {
            return Ok(Some(known.caller.clone()));
        }
        let found: Option<ApiKey> = app.value(&records::key_key(&digest)).await?;
        let Some(key) = found.filter(|key| key.revoked_at.is_none()) else {
            self.known.write().remove(&digest);
            return Ok(None);
        };
        let caller = Caller {
            tenant: key.tenant,
            actor: records::actor(&key),
            access: Arc::new(key.access),
            pace: self.crowd.clone(),
        };
        Ok(Some(self.remember(digest, caller, now)))
    }

    /// Remembers a caller, with the pace that it had when it was looked up before.
    fn remember(&self, digest: [u8; 32], mut caller: Caller, now: Timestamp) -> Caller {
        let mut all = self.known.write();
        if all.len() >= REMEMBERED_MAX {
            all.retain(|_, known| now < known.until);
        }
        let before = all.get(&digest).map(|known| known.caller.pace.clone());
        if before.is_some() || all.len() < REMEMBERED_MAX {
            caller.pace = before.unwrap_or_default();
            let known = Known {
                caller: caller.clone(),
                until: now.plus_ms(REMEMBERED_MS),
            };
            all.insert(digest, known);
        }
        caller
    }

    /// Forgets a key that was just revoked.
    pub fn forget(&self, key: &str) {
        self.known.write().remove(&digest(key));
    }
}
