//! What providers say, in our words: tables, published lists, traps, and order that does not matter.

mod document;
mod laws;
mod lists;
mod table;
mod webhooks;
