//! The verifiable log, as somebody sees it who has only its files: each checkpoint that is shown has
//! a root that follows from the entries, the entries are the transactions in the order of their commits,
//! each once, and what was shown before is still so.
//!
//! Hashes and leaves are worked out here from RFC 6962 and the documentation of the leaf, and not by
//! the code that makes them. The signature alone is checked with the crate that others check it with.

use lombard_core::{
    audit::Audit,
    event::News,
    ledger::{Layer, Side, Transaction},
    lifecycle::Happened,
    proof::key::Keys,
    store::encode,
    tenant::TenantId,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Auditor, batch::Batch};
use crate::world::files::Contents;

type Hash = [u8; 32];

/// What is known of the log.
#[derive(Debug, Default)]
pub struct Shown {
    /// What must be in it, in the order in which it was committed.
    expected: Vec<Value>,
    /// The hashes of the entries that were shown.
    hashes: Vec<Hash>,
    /// The last checkpoint.
    root: Option<(u64, Hash)>,
}

impl Shown {
    /// Whether everything is in the log that must be.
    pub fn is_complete(&self) -> bool {
        self.hashes.len() >= self.expected.len()
    }
}

/// What the log must say of a transaction.
pub fn leaf(tenant: TenantId, it: &Transaction) -> Value {
    let legs = it.legs.iter().map(|leg| {
        let layer = match leg.layer {
            Layer::Pending => "pending",
            Layer::Release => "release",
            Layer::Posted => "posted",
        };
        let side = match leg.side {
            Side::Debit => "debit",
            Side::Credit => "credit",
        };
        json!({"account": leg.account, "amount": leg.money.amount.minor(),
            "currency": leg.money.currency.code(), "layer": layer, "side": side})
    });
    let mut leaf = json!({"at": it.at.unix_ms(), "id": it.id, "journal": it.journal, "kind": "txn",
        "legs": legs.collect::<Vec<_>>(), "tenant": tenant, "v": 1});
    if !it.entries.is_empty() {
        let numbers = it.entries.iter();
        let numbers = numbers.map(|one| json!({"account": one.account, "number": one.number}));
        leaf["entries"] = numbers.collect();
    }
    if let Some(payment) = it.payment {
        leaf["payment"] = json!(payment);
    }
    leaf
}

/// What the log must say of a record of what somebody did: that there is one with this hash.
fn audit_leaf(record: &Audit) -> Value {
    let digest = Sha256::digest(encode(record));
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"at": record.at.unix_ms(), "digest": digest, "id": record.id, "kind": "audit",
        "tenant": record.tenant, "v": 1})
}

/// What must have left a record.
const fn is_on_purpose(news: News) -> bool {
    matches!(news, News::Step(Happened::Cancelled))
}

impl Auditor {
    /// What a commit must add to the log: in the order of the keys records come before transactions.
    pub(super) fn expect_leaves(&mut self, batch: &Batch) {
        for record in &batch.audits {
            self.log.expected.push(audit_leaf(record));
        }
        for (tenant, transaction) in &batch.transactions {
            self.log.expected.push(leaf(*tenant, transaction));
        }
        self.check_records(batch);
    }

    /// Whatever somebody did on purpose has its record in the same commit, and says who.
    fn check_records(&mut self, batch: &Batch) {
        let on_record = |subject: String, actor: Option<&str>| {
            batch.audits.iter().any(|record| {
                let by = actor.is_none_or(|actor| record.who == actor);
                record.on == subject && by
            })
        };
        for (_, event) in batch.events.iter().filter(|(_, it)| is_on_purpose(it.news)) {
            if !on_record(event.payment.to_string(), Some(&event.actor)) {
                self.violate(event.payment, "was acted on, and no record says so");
            }
        }
        for exception in &batch.exceptions {
            if !on_record(exception.id.to_string(), None) {
                self.violate(exception.id, "was opened, and no record says so");
            }
        }
    }

    /// A checkpoint lies where everybody sees it.
    pub fn checkpoint(&mut self, files: &Contents, keys: &Keys) {
        if let Err(found) = self.read_checkpoint(files, keys) {
            self.violate("the verifiable log", found);
        }
    }

