//! What a witness decides: whether a log grew only by adding leaves (C2SP tlog-witness).
//!
//! The order of the checks is the specification's, because the answer tells the log what to do
//! next: with 409 it learns the size that the witness knows and proves from there.

use tlog_tiles::Hash;

use super::{
    checkpoint::{self, OpenError},
    key::Keys,
    text::parse_decimal,
    tree::{Head, check_consistency},
};

/// More lines than a consistency proof of any tree has.
const PROOF_LINES_MAX: usize = 63;

/// What a log asks a witness: to cosign `checkpoint`, which grew from `old_size`.
#[derive(Clone, Debug, PartialEq)]
pub struct AddCheckpoint {
    /// The size that the witness cosigned last, as far as the log knows; 0 if never.
    pub old_size: u64,
    /// The consistency proof from there.
    pub proof: Vec<Hash>,
    /// The signed checkpoint.
    pub checkpoint: Vec<u8>,
}

/// Why a witness does not cosign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a request at all, or one that shrinks the log.
    #[error("the request is malformed")]
    Malformed,
    /// A log that the witness does not watch.
    #[error("the log is unknown")]
    UnknownOrigin,
    /// Not signed, or wrongly, by the log.
    #[error("the checkpoint is not signed by the log")]
    Unsigned,
    /// The witness knows another size.
    #[error("the witness knows the log at size {0}")]
    Conflict(u64),
    /// The log did not grow from what the witness knows: it was rewritten, or there are two.
    #[error("the checkpoint is not consistent with what the witness knows")]
    Inconsistent,
}

impl Refusal {
    /// The HTTP status that C2SP tlog-witness gives for it.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Unsigned => 403,
            Self::UnknownOrigin => 404,
            Self::Conflict(_) => 409,
            Self::Inconsistent => 422,
        }
    }
}

/// A checkpoint that may be cosigned, once it is kept durably.
#[derive(Clone, Debug, PartialEq)]
pub struct Accepted {
    /// Of which log.
    pub origin: String,
    /// What the witness knows from now on.
    pub head: Head,
    /// What is to be signed.
    pub text: Vec<u8>,
}

impl AddCheckpoint {
    /// The body of the request.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut body = format!("old {}\n", self.old_size);
        for hash in &self.proof {
            body.push_str(&hash.to_string());
            body.push('\n');
        }
        body.push('\n');
        let mut body = body.into_bytes();
        body.extend_from_slice(&self.checkpoint);
        body
    }

    /// Reads the body of a request.
    ///
    /// # Errors
    /// [`Refusal::Malformed`].
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let text = std::str::from_utf8(body).map_err(|_| Refusal::Malformed)?;
        let (head, checkpoint) = text.split_once("\n\n").ok_or(Refusal::Malformed)?;
        let mut lines = head.split('\n');
        let old_size = lines
            .next()
            .and_then(|line| line.strip_prefix("old "))
            .and_then(parse_decimal)
            .ok_or(Refusal::Malformed)?;
        let proof: Vec<Hash> = lines
            .map(Hash::parse_hash)
            .collect::<Result<_, _>>()
            .map_err(|_| Refusal::Malformed)?;
        if proof.len() > PROOF_LINES_MAX {
            return Err(Refusal::Malformed);
        }
        Ok(Self {
            old_size,
            proof,
            checkpoint: checkpoint.as_bytes().to_vec(),
        })
    }

    /// The log that is asked for, so that what is known of it can be looked up.
    ///
    /// # Errors
    /// [`Refusal::Malformed`].
    pub fn origin(&self) -> Result<String, Refusal> {
        let (origin, _) = checkpoint::peek(&self.checkpoint).map_err(|_| Refusal::Malformed)?;
        Ok(origin)
    }

    /// Decides, knowing the head that was cosigned last for this log. What comes back must be
    /// kept before it is signed, and nothing may come between looking `known` up and keeping it.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub fn decide(&self, logs: &Keys, known: Option<Head>) -> Result<Accepted, Refusal> {
        let keys = logs.named(&self.origin()?);
        if keys.is_empty() {
            return Err(Refusal::UnknownOrigin);
        }
        let opened = checkpoint::open(&self.checkpoint, &keys).map_err(|error| match error {
            OpenError::Malformed => Refusal::Malformed,
            _ => Refusal::Unsigned,
        })?;
        let new = opened.head;
        if self.old_size > new.size {
            return Err(Refusal::Malformed);
        }
        let known = known.unwrap_or(Head::EMPTY);
        if self.old_size != known.size {
            return Err(Refusal::Conflict(known.size));
        }
        self.check_growth(&known, &new)?;
        let (text, _) = checkpoint::split(&self.checkpoint).map_err(|_| Refusal::Malformed)?;
        Ok(Accepted {
            origin: opened.origin,
            head: new,
            text,
        })
    }

    fn check_growth(&self, known: &Head, new: &Head) -> Result<(), Refusal> {
        if new.size == 0 && new.root != Head::EMPTY.root {
            return Err(Refusal::Inconsistent);
        }
        // Every tree grew from the empty one; there is nothing to prove, and no proof.
        if known.size == 0 {
            let nothing = self.proof.is_empty();
            return nothing.then_some(()).ok_or(Refusal::Inconsistent);
        }
        check_consistency(&self.proof, known, new).map_err(|_| Refusal::Inconsistent)
    }
}
