//! What is published of a payment's stage: one of six statuses, and what it waits for.

use serde::{Deserialize, Serialize};

/// The published status: one of exactly six.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Accepted; key stored; hold placed.
    Initiated,
    /// Waits for verification, funds or rails.
    AuthPending,
    /// The rail or PSP gave a final yes.
    Cleared,
    /// Found by reconciliation.
    Settled,
    /// Money never moved.
    Failed,
    /// Money moved back.
    Reversed,
}

impl Status {
    /// All six.
    pub const ALL: [Self; 6] = [
        Self::Initiated,
        Self::AuthPending,
        Self::Cleared,
        Self::Settled,
        Self::Failed,
        Self::Reversed,
    ];

    /// As it is published.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Initiated => "INITIATED",
            Self::AuthPending => "AUTH_PENDING",
            Self::Cleared => "CLEARED",
            Self::Settled => "SETTLED",
            Self::Failed => "FAILED",
            Self::Reversed => "REVERSED",
        }
    }
}

/// What a payment waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pending {
    /// A person's answer.
    Verification,
    /// Money in the debtor's account.
    Funds,
    /// The rail.
    Rails,
}

impl Pending {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Verification, Self::Funds, Self::Rails];

    /// As it is written in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verification => "verification",
            Self::Funds => "funds",
            Self::Rails => "rails",
        }
    }
}
