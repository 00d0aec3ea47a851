//! Payment service providers: how their webhooks are known for theirs, and how they are asked.

use std::fmt;

use lombard_core::{currency::Currency, tenant::TenantId};
use serde::{Deserialize, Serialize};

/// A payment service provider that speaks to us.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PspConfig {
    /// The key that its webhooks are signed with, as the provider gives it.
    pub secret: String,
    /// The key before, while it is being replaced.
    pub previous_secret: Option<String>,
    /// The path that it sends to, where it signs the path and a proxy changes it.
    pub path: Option<String>,
    /// The tenant whose payments it may name by their own ids. References that we gave out name
    /// their tenant themselves.
    pub tenant: Option<TenantId>,
    /// A file that says what its statuses mean, where none is built in.
    pub map: Option<String>,
    /// The key with which we ask it. Set, it takes charges of cards.
    pub api_key: Option<String>,
    /// Where its API is: the beginning of its addresses.
    pub url: Option<String>,
    /// Our account there, where its API wants it named (Adyen).
    pub merchant_account: Option<String>,
    /// The currencies that it takes; any when empty.
    pub currencies: Vec<Currency>,
    /// What it charges us of an amount, in hundredths of a percent.
    pub cost_bps: u32,
    /// What it charges us for each charge beside, in minor units.
    pub cost_fixed: u64,
}

impl PspConfig {
    /// The keys that hold now.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let keys = [Some(&self.secret), self.previous_secret.as_ref()];
        keys.into_iter().flatten().cloned().collect()
    }
}

impl fmt::Debug for PspConfig {
    /// All but the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PspConfig")
            .field("path", &self.path)
            .field("tenant", &self.tenant)
            .field("map", &self.map)
            .field("url", &self.url)
            .field("merchant_account", &self.merchant_account)
            .field("currencies", &self.currencies)
            .field("cost_bps", &self.cost_bps)
            .field("cost_fixed", &self.cost_fixed)
            .finish_non_exhaustive()
    }
}
