//! Why a command is not carried out.

use crate::{lifecycle::Stage, mandate::Exceeded};

/// Why a command is not carried out. Nothing is written; asking again may be answered otherwise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such thing, or it is another tenant's.
    #[error("there is no {what} {id}")]
    NotFound {
        /// `account`, `payment`, `hold`.
        what: &'static str,
        /// Which was asked for.
        id: String,
    },
    /// The thing was made before, by another request.
    #[error("{id} exists already")]
    Exists {
        /// Which.
        id: String,
    },
    /// The key was used for another request.
    #[error("the idempotency key was used for a different request")]
    KeyReused,
    /// The books refuse it.
    #[error(transparent)]
    Ledger(#[from] crate::ledger::LedgerError),
    /// The payment is at a stage at which this cannot be done.
    #[error("a payment that is {} cannot be {wish}", .stage.status().name())]
    WrongStage {
        /// Where it stands.
        stage: Stage,
        /// `cancelled`, `returned`, `recalled`, ….
        wish: &'static str,
    },
    /// The payment is of a kind with which this cannot be done.
    #[error("{what}")]
    WrongKind {
        /// Why.
        what: &'static str,
    },
    /// More has happened to the payment than whoever decides has seen.
    #[error("the payment changed since it was looked at")]
    Changed,
    /// More would go back than remains.
    #[error("{remaining} minor units of the payment can still be returned, not {asked}")]
    MoreThanRemains {
        /// What can.
        remaining: u64,
        /// What was asked.
        asked: u64,
    },
    /// A hold that has ended.
    #[error("the hold has ended ({state})")]
    HoldEnded {
        /// `posted`, `voided`, `expired`.
        state: &'static str,
    },
    /// More would be posted than is held.
    #[error("{held} minor units are held, fewer than {asked}")]
    MoreThanHeld {
        /// What is held.
        held: u64,
        /// What was asked.
        asked: u64,
    },
    /// An account that still has something in it.
    #[error("the account has money in it or pending")]
    AccountNotEmpty,
    /// Both sides are the same account.
    #[error("an account cannot pay itself")]
    SameAccount,
    /// An address that another account has.
    #[error("another account has this address")]
    AliasTaken,
    /// There is no open recall to answer.
    #[error("the payment has no open recall")]
    NoOpenRecall,
    /// There is an open recall already, or there was one.
    #[error("the payment was recalled before")]
    RecalledBefore,
    /// The scheme's time for a recall of this reason is over.
    #[error("a payment could be recalled for this reason until {until}")]
    RecallTooLate {
        /// The last day, in UTC.
        until: String,
    },
    /// A mandate does not cover the payment.
    #[error("{0} (rule `{code}`)", code = .0.code())]
    Mandate(Exceeded),
    /// Who gave the order cannot approve it.
    #[error("somebody else than who gave the order must approve it")]
    OwnApproval,
}
