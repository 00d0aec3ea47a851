//! What risk promises, from outside.

mod bounds;
mod catalogue_doc;
mod future;
mod online;
mod parity;
mod world;
