//! The service against its contracts.

// A test that is skipped says so, by name, where the run can count it.
#![allow(clippy::print_stderr)]

mod batches;
mod client;
mod compliance;
mod console;
mod hooks;
mod http;
mod issuer;
mod observe;
mod proof;
mod psp;
mod receiver;
mod risk;
// The same material, told of in the same way as in the core.
#[path = "../../../core/tests/it/shared.rs"]
mod shared;
mod store_mutants;
mod support;
mod webhooks_http;
mod workers;
