//! The service against its contracts.

// A test that is skipped says so, by name, where the run can count it.
#![allow(clippy::print_stderr)]

mod batches;
mod client;
mod console;
mod hooks;
mod http;
mod proof;
mod psp;
mod receiver;
mod shared;
mod store_mutants;
mod support;
mod webhooks_http;
mod workers;
