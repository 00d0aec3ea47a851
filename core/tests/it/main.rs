//! Integration tests of the core, one binary: each module is one subject.

// The bans of the core are for the core: its tests read the shared material and say what they skip.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

mod bank;
mod currency;
mod iso20022;
mod reason;
mod schemes_doc;
mod shared;
