//! Saved views: the filters of a list that somebody keeps under a name.
//!
//! **Shape.** A person's views are one record, in the order of their making, sealed by the vault:
//! a filter can name an account number's end, and a name is whatever its owner writes.
//!
//! **Bounds.** [`VIEWS_MAX`] for each person.

use lombard_core::{
    id::{Id, Named},
    payment::Sealed,
    store::{Body, Key, decode, encode},
    tenant::TenantId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    ports::{ReadError, VaultError},
    tenants::ApiKey,
};

/// Views of one person.
pub const VIEWS_MAX: usize = 30;

/// Which list it filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum List {
    /// Payments.
    Payments,
    /// The exceptions queue.
    Exceptions,
}

/// A list's filters under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// `viw_…`.
    pub id: Id<View>,
    /// Which list it filters.
    pub list: List,
    /// What its owner calls it.
    pub name: String,
    /// The filters, as the list's query has them.
    pub query: String,
    /// When it was kept.
    pub created_at: Timestamp,
}

impl Named for View {
    const PREFIX: &'static str = "viw";
}

/// Where somebody's views are kept.
#[must_use]
pub fn key(tenant: TenantId, owner: Id<ApiKey>) -> Key {
    Key::new(&format!("{}/views", tenant.short()), &owner.to_string())
}

/// What is sealed is good for this person alone.
fn purpose(owner: Id<ApiKey>) -> String {
    format!("views/{owner}")
}

/// Views as they are kept.
///
/// # Errors
/// See [`VaultError`].
pub fn body(
    app: &App,
    tenant: TenantId,
    owner: Id<ApiKey>,
    views: &[View],
) -> Result<Body, VaultError> {
    let sealed = app.vault.seal(tenant, &purpose(owner), &encode(&views))?;
    Ok(Body::of(&sealed))
}

/// The views of a record.
///
/// # Errors
/// See [`VaultError`].
pub fn open(
    app: &App,
    tenant: TenantId,
    owner: Id<ApiKey>,
    sealed: &Sealed,
) -> Result<Vec<View>, VaultError> {
    let plain = app.vault.open(tenant, &purpose(owner), sealed)?;
    Ok(decode(&plain))
}

/// Somebody's sealed views, if he ever kept one.
///
/// # Errors
/// See [`ReadError`].
pub async fn sealed(
    app: &App,
    tenant: TenantId,
    owner: Id<ApiKey>,
) -> Result<Option<Sealed>, ReadError> {
    app.value(&key(tenant, owner)).await
}
