//! Laws of the core, as tables and properties.

// The bans of the core are for the core: its tests read the shared material and say what they skip.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

mod bank;
mod books;
mod cost;
mod currency;
mod iso20022;
mod life;
mod machines;
mod matching;
mod proof;
mod psp;
mod reason;
mod schemes_doc;
mod shared;
mod statement;
mod transitions;
