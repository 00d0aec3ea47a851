//! What can be wrong: the kinds of exceptions.

use lombard_core::matching::BreakKind;
use serde::{Deserialize, Serialize};

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The outside world contradicts our books.
    Contradiction,
    /// A rail does not say what became of a payment.
    Unresolved,
    /// A batch was interrupted and cannot be gone on with.
    BatchInterrupted,
    /// A recall was not answered within the scheme's time.
    RecallOverdue,
    /// A worker could not do what an event asked for.
    EffectFailed,
    /// A message speaks of a payment that we do not know.
    UnmatchedMessage,
    /// A provider says something that no row of its file means.
    UnknownStatus,
    /// A message cannot be reconciled with the payment that it speaks of.
    ImplausibleMessage,
    /// An endpoint of a tenant did not take a webhook at any try.
    WebhookGivenUp,
    /// The verifiable log is behind the ledger for too long.
    LogBehind,
    /// The files of the verifiable log are not what was written.
    LogDamaged,
    /// What is stored is damaged.
    StoreDamaged,
    /// A credential reads more tokens back than is usual.
    DetokenizeAnomaly,
    /// The amounts of a statement's line and its payment differ.
    AmountDiffers,
    /// A statement lacks a payment of ours.
    MissingThere,
    /// Our books lack a line of a statement.
    MissingHere,
    /// A line of a statement came before.
    Duplicate,
    /// A line of a statement has a reference that we never gave.
    UnknownReference,
    /// A line is in another currency than its payment.
    Currency,
    /// A statement contradicts itself.
    BrokenStatement,
    /// A payment that failed stands in a statement.
    ConflictingStatus,
    /// A line could be several payments.
    Ambiguous,
    /// A second look at a payment's risk was severer than the first.
    SecondLook,
    /// A model's scores are spread otherwise than when it was measured.
    ModelDrift,
    /// A payer claims to have been deceived into a payment.
    AppClaim,
    /// The files of a source of statements cannot be fetched.
    SourceUnreachable,
    /// A payment came later than its source has days for.
    Late,
    /// A statement is of another account than its source's.
    WrongAccount,
    /// A source kept back more than was agreed.
    FeeDiffers,
    /// A claim of deceit must be answered tomorrow.
    AppClaimDue,
    /// A claim of deceit was not answered in time.
    AppClaimOverdue,
}

