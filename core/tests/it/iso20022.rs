//! ISO 20022 messages: ours, and those that banks and vendors publish as samples.

mod files;
mod hostile;
mod rail;
mod samples;
