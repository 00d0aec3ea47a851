//! Who wants to be told, where, and of what.
//!
//! **Shape.** A tenant's endpoints are the records of one partition, at most [`ENDPOINTS_MAX`], so
//! that one read finds all of them. An endpoint without event types gets every event.

use lombard_core::{
    event::Event,
    id::{Id, Named},
    payment::Sealed,
    store::{Body, Key},
    tenant::TenantId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::secret::Secret;
use crate::{
    app::App,
    ports::{Range, ReadError, Vault, VaultError},
};

/// Endpoints of one tenant. Each costs every event a request.
pub const ENDPOINTS_MAX: usize = 16;
/// Characters of a description.
pub const DESCRIPTION_MAX: usize = 200;
/// How many deliveries in a row must be given up before the endpoint is disabled. Each of them
/// was tried for three days, so it is not a hiccup.
pub const GIVE_UPS_MAX: u32 = 5;
/// For how long both secrets sign after a rotation unless its caller says otherwise: a day.
pub const OVERLAP_MS_DEFAULT: u64 = 24 * 60 * 60 * 1000;
/// The longest overlap: a week.
pub const OVERLAP_MS_MAX: u64 = 7 * OVERLAP_MS_DEFAULT;
/// Secrets that sign at once; a rotation beyond drops the oldest.
const SECRETS_MAX: usize = 3;

/// A receiver of events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// `whk_…`.
    pub id: Id<Endpoint>,
    /// Where messages are posted to.
    pub url: String,
    /// Which types it wants; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// What its owner says it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Why it is told nothing, when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<Disabled>,
    /// The secret, and those that it replaces and that still sign, newest first.
    pub secrets: Vec<SealedSecret>,
    /// Deliveries given up since the last one that succeeded.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub given_up: u32,
    /// When it was made. Earlier events are not for it, unless replayed.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes a reference.
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Named for Endpoint {
    const PREFIX: &'static str = "whk";
}

/// Since when and why an endpoint is told nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disabled {
    /// Why.
    pub reason: DisabledReason,
    /// Since when.
    pub at: Timestamp,
}

/// Why an endpoint is told nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisabledReason {
    /// Its owner switched it off.
    Owner,
    /// It answered 410 Gone.
    Gone,
    /// Too many deliveries in a row were given up.
    Failing,
}

/// A secret as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedSecret {
    /// By the vault.
    pub sealed: Sealed,
    /// When it was drawn.
    pub made_at: Timestamp,
    /// Until when it signs; the current one has no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl Endpoint {
    /// Whether it wants an event.
    #[must_use]
    pub fn wants(&self, event: &Event) -> bool {
        self.disabled.is_none() && event.at >= self.created_at && self.wants_kind(event.kind())
    }

    /// Whether it wants events of a type.
    #[must_use]
    pub fn wants_kind(&self, kind: &str) -> bool {
        self.events.is_empty() || self.events.iter().any(|wanted| wanted == kind)
    }

    /// The secrets that sign at `now`, the current one first.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub fn secrets_at(
        &self,
        vault: &dyn Vault,
        tenant: TenantId,
        now: Timestamp,
    ) -> Result<Vec<Secret>, VaultError> {
        self.secrets
            .iter()
            .filter(|secret| secret.until.is_none_or(|until| now < until))
            .map(|secret| Secret::open(vault, tenant, self.id, &secret.sealed))
            .collect()
    }

    /// Makes `sealed` the secret; what was there before goes on signing for `overlap_ms`.
    pub fn rotate(&mut self, sealed: Sealed, now: Timestamp, overlap_ms: u64) {
        let end = now.plus_ms(overlap_ms);
        for secret in &mut self.secrets {
            secret.until = Some(secret.until.map_or(end, |until| until.min(end)));
        }
        self.secrets
            .retain(|secret| secret.until.is_some_and(|until| now < until));
        let fresh = SealedSecret {
            sealed,
            made_at: now,
            until: None,
        };
        self.secrets.insert(0, fresh);
        self.secrets.truncate(SECRETS_MAX);
        self.updated_at = now;
    }

    /// Switches it off, unless it is off already.
    pub fn disable(&mut self, reason: DisabledReason, at: Timestamp) {
        if self.disabled.is_none() {
            self.disabled = Some(Disabled { reason, at });
            self.updated_at = at;
        }
    }

    /// Switches it on, with a clean record.
    pub fn enable(&mut self, at: Timestamp) {
        if self.disabled.take().is_some() {
            self.updated_at = at;
        }
        self.given_up = 0;
    }

    /// The record of it.
    #[must_use]
    pub fn body(&self) -> Body {
        Body::of(self)
    }
}

