//! The verifiable log at work: made, published, cosigned, served and verified.
//!
//! **Shape.** The [`sequencer`] consumes the change feed: it turns ledger transactions into leaves,
//! stages the files of the grown tree, and swaps the [`head`] in the store. The swap is the commit
//! point. It then publishes the files to [`blobs`] in the layout of C2SP tlog-tiles. The
//! [`publisher`] signs what was swapped with the log's [`keys`], asks [`witnesses`] to cosign, and
//! publishes the checkpoint. [`reader`] makes proofs from what is published. [`witness`] is the
//! other role: a witness for logs of others. [`verify`] checks a whole log and depends on nothing
//! of the above but the files.
//!
//! **Invariants.** A transaction becomes a leaf once: the place in the feed and the head of the
//! tree are one record, written in one commit. A checkpoint is signed only after its head was
//! swapped, so that the log never signs two trees that differ. No file is published before the
//! swap, and everything that was swapped can be published again from what was staged: after a
//! crash at any point the same files come to be, byte for byte.
//!
//! ```text
//! feed ─► leaves ─► grow ─► stage (durable) ─► swap head ─► publish files ─► sign, cosign ─► checkpoint
//!                                                  │                crash: publish again from staged
//!                                                  └ reached positions of the feed are in the head
//! ```

pub mod blobs;
mod follow;
pub mod growth;
pub mod head;
pub mod index;
pub mod keys;
pub mod log;
pub mod publisher;
pub mod reader;
pub mod sequencer;
pub mod staged;
pub mod verify;
pub mod witness;
pub mod witnesses;

pub use blobs::Blobs;
pub use log::{Log, Status};
