//! What the ledger must know of a decision about fraud: what is done, and which limits it counts
//! against. How the decision came about is risk's business; here it is text that is kept.
//!
//! **Shape.** An [`Assessment`] travels in the command that pays. The plan settles it: it counts
//! the payment against each [`Limit`] in the same commit, takes the severest of what was asked,
//! and keeps the decision beside the payment. So a limit holds exactly, however many payments
//! race for it, while the features that a model reads may be a moment old.

pub mod reimbursement;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{id::digest_text, time::Timestamp};

/// What is done with a payment, from the mildest to the severest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It goes ahead.
    Approve,
    /// The payer must authenticate.
    Challenge,
    /// An analyst must look.
    Review,
    /// It is refused.
    Decline,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Approve, Self::Challenge, Self::Review, Self::Decline];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Challenge => "challenge",
            Self::Review => "review",
            Self::Decline => "decline",
        }
    }
}

/// What risk says of a payment before it is taken in.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// What it wants done.
    pub action: Action,
    /// How it came to that.
    pub decision: Arc<RawValue>,
    /// What the payment counts against.
    pub limits: Vec<Limit>,
}

impl Assessment {
    /// Whether the payer may have to authenticate for it.
    #[must_use]
    pub fn may_challenge(&self) -> bool {
        let mut limits = self.limits.iter().map(|limit| limit.action);
        self.action == Action::Challenge || limits.any(|action| action == Action::Challenge)
    }
}

/// At most so much in a period, for whatever the counter stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// What the limit is called.
    pub name: String,
    /// Names the counter: the limit and whom it is about, as a digest.
    pub counter: String,
    /// How long a period is, in milliseconds; periods begin at multiples of it since 1970.
    pub period_ms: u64,
    /// The most in one period: minor units, or attempts.
    pub most: u64,
    /// What this payment adds: its amount, or 1.
    pub add: u64,
    /// Whether it counts even when it is refused, as attempts do.
    pub always: bool,
    /// What is done with a payment that would exceed it.
    pub action: Action,
}

impl Limit {
    /// The counter of a limit for these parts, such as an account and a payee.
    #[must_use]
    pub fn counter(name: &str, parts: &[&str]) -> String {
        let mut all = vec![name];
        all.extend(parts);
        digest_text(&all)
    }

    /// The number of the period that a moment is in; a limit without periods has one.
    #[must_use]
    pub fn period(&self, now: Timestamp) -> u64 {
        now.unix_ms().checked_div(self.period_ms).unwrap_or(0)
    }
}

/// What a counter has come to in its newest period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// Which period.
    pub period: u64,
    /// How much.
    pub used: u64,
}

impl Counter {
    /// What is used in a period.
    #[must_use]
    pub const fn used_in(self, period: u64) -> u64 {
        if self.period == period { self.used } else { 0 }
    }
}

/// What a payment uses of a limit on amounts; given back when the payment fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// Names the counter, as in [`Limit::counter`].
    pub counter: String,
    /// In which of its periods.
    pub period: u64,
    /// How much, in minor units.
    pub amount: u64,
}

/// A decision as it is kept beside its payment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kept {
    /// What was done: risk's wish, or a limit's where that is severer.
    pub action: Action,
    /// The limits that the payment would have exceeded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceeded: Vec<String>,
    /// How risk came to its wish.
    pub decision: Arc<RawValue>,
}
