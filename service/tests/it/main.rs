//! The service against its contracts.

mod hooks;
mod receiver;
mod store_mutants;
mod support;
