//! What a provider can tell us of a payment, whatever it calls it.

use serde::{Deserialize, Serialize};

/// What a provider's status or event means to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// Nothing about the state of a payment: recorded, nothing else.
    Noted,
    /// The payer (or we) must do something before it goes on.
    ActionNeeded,
    /// A try failed; the payment is open, and may be tried again.
    TryFailed,
    /// It is under way at the provider.
    Processing,
    /// The money is promised: an authorisation, or funds that are assured and not taken yet.
    Authorised,
    /// Final yes: the money was taken for us (cards, direct debit) or left for the payee (transfers).
    Captured,
    /// A capture that was accepted, and then failed.
    CaptureFailed,
    /// A capture, or a cancel, was not accepted; the promise stands.
    CompletionRefused,
    /// Final no by a bank, scheme or provider. After a final yes: the money came back.
    Refused,
    /// Ended by us or the payer before money moved.
    Cancelled,
    /// Ended by time before money moved.
    Expired,
    /// A refund was asked for and is on its way.
    RefundPending,
    /// A refund was paid.
    Refunded,
    /// The sum of what was refunded so far, as the provider counts it.
    RefundedSoFar,
    /// A refund failed; its money is with us again.
    RefundFailed,
    /// The money came back after a final yes: a return, a bounce.
    Returned,
    /// A dispute was opened, or an inquiry; no money has moved for it.
    DisputeOpened,
    /// The money of a dispute was taken from us.
    ChargedBack,
    /// The money of a dispute was given back to us.
    ChargebackReversed,
    /// It was taken a second time.
    SecondChargeback,
    /// A dispute ended for us.
    DisputeWon,
    /// A dispute ended against us.
    DisputeLost,
    /// A card scheme or a provider suspects fraud.
    FraudWarning,
    /// The provider says it is in a payout to us: to be found in a statement.
    PaidOut,
    /// A payout to us is on its way.
    PayoutSent,
    /// A payout to us failed; its money is with the provider again. May follow `payout_sent`.
    PayoutFailed,
    /// A report is ready to be fetched.
    ReportReady,
}

/// What a piece of news is good for as evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certifies {
    /// Nothing about money.
    Nothing,
    /// That the money is promised.
    Authorisation,
    /// That the instruction was carried out.
    Execution,
    /// That money moved between accounts at a bank.
    Settlement,
}

impl News {
    /// All of them.
    pub const ALL: [Self; 27] = [
        Self::Noted,
        Self::ActionNeeded,
        Self::TryFailed,
        Self::Processing,
        Self::Authorised,
        Self::Captured,
        Self::CaptureFailed,
        Self::CompletionRefused,
        Self::Refused,
        Self::Cancelled,
        Self::Expired,
        Self::RefundPending,
        Self::Refunded,
        Self::RefundedSoFar,
        Self::RefundFailed,
        Self::Returned,
        Self::DisputeOpened,
        Self::ChargedBack,
        Self::ChargebackReversed,
        Self::SecondChargeback,
        Self::DisputeWon,
        Self::DisputeLost,
        Self::FraudWarning,
        Self::PaidOut,
        Self::PayoutSent,
        Self::PayoutFailed,
        Self::ReportReady,
    ];

    /// Which part of a payment it speaks of.
    #[must_use]
    pub const fn part(self) -> Part {
        match self {
            Self::Captured | Self::CaptureFailed => Part::Capture,
            Self::RefundPending | Self::Refunded | Self::RefundFailed => Part::Refund,
            Self::DisputeOpened
            | Self::ChargedBack
            | Self::ChargebackReversed
            | Self::SecondChargeback
            | Self::DisputeWon
            | Self::DisputeLost => Part::Dispute,
            Self::PayoutSent | Self::PayoutFailed => Part::Payout,
            Self::Noted
            | Self::ActionNeeded
            | Self::TryFailed
            | Self::Processing
            | Self::Authorised
            | Self::CompletionRefused
            | Self::Refused
            | Self::Cancelled
            | Self::Expired
            | Self::RefundedSoFar
            | Self::Returned
            | Self::FraudWarning
            | Self::PaidOut
            | Self::ReportReady => Part::Whole,
        }
    }

    /// Whether it is often about a part of the money, and must therefore say how much. News of the
    /// rest that names no amount is about the whole payment.
    #[must_use]
    pub const fn needs_amount(self) -> bool {
        matches!(
            self,
            Self::Refunded | Self::RefundedSoFar | Self::ChargedBack | Self::SecondChargeback
        )
    }

    /// What it certifies, unless a provider's file says less.
    #[must_use]
    pub const fn certifies(self) -> Certifies {
        match self {
            Self::Authorised => Certifies::Authorisation,
            Self::Captured
            | Self::Refunded
            | Self::RefundedSoFar
            | Self::Returned
            | Self::ChargedBack
            | Self::ChargebackReversed
            | Self::SecondChargeback
            | Self::DisputeLost => Certifies::Execution,
            _ => Certifies::Nothing,
        }
    }
}

/// The parts of a payment that have lives of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The payment itself.
    Whole,
    /// One capture of several.
    Capture,
    /// One refund of several.
    Refund,
    /// One dispute of several.
    Dispute,
    /// A payout to us, which holds many payments.
    Payout,
}
