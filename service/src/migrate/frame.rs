//! What a frame of an export says, and how records and files are written in it.

use base64::{Engine, engine::general_purpose::STANDARD};
use lombard_core::{
    payment::Sealed,
    store::{Body, Key},
};
use serde::{Deserialize, Serialize};

use super::{Moved, Sum};
use crate::proof::head::HeadRecord;

/// A frame.
#[derive(Serialize, Deserialize)]
pub struct Frame {
    /// What there is.
    pub part: Part,
    /// Where the export goes on.
    pub then: Next,
}

/// A part of an export.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// What all of it must come to. The first.
    Begin(Box<Manifest>),
    /// Files of the log: name and bytes.
    Files(Vec<(String, Said)>),
    /// Records of the ledger's store.
    Records(Vec<Row>),
    /// Records of the vault's.
    Vault(Vec<Row>),
    /// That was all.
    End,
}

/// Where an export goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// With a file of the log, by its place among them.
    Files(usize),
    /// With the records of a bundle of leaves, in the order of the log.
    Leaves(u64),
    /// With the ledger's other records, after a place in their census.
    Records(Option<String>),
    /// With the vault's.
    Vault(Option<String>),
    /// With the end.
    End,
    /// Not at all.
    Nothing,
}

/// What an export comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Where the log is.
    pub head: HeadRecord,
    /// Its checkpoint.
    pub checkpoint: Said,
    /// The ledger's records.
    pub records: Sum,
    /// The vault's.
    pub vault: Sum,
    /// Where the consumers are.
    pub cursors: Vec<Row>,
    /// Where each shard of the feed ended.
    pub ends: Vec<u64>,
    /// What the vault's keyed hash makes of the export's id: the same only with the same key.
    pub blind: String,
    /// Something that the vault's keys sealed.
    pub sealed: Sealed,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    p: String,
    s: String,
    b: Said,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    i: Vec<(String, String)>,
}

/// Bytes, as text where they are text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// UTF-8.
    T(String),
    /// Anything, in base64.
    X(String),
}

impl Said {
    /// Says bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::T(text.to_owned()),
            Err(_) => Self::X(STANDARD.encode(bytes)),
        }
    }

    /// The bytes; none when they were never said so.
    #[must_use]
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::T(text) => Some(text.as_bytes().to_vec()),
            Self::X(text) => STANDARD.decode(text).ok(),
        }
    }
}

impl Row {
    /// Writes a record down.
    #[must_use]
    pub fn of(key: &Key, body: &Body) -> Self {
        let pair = |key: &Key| (key.partition().to_owned(), key.sort().to_owned());
        let (p, s) = pair(key);
        let i = body.index.iter().map(pair).collect();
        let b = Said::of(&body.bytes);
        Self { p, s, b, i }
    }

    /// The record; none when it never was one.
    #[must_use]
    pub fn record(&self) -> Option<Moved> {
        let key = |p: &str, s: &str| Key::from_bytes(format!("{p}\0{s}").as_bytes());
        let index: Option<_> = self.i.iter().map(|(p, s)| key(p, s)).collect();
        let bytes = self.b.bytes()?.into();
        let index = index?;
        Some((key(&self.p, &self.s)?, Body { bytes, index }))
    }
}
