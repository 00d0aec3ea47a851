//! Verifies a whole log, from its files and public keys alone.
//!
//! **Shape.** Threads take the bundles in turn ([`bundle`]): they hash every entry, compare with
//! the leaf tile, and read the leaf strictly. One thread takes what they found in the order of the
//! log ([`walk`]): it grows the tree again, compares every tile above, and audits the books. The
//! files are read through a [`source`]: a folder or a URL. What is wrong goes into a [`report`] with
//! its kind and its place. With the records of a [`store`] the log is compared with these too.
//!
//! **Independence.** This module uses the pure core and the files; it knows neither the sequencer
//! nor a database, so that a mistake of theirs is not repeated here.
//!
//! **Bounds.** Memory grows by about 100 bytes a leaf (transaction ids, to find doubles), whatever
//! the leaves say; a few bundles a thread are in flight.

mod beyond;
pub mod bundle;
pub mod report;
pub mod source;
pub mod store;
pub mod walk;

use std::sync::atomic::AtomicU64;

use lombard_core::proof::{
    checkpoint::{self, OpenError, Opened},
    key::Keys,
    policy::Policy,
    tree::Head,
};

pub use report::{Problem, Report, Verdict};
pub use source::{FolderSource, HttpSource, Source};
pub use store::StoreView;

/// The name of the checkpoint's file.
const CHECKPOINT: &str = "checkpoint";

/// What the log is held to.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    /// The log's public keys; one of them must have signed the checkpoint.
    pub keys: Keys,
    /// How many witnesses must have cosigned it.
    pub policy: Option<Policy>,
    /// A checkpoint of an earlier time, from which the log must have grown.
    pub since: Option<Head>,
    /// How many threads read bundles.
    pub threads: usize,
}

/// Reads the records of a store. What cannot be read of it, or is damaged, goes to the report.
pub type ReadStore<'a> = &'a mut (dyn FnMut(&mut Report) -> Option<StoreView> + Send);

/// Verifies a log. `progress` counts the leaves that were looked at.
pub fn verify(
    source: &dyn Source,
    demands: &Demands,
    store: Option<ReadStore<'_>>,
    progress: &AtomicU64,
) -> Report {
    let mut report = Report::default();
    // Before the store is read: a head is in the store before it is signed, so that also in a system that
    // runs a store that knows less than the checkpoint has lost something.
    let signed = source.read(CHECKPOINT);
    let store = store.and_then(|read| read(&mut report));
    let grown = store.as_ref().is_some_and(StoreView::has_log) || source.is_log();
    let signed = match signed {
        Ok(Some(bytes)) => Some(bytes),
        Ok(None) if grown => {
            report.problem("checkpoint_missing", CHECKPOINT, "there is no checkpoint");
            None
        }
        Ok(None) => {
            report.unread(CHECKPOINT, "there is no log here");
            None
        }
        Err(error) => {
            report.unread(CHECKPOINT, &error.to_string());
            None
        }
    };
    let Some(head) = signed.and_then(|bytes| check_checkpoint(&bytes, demands, &mut report)) else {
        return report;
    };
    report.size = Some(head.size);
    if let Some(since) = &demands.since {
        check_since_size(since, &head, &mut report);
    }
    let keep = store.is_some();
    let leaves = walk::walk(source, demands, &head, keep, &mut report, progress);
    let longest = source::check_stray(source, &head, &mut report);
    match &store {
        Some(store) => store::compare(source, &head, &leaves, store, &mut report),
        // A store says more exactly how far the log had come.
        None => beyond::check(source, &head, longest, &mut report),
    }
    report
}

/// Checks who signed the checkpoint. What it says is looked into even when nobody trusted has signed
/// it: more may be wrong.
fn check_checkpoint(bytes: &[u8], demands: &Demands, report: &mut Report) -> Option<Head> {
    let witnesses = demands.policy.iter().flat_map(Policy::witness_keys);
    let keys = Keys::new(demands.keys.iter().chain(witnesses).cloned());
    match checkpoint::open(bytes, &keys) {
        Ok(opened) => {
            check_policy(&opened, demands, report);
            report.origin = Some(opened.origin);
            Some(opened.head)
        }
        Err(error) => {
            let kind = match &error {
                OpenError::Malformed => "checkpoint_malformed",
                OpenError::Unsigned => "checkpoint_unsigned",
                OpenError::BadSignature { .. } => "checkpoint_signature",
                OpenError::WrongOrigin { .. } => "checkpoint_origin",
            };
            report.problem(kind, CHECKPOINT, &error.to_string());
            let (origin, head) = checkpoint::peek(bytes).ok()?;
            report.origin = Some(origin);
            Some(head)
        }
    }
}

fn check_policy(opened: &Opened, demands: &Demands, report: &mut Report) {
    let met = |policy: &Policy| policy.is_met_by(&opened.signed_by);
    if demands.policy.as_ref().is_some_and(|policy| !met(policy)) {
        let what = "the witnesses that have cosigned it are fewer than the policy demands";
        report.problem("checkpoint_quorum", CHECKPOINT, what);
    }
}

fn check_since_size(since: &Head, head: &Head, report: &mut Report) {
    if since.size > head.size {
        let what = format!(
            "the log had {} leaves and now has {}",
            since.size, head.size
        );
        report.problem("truncated", CHECKPOINT, &what);
    }
    if since.size == 0 && since != &Head::EMPTY {
        let what =
            "the remembered checkpoint gives the log without leaves a root that it never had";
        report.problem("inconsistent", CHECKPOINT, what);
    }
}
