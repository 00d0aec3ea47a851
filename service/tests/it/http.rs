//! The HTTP API, driven in process over the memory store. One module a family of routes.

mod accounts;
mod authentication;
mod authorisation;
mod canary;
mod credentials;
mod documents;
mod errors;
mod events;
mod failures;
mod fuzz;
mod guide;
mod holds;
mod idempotency;
pub mod isolation;
mod ledger;
mod overload;
mod payments;
mod proposals;
mod reconciliation;
mod returns;
mod risk;
mod server;
mod tenants;
mod tls;
mod tracing;
mod vault;
pub mod world;
