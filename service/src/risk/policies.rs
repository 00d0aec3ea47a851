//! The policy of each tenant that changed its own: rules and lists, each change a version that is
//! kept for ever.
//!
//! **Shape.** A tenant begins with the policy's file. Its first change takes the file's rules,
//! lists and settings over; from then on its rules and lists are its own, and the file's are not
//! looked at any more. Limits, thresholds and the fallback go on following the file, as its
//! version grows. A [`Head`] says which version holds; a [`Change`] what each version changed; the
//! rules and settings are kept in the [`archive`] under the version that wrote them, and the
//! entries of lists as [`listed::Entry`]s, with the versions from and until which they hold.
//!
//! **Who learns of it.** Every process that judges looks at the heads once a second
//! ([`refresh`]), and the one that made a change at once. It reads the changes that it has not seen
//! and puts the policy in force whole.
//!
//! **Invariants.** Head, change, document, entry, the record of the deed and the answer to the
//! caller are one commit, under the guard of the head: versions have no gaps, and one version is
//! one policy. So a decision, which names its version, can be made again ([`at`]).

mod change;
pub mod listed;
pub mod rules;
mod step;

use std::{collections::BTreeSet, sync::Arc};

use lombard_core::{
    audit::{self, Audit},
    id::Id,
    store::{Key, Snapshot},
    tenant::TenantId,
};
use lombard_risk::{
    features::{Event, Kind, Subject},
    policy::{Document, Policy, Refused},
    rules::Lists,
};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use change::Stored;
pub use change::{Change, Changed};
pub use step::Step;

use super::{
    Desk,
    archive::{self, What},
};
use crate::{
    app::App,
    ports::{CommitError, RANGE_MAX, Range, ReadError},
};

/// The partition of all heads.
const HEADS: &str = "risk#policies";
/// Changes that are read one by one; whoever is further behind reads all anew.
const BEHIND_MAX: u64 = 90;

/// Which policy of a tenant holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The version that decisions name.
    pub version: u64,
    /// The version under which its rules and settings are kept.
    pub document: u64,
    /// The version of the file from which lists were taken over.
    pub lists_of: u64,
    /// The version of the file from which limits, thresholds and fallback were taken last.
    pub settings_of: u64,
}

/// A policy of a tenant's own, in force.
#[derive(Clone, Debug)]
pub struct Own {
    /// Which.
    pub head: Head,
    /// What judges.
    pub policy: Arc<Policy>,
}

/// Why a policy is not there.
#[derive(Debug, thiserror::Error)]
pub enum NotThere {
    /// The store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What was kept is no policy any more.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// A part of it is missing.
    #[error("of the policy {version}, {what} is missing")]
    Missing {
        /// Which version.
        version: u64,
        /// What.
        what: &'static str,
    },
}

/// Where the head of a tenant's policy is.
#[must_use]
pub fn head_key(tenant: TenantId) -> Key {
    Key::new(HEADS, &tenant.to_string())
}

/// The partition of a tenant's changes.
#[must_use]
pub fn changes(tenant: TenantId) -> String {
    format!("{}/risk#changes", tenant.short())
}

fn change_key(tenant: TenantId, version: u64) -> Key {
    Key::new(&changes(tenant), &format!("{version:012}"))
}

/// What a version of a tenant's is called in the archive.
fn archived(tenant: TenantId, version: u64) -> String {
    format!("{tenant}/{version}")
}

/// Puts in force what was changed since it was last looked, for every tenant; and takes limits,
/// thresholds and fallback from a file whose version has grown.
///
/// # Errors
/// When the heads cannot be read. A policy that cannot be put in force is logged, and the one
/// before stays.
pub async fn refresh(app: &App, desk: &Desk) -> Result<(), ReadError> {
    let mut after = None;
    loop {
        let range = Range::of(HEADS, RANGE_MAX).after(after);
        let found = app.store.range(&range).await?;
        for item in &found {
            let Ok(tenant) = item.at.sort().parse::<TenantId>() else {
                continue;
            };
            if let Err(error) = follow(app, desk, tenant).await {
                warn!(%tenant, %error, "a policy is not put in force; the one before stays");
            }
        }
        match found.last() {
            Some(last) if found.len() == RANGE_MAX => after = Some(last.at.sort().to_owned()),
            _ => return Ok(()),
        }
    }
}

/// Takes the settings of a file whose version has grown, and puts the tenant's policy in force.
async fn follow(app: &App, desk: &Desk, tenant: TenantId) -> Result<(), NotThere> {
    let own = catch_up(app, desk, tenant).await?;
    let file = desk.file();
    let Some(own) = own.filter(|own| own.head.settings_of < file.rules.version()) else {
        return Ok(());
    };
    match take_settings(app, &own, &file, tenant).await {
        // Another process was first, which the next look finds.
        Ok(()) | Err(CommitError::Conflict(_)) => {}
        Err(error) => warn!(%tenant, %error, "the settings of the file are not taken yet"),
    }
    catch_up(app, desk, tenant).await.map(drop)
}

async fn take_settings(
    app: &App,
    own: &Own,
    file: &Policy,
    tenant: TenantId,
) -> Result<(), CommitError> {
    let key = head_key(tenant);
    let found = app.get(&key).await;
    let found = found.map_err(|error| CommitError::Unavailable(Arc::new(error)))?;
    let mut read = Snapshot::default();
    read.put(key, found);
    let version = file.rules.version();
    let mut step = Step::after(own);
    step.take_settings(file);
    let (now, by) = (app.host.now(), "worker/risk");
    let note = Audit::new(
        Id::new(now, app.host.random()),
        tenant,
        now,
        by,
        "risk.settings",
    );
    let mut writes = read.checks();
    audit::enter(&mut writes, &note.on(version));
    let change = Change {
        version: step.version(),
        at: now,
        by: by.to_owned(),
        reason: format!("the policy's file has the version {version}"),
        what: Changed::Settings { file: version },
    };
    if step.write(&mut writes, &read, tenant, change).is_err() {
        return Err(CommitError::Conflict(head_key(tenant)));
    }
    app.store.commit(&writes).await
}

