//! The life of a payment, as one pure function: [`apply`].
//!
//! A [`Stage`] is finer than the six published statuses: it also says what a payment waits for
//! and whether its outcome is in doubt. Every stage has exactly one [`Status`], and every stage
//! that is not final has a [`Pending`] reason. `core/tests/it/transitions.txt` is the whole
//! table, generated; a change to the lifecycle is a diff that a payments person can read.

mod status;

use serde::{Deserialize, Serialize};

pub use status::{Pending, Status};

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Not yet accepted. Never stored.
    New,
    /// Waits for a person: strong customer authentication, a review, a payee check.
    Verifying,
    /// Waits for the day on which it is to be carried out. No money is held for it until then.
    Scheduled,
    /// Waits until the debtor's account has the money.
    AwaitingFunds,
    /// Its money is held; it has not left us. May still be cancelled.
    Held,
    /// The same after it waited for a person or for money: it is no longer just initiated.
    Queued,
    /// It has left us; the rail owes an answer.
    Submitted,
    /// The rail did not answer in time. Money may have moved. The hold stays.
    InDoubt,
    /// Of a charge: the card's bank promises the money, and it is to be captured or let go of.
    Authorised,
    /// The rail gave its final yes; the money is posted.
    Cleared,
    /// Reconciliation found it at the settlement agent.
    Settled,
    /// Money never moved. Final.
    Failed,
    /// Money moved and moved back. Final.
    Reversed,
}

impl Stage {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 13] = [
        Self::New,
        Self::Verifying,
        Self::Scheduled,
        Self::AwaitingFunds,
        Self::Held,
        Self::Queued,
        Self::Submitted,
        Self::InDoubt,
        Self::Authorised,
        Self::Cleared,
        Self::Settled,
        Self::Failed,
        Self::Reversed,
    ];

    /// What is published of it.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::New | Self::Held => Status::Initiated,
            Self::Verifying
            | Self::Scheduled
            | Self::AwaitingFunds
            | Self::Queued
            | Self::Submitted
            | Self::InDoubt
            | Self::Authorised => Status::AuthPending,
            Self::Cleared => Status::Cleared,
            Self::Settled => Status::Settled,
            Self::Failed => Status::Failed,
            Self::Reversed => Status::Reversed,
        }
    }

    /// What it waits for; `None` once the rail has given its final answer.
    #[must_use]
    pub const fn pending(self) -> Option<Pending> {
        match self {
            Self::Verifying => Some(Pending::Verification),
            Self::AwaitingFunds => Some(Pending::Funds),
            Self::New
            | Self::Scheduled
            | Self::Held
            | Self::Queued
            | Self::Submitted
            | Self::InDoubt
            | Self::Authorised => Some(Pending::Rails),
            Self::Cleared | Self::Settled | Self::Failed | Self::Reversed => None,
        }
    }

    /// Whether nothing can happen to it any more.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Failed | Self::Reversed)
    }

    /// Whether its money is held for the rail: the outcome is open and nothing is posted.
    #[must_use]
    pub const fn is_held(self) -> bool {
        matches!(
            self,
            Self::Held | Self::Queued | Self::Submitted | Self::InDoubt | Self::Authorised
        )
    }

    /// Whether its money has moved, be it back again.
    #[must_use]
    pub const fn has_moved(self) -> bool {
        matches!(self, Self::Cleared | Self::Settled | Self::Reversed)
    }

    /// Whether the rail's answer is known, one way or the other.
    #[must_use]
    pub const fn is_decided(self) -> bool {
        self.pending().is_none()
    }
}

/// What happened to a payment. Past tense: news is a fact, never refused for being unwelcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// Somebody must confirm it first.
    VerificationNeeded,
    /// It is to be carried out on a later day.
    Scheduled,
    /// The account lacks the money and the payment may wait.
    FundsMissing,
    /// Accepted for a rail; its money can be held.
    Accepted,
    /// Both accounts are ours; its money can move at once.
    BookAccepted,
    /// It came in over a rail.
    Received,
    /// Our own rules, a check or the want of money refuse it.
    Refused,
    /// Its owner took it back.
    Cancelled,
    /// It waited too long.
    Expired,
    /// It is about to leave us: noted before it does, so that no cancel can cross it.
    Submitted,
    /// Of a charge: the card's bank promises the money.
    Authorised,
    /// Of a charge: its money is to be captured, or let go of.
    CompletionAsked,
    /// Of a charge: the provider did neither; the promise stands.
    CompletionRefused,
    /// The rail's final yes.
    RailAccepted,
    /// The rail's final no.
    RailRejected,
    /// The rail did not answer in time.
    TimedOut,
    /// Asked for it, the rail knows nothing of it: it can be sent again under the same id.
    NeverArrived,
    /// Reconciliation found it.
    SettlementFound,
    /// A part of the money came or went back.
    PartReturned,
    /// All of the money came or went back.
    FullyReturned,
}

