//! The embedded store of Lombard.

pub mod codec;
pub mod disk;
pub mod lock;
pub mod log;
pub mod slice;