/// Puts the newest policy of a tenant in force here, and gives it; none when the tenant has none
/// of its own.
///
/// # Errors
/// See [`NotThere`].
pub async fn catch_up(
    app: &App,
    desk: &Desk,
    tenant: TenantId,
) -> Result<Option<Arc<Own>>, NotThere> {
    let Some(head) = app.value::<Head>(&head_key(tenant)).await? else {
        return Ok(None);
    };
    let own = match desk.own(tenant) {
        Some(own) if own.head.version >= head.version => return Ok(Some(own)),
        Some(own) if head.version - own.head.version <= BEHIND_MAX => {
            forward(app, tenant, &own, head).await?
        }
        _ => load(app, desk, tenant, head).await?,
    };
    let (version, rules) = (own.head.version, own.policy.rules.len());
    info!(%tenant, version, rules, "a policy of the tenant's own is in force");
    Ok(Some(desk.adopt_own(tenant, own)))
}

/// The policy of a head, from the one that is in force and what was changed since.
async fn forward(app: &App, tenant: TenantId, own: &Own, head: Head) -> Result<Own, NotThere> {
    let since = own.head.version + 1..=head.version;
    let keys: Vec<Key> = since.map(|version| change_key(tenant, version)).collect();
    let mut lists = own.policy.lists.clone();
    for record in app.store.get(&keys).await? {
        let record = record.ok_or(NotThere::Missing {
            version: head.version,
            what: "a change",
        })?;
        let change: Change = lombard_core::store::decode(&record.body.bytes);
        match change.what {
            Changed::Listed {
                list,
                subject,
                until,
            } => lists.add(&list, subject, until),
            Changed::Unlisted { list, subject } => lists.remove(&list, subject),
            Changed::List { list } => lists.declare(&list),
            Changed::Mode { .. } | Changed::Retired { .. } | Changed::Settings { .. } => {}
        }
    }
    let document = match head.document == own.head.document {
        true => own.policy.document(),
        false => document(app, tenant, head.document).await?,
    };
    compiled(document, lists, head)
}

async fn load(app: &App, desk: &Desk, tenant: TenantId, head: Head) -> Result<Own, NotThere> {
    let document = document(app, tenant, head.document).await?;
    let mut lists = taken_over(app, desk, head.lists_of).await?;
    listed::put_on(app, tenant, head.version, &mut lists).await?;
    compiled(document, lists, head)
}

fn compiled(mut document: Document, lists: Lists, head: Head) -> Result<Own, NotThere> {
    document.version = head.version;
    document.lists = lists;
    let policy = Arc::new(Policy::compile(document)?);
    Ok(Own { head, policy })
}

/// Rules and settings as they were kept.
async fn document(app: &App, tenant: TenantId, version: u64) -> Result<Document, NotThere> {
    let text = archive::load(app, What::Policy, &archived(tenant, version)).await?;
    let what = "the document";
    let text = text.ok_or(NotThere::Missing { version, what })?;
    serde_json::from_str(&text).map_err(|error| Refused::Document(error.to_string()).into())
}

/// The lists of a version of the file.
async fn taken_over(app: &App, desk: &Desk, version: u64) -> Result<Lists, NotThere> {
    let file = desk.file();
    if file.rules.version() == version {
        return Ok(file.lists.clone());
    }
    match archive::load(app, What::Policy, &version.to_string()).await? {
        Some(text) => Ok(Policy::parse(&text)?.lists),
        // There was no file.
        None if version == 0 => Ok(Lists::default()),
        None => Err(NotThere::Missing {
            version,
            what: "the file that it began with",
        }),
    }
}

/// The policy that held for a tenant at a version, with lists that know those whom a payment
/// names; none when the tenant had none of its own then.
///
/// # Errors
/// See [`NotThere`].
pub async fn at(
    app: &App,
    desk: &Desk,
    tenant: TenantId,
    version: u64,
    event: &Event,
) -> Result<Option<Policy>, NotThere> {
    let Some(head) = app.value::<Head>(&head_key(tenant)).await? else {
        return Ok(None);
    };
    let written = match document_at(app, tenant, version).await? {
        Some(written) => written,
        None => return Ok(None),
    };
    let document = document(app, tenant, written).await?;
    let begun = taken_over(app, desk, head.lists_of).await?;
    let subjects: BTreeSet<Subject> = Kind::ALL
        .into_iter()
        .filter_map(|kind| event.subject(kind))
        .collect();
    let lists = listed::of(app, tenant, version, (&begun, &document), &subjects).await?;
    let head = Head {
        version,
        document: written,
        ..head
    };
    let own = compiled(document, lists, head)?;
    Ok(Arc::into_inner(own.policy))
}

/// Under which version the rules of a version are kept: that of the last change of rules or
/// settings by then.
async fn document_at(app: &App, tenant: TenantId, version: u64) -> Result<Option<u64>, ReadError> {
    let Some(change) = app.value::<Stored>(&change_key(tenant, version)).await? else {
        return Ok(None);
    };
    Ok(Some(change.document))
}
