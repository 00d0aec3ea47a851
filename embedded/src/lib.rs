//! The embedded store of Lombard.

pub mod disk;
pub mod log;
