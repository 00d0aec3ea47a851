//! The service against its contracts.

mod batches;
mod client;
mod hooks;
mod http;
mod proof;
mod receiver;
mod store_mutants;
mod support;
mod webhooks_http;