    fn read_checkpoint(&mut self, files: &Contents, keys: &Keys) -> Result<(), String> {
        let note = files.get("checkpoint").ok_or("has no checkpoint")?;
        let opened = lombard_core::proof::checkpoint::open(note, keys);
        opened.map_err(|error| format!("has a checkpoint that nobody believes: {error}"))?;
        let text = String::from_utf8_lossy(note);
        let mut lines = text.lines().skip(1);
        let size: u64 = lines.next().and_then(|line| line.parse().ok()).unwrap_or(0);
        let root = lines.next().unwrap_or_default().to_owned();
        let known = self.log.hashes.len() as u64;
        if let Some((before, _)) = self.log.root.filter(|(before, _)| *before > size) {
            return Err(format!("was cut from {before} to {size} entries"));
        }
        if size > self.log.expected.len() as u64 {
            return Err(format!("has {size} entries, more than there are"));
        }
        for index in known..size {
            let entry = entry(files, index, size)?;
            let expected = &self.log.expected[index as usize];
            if entry != encoded(expected) {
                let entry = String::from_utf8_lossy(&entry).into_owned();
                return Err(format!("says {entry} at {index}, where {expected} belongs"));
            }
            let hash = Sha256::new().chain_update([0]).chain_update(&entry);
            self.log.hashes.push(hash.finalize().into());
        }
        let grown = tree(&self.log.hashes[..size as usize]);
        if base64(&grown) != root {
            return Err(format!("has a root over {size} entries that is not theirs"));
        }
        if self
            .log
            .root
            .is_some_and(|(before, root)| before == size && root != grown)
        {
            return Err(format!("shows two roots over {size} entries"));
        }
        self.log.root = Some((size, grown));
        self.check_leaf_tiles(files, known, size)
    }

    /// The leaf tiles hold the hashes of the entries.
    fn check_leaf_tiles(&self, files: &Contents, known: u64, size: u64) -> Result<(), String> {
        for tile in known / 256..size.div_ceil(256) {
            let width = (size - tile * 256).min(256);
            let data = file(files, "tile/0", tile, width)?;
            let first = (tile * 256) as usize;
            let hashes = self.log.hashes[first..first + width as usize].concat();
            if data[..hashes.len().min(data.len())] != hashes[..] {
                return Err(format!("has other hashes in tile {tile} than its entries"));
            }
        }
        Ok(())
    }
}

/// The leaf as it must be written (RFC 8785): members in the order of their names, no white space.
fn encoded(leaf: &Value) -> Vec<u8> {
    leaf.to_string().into_bytes()
}

/// A part-filled file, or the full one that has taken its place.
fn file<'a>(files: &'a Contents, kind: &str, index: u64, width: u64) -> Result<&'a [u8], String> {
    let full = format!("{kind}/{index:03}");
    let part = format!("{full}.p/{width}");
    let found = files.get(&full).or_else(|| files.get(&part));
    found
        .map(|found| &found[..])
        .ok_or_else(|| format!("shows {width} of {full}, which is not there"))
}

fn entry(files: &Contents, index: u64, size: u64) -> Result<Vec<u8>, String> {
    let bundle = index / 256;
    let width = (size - bundle * 256).min(256);
    let mut rest = file(files, "tile/entries", bundle, width)?;
    for _ in 0..index % 256 {
        rest = rest.get(2 + length(rest)..).unwrap_or_default();
    }
    let entry = rest.get(2..2 + length(rest));
    entry
        .map(<[u8]>::to_vec)
        .ok_or_else(|| format!("has no entry {index} in its bundle"))
}

fn length(bundle: &[u8]) -> usize {
    bundle.first_chunk().map_or(usize::MAX - 2, |length| {
        usize::from(u16::from_be_bytes(*length))
    })
}

/// The Merkle tree hash of RFC 6962, section 2.1.
fn tree(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => Sha256::digest([]).into(),
        [one] => *one,
        _ => {
            let half = hashes.len().next_power_of_two() / 2;
            let (left, right) = hashes.split_at(half);
            let node = Sha256::new().chain_update([1]).chain_update(tree(left));
            node.chain_update(tree(right)).finalize().into()
        }
    }
}

fn base64(hash: &Hash) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree of the first eight leaves of the test vectors of Certificate Transparency, from RFC 6962's
    /// reference implementation.
    #[test]
    fn the_tree_is_that_of_the_reference_implementation() {
        let leaves: [&[u8]; 8] = [
            b"",
            &[0],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            &[
                0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d,
                0x6e, 0x6f,
            ],
        ];
        let hashes: Vec<Hash> = leaves
            .iter()
            .map(|leaf| {
                Sha256::new()
                    .chain_update([0])
                    .chain_update(leaf)
                    .finalize()
                    .into()
            })
            .collect();
        let hex = |hash: Hash| {
            hash.iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        assert_eq!(
            hex(tree(&hashes)),
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
        );
        assert_eq!(
            hex(tree(&hashes[..3])),
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"
        );
    }
}
