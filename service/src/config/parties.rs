//! Settings of what is known of payers and payees.

use lombard_core::{money::Money, party::Rule, rail::Rail};
use serde::{Deserialize, Serialize};

/// What payments ask of their parties, and where data about them lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PartiesConfig {
    /// The region of this installation: records of other regions are refused.
    pub region: String,
    /// For how many days a verification is good at the most.
    pub valid_days: u64,
    /// When a payment is held or refused.
    pub rules: Vec<Rule>,
}

impl Default for PartiesConfig {
    fn default() -> Self {
        Self {
            region: "local".to_owned(),
            valid_days: 365,
            rules: Vec::new(),
        }
    }
}

impl PartiesConfig {
    /// The rules that fit a payment.
    #[must_use]
    pub fn fitting(&self, money: Money, rail: Rail) -> Vec<Rule> {
        let fitting = self.rules.iter().filter(|rule| rule.fits(money, rail));
        fitting.cloned().collect()
    }
}
