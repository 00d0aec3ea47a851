//! The pages, one module each.

pub mod account;
pub mod accounts;
pub mod audit;
pub mod batches;
pub mod case;
pub mod exceptions;
pub mod log;
pub mod overview;
pub mod payment;
pub mod payments;
pub mod reconciliation;
pub mod search;
pub mod settings;
pub mod sign_in;
pub mod transaction;
pub mod webhooks;