impl Happened {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::VerificationNeeded,
        Self::Scheduled,
        Self::FundsMissing,
        Self::Accepted,
        Self::BookAccepted,
        Self::Received,
        Self::Refused,
        Self::Cancelled,
        Self::Expired,
        Self::Submitted,
        Self::Authorised,
        Self::CompletionAsked,
        Self::CompletionRefused,
        Self::RailAccepted,
        Self::RailRejected,
        Self::TimedOut,
        Self::NeverArrived,
        Self::SettlementFound,
        Self::PartReturned,
        Self::FullyReturned,
    ];
}

/// What must now be done. Effects on the books are written with the new stage; effects on the
/// world are read from the change feed by a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Books: promise the money.
    Hold,
    /// Books: make the promise good.
    Post,
    /// Books: take the promise back.
    Void,
    /// Books: move the money at once.
    Move,
    /// Books: undo what was posted.
    Undo,
    /// Books: from clearing to settlement.
    Settle,
    /// World: send the instruction to the rail.
    Submit,
    /// World: ask the rail what became of it.
    Enquire,
    /// World: what we hear contradicts what we did. A person must look.
    Contradiction,
}

/// What a piece of news does to a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The payment moves to a stage (which may be its own), with these effects.
    Moves(Stage, &'static [Effect]),
    /// Late or repeated: recorded and acknowledged, nothing moves.
    Noted,
    /// It cannot be asked of a payment at this stage.
    Impossible,
}

