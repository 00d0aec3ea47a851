//! A proof as a file that its owner keeps: C2SP tlog-proof.
//!
//! The `extra` line carries the leaf itself, so that the file proves all that it says; the format
//! leaves that line to the application and does not authenticate it, the hash of the leaf does.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use tlog_tiles::{Hash, record_hash};

use super::{
    checkpoint::{self, OpenError, Opened},
    key::Keys,
    tree::{NotProven, check_inclusion},
};

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// A leaf, its place, the way to the root, and the checkpoint that signs the root.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    /// The leaf's bytes.
    pub leaf: Vec<u8>,
    /// Its place in the log, from 0.
    pub index: u64,
    /// The audit path, from the leaf's sibling to the root's child.
    pub path: Vec<Hash>,
    /// The signed checkpoint.
    pub checkpoint: Vec<u8>,
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Not of the form of a proof.
    #[error("not a tlog-proof with the leaf on its extra line")]
    Malformed,
    /// The checkpoint is not to be believed.
    #[error(transparent)]
    Checkpoint(#[from] OpenError),
    /// The leaf is not in the tree of the checkpoint at this place.
    #[error(transparent)]
    NotProven(#[from] NotProven),
}

impl Proof {
    /// The text of the file.
    ///
    /// # Panics
    /// Never: a signed checkpoint is text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let leaf = BASE64_STANDARD.encode(&self.leaf);
        let mut text = format!("{FIRST_LINE}\nextra {leaf}\nindex {}\n", self.index);
        for hash in &self.path {
            text.push_str(&hash.to_string());
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&String::from_utf8_lossy(&self.checkpoint));
        text
    }

    /// Reads such a file.
    ///
    /// # Errors
    /// [`ProofError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        let (head, checkpoint) = text.split_once("\n\n").ok_or(ProofError::Malformed)?;
        let mut lines = head.split('\n');
        if lines.next() != Some(FIRST_LINE) {
            return Err(ProofError::Malformed);
        }
        let leaf = lines
            .next()
            .and_then(|line| line.strip_prefix("extra "))
            .and_then(|leaf| BASE64_STANDARD.decode(leaf).ok())
            .ok_or(ProofError::Malformed)?;
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(parse_decimal)
            .ok_or(ProofError::Malformed)?;
        let path = lines
            .map(Hash::parse_hash)
            .collect::<Result<_, _>>()
            .map_err(|_| ProofError::Malformed)?;
        Ok(Self {
            leaf,
            index,
            path,
            checkpoint: checkpoint.as_bytes().to_vec(),
        })
    }

    /// Checks everything: the signatures, and that the leaf is where it says. Whether the
    /// witnesses are enough is for a policy to say.
    ///
    /// # Errors
    /// See [`ProofError`].
    pub fn verify(&self, keys: &Keys) -> Result<Opened, ProofError> {
        let opened = checkpoint::open(&self.checkpoint, keys)?;
        check_inclusion(
            &self.path,
            &opened.head,
            self.index,
            record_hash(&self.leaf),
        )?;
        Ok(opened)
    }
}

/// A decimal number without signs and leading zeroes.
pub(super) fn parse_decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
