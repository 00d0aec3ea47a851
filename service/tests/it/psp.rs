//! Payment service providers: is it they who speak?

mod forged;
mod signature;
