//! Integration tests of the core, one binary: each module is one subject.

mod currency;
mod reason;
mod shared;
