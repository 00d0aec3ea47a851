//! Which step may lead where: the design's table of transitions, written down a second time.
//!
//! News that moves nothing leaves the stage as it is and is always allowed. What is not listed
//! here may not happen.

use lombard_core::{
    event::News,
    lifecycle::{Happened, Stage},
};

/// Whether `news` may lead from one stage to another.
pub const fn allowed(from: Stage, news: News, to: Stage) -> bool {
    use Happened as H;
    use Stage as S;
    let News::Step(happened) = news else {
        // What happens beside the lifecycle leaves it alone.
        return same(from, to);
    };
    match (from, to) {
        (S::New, S::Verifying) => matches!(happened, H::VerificationNeeded),
        (S::New | S::Verifying, S::Scheduled) => matches!(happened, H::Scheduled),
        (S::New | S::Verifying | S::Scheduled, S::AwaitingFunds) => {
            matches!(happened, H::FundsMissing)
        }
        (S::New, S::Held) | (S::Verifying | S::Scheduled | S::AwaitingFunds, S::Queued) => {
            matches!(happened, H::Accepted)
        }
        (S::New, S::Cleared) => matches!(happened, H::BookAccepted | H::Received),
        (S::Verifying | S::Scheduled | S::AwaitingFunds, S::Cleared) => {
            matches!(happened, H::BookAccepted)
        }
        (S::New, S::Failed) => matches!(happened, H::Refused),
        // Before it leaves us, its owner, its age and our own rules may end it.
        (S::Verifying | S::Scheduled | S::AwaitingFunds, S::Failed) => {
            matches!(happened, H::Refused | H::Cancelled | H::Expired)
        }
        // What was accepted does not grow too old any more; its owner may still take it back.
        (S::Held | S::Queued, S::Failed) => matches!(happened, H::Cancelled | H::RailRejected),
        (S::Held | S::Queued, S::Submitted) => matches!(happened, H::Submitted),
        // Once it has left us only the rail's own no may fail it; silence never does.
        (S::Submitted | S::InDoubt, S::Failed) => matches!(happened, H::RailRejected),
        (S::Held | S::Queued | S::Submitted | S::InDoubt, S::Cleared) => {
            matches!(happened, H::RailAccepted)
        }
        (S::Held | S::Queued | S::Submitted, S::InDoubt) => matches!(happened, H::TimedOut),
        (S::InDoubt, S::Submitted) => matches!(happened, H::NeverArrived),
        (S::Cleared, S::Settled) => matches!(happened, H::SettlementFound),
        (S::Cleared | S::Settled, S::Reversed) => {
            matches!(happened, H::RailRejected | H::FullyReturned)
        }
        _ => same(from, to) && !matches!(from, S::New),
    }
}

const fn same(from: Stage, to: Stage) -> bool {
    from as u8 == to as u8
}
