//! Everything after the commit: consumers of the change feed and of the timers.
//!
//! A runtime owns its loops and the step is here, so that the same step is called by a task, by
//! a stream's batch, or by a seed. Steps are idempotent, because a crash runs the last ones
//! again; what cannot be done in three tries becomes an exception, never silence.

pub mod cursor;
pub mod feed;
pub mod rollup;
