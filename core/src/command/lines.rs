//! What reconciliation asks of the books: what lines of statements came to, in one decision.
//!
//! **Shape.** [`TakeLines`] is one step of a match: the lines that it takes in, the payments that they
//! settle, the money that they show gone back, and the postings beside. A match of more payments
//! than fit into a commit takes its lines in with the first of them, and settles the rest after. Small matches
//! of different payments go into one commit together, each under its own guard.
//!
//! **Invariants.** A line is taken in once: its record is created in the commit that posts what
//! follows from it, so there is no moment at which one is there without the other.

use serde::{Deserialize, Serialize};

use super::ReceiveReturn;
use crate::{
    currency::Currency,
    id::Id,
    journal::Journal,
    ledger::{Leg, Transaction},
    matching::RuleName,
    payment::Payment,
    rail::Rail,
};

/// The most lines of one match. A commit has room for a hundred writes.
pub const LINES_MAX: usize = 40;

/// The most payments that are settled in one commit. Each writes up to seven records: itself, and
/// for the rail's yes and for the settlement a transaction and an event each, an entry and a balance.
pub const SETTLES_MAX: usize = 7;

/// The most records that several steps in one commit may write together.
pub const TOGETHER_MAX: usize = 90;

/// Takes in lines with what follows from them.
#[derive(Clone, Debug, Default)]
pub struct TakeLines {
    /// Whose statement they stand in.
    pub source: String,
    /// At most [`LINES_MAX`]. When one of them was taken in before, nothing of this step is done.
    pub lines: Vec<TakenLine>,
    /// The payments that are settled; at most [`SETTLES_MAX`]. One that is settled stays.
    pub settles: Vec<Id<Payment>>,
    /// Money of a payment that went back. Not of one that `settles` names: that comes before.
    pub returns: Vec<ReceiveReturn>,
    /// What else is posted, between house accounts.
    pub postings: Vec<Posting>,
}

/// A line that is taken in.
#[derive(Clone, Debug, Default)]
pub struct TakenLine {
    /// What it says, as a digest: the same line has the same in whatever file it comes.
    pub digest: String,
    /// Its place in the file, by which the lines of a statement are listed.
    pub place: u32,
    /// The statement that it first stood in, as a digest of that one's name.
    pub statement: String,
    /// What becomes of it.
    pub record: LineRecord,
    /// What it says is on its way to a bank.
    pub payout: Option<Payout>,
}

/// What became of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineRecord {
    /// Minor units of the line.
    pub minor: i64,
    /// By what a person knows it.
    pub reference: String,
    /// The payments that it settled, or of which it showed money gone back; none for what its kind
    /// explains.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payments: Vec<Id<Payment>>,
    /// Whether it settled them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub settles: bool,
    /// By which rule; none for what its kind explains, or a person decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleName>,
    /// The payouts of providers that it is the bank's side of, by their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payouts: Vec<String>,
}

impl LineRecord {
    /// Whether it is money of ours that was awaited, and not what its kind explains.
    #[must_use]
    pub const fn is_of_payments(&self) -> bool {
        !self.payments.is_empty() || !self.payouts.is_empty()
    }
}

/// What a provider paid out, which a bank's statement must show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payout {
    /// `SOURCE/DIGEST`, of the provider and its line.
    pub name: String,
    /// Minor units; positive.
    pub minor: i64,
    /// Of what.
    pub currency: Currency,
    /// When it was sent, as ISO 8601.
    pub day: String,
    /// By what the bank may know it.
    pub references: Vec<String>,
    /// Over the house accounts of which rail it was entered.
    pub rail: Rail,
    /// The bank's line that it came by, as `SOURCE/DIGEST`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrived: Option<String>,
}

/// A transaction beside.
#[derive(Clone, Debug)]
pub struct Posting {
    /// Its id, which follows from its line.
    pub id: Id<Transaction>,
    /// What it is.
    pub journal: Journal,
    /// Its legs.
    pub legs: Vec<Leg>,
}
