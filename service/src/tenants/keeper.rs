//! Who looks after the installation itself: its first tenant.
//!
//! What is wrong with no tenant's payments but with the installation (its log, its store, a message about
//! a payment that nobody made) is in the queue of exceptions of this tenant, and of no other.

use lombard_core::{
    store::{Body, Key},
    tenant::TenantId,
};

use super::records;
use crate::{
    app::App,
    ports::{CommitError, ReadError},
    records::put_new,
    tenants::TenantError,
};

fn key() -> Key {
    Key::new("installation", "keeper")
}

/// The tenant who looks after the installation, once there is one.
///
/// # Errors
/// See [`ReadError`].
pub async fn keeper(app: &App) -> Result<Option<TenantId>, ReadError> {
    app.value(&key()).await
}

/// Settles who it is, once for all: the tenant that was made first.
///
/// # Errors
/// See [`TenantError`].
pub(super) async fn settle(app: &App) -> Result<(), TenantError> {
    if keeper(app).await?.is_some() {
        return Ok(());
    }
    let tenants = records::all(app).await?;
    let Some(first) = tenants.iter().min_by_key(|it| (it.created_at, it.id)) else {
        return Ok(());
    };
    match put_new(app, key(), Body::of(&first.id)).await {
        // Another process settled it.
        Ok(()) | Err(CommitError::Conflict(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
