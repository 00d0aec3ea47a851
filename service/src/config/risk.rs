//! Settings of whoever judges payments.

use serde::{Deserialize, Serialize};

/// How payments are judged before they are taken in. Without a policy and a model nobody judges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RiskConfig {
    /// A file with the policy: rules, lists, limits, thresholds, fallback. Read anew when it
    /// changes.
    pub policy: Option<String>,
    /// A file with the model.
    pub model: Option<String>,
    /// A file with a model that is asked in the shadow.
    pub challenger: Option<String>,
    /// The address of a model that runs somewhere else and scores in the model's place.
    pub endpoint: Option<String>,
    /// The version that the model there must have, by its own account.
    pub endpoint_model: Option<String>,
    /// A folder with lists of sanctions.
    pub sanctions: Option<String>,
    /// For how many milliseconds a judgement waits before the policy's fallback decides.
    pub limit_ms: u64,
}

impl Default for RiskConfig {
    fn default() -> Self {
        Self {
            policy: None,
            model: None,
            challenger: None,
            endpoint: None,
            endpoint_model: None,
            sanctions: None,
            limit_ms: 2,
        }
    }
}
