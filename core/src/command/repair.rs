//! What a person does about a payment that no machine could finish.

use crate::{id::Id, ledger::Transaction, payment::Payment};

/// Puts a payment right.
#[derive(Clone, Debug)]
pub struct Repair {
    /// Which.
    pub payment: Id<Payment>,
    /// How many events it had when whoever decides looked at it. When more has happened since, nothing
    /// is done.
    pub seen: u32,
    /// What is done about it.
    pub mend: Mend,
    /// Why, for the record.
    pub why: String,
}

/// What is done about a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mend {
    /// Of one in doubt: the rail's own records say that it was paid, under this reference.
    Paid(String),
    /// Of one in doubt: the rail's own records say that it was not paid, and will not be.
    NotPaid,
    /// Of one in doubt: it goes out again under the attempt that it had.
    Resubmit,
    /// Of one that failed: its money left all the same. Somebody bears it, once for this id.
    Compensate(Id<Transaction>, Bearer),
    /// What was compensated by the second is taken back by the first.
    TakeBack(Id<Transaction>, Id<Transaction>),
}

/// Who bears money that left for a payment that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearer {
    /// The payer, who ordered it.
    Payer,
    /// We do: it is written off.
    House,
}
