//! The verifiable log: every ledger transaction is a leaf of one append-only Merkle tree.
//!
//! **Shape.** A [`leaf`] is the canonical text of a transaction. Leaves grow a [`tree`] as RFC 6962
//! hashes it, kept as [`tile`]s and entry bundles in the layout of C2SP tlog-tiles. The tree's
//! size and root are a [`checkpoint`], signed by [`key`]s as a C2SP signed note and cosigned by
//! [`witness`]es; a [`policy`] says how many witnesses must have. [`text`] is the proof that a
//! customer can keep in a file. [`audit`] takes the leaves of a log in order and says whether they
//! are books.
//!
//! **Invariants, the absent ones too.** No leaf holds personal data: ids, amounts and times only.
//! Nothing here reads a file or a clock; who needs a tile that is not there is told which
//! ([`tile::Fetched`]) and asks again. Hashing, proofs and note syntax are those of the crates
//! `tlog_tiles` and `signed_note`; what they lack is here and named in ADR 0020.
//!
//! One log serves all tenants of an installation: its one signed head then speaks for everything,
//! so that nobody can be shown a shorter history without everybody's history being changed, and a
//! witness has one log to watch however many tenants there are. A leaf names its tenant.

pub mod audit;
pub mod checkpoint;
pub mod key;
pub mod leaf;
pub mod policy;
pub mod text;
pub mod tile;
pub mod tree;
pub mod witness;

pub use tlog_tiles::Hash;
