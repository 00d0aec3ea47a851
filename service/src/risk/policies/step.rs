//! One step from a version of a tenant's policy to the next, as part of a commit.

use std::sync::Arc;

use lombard_core::{
    store::{Body, Snapshot, WriteSet, decode},
    tenant::TenantId,
};
use lombard_risk::{
    policy::{Document, Policy},
    rules::{Lists, Rule},
};

use super::{Change, Head, Own, Stored, archived, change_key, head_key};
use crate::risk::{
    Desk,
    archive::{self, What},
};

/// That somebody else changed the policy in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overtaken;

/// See the module.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it begins with; none of the tenant's own before the first.
    before: Option<Head>,
    policy: Arc<Policy>,
    /// Rules and settings, where they are written anew.
    document: Option<Document>,
    settings_of: u64,
}

impl Step {
    /// From what is in force for a tenant here.
    #[must_use]
    pub fn of(desk: &Desk, tenant: TenantId) -> Self {
        if let Some(own) = desk.own(tenant) {
            return Self::after(&own);
        }
        let policy = desk.file();
        Self {
            before: None,
            settings_of: policy.rules.version(),
            // What the file says is the tenant's own from here on.
            document: Some(policy.document()),
            policy,
        }
    }

    /// From a policy of the tenant's own.
    #[must_use]
    pub fn after(own: &Own) -> Self {
        Self {
            before: Some(own.head.clone()),
            policy: Arc::clone(&own.policy),
            document: None,
            settings_of: own.head.settings_of,
        }
    }

    /// The version that it leads to.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.policy.rules.version() + 1
    }

    /// The policy before it.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Puts versions of a rule in the place of all that are there of it.
    ///
    /// # Errors
    /// Why the policy would not be taken.
    pub fn put_rule(
        &mut self,
        name: &str,
        versions: impl Iterator<Item = Rule>,
    ) -> Result<(), lombard_risk::policy::Refused> {
        let mut document = self.policy.document();
        document.rules.retain(|rule| rule.name != name);
        document.rules.extend(versions);
        Policy::compile(document.clone())?;
        self.document = Some(document);
        Ok(())
    }

    /// Takes limits, thresholds and fallback from the file.
    pub fn take_settings(&mut self, file: &Policy) {
        let mut document = self.policy.document();
        document.limits.clone_from(&file.limits);
        document.thresholds = Some(file.thresholds);
        document.fallback.clone_from(&file.fallback);
        self.document = Some(document);
        self.settings_of = file.rules.version();
    }

    /// Writes the step, under the guard of the head, which must be among what was read.
    ///
    /// # Errors
    /// [`Overtaken`] when the head is not the one that it begins with.
    pub fn write(
        self,
        writes: &mut WriteSet,
        read: &Snapshot,
        tenant: TenantId,
        change: Change,
    ) -> Result<(), Overtaken> {
        let key = head_key(tenant);
        let stored = read.get(&key);
        let stored: Option<Head> = stored.map(|record| decode(&record.body.bytes));
        if stored != self.before {
            return Err(Overtaken);
        }
        let version = self.version();
        let document = match (&self.document, &self.before) {
            (None, Some(before)) => before.document,
            _ => version,
        };
        if let Some(mut written) = self.document {
            written.version = version;
            // Lists are kept by their entries.
            written.lists = Lists::default();
            let text = serde_json::to_string(&written).unwrap_or_default();
            for (key, body) in archive::records(What::Policy, &archived(tenant, version), &text) {
                writes.create(key, body);
            }
        }
        let file = self.policy.rules.version();
        let head = Head {
            version,
            document,
            lists_of: self.before.map_or(file, |before| before.lists_of),
            settings_of: self.settings_of,
        };
        writes.put(&key, Body::of(&head));
        let stored = Stored { document, change };
        writes.create(change_key(tenant, version), Body::of(&stored));
        Ok(())
    }
}
