//! Features: what a payment looks like beside everything that was seen before it.
//!
//! **Shape.** A payment names up to seven subjects (customer, account, payee, device, terminal,
//! card, IP address) and a few pairs of them. Each subject has one small [`Profile`], each pair
//! one [`Bond`]; a [`Book`] holds them. [`Book::vector`] reads, [`Book::observe`] folds a payment
//! in, [`Book::learn`] folds in what became of an older one. The same three functions serve a
//! payment at the counter and a trainer that replays a year, so there is nothing to disagree.
//!
//! **Invariants.**
//! * A vector depends on nothing that was not observed or learned before it was asked for.
//! * Time is the payment's own. A late payment is counted when it was made, not when it came.
//! * A payment that is observed twice counts once, as long as fewer than
//!   [`profile::REPEATS_SEEN`] others of the same subject came between.
//! * A profile is bounded: see [`tiles`] for windows, [`distinct`] for distinct counts,
//!   [`outcomes`] for outcomes, each with the error that the bound costs.
//!
//! **Absent.** No clock, no randomness, no names: a subject is a keyed hash, and what is kept of a
//! place is a point.

pub mod amounts;
pub mod book;
pub mod catalogue;
mod codec;
pub mod distinct;
pub mod event;
pub mod outcomes;
pub mod pair;
pub mod place;
pub mod profile;
mod replay;
pub mod tiles;
pub mod vector;

pub use book::Book;
pub use catalogue::{CATALOGUE_LEN, Feature, Type};
pub use event::{Event, Kind, Outcome, PayeeCheck, Subject};
pub use pair::{Bond, Pair};
pub use profile::Profile;
pub use replay::{Table, replay};
pub use vector::Vector;
