//! Payment service providers: what they tell us, whether it is they who tell it, and how they are
//! asked. What their words mean is in [`lombard_core::psp`].

pub mod signature;
pub mod webhooks;
