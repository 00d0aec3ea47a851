//! Which endpoints a tenant has, remembered: most events are of tenants without any, and must
//! cost no read.
//!
//! The consumer forgets a tenant when the feed tells of a change, before it looks at the events
//! that follow, so on a feed of one shard an endpoint is told of every event after the commit that
//! made it. Where the feed has several shards the change may come late, by [`FRESH_MS`] at most.

use std::{collections::HashMap, sync::Arc};

use lombard_core::{tenant::TenantId, time::Timestamp};
use parking_lot::Mutex;

use super::endpoint::{self, Endpoint};
use crate::{app::App, ports::ReadError};

/// For how long what was read is believed, in milliseconds.
pub const FRESH_MS: u64 = 2_000;
/// Tenants that are remembered at once.
const TENANTS_MAX: usize = 10_000;

/// A tenant's endpoints at some moment.
pub type Endpoints = Arc<[Arc<Endpoint>]>;

/// See the module.
#[derive(Default)]
pub struct Directory(Mutex<Known>);

#[derive(Default)]
struct Known {
    tenants: HashMap<TenantId, (Timestamp, Endpoints)>,
    /// Counts what was forgotten, so that a read that began before is not remembered after.
    forgotten: u64,
}

impl Directory {
    /// What is remembered of a tenant and still fresh.
    #[must_use]
    pub fn known(&self, tenant: TenantId, now: Timestamp) -> Option<Endpoints> {
        let known = self.0.lock();
        let (read_at, endpoints) = known.tenants.get(&tenant)?;
        (now.ms_since(*read_at) < FRESH_MS).then(|| endpoints.clone())
    }

    /// A tenant's endpoints, read if they are not known.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn of(&self, app: &App, tenant: TenantId) -> Result<Endpoints, ReadError> {
        let now = app.host.now();
        if let Some(endpoints) = self.known(tenant, now) {
            return Ok(endpoints);
        }
        let before = self.0.lock().forgotten;
        let endpoints: Endpoints = endpoint::all(app, tenant)
            .await?
            .into_iter()
            .map(Arc::new)
            .collect();
        let mut known = self.0.lock();
        if known.forgotten == before {
            if known.tenants.len() >= TENANTS_MAX {
                known.tenants.clear();
            }
            known.tenants.insert(tenant, (now, endpoints.clone()));
        }
        Ok(endpoints)
    }

    /// Forgets a tenant, because its endpoints changed.
    pub fn forget(&self, tenant: TenantId) {
        let mut known = self.0.lock();
        known.tenants.remove(&tenant);
        known.forgotten += 1;
    }
}
