//! What earlier runs came to, kept for those who close the day.

use lombard_core::{
    id::{Id, Named},
    store::{Body, Key},
    tenant::TenantId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Report;
use crate::{app::App, ports::CommitError, records};

/// The most exceptions that a run names; the queue has them all.
const NAMED_MAX: usize = 500;

/// A run, as it was answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kept {
    /// `run_…`.
    pub id: Id<Kept>,
    /// When.
    pub at: Timestamp,
    /// Who sent the file.
    pub by: String,
    /// SHA-256 of the file, in lower-case hexadecimal.
    pub digest: String,
    /// How many things did not agree.
    pub open: u64,
    /// What it came to; of its exceptions the first [`NAMED_MAX`].
    pub report: Value,
}

impl Named for Kept {
    const PREFIX: &'static str = "run";
}

/// Keeps what a run came to, and gives the run.
///
/// # Errors
/// See [`CommitError`].
pub async fn keep(
    app: &App,
    tenant: TenantId,
    by: &str,
    digest: String,
    report: &Report,
) -> Result<Id<Kept>, CommitError> {
    let at = app.host.now();
    let id: Id<Kept> = Id::new(at, app.host.random());
    let mut shown = report.clone();
    shown.exceptions.truncate(NAMED_MAX);
    for statement in &mut shown.statements {
        statement.account = masked(&statement.account);
    }
    let kept = Kept {
        id,
        at,
        by: by.to_owned(),
        digest,
        open: report.exceptions.len() as u64,
        // Our own views have no serialisation that fails.
        report: serde_json::to_value(&shown).unwrap_or_default(),
    };
    let body = Body::of(&kept).listed(Key::new(&list(tenant), &id.to_string()));
    records::put_new(app, key(tenant, id), body).await?;
    Ok(id)
}

/// The last four characters of an account: in full it is in the file alone.
pub(super) fn masked(account: &str) -> String {
    let hidden = account.chars().count().saturating_sub(4);
    let last: String = account.chars().skip(hidden).collect();
    format!("•••• {last}")
}

/// Where a run is kept.
#[must_use]
pub fn key(tenant: TenantId, id: Id<Kept>) -> Key {
    Key::new(&format!("{}/{id}", tenant.short()), "run")
}

/// The list of a tenant's runs, in the order of their ids.
#[must_use]
pub fn list(tenant: TenantId) -> String {
    format!("{}/runs", tenant.short())
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn an_account_is_known_by_its_end() {
        assert_eq!(masked("DE89370400440532013000"), "•••• 3000");
        assert_eq!(masked("7"), "•••• 7");
    }
}
