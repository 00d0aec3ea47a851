//! What a version of a tenant's policy changed, by whom and why.

use lombard_core::time::Timestamp;
use lombard_risk::{features::Subject, moment, rules::Mode};
use serde::{Deserialize, Serialize};

/// What a version changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Which version.
    pub version: u64,
    /// When.
    #[serde(with = "moment")]
    pub at: Timestamp,
    /// Who did it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// What.
    #[serde(flatten)]
    pub what: Changed,
}

/// What was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum Changed {
    /// How far a version of a rule is in force.
    Mode {
        /// Which rule.
        rule: String,
        /// Which version of it.
        rule_version: u32,
        /// How far.
        #[serde(flatten)]
        mode: Mode,
    },
    /// A rule was taken out for good.
    Retired {
        /// Which rule.
        rule: String,
    },
    /// Limits, thresholds and fallback were taken from the file.
    Settings {
        /// Which version of the file.
        file: u64,
    },
    /// A list was made.
    List {
        /// Which.
        list: String,
    },
    /// A subject was put on a list.
    Listed {
        /// Which list.
        list: String,
        /// Who.
        subject: Subject,
        /// Until when; none for good.
        #[serde(
            default,
            with = "moment::maybe",
            skip_serializing_if = "Option::is_none"
        )]
        until: Option<Timestamp>,
    },
    /// A subject was taken off a list.
    Unlisted {
        /// Which list.
        list: String,
        /// Who.
        subject: Subject,
    },
}

/// A change as it is stored, with where its rules are kept.
#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    pub document: u64,
    #[serde(flatten)]
    pub change: Change,
}
