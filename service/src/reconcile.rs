//! Reconciliation: statements of banks and reports of PSPs, held against our payments.
//!
//! **Shape.** A file is read ([`read`]), what our books expect is gathered ([`expected`]), the two
//! are matched by the pure engine of the core, and what follows is posted ([`post`]): payments that
//! were found are settled, fees and the like get their own postings, and what does not agree is
//! an exception ([`breaks`]). A [`report`] closes each statement: opening, matched, explained,
//! open, closing, to the minor unit.
//!
//! **Again and again.** A line is known by a digest of what it says; what became of it is recorded
//! before anything is posted, and every posting has an id that follows from the line. So a file
//! that comes twice, files that overlap, and a run that a crash cut short change nothing twice; and
//! a line that found nothing yesterday is tried again with today's payments.
//!
//! **A statement that contradicts itself** is quarantined: nothing of it is posted. One exception
//! says so, and names the line or payment that explains the difference when exactly one does.

pub mod action;
mod beside;
mod breaks;
pub mod close;
pub mod days;
mod expected;
pub mod fetch;
pub mod kept;
mod known;
mod payouts;
mod quarantine;
mod read;
pub mod report;
pub mod resolve;
mod restated;
pub mod reverse;
mod run;
pub mod sheets;
mod source;
mod stake;
mod take;
mod together;

pub use report::Report;
pub use run::{Failure, reconcile};
pub use source::Source;
