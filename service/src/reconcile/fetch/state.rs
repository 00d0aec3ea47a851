//! What is remembered of a fetched source: when it was looked at, and each file that was taken in.

use lombard_core::{
    id::digest_text,
    store::{Body, Key},
    tenant::TenantId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::Listed;
use crate::{
    app::App,
    ports::{CommitError, ReadError},
    records::{self, Then},
};

/// How a source's last looks went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looks {
    /// When it was last looked at, with or without success.
    pub looked_at: Option<Timestamp>,
    /// When that last went well.
    pub reached_at: Option<Timestamp>,
    /// How often in a row it did not.
    pub failures: u32,
    /// Why, while it does not.
    pub why: Option<String>,
    /// The file that was taken in last, and when.
    pub last_file: Option<String>,
    /// When.
    pub fetched_at: Option<Timestamp>,
    /// How many files were taken in.
    pub files: u64,
}

/// A file that was taken in, or cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Its name.
    pub name: String,
    /// How long it is.
    pub bytes: u64,
    /// When it was last written, in seconds since 1970.
    pub modified: u64,
    /// SHA-256 in lower-case hexadecimal; empty when it was not read.
    pub digest: String,
    /// When it was taken in.
    pub at: Timestamp,
    /// The run, when there was one.
    pub run: Option<String>,
}

impl Taken {
    /// Whether it is the same without looking into it.
    pub fn is_as(&self, it: &Listed) -> bool {
        (self.bytes, self.modified) == (it.bytes, it.modified)
    }
}

fn looks_key(tenant: TenantId, source: &str) -> Key {
    Key::new(&format!("{}/source/{source}", tenant.short()), "looks")
}

fn file_key(tenant: TenantId, source: &str, name: &str) -> Key {
    // A name may have what keys may not.
    let sort = format!("file#{}", digest_text(&[name]));
    Key::new(&format!("{}/source/{source}", tenant.short()), &sort)
}

/// How the last looks at a source went.
///
/// # Errors
/// See [`ReadError`].
pub async fn looks(app: &App, tenant: TenantId, source: &str) -> Result<Looks, ReadError> {
    Ok(app
        .value(&looks_key(tenant, source))
        .await?
        .unwrap_or_default())
}

/// What is remembered of a file.
pub(super) async fn taken(
    app: &App,
    tenant: TenantId,
    source: &str,
    name: &str,
) -> Result<Option<Taken>, ReadError> {
    app.value(&file_key(tenant, source, name)).await
}

/// Remembers a file.
pub(super) async fn note(
    app: &App,
    tenant: TenantId,
    source: &str,
    file: &Taken,
) -> Result<(), CommitError> {
    let key = file_key(tenant, source, &file.name);
    let put = |_: Option<Taken>| (Then::Put(Body::of(file)), ());
    records::change(app, &key, put).await?;
    change(app, tenant, source, |looks| {
        looks.last_file = Some(file.name.clone());
        looks.fetched_at = Some(file.at);
        looks.files += 1;
    })
    .await
}

/// Remembers that it was looked at, and why that failed.
pub(super) async fn looked(
    app: &App,
    tenant: TenantId,
    source: &str,
    now: Timestamp,
    why: Option<&str>,
) -> Result<(), CommitError> {
    change(app, tenant, source, |looks| {
        looks.looked_at = Some(now);
        looks.why = why.map(str::to_owned);
        match why {
            None => (looks.failures, looks.reached_at) = (0, Some(now)),
            Some(_) => looks.failures += 1,
        }
    })
    .await
}

async fn change(
    app: &App,
    tenant: TenantId,
    source: &str,
    with: impl Fn(&mut Looks) + Send + Sync,
) -> Result<(), CommitError> {
    records::change(app, &looks_key(tenant, source), |looks: Option<Looks>| {
        let mut looks = looks.unwrap_or_default();
        with(&mut looks);
        (Then::Put(Body::of(&looks)), ())
    })
    .await
}
