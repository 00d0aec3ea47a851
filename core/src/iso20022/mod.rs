//! ISO 20022: the messages that banks, rails and customers' files are made of.
//!
//! Bytes in, values out. [`CreditTransfer`] and its five companions are what we and a rail's
//! gateway say to each other.

mod amount;
mod inspect;
mod lexical;
pub mod limits;
mod messages;
mod model;
mod moment;
mod names;
pub mod pain001;
pub mod pain002;
mod parse;
mod pattern;
mod rules;
mod schema;
mod tree;
pub(crate) mod violation;
mod walk;
mod write;
pub(crate) mod xml;

pub use inspect::{Inspection, inspect};
pub use messages::{
    CreditTransfer, RecallAnswer, RecallOutcome, RecallRequest, Return, Status, StatusReport,
    StatusRequest,
};
pub use model::{
    Account, Actor, Address, Agent, Assignment, Case, ChargeBearer, ClearingMember, Coded,
    Original, OriginalSettlement, Party, Reason, Remittance, Settlement, SettlementMethod,
    UK_SORT_CODES,
};
pub use parse::Message;
pub use schema::supported_messages;
pub use violation::{Refusal, Rule, Violation, Violations};
