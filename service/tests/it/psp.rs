//! Payment service providers: is it they who speak, and what follows?

mod charges;
mod forged;
mod invented;
mod judged;
mod signature;
mod webhooks;
