//! Laws of the core, as tables and properties.

mod bank;
mod currency;
mod iso20022;
mod reason;
mod shared;
mod books;
mod life;
mod transitions;
