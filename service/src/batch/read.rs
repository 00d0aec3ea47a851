//! Rows out of files: one form for every format, read as a stream.
//!
//! **Shape.** [`Rows`] gives [`Piece`]s: rows, each a [`Wish`] or why it is none; of pain.001 also the
//! header and the blocks; and what is wrong with the file itself. A row that is wrong does not end the
//! file; whether a file with faults is paid at all is for [`super::check`] to say.

mod bounded;
mod csv;
mod jsonl;
mod pain001;

use std::{
    collections::BTreeMap,
    io::{self, BufRead},
};

use lombard_core::{
    id::Id, ledger::Account, money::Money, payment::OnInsufficientFunds, rail::Rail,
    reason::Reason, tenant::TenantId, time::Timestamp,
};

use super::record::{Block, Format, Pain001, References, Refused};
use crate::{details::BankAddress, http::Problem};

/// A part of a file, in its order.
pub enum Piece {
    /// The header of a pain.001 file, and who sends it.
    Header(Pain001, String),
    /// A block begins.
    Block(Block),
    /// A row.
    Row(Box<Row>),
    /// The file itself is at fault; no row of it can be trusted.
    Fault(Fault),
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where: an element's path, or a line.
    pub path: String,
    /// The rule's stable name.
    pub rule: String,
    /// In words, without personal data.
    pub message: String,
}

/// A row.
pub struct Row {
    /// Which, from 1.
    pub number: u64,
    /// How its sender refers to it.
    pub references: References,
    /// What it asks for, or why that cannot be done.
    pub wish: Result<Wish, Refused>,
}

/// A payment that a row asks for.
#[derive(Clone)]
pub struct Wish {
    /// Over which rail; inferred when absent.
    pub rail: Option<Rail>,
    /// How much.
    pub money: Money,
    /// From which account.
    pub debtor: Debtor,
    /// Under which name.
    pub debtor_name: Option<String>,
    /// To whom.
    pub creditor: Payee,
    /// The id that travels unchanged.
    pub end_to_end_id: Option<String>,
    /// The payee's own reference.
    pub reference: Option<String>,
    /// Free text for the payee.
    pub remittance: Option<String>,
    /// The member of the API's body that has no place for all that the row says there.
    pub not_carried: Option<&'static str>,
    /// What to do when the money is lacking.
    pub on_insufficient_funds: OnInsufficientFunds,
    /// Why somebody must confirm it first.
    pub verification: Option<Reason>,
    /// When it is to be carried out, if not at once.
    pub execute_at: Option<Timestamp>,
    /// What is known for deciding whether the payer must authenticate.
    pub sca: Option<lombard_core::sca::Ask>,
    /// How long it may wait, in milliseconds.
    pub wait_ms: Option<u64>,
    /// The tenant's own references.
    pub metadata: BTreeMap<String, String>,
    /// The row's own idempotency key: the same key is the same payment, in whatever file.
    pub key: Option<String>,
}

/// Whose account is debited.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Debtor {
    /// By id.
    Account(Id<Account>),
    /// By its bank address.
    Address(BankAddress),
}

/// Who is paid.
#[derive(Clone)]
pub enum Payee {
    /// An account of ours.
    Account(Id<Account>),
    /// Somebody outside.
    Outside {
        /// The name.
        name: String,
        /// The account.
        address: BankAddress,
    },
}

/// What reading needs to know of its surroundings.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// Whose file it is.
    pub tenant: TenantId,
    /// When it came: a day in the future is not today.
    pub now: Timestamp,
}

/// The rows of a file.
pub enum Rows<R: BufRead> {
    /// Of pain.001.
    Pain001(Box<pain001::Rows<R>>),
    /// Of comma-separated values.
    Csv(Box<csv::Rows<R>>),
    /// Of JSON Lines.
    JsonLines(jsonl::Rows<R>),
}

impl<R: BufRead> Rows<R> {
    /// Begins to read a file.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub fn new(format: Format, input: R, context: Context) -> io::Result<Self> {
        Ok(match format {
            Format::Pain001 => Self::Pain001(Box::new(pain001::Rows::new(input, context))),
            Format::Csv => Self::Csv(Box::new(csv::Rows::new(input, context)?)),
            Format::JsonLines => Self::JsonLines(jsonl::Rows::new(input, context)),
        })
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub fn next_piece(&mut self) -> io::Result<Option<Piece>> {
        match self {
            Self::Pain001(rows) => rows.next_piece(),
            Self::Csv(rows) => rows.next_piece(),
            Self::JsonLines(rows) => rows.next_piece(),
        }
    }
}

/// A refusal of the API, for a row.
fn refused_by(problem: &Problem) -> Refused {
    super::run::refused_by(problem)
}