impl Kind {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 31] = [
        Self::Contradiction,
        Self::Unresolved,
        Self::BatchInterrupted,
        Self::RecallOverdue,
        Self::EffectFailed,
        Self::UnmatchedMessage,
        Self::UnknownStatus,
        Self::ImplausibleMessage,
        Self::WebhookGivenUp,
        Self::LogBehind,
        Self::LogDamaged,
        Self::StoreDamaged,
        Self::DetokenizeAnomaly,
        Self::AmountDiffers,
        Self::MissingThere,
        Self::MissingHere,
        Self::Duplicate,
        Self::UnknownReference,
        Self::Currency,
        Self::BrokenStatement,
        Self::ConflictingStatus,
        Self::Ambiguous,
        Self::SecondLook,
        Self::ModelDrift,
        Self::AppClaim,
        Self::SourceUnreachable,
        Self::Late,
        Self::WrongAccount,
        Self::FeeDiffers,
        Self::AppClaimDue,
        Self::AppClaimOverdue,
    ];

    /// As it is written in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Contradiction => "contradiction",
            Self::Unresolved => "unresolved",
            Self::BatchInterrupted => "batch_interrupted",
            Self::RecallOverdue => "recall_overdue",
            Self::EffectFailed => "effect_failed",
            Self::UnmatchedMessage => "unmatched_message",
            Self::UnknownStatus => "unknown_status",
            Self::ImplausibleMessage => "implausible_message",
            Self::WebhookGivenUp => "webhook_given_up",
            Self::LogBehind => "log_behind",
            Self::LogDamaged => "log_damaged",
            Self::StoreDamaged => "store_damaged",
            Self::DetokenizeAnomaly => "detokenize_anomaly",
            Self::AmountDiffers => "amount_differs",
            Self::MissingThere => "missing_there",
            Self::MissingHere => "missing_here",
            Self::Duplicate => "duplicate",
            Self::UnknownReference => "unknown_reference",
            Self::Currency => "currency",
            Self::BrokenStatement => "broken_statement",
            Self::ConflictingStatus => "conflicting_status",
            Self::Ambiguous => "ambiguous",
            Self::SecondLook => "second_look",
            Self::ModelDrift => "model_drift",
            Self::AppClaim => "app_claim",
            Self::SourceUnreachable => "source_unreachable",
            Self::Late => "late",
            Self::WrongAccount => "wrong_account",
            Self::FeeDiffers => "fee_differs",
            Self::AppClaimDue => "app_claim_due",
            Self::AppClaimOverdue => "app_claim_overdue",
        }
    }

    /// The kind of a break of reconciliation.
    #[must_use]
    pub const fn of_break(kind: BreakKind) -> Self {
        match kind {
            BreakKind::AmountDiffers => Self::AmountDiffers,
            BreakKind::FeeDiffers => Self::FeeDiffers,
            BreakKind::MissingThere => Self::MissingThere,
            BreakKind::Late => Self::Late,
            BreakKind::MissingHere => Self::MissingHere,
            BreakKind::Duplicate => Self::Duplicate,
            BreakKind::UnknownReference => Self::UnknownReference,
            BreakKind::Currency => Self::Currency,
            BreakKind::BrokenStatement => Self::BrokenStatement,
            BreakKind::WrongAccount => Self::WrongAccount,
            BreakKind::ConflictingStatus => Self::ConflictingStatus,
            BreakKind::Ambiguous => Self::Ambiguous,
        }
    }

    /// Whether it is over when its line or payment is matched after all.
    #[must_use]
    pub const fn closes_by_a_match(self) -> bool {
        matches!(
            self,
            Self::AmountDiffers
                | Self::MissingThere
                | Self::MissingHere
                | Self::UnknownReference
                | Self::Currency
                | Self::BrokenStatement
                | Self::WrongAccount
                | Self::Ambiguous
        )
    }

    /// What a person can do about it; the first is what mostly helps.
    #[must_use]
    pub const fn actions(self) -> &'static [&'static str] {
        match self {
            Self::AmountDiffers => &["ask", "write_off", "ignore"],
            Self::MissingHere | Self::UnknownReference => &["link", "suspense", "ask", "ignore"],
            Self::Duplicate | Self::Currency | Self::ConflictingStatus => {
                &["ask", "suspense", "ignore"]
            }
            Self::Ambiguous => &["link", "ask", "ignore"],
            Self::Contradiction => &["compensate", "write_off", "ask", "ignore"],
            Self::Unresolved => &[
                "enquire",
                "resubmit",
                "mark_paid",
                "mark_not_paid",
                "ask",
                "ignore",
            ],
            Self::EffectFailed => &["reprocess", "resubmit", "ask", "ignore"],
            Self::WebhookGivenUp => &["reprocess", "ask", "ignore"],
            Self::RecallOverdue => &["enquire", "ask", "ignore"],
            _ => &["ask", "ignore"],
        }
    }
}

impl Kind {
    /// How bad it is, as the API has it.
    #[must_use]
    pub const fn severity(self) -> &'static str {
        if self.is_urgent() { "high" } else { "normal" }
    }

    /// Whether a person must be told within a minute: money may be wrong, or cannot move, or
    /// somebody may be reading what he should not.
    #[must_use]
    pub const fn is_urgent(self) -> bool {
        match self {
            Self::Contradiction
            | Self::Unresolved
            | Self::BatchInterrupted
            | Self::RecallOverdue
            | Self::EffectFailed
            | Self::UnmatchedMessage
            | Self::UnknownStatus
            | Self::ImplausibleMessage
            | Self::LogBehind
            | Self::LogDamaged
            | Self::StoreDamaged
            | Self::DetokenizeAnomaly
            | Self::ConflictingStatus
            | Self::SecondLook
            | Self::SourceUnreachable
            | Self::AppClaimOverdue => true,
            // The day's work of whoever closes it.
            Self::WebhookGivenUp
            | Self::AmountDiffers
            | Self::MissingThere
            | Self::MissingHere
            | Self::Duplicate
            | Self::UnknownReference
            | Self::Currency
            | Self::BrokenStatement
            | Self::Ambiguous
            | Self::Late
            | Self::WrongAccount
            | Self::FeeDiffers
            | Self::ModelDrift
            | Self::AppClaim
            | Self::AppClaimDue => false,
        }
    }
}