/// What `news` does to a payment at `stage`.
///
/// Nothing moves a payment backwards. A no after the final yes reverses it and never fails it; a
/// yes after a failure is recorded and shown to a person, because our books say otherwise.
#[must_use]
pub const fn apply(stage: Stage, news: Happened) -> Verdict {
    use Effect::{Contradiction, Enquire, Hold, Move, Post, Settle, Submit, Undo, Void};
    use Happened as H;
    use Stage as S;
    use Verdict::{Impossible, Moves, Noted};
    match (stage, news) {
        (S::New, H::VerificationNeeded) => Moves(S::Verifying, &[]),
        (S::New | S::Verifying, H::Scheduled) => Moves(S::Scheduled, &[]),
        (S::New | S::Verifying | S::Scheduled, H::FundsMissing) => Moves(S::AwaitingFunds, &[]),
        (S::AwaitingFunds, H::FundsMissing) => Noted,
        (S::New, H::Accepted) => Moves(S::Held, &[Hold, Submit]),
        (S::Verifying | S::Scheduled | S::AwaitingFunds, H::Accepted) => {
            Moves(S::Queued, &[Hold, Submit])
        }
        (S::New | S::Verifying | S::Scheduled | S::AwaitingFunds, H::BookAccepted) => {
            Moves(S::Cleared, &[Move])
        }
        (S::New, H::Received) => Moves(S::Cleared, &[Move]),
        (S::New | S::Verifying | S::Scheduled | S::AwaitingFunds, H::Refused) => {
            Moves(S::Failed, &[])
        }

        // Until it leaves us its owner may take it back, and it may grow too old.
        (S::Verifying | S::Scheduled | S::AwaitingFunds, H::Cancelled | H::Expired) => {
            Moves(S::Failed, &[])
        }
        (S::Held | S::Queued, H::Cancelled | H::Expired) => Moves(S::Failed, &[Void]),
        (S::Failed, H::Cancelled | H::Expired) => Noted,

        (S::Held | S::Queued, H::Submitted) => Moves(S::Submitted, &[]),
        // A worker that crashed between the note and the call sends again, under the same id.
        (S::Submitted | S::InDoubt, H::Submitted) => Noted,

        // A charge is sent twice: to be promised, and to be captured or let go of.
        (S::Held | S::Queued | S::Submitted | S::InDoubt, H::Authorised) => {
            Moves(S::Authorised, &[])
        }
        (S::Authorised, H::CompletionAsked) => Moves(S::Submitted, &[Submit]),
        (S::Submitted | S::InDoubt, H::CompletionRefused) => Moves(S::Authorised, &[]),
        (S::Authorised, H::Submitted | H::Authorised | H::CompletionRefused) => Noted,
        (S::Authorised, H::TimedOut | H::NeverArrived) => Noted,
        (
            S::Cleared | S::Settled | S::Failed | S::Reversed,
            H::Authorised | H::CompletionRefused,
        ) => Noted,

        (S::Held | S::Queued | S::Submitted | S::InDoubt | S::Authorised, H::RailAccepted) => {
            Moves(S::Cleared, &[Post])
        }
        (S::Held | S::Queued | S::Submitted | S::InDoubt | S::Authorised, H::RailRejected) => {
            Moves(S::Failed, &[Void])
        }
        (S::Held | S::Queued | S::Submitted, H::TimedOut) => Moves(S::InDoubt, &[Enquire]),
        // The next enquiry is set by the timer of the last.
        (S::InDoubt, H::TimedOut) => Noted,
        (S::Submitted | S::InDoubt, H::NeverArrived) => Moves(S::Submitted, &[Submit]),

        // Rails repeat themselves, and answer late.
        (S::Cleared | S::Settled | S::Reversed, H::RailAccepted) => Noted,
        (S::Cleared | S::Settled, H::RailRejected) => Moves(S::Reversed, &[Undo]),
        (S::Failed | S::Reversed, H::RailRejected) => Noted,
        (S::Failed, H::RailAccepted) => Moves(S::Failed, &[Contradiction]),
        (
            S::Cleared | S::Settled | S::Failed | S::Reversed,
            H::Submitted | H::TimedOut | H::NeverArrived,
        ) => Noted,

        (S::Cleared, H::SettlementFound) => Moves(S::Settled, &[Settle]),
        (S::Settled | S::Reversed, H::SettlementFound) => Noted,
        // The settlement agent paid for what we hold to be undone. (For what we still wait for,
        // the settlement is the rail's yes as well: the plan takes in both, one after the other.)
        (S::Failed, H::SettlementFound) => Moves(S::Failed, &[Contradiction]),

        (S::Cleared, H::PartReturned) => Moves(S::Cleared, &[]),
        (S::Settled, H::PartReturned) => Moves(S::Settled, &[]),
        (S::Cleared | S::Settled, H::FullyReturned) => Moves(S::Reversed, &[]),

        // What remains cannot be asked at that stage. The list is complete, so that a new stage
        // or a new event must be thought about in every row.
        (S::New, H::Cancelled | H::Expired | H::Submitted | H::RailAccepted | H::RailRejected)
        | (S::New, H::TimedOut | H::NeverArrived | H::SettlementFound)
        | (S::New, H::PartReturned | H::FullyReturned)
        | (S::Scheduled | S::AwaitingFunds, H::Scheduled)
        | (S::Verifying | S::Scheduled | S::AwaitingFunds, H::VerificationNeeded | H::Received)
        | (S::Verifying | S::Scheduled | S::AwaitingFunds, H::Submitted | H::RailAccepted)
        | (S::Verifying | S::Scheduled | S::AwaitingFunds, H::RailRejected | H::TimedOut)
        | (S::Verifying | S::Scheduled | S::AwaitingFunds, H::NeverArrived | H::SettlementFound)
        | (S::Verifying | S::Scheduled | S::AwaitingFunds, H::PartReturned | H::FullyReturned)
        | (
            S::Held | S::Queued | S::Submitted | S::InDoubt | S::Authorised | S::Cleared,
            H::Scheduled,
        )
        | (S::Settled | S::Failed | S::Reversed, H::Scheduled)
        | (
            S::New | S::Verifying | S::Scheduled | S::AwaitingFunds,
            H::Authorised | H::CompletionAsked | H::CompletionRefused,
        )
        | (S::Held | S::Queued, H::CompletionAsked | H::CompletionRefused)
        | (S::Submitted | S::InDoubt, H::CompletionAsked)
        | (S::Cleared | S::Settled | S::Failed | S::Reversed, H::CompletionAsked)
        | (
            S::Held | S::Queued,
            H::VerificationNeeded | H::FundsMissing | H::Accepted | H::BookAccepted,
        )
        | (S::Held | S::Queued, H::Received | H::Refused | H::NeverArrived | H::SettlementFound)
        | (S::Held | S::Queued, H::PartReturned | H::FullyReturned)
        | (
            S::Submitted | S::InDoubt | S::Authorised,
            H::VerificationNeeded | H::FundsMissing | H::Accepted,
        )
        | (S::Submitted | S::InDoubt | S::Authorised, H::BookAccepted | H::Received | H::Refused)
        | (S::Submitted | S::InDoubt | S::Authorised, H::Cancelled | H::Expired)
        | (S::Submitted | S::InDoubt | S::Authorised, H::SettlementFound)
        | (S::Submitted | S::InDoubt | S::Authorised, H::PartReturned | H::FullyReturned)
        | (S::Cleared | S::Settled, H::VerificationNeeded | H::FundsMissing | H::Accepted)
        | (S::Cleared | S::Settled, H::BookAccepted | H::Received | H::Refused)
        | (S::Cleared | S::Settled, H::Cancelled | H::Expired)
        | (S::Failed | S::Reversed, H::VerificationNeeded | H::FundsMissing | H::Accepted)
        | (S::Failed | S::Reversed, H::BookAccepted | H::Received | H::Refused)
        | (S::Failed, H::PartReturned | H::FullyReturned)
        | (S::Reversed, H::Cancelled | H::Expired | H::PartReturned | H::FullyReturned) => {
            Impossible
        }
    }
}
