//! The pages, one module each.

pub mod account;
pub mod accounts;
pub mod batches;
pub mod exceptions;
pub mod log;
pub mod overview;
pub mod payment;
pub mod payments;
pub mod search;
pub mod sign_in;
pub mod transaction;
pub mod webhooks;
