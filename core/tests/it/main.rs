//! Laws of the core, as tables and properties.

mod bank;
mod books;
mod currency;
mod iso20022;
mod life;
mod reason;
mod schemes_doc;
mod shared;
mod transitions;
