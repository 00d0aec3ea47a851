//! Leaves: what the log says of a ledger transaction, as bytes that anybody can read and write.
//!
//! A leaf is a JSON object in the canonical form of RFC 8785: members in the order of their
//! names, no white space, whole numbers below 2^53. A third party decodes it with any JSON
//! library and writes it again with any RFC 8785 library. `v` is the version of the format and
//! `kind` says what it is about; a change of meaning is a new `v`, never a new reading of an old
//! one. `docs/proof.md` shows the members to auditors.
//!
//! **Absent:** names, account numbers, remittance text, metadata, trace ids. What the ledger does
//! not need to add up is not in the log.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    currency::Currency,
    id::Id,
    journal::Journal,
    ledger::{Account, EntryNumber, Layer, Leg, Side, Transaction},
    money::Amount,
    payment::Payment,
    tenant::TenantId,
    time::Timestamp,
};

/// The version of the format that this program writes, and the only one so far.
pub const VERSION: u32 = 1;
/// The most bytes of a leaf: an entry bundle gives its length in 16 bits.
pub const LEAF_BYTES_MAX: usize = u16::MAX as usize;

/// A leaf of the log. More kinds may follow; a reader that meets one it does not know must say
/// so, because it cannot tell whether the books balance without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// `txn`: a ledger transaction.
    Transaction(TransactionLeaf),
    /// `audit`: that a record of what somebody did exists, by its hash.
    Audit(AuditLeaf),
}

/// A ledger transaction in the log. The members are declared in the order of their names, which
/// is the canonical order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransactionLeaf {
    /// When it was committed, in Unix milliseconds.
    pub at: Timestamp,
    /// Its place among the entries of each constrained account; absent when there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<EntryNumber>,
    /// `txn_…`.
    pub id: Id<Transaction>,
    /// Which step of which journal it is.
    pub journal: Journal,
    kind: TransactionKind,
    /// The balanced lines.
    pub legs: Vec<LegLeaf>,
    /// For which payment; absent when for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<Id<Payment>>,
    /// Whose books.
    pub tenant: TenantId,
    v: u32,
}

/// One line of a transaction in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegLeaf {
    /// Whose sums change.
    pub account: Id<Account>,
    /// Minor units.
    pub amount: Amount,
    /// ISO 4217.
    pub currency: Currency,
    /// In which way the sums change.
    pub layer: Layer,
    /// On which side.
    pub side: Side,
}

/// A record of what an operator or a worker did: kept elsewhere, fixed here by its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditLeaf {
    /// When it was done, in Unix milliseconds.
    pub at: Timestamp,
    /// SHA-256 of the stored record, in lower-case hexadecimal.
    pub digest: String,
    /// The id of the record.
    pub id: String,
    kind: AuditKind,
    /// Whose books; absent when it concerned the whole installation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    v: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum TransactionKind {
    #[serde(rename = "txn")]
    Txn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum AuditKind {
    #[serde(rename = "audit")]
    Audit,
}

/// The bytes are not a leaf that this program can vouch for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeafError {
    /// Not an object with the members of its kind.
    #[error("not a leaf: {0}")]
    Malformed(String),
    /// A kind that this program does not know.
    #[error("a leaf of the unknown kind {0:?}")]
    UnknownKind(String),
    /// A version that this program does not know.
    #[error("a leaf of the unknown version {0}")]
    UnknownVersion(u32),
    /// The right members, but not written the one canonical way.
    #[error("a leaf that is not in canonical form (RFC 8785)")]
    NotCanonical,
    /// Longer than an entry bundle can say.
    #[error("a leaf of {0} bytes, of at most {LEAF_BYTES_MAX}")]
    TooLong(usize),
}

impl TransactionLeaf {
    /// What the log says of `transaction`, which is in the books of `tenant`.
    #[must_use]
    pub fn of(tenant: TenantId, transaction: &Transaction) -> Self {
        Self {
            at: transaction.at,
            entries: transaction.entries.clone(),
            id: transaction.id,
            journal: transaction.journal,
            kind: TransactionKind::Txn,
            legs: transaction.legs.iter().map(LegLeaf::from).collect(),
            payment: transaction.payment,
            tenant,
            v: VERSION,
        }
    }
}

impl AuditLeaf {
    /// That a record with this id and hash exists.
    #[must_use]
    pub fn new(at: Timestamp, id: String, digest: String, tenant: Option<TenantId>) -> Self {
        Self {
            at,
            digest,
            id,
            kind: AuditKind::Audit,
            tenant,
            v: VERSION,
        }
    }
}

impl From<&Leg> for LegLeaf {
    fn from(leg: &Leg) -> Self {
        Self {
            account: leg.account,
            amount: leg.money.amount,
            currency: leg.money.currency,
            layer: leg.layer,
            side: leg.side,
        }
    }
}

impl Leaf {
    /// The canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Transaction(leaf) => crate::store::encode(leaf),
            Self::Audit(leaf) => crate::store::encode(leaf),
        }
    }

    /// Reads canonical bytes, and nothing else: a leaf that could be written in two ways could
    /// be in the log twice.
    ///
    /// # Errors
    /// See [`LeafError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, LeafError> {
        if bytes.len() > LEAF_BYTES_MAX {
            return Err(LeafError::TooLong(bytes.len()));
        }
        let leaf = match parse::<TransactionLeaf>(bytes) {
            Ok(leaf) => Self::Transaction(leaf),
            Err(why) => Self::decode_other(bytes, why)?,
        };
        let version = match &leaf {
            Self::Transaction(leaf) => leaf.v,
            Self::Audit(leaf) => leaf.v,
        };
        if version != VERSION {
            return Err(LeafError::UnknownVersion(version));
        }
        if leaf.encode() != bytes {
            return Err(LeafError::NotCanonical);
        }
        Ok(leaf)
    }

    /// Not a transaction: another kind, or a transaction that is `why` not well-formed.
    fn decode_other(bytes: &[u8], why: String) -> Result<Self, LeafError> {
        #[derive(Deserialize)]
        struct Head {
            kind: String,
            v: u32,
        }
        let head: Head = parse(bytes).map_err(LeafError::Malformed)?;
        match head.kind.as_str() {
            _ if head.v != VERSION => Err(LeafError::UnknownVersion(head.v)),
            "txn" => Err(LeafError::Malformed(why)),
            "audit" => parse(bytes).map(Self::Audit).map_err(LeafError::Malformed),
            _ => Err(LeafError::UnknownKind(head.kind)),
        }
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}
