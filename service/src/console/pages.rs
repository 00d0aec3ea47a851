//! The pages, one module each.

pub mod account;
pub mod accounts;
pub mod audit;
pub mod batches;
pub mod bulk;
pub mod case;
mod decide;
pub mod exceptions;
pub mod log;
mod matching;
pub mod overview;
pub mod payment;
pub mod payments;
pub mod reconciliation;
pub mod risk;
pub mod search;
pub mod settings;
pub mod sign_in;
pub mod transaction;
pub mod views;
pub mod webhooks;
