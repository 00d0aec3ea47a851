//! Lombard's pure centre: what is true of money, payments and messages. No IO, no clock, no async.

pub mod currency;
pub mod iso20022;
pub mod money;
pub mod reason;
