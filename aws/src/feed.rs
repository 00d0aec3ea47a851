//! One numbered feed made of the table's stream, which is neither numbered, nor whole, nor kept.
//!
//! DynamoDB Streams gives single items, in shards that come and go, for 24 hours, under sequence
//! numbers of up to 40 digits. The [store port](lombard_service::ports::Store::changes) promises
//! commits at growing positions that can be read again. Between the two stands a journal.
//!
//! **Shape.** [`assemble`] puts the items of a commit together again by the stamp that each carries.
//! [`relay`] reads the stream's shards, parents before children, and appends what is whole to the
//! [`journal`]: segments of compressed commits in a table of their own, numbered without gaps. Who
//! consumes the feed reads the journal, as often and from where it likes.
//!
//! A function that is handed the stream batch by batch makes commits of it by itself ([`batch`]) where
//! their numbers do not matter.
//!
//! **What a commit is here.** The records that one commit wrote in *one partition*, in the order of
//! their keys: a payment with its events, a balance with its entries. Partitions of one commit come
//! as commits of their own, since they may lie in different shards. What was removed comes alone.
//! All changes of a record come in its order.
//!
//! **Exactly once.** A segment says how far its maker had read each shard of the stream, and is put
//! only where no segment is. So a relay that crashed, or that has a rival, finds in the last segment
//! what is done, and nothing is told twice or left out.
//!
//! **Bounds.** A relay that is down for more than 24 hours loses changes; it says so and stops
//! ([`relay::RelayError::Trimmed`]), as an alarm says long before. Segments are kept for
//! [`journal::RETENTION_DAYS`].

pub mod assemble;
pub mod batch;
pub mod journal;
pub mod relay;
mod segment;

pub use journal::Journal;
pub use relay::Relay;
