//! What happened to a payment, as one record each: its timeline, its outgoing events and its
//! outbox are the same list.
//!
//! **Shape.** A commit that changes a payment creates one [`Event`] for each piece of news, in the
//! payment's own partition, numbered from 1 without gaps. Workers find them in the change feed
//! and carry out their effects; webhooks and `/v1/events` publish them; the console shows them.
//! An event has no personal data and never changes.

use serde::{Deserialize, Serialize};

use crate::{
    id::{Id, Named},
    lifecycle::{Effect, Happened, Pending, Stage, Status},
    payment::Payment,
    reason::Reason,
    time::Timestamp,
};

/// One piece of news about one payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// `evt_…`.
    pub id: Id<Event>,
    /// Of which payment.
    pub payment: Id<Payment>,
    /// Its place in the payment's timeline, from 1.
    pub number: u32,
    /// When it was committed.
    pub at: Timestamp,
    /// What happened.
    pub news: News,
    /// Where the payment stands afterwards.
    pub stage: Stage,
    /// Whether that is elsewhere than before.
    pub moved: bool,
    /// Where it stood before, if that was elsewhere; of events that are older than this member it is
    /// what the event before says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Stage>,
    /// Why, where there is a why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The outside world's own code behind `reason`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<String>,
    /// Minor units that this news is about, where it is not the whole payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<u64>,
    /// Who made it happen: `key/…`, `rail/fps`, `worker/enquiry`, `operator/…`.
    pub actor: String,
    /// The W3C trace id of the request or message that brought the news.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// What workers must now do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<Errand>,
}

impl Named for Event {
    const PREFIX: &'static str = "evt";
}

/// What can happen: a step of the lifecycle, or something beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", untagged)]
pub enum News {
    /// A step of the lifecycle; see [`crate::lifecycle::apply`].
    Step(Happened),
    /// Something that leaves the lifecycle alone.
    Beside(Beside),
}

/// What happens beside the lifecycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Beside {
    /// We asked for the money back.
    RecallAsked,
    /// The other bank asks for the money back.
    RecallReceived,
    /// A recall was not answered within the scheme's time.
    RecallOverdue,
    /// A recall was granted.
    RecallGranted,
    /// A recall was refused.
    RecallRefused,
    /// A return of this payment's money is on its way.
    ReturnStarted,
    /// A return of this payment's money did not get through.
    ReturnFailed,
    /// The payer disputes a charge.
    DisputeOpened,
    /// The money that a dispute had taken is with us again.
    DisputeWon,
}

/// What a worker must do about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Errand {
    /// Send the instruction to the rail.
    Submit,
    /// Open an exception: the news contradicts the books.
    Contradiction,
    /// Open an exception: the enquiries are used up and the outcome is still unknown.
    Unresolved,
    /// Send the rail our request for the money back.
    AskRecall,
    /// Tell the rail that we refuse a recall.
    RefuseRecall,
    /// Open an exception: nobody answered a recall in time.
    RecallOverdue,
}

impl Errand {
    /// The errand behind an effect, if a worker does it. Enquiries have timers instead.
    #[must_use]
    pub const fn of(effect: Effect) -> Option<Self> {
        match effect {
            Effect::Submit => Some(Self::Submit),
            Effect::Contradiction => Some(Self::Contradiction),
            Effect::Enquire
            | Effect::Hold
            | Effect::Post
            | Effect::Void
            | Effect::Move
            | Effect::Undo
            | Effect::Settle => None,
        }
    }
}

impl Event {
    /// The published type, such as `payment.cleared`; part of the API.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self.news {
            News::Beside(Beside::RecallAsked) => "payment.recall_asked",
            News::Beside(Beside::RecallReceived) => "payment.recall_received",
            News::Beside(Beside::RecallOverdue) => "payment.recall_overdue",
            News::Beside(Beside::RecallGranted) => "payment.recall_granted",
            News::Beside(Beside::RecallRefused) => "payment.recall_refused",
            News::Beside(Beside::ReturnStarted) => "payment.return_started",
            News::Beside(Beside::ReturnFailed) => "payment.return_failed",
            News::Beside(Beside::DisputeOpened) => "payment.dispute_opened",
            News::Beside(Beside::DisputeWon) => "payment.dispute_won",
            News::Step(Happened::PartReturned) => "payment.returned",
            News::Step(_) if !self.moved => "payment.noted",
            News::Step(_) => match self.stage.status() {
                Status::Initiated => "payment.initiated",
                Status::AuthPending => "payment.auth_pending",
                Status::Cleared => "payment.cleared",
                Status::Settled => "payment.settled",
                Status::Failed => "payment.failed",
                Status::Reversed => "payment.reversed",
            },
        }
    }

    /// The published status afterwards.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.stage.status()
    }

    /// What the payment waits for afterwards.
    #[must_use]
    pub const fn pending(&self) -> Option<Pending> {
        self.stage.pending()
    }
}

/// Every published type, for the documentation and for endpoints that choose among them.
pub const KINDS: [&str; 17] = [
    "payment.initiated",
    "payment.auth_pending",
    "payment.cleared",
    "payment.settled",
    "payment.failed",
    "payment.reversed",
    "payment.returned",
    "payment.noted",
    "payment.recall_asked",
    "payment.recall_received",
    "payment.recall_overdue",
    "payment.recall_granted",
    "payment.recall_refused",
    "payment.return_started",
    "payment.return_failed",
    "payment.dispute_opened",
    "payment.dispute_won",
];
