//! Batches: files of payments, as pain.001, CSV or JSON Lines.
//!
//! **Shape.** A file is spooled ([`spool`]) and read twice ([`read`]): first to its end, to see that
//! it is whole and was not sent before ([`check`]), then to be paid ([`run`]). Each row becomes a payment like any
//! other, through the same command, with many under way at once. What a row came to is kept only
//! where it is no payment ([`record`]); what its payment came to is counted from the change feed
//! ([`tally`]).
//!
//! **Promises.** Nothing is paid of a file that is broken or does not add up. A file is paid once:
//! the same key gives the same answer, and the same file under another key is refused by its
//! message id and sender, or by its contents. A row is paid once: its payment's id follows from the
//! batch and the row's number, so a run that was interrupted is gone on with ([`resume`]), and what was paid is
//! not paid again.
//!
//! **Bounds.** Memory does not depend on the number of rows. The file is kept, encrypted, no
//! longer than until its rows are decided: it is personal data, and what must be kept of it is in the
//! payments, sealed.

pub mod check;
pub mod read;
pub mod record;
pub mod report;
pub mod resume;
pub mod rows;
pub mod run;
pub mod spool;
pub mod tally;
