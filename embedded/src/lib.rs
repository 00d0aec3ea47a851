//! The embedded store: everything that Lombard keeps, in one folder, without a server.
//!
//! # Shape
//! [`log`] is the truth: an append-only row of checksummed, hash-chained frames, and the change feed.
//! [`index`] says where in the log a record is; it is derived, and can be made again. [`engine`] is the
//! store over both: one thread that decides and writes, in groups.
//!
//! From the bottom up: [`disk`] (files, as a port), [`lock`] (one process a folder), [`slice`] (a processor
//! at once for the writer), [`log`], [`codec`] (commits as bytes), [`memtable`] (what was committed last),
//! [`index`], [`filter`] (what was never written), [`engine`], [`backup`].
//!
//! **Invariants.** Nothing is answered before it is durable. Nothing that was answered is lost in silence:
//! opening finds all of it, or refuses. There is no background repair, no best effort and no option that
//! trades durability for speed.

pub mod backup;
pub mod codec;
pub mod disk;
pub mod engine;
pub mod filter;
mod hash;
pub mod index;
mod load;
pub mod lock;
pub mod log;
pub mod memtable;
pub mod slice;
