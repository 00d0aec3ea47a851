//! Integration tests of the core, one binary: each module is one subject.

mod bank;
mod currency;
mod iso20022;
mod reason;
mod shared;