/// The partition of a tenant's endpoints.
#[must_use]
pub fn partition(tenant: TenantId) -> String {
    format!("{}/{PARTITION}", tenant.short())
}

/// What comes after the tenant in [`partition`].
const PARTITION: &str = "webhooks";

/// The tenant whose endpoints a changed record is one of.
#[must_use]
pub fn tenant_of(key: &Key) -> Option<TenantId> {
    match key.partition().split_once('/') {
        Some((tenant, PARTITION)) => tenant.parse().ok(),
        _ => None,
    }
}

/// Where an endpoint is kept.
#[must_use]
pub fn key(tenant: TenantId, id: Id<Endpoint>) -> Key {
    Key::new(&partition(tenant), &id.to_string())
}

/// A tenant's endpoints, oldest first.
///
/// # Errors
/// See [`ReadError`].
pub async fn all(app: &App, tenant: TenantId) -> Result<Vec<Endpoint>, ReadError> {
    let found = app
        .store
        .range(&Range::of(&partition(tenant), crate::ports::RANGE_MAX))
        .await?;
    Ok(found
        .iter()
        .map(|found| lombard_core::store::decode(&found.record.body.bytes))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(name: &str) -> Sealed {
        Sealed {
            key: String::new(),
            data: name.to_owned(),
        }
    }

    fn endpoint() -> Endpoint {
        Endpoint {
            id: Id::from_bits(1),
            url: "https://example.com".into(),
            events: Vec::new(),
            description: None,
            disabled: None,
            secrets: vec![SealedSecret {
                sealed: sealed("a"),
                made_at: Timestamp::from_unix_ms(0),
                until: None,
            }],
            given_up: 0,
            created_at: Timestamp::from_unix_ms(0),
            updated_at: Timestamp::from_unix_ms(0),
        }
    }

    fn names(endpoint: &Endpoint) -> Vec<(&str, Option<u64>)> {
        endpoint
            .secrets
            .iter()
            .map(|secret| {
                let until = secret.until.map(Timestamp::unix_ms);
                (secret.sealed.data.as_str(), until)
            })
            .collect()
    }

    #[test]
    fn rotation_overlaps_and_ends() {
        let mut endpoint = endpoint();
        endpoint.rotate(sealed("b"), Timestamp::from_unix_ms(100), 50);
        assert_eq!(names(&endpoint), [("b", None), ("a", Some(150))]);
        endpoint.rotate(sealed("c"), Timestamp::from_unix_ms(120), 500);
        assert_eq!(
            names(&endpoint),
            [("c", None), ("b", Some(620)), ("a", Some(150))],
            "a rotation never lengthens an earlier end"
        );
        endpoint.rotate(sealed("d"), Timestamp::from_unix_ms(150), 0);
        assert_eq!(
            names(&endpoint),
            [("d", None)],
            "a leaked secret ends at once"
        );
    }

    #[test]
    fn the_partition_names_its_tenant() {
        let tenant = TenantId::new(7);
        assert_eq!(tenant_of(&key(tenant, Id::from_bits(1))), Some(tenant));
        let other = Key::new(&format!("{}/pay_1", tenant.short()), "payment");
        assert_eq!(tenant_of(&other), None);
    }
}
