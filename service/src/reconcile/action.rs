//! What can be decided about an exception.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What can be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ExceptionAction)]
pub enum Action {
    /// The line is this payment.
    Link,
    /// The difference is a loss, or a gain, of ours.
    WriteOff,
    /// The money waits in suspense until somebody knows whose it is.
    Suspense,
    /// The payer bears money that left for a payment that failed.
    Compensate,
    /// The rail's records say that a payment in doubt was paid.
    MarkPaid,
    /// The rail's records say that a payment in doubt was not paid.
    MarkNotPaid,
    /// A payment in doubt goes out again under the attempt that it had.
    Resubmit,
    /// The rail or the other bank is asked once more. What it says of a payment in doubt resolves the exception;
    /// otherwise it stays open.
    Enquire,
    /// What a worker gave up is done again, from the step that failed.
    Reprocess,
    /// The provider was asked; the exception stays open.
    Ask,
    /// Nothing is to be done.
    Ignore,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Link,
        Self::WriteOff,
        Self::Suspense,
        Self::Compensate,
        Self::MarkPaid,
        Self::MarkNotPaid,
        Self::Resubmit,
        Self::Enquire,
        Self::Reprocess,
        Self::Ask,
        Self::Ignore,
    ];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::WriteOff => "write_off",
            Self::Suspense => "suspense",
            Self::Compensate => "compensate",
            Self::MarkPaid => "mark_paid",
            Self::MarkNotPaid => "mark_not_paid",
            Self::Resubmit => "resubmit",
            Self::Enquire => "enquire",
            Self::Reprocess => "reprocess",
            Self::Ask => "ask",
            Self::Ignore => "ignore",
        }
    }
}
