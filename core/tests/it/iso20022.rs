//! ISO 20022 messages: ours, and those that banks and vendors publish as samples.

mod rail;
mod samples;
