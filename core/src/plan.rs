//! Deciding. A command and what is known become the writes to make, or the reads still needed.
//!
//! Pure: the same command over the same snapshot at the same time is the same plan. Everything
//! that a payment does to the store is decided here, in one write set; a runtime only reads,
//! commits, and carries out what the committed events ask for.
//!
//! **Shape.** [`plan`] is asked again and again: each time it either asks for more keys or
//! decides. A runtime that decides on one writer answers the reads from memory; an optimistic one
//! reads everything again, of one moment, before each decision, and commits under guard.

mod accounts;
mod authority;
mod books;
mod charged;
mod charges;
mod draft;
mod holds;
pub mod keys;
mod parties;
mod pay;
mod payments;
mod providers;
mod reading;
mod recalls;
mod reconciled;
mod repairs;
mod returns;
mod risk;
mod rollup;
mod sca;
mod timers;

use crate::{
    command::{Act, Command, Rejection, Render, Reply},
    store::{Key, Snapshot, WriteSet},
    time::Timestamp,
};
use draft::{Draft, Stop};

pub use rollup::fitting;
pub use timers::{ENQUIRIES_MAX, enquiry_delay_ms};

/// What a plan may know beside the snapshot.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The moment of the decision.
    pub now: Timestamp,
    /// How answers are written.
    pub render: &'a dyn Render,
}

/// What must be done about a command.
#[derive(Debug)]
pub enum Step {
    /// These must be read before anything can be decided.
    Read(Reads),
    /// Write this; then, and only then, say that.
    Commit(WriteSet, Reply),
    /// This was decided before, or there is nothing to decide. Say it again.
    Replay(Reply),
}

/// Keys to read, all of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// The decision holds only while these are unchanged.
    pub guarded: Vec<Key>,
    /// The decision may be a moment behind these.
    pub hints: Vec<Key>,
}

/// Decides.
///
/// # Errors
/// [`Rejection`] says why the command is not carried out.
pub fn plan(
    snapshot: &Snapshot,
    command: &Command,
    context: Context<'_>,
) -> Result<Step, Rejection> {
    let mut draft = Draft::new(snapshot, command, context);
    match decide(&mut draft, &command.act) {
        Ok(reply) => Ok(draft.finish(reply)),
        Err(Stop::Missing) => Ok(Step::Read(draft.into_reads())),
        Err(Stop::Decided(reply)) => Ok(Step::Replay(reply)),
        Err(Stop::Rejected(rejection)) => Err(rejection),
    }
}

fn decide(draft: &mut Draft<'_>, act: &Act) -> Result<Reply, Stop> {
    // What a decision surely needs is asked for at once, so that most commands read one time.
    draft.foresee(act);
    draft.answered_before()?;
    match act {
        Act::OpenAccount(open) => accounts::open(draft, open),
        Act::CloseAccount(id) => accounts::close(draft, *id),
        Act::PostLegs(post) => accounts::post_legs(draft, post),
        Act::PlaceHold(place) => holds::place(draft, place),
        Act::PostHold(id, amount) => holds::post(draft, *id, *amount),
        Act::VoidHold(id) => holds::void(draft, *id),
        Act::Pay(pay) => pay::pay(draft, pay),
        Act::Receive(receive) => payments::receive(draft, receive),
        Act::Cancel(id) => payments::cancel(draft, *id),
        Act::Verify(id, answer) => payments::verify(draft, *id, answer),
        Act::Challenge(id) => sca::challenge(draft, *id),
        Act::AnswerChallenge(id, asked, right) => sca::answer(draft, *id, asked, *right),
        Act::RetryFunds(id) => payments::retry_funds(draft, *id),
        Act::RetryParties(id) => parties::retry(draft, *id),
        Act::Report(id, report) => payments::report(draft, *id, report),
        Act::Return(wish) => returns::give_back(draft, wish),
        Act::ReceiveReturn(news) => returns::take_back(draft, news),
        Act::Charge(make) => charges::make(draft, make),
        Act::Capture(id, amount) => charges::capture(draft, *id, *amount),
        Act::Void(id) => charges::void(draft, *id),
        Act::Reroute(id, provider) => charges::reroute(draft, *id, provider),
        Act::AskRecall(id, reason, case) => recalls::ask(draft, *id, *reason, case),
        Act::ReceiveRecall(id, wish) => recalls::receive(draft, *id, wish),
        Act::RefuseRecall(id, code) => recalls::refuse(draft, *id, code),
        Act::Hear(heard) => providers::hear(draft, heard),
        Act::TakeLines(lines) => reconciled::take_all(draft, lines),
        Act::Repair(repair) => repairs::repair(draft, repair),
        Act::Fire(timer) => timers::fire(draft, timer),
        Act::RollUp(rollup) => rollup::roll_up(draft, rollup),
    }
}
