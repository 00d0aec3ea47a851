//! What is done about payments, in any runtime: the ports to the world and everything that
//! stands on them. Async begins here; what is true is decided in `lombard-core`.

pub mod access;
pub mod alerts;
pub mod app;
pub mod batch;
pub mod config;
pub mod conformance;
pub mod console;
pub mod details;
pub mod duty;
pub mod exceptions;
pub mod factors;
pub mod gate;
pub mod hooks;
pub mod host;
pub mod http;
pub mod instruct;
pub mod memory;
pub mod metrics;
pub mod optimistic;
pub mod password;
pub mod ports;
pub mod proof;
pub mod proposals;
pub mod psp;
pub mod rails;
pub mod reconcile;
pub(crate) mod records;
pub mod risk;
pub mod secret;
pub mod seldom;
pub mod slo;
pub mod tenants;
pub mod traces;
pub mod vault;
pub mod worker;
