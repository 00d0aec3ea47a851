//! Who works which exceptions: each tenant his own, and the keeper of the installation those that belong to
//! no tenant.

use lombard_core::{id::Id, tenant::TenantId};

use super::{Exception, key, list, operator};
use crate::{app::App, ports::ReadError, tenants::keeper};

/// One exception of a tenant, or of the installation if he looks after it.
///
/// # Errors
/// See [`ReadError`].
pub async fn get(
    app: &App,
    tenant: TenantId,
    id: Id<Exception>,
) -> Result<Option<Exception>, ReadError> {
    app.value(&key(queue_of(app, tenant, id).await?, id)).await
}

/// The queues that a tenant works: his own, and the installation's if he looks after it.
async fn queues(app: &App, tenant: TenantId) -> Result<Vec<TenantId>, ReadError> {
    let looks_after = keeper(app).await? == Some(tenant);
    let own = looks_after.then(operator);
    Ok([tenant].into_iter().chain(own).collect())
}

/// In which of a tenant's queues an exception is; his own if it is in none.
pub(super) async fn queue_of(
    app: &App,
    tenant: TenantId,
    id: Id<Exception>,
) -> Result<TenantId, ReadError> {
    for queue in queues(app, tenant).await? {
        if app.get(&key(queue, id)).await?.is_some() {
            return Ok(queue);
        }
    }
    Ok(tenant)
}

/// What a tenant must look at: as [`list`], of all queues that he works.
///
/// # Errors
/// See [`ReadError`].
pub async fn list_for(
    app: &App,
    tenant: TenantId,
    after: Option<String>,
    limit: usize,
) -> Result<Vec<(String, Exception)>, ReadError> {
    let mut found = Vec::new();
    for queue in queues(app, tenant).await? {
        found.extend(list(app, queue, after.clone(), limit).await?);
    }
    found.sort_by(|one, other| other.0.cmp(&one.0));
    found.truncate(limit);
    Ok(found)
}
