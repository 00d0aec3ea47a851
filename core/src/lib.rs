//! What is true about a payment, and nothing about how the world is reached.
//!
//! Everything here is a pure function of its arguments: time, ids and randomness come in from
//! outside, and no module reads a clock, a file or a socket. The order below is the order of
//! dependence; a module uses only those above it, except that ids name their things.
//!
//! **Invariants, the absent ones too.** There is no `async`, no floating point and no iteration
//! over a hash map in this crate. A decision ([`plan`]) names every record that it read, so a
//! store can refuse it when one of them has changed.

pub mod bank;
pub mod card;
pub mod currency;
pub mod id;
pub mod iso20022;
pub mod limits;
pub mod matching;
pub mod money;
pub mod planted;
pub mod psp;
pub mod rail;
pub mod reason;
pub mod scheme;
pub mod statement;
pub mod store;
pub mod tenant;
pub mod time;

pub mod audit;
pub mod charge;
pub mod event;
pub mod hold;
pub mod idempotency;
pub mod journal;
pub mod ledger;
pub mod lifecycle;
pub mod mandate;
pub mod party;
pub mod payment;
pub mod proof;
pub mod risk;
pub mod sca;
pub mod timer;

pub mod command;
pub mod plan;
pub mod saga;

pub mod cost;
