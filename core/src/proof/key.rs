//! Keys of the log and of witnesses, as C2SP writes them, and their signatures.
//!
//! A public key is a *vkey*: `name+hex(id)+base64(type ‖ key)`. Type 1 signs notes (the log); type
//! 4 signs checkpoints with a time (a witness, C2SP tlog-cosignature). A secret key is written
//! `PRIVATE+KEY+name+hex(id)+base64(type ‖ seed)`, the form of Go's `note` package.
//!
//! A key file holds one key a line; empty lines and lines that begin with `#` are ignored. The log
//! signs with every secret key of its file, so that adding the new key and later removing the old
//! one is a rotation during which readers of either key are served.
//!
//! Signatures are checked strictly (RFC 8032 with the points of small order refused), because a
//! key of small order verifies more than it signed.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
pub use signed_note::Signature;
use signed_note::{VerificationError, Verifier, Verifiers, is_key_name_valid, key_id};
use std::fmt;

/// What a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyKind {
    /// The text of a note, with Ed25519: type 1.
    Log,
    /// A checkpoint that was seen at a time, with Ed25519: type 4, `cosignature/v1`.
    Witness,
}

impl KeyKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Log => 1,
            Self::Witness => 4,
        }
    }

    const fn of(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Log),
            4 => Some(Self::Witness),
            _ => None,
        }
    }
}

/// The text is not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not of the form of a key, or not a point of the curve.
    #[error("not a key of the form name+id+base64")]
    Malformed,
    /// The id in the text is not the one that follows from name and key.
    #[error("the id of the key is not that of its name and bytes")]
    WrongId,
    /// Neither type 1 nor type 4.
    #[error("a key of type {0}; only Ed25519 keys (types 1 and 4) are supported")]
    UnknownType(u8),
    /// A file without keys.
    #[error("there is no key in it")]
    Empty,
}

/// A key that signatures are checked with.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    kind: KeyKind,
    key: VerifyingKey,
}

/// A key that signs. It is not written to logs: `Debug` shows the public part.
#[derive(Clone)]
pub struct SecretKey {
    name: String,
    kind: KeyKind,
    key: SigningKey,
}

impl PublicKey {
    /// Reads a vkey.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let (name, rest) = text.split_once('+').ok_or(KeyError::Malformed)?;
        let (kind, bytes, id) = parse_tail(name, rest)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::Malformed)?;
        if key.is_weak() {
            return Err(KeyError::Malformed);
        }
        let found = Self {
            name: name.to_owned(),
            kind,
            key,
        };
        if found.id() == id {
            Ok(found)
        } else {
            Err(KeyError::WrongId)
        }
    }

    /// The key of these bytes, for keys that are kept elsewhere.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] when they are no point of the curve, or the name is none.
    pub fn of_bytes(name: &str, kind: KeyKind, bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::Malformed)?;
        if key.is_weak() || !is_key_name_valid(name) {
            return Err(KeyError::Malformed);
        }
        let name = name.to_owned();
        Ok(Self { name, kind, key })
    }

    /// The signature of this key over `text`, made elsewhere; `None` when it does not hold.
    #[must_use]
    pub fn signature(&self, text: &[u8], bytes: Vec<u8>) -> Option<Signature> {
        if !self.verify(text, &bytes) {
            return None;
        }
        Signature::new(self.name.clone(), self.id(), bytes).ok()
    }

    /// Whose key it is; for a log, its origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The short number that stands for the key in a signature line. Not a secure hash of it.
    #[must_use]
    pub fn id(&self) -> u32 {
        key_id(&self.name, &self.typed())
    }

    /// What it signs.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    fn typed(&self) -> Vec<u8> {
        [&[self.kind.byte()], self.key.as_bytes().as_slice()].concat()
    }
}

/// Splits `hex(id)+base64(type ‖ 32 bytes)`.
fn parse_tail(name: &str, tail: &str) -> Result<(KeyKind, [u8; 32], u32), KeyError> {
    let (id, key) = tail.split_once('+').ok_or(KeyError::Malformed)?;
    let lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if id.len() != 8 || !id.bytes().all(lower_hex) || !is_key_name_valid(name) {
        return Err(KeyError::Malformed);
    }
    let id = u32::from_str_radix(id, 16).map_err(|_| KeyError::Malformed)?;
    let bytes = BASE64_STANDARD
        .decode(key)
        .map_err(|_| KeyError::Malformed)?;
    let (kind, bytes) = bytes.split_first().ok_or(KeyError::Malformed)?;
    let kind = KeyKind::of(*kind).ok_or(KeyError::UnknownType(*kind))?;
    let bytes = bytes.try_into().map_err(|_| KeyError::Malformed)?;
    Ok((kind, bytes, id))
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = BASE64_STANDARD.encode(self.typed());
        write!(f, "{}+{:08x}+{key}", self.name, self.id())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.public())
    }
}

impl Verifier for PublicKey {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> u32 {
        self.id()
    }

    fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
        let strict = |text: &[u8], signature: &[u8]| {
            ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| self.key.verify_strict(text, &signature).is_ok())
        };
        match self.kind {
            KeyKind::Log => strict(text, signature),
            KeyKind::Witness => match signature.split_first_chunk() {
                Some((time, signature)) => {
                    let time = u64::from_be_bytes(*time);
                    time <= i64::MAX as u64 && strict(&cosigned(time, text), signature)
                }
                None => false,
            },
        }
    }
}

/// What a witness signs: C2SP tlog-cosignature, "Ed25519 signed message".
fn cosigned(time: u64, text: &[u8]) -> Vec<u8> {
    let mut message = format!("cosignature/v1\ntime {time}\n").into_bytes();
    message.extend_from_slice(text);
    message
}

impl SecretKey {
    /// The key that follows from 32 secret random bytes.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] when the name is empty or has a space or a plus in it.
    pub fn from_seed(name: &str, kind: KeyKind, seed: &[u8; 32]) -> Result<Self, KeyError> {
        if !is_key_name_valid(name) || name.chars().any(char::is_control) {
            return Err(KeyError::Malformed);
        }
        Ok(Self {
            name: name.to_owned(),
            kind,
            key: SigningKey::from_bytes(seed),
        })
    }

    /// Reads what [`SecretKey::text`] wrote.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let rest = text
            .strip_prefix("PRIVATE+KEY+")
            .ok_or(KeyError::Malformed)?;
        let (name, rest) = rest.split_once('+').ok_or(KeyError::Malformed)?;
        let (kind, seed, id) = parse_tail(name, rest)?;
        let key = Self::from_seed(name, kind, &seed)?;
        if key.public().id() == id {
            Ok(key)
        } else {
            Err(KeyError::WrongId)
        }
    }

    /// The key as text. Whoever has it can sign.
    #[must_use]
    pub fn text(&self) -> String {
        let mut typed = vec![self.kind.byte()];
        typed.extend_from_slice(self.key.as_bytes());
        let (name, id) = (&self.name, self.public().id());
        format!(
            "PRIVATE+KEY+{name}+{id:08x}+{}",
            BASE64_STANDARD.encode(typed)
        )
    }

    /// What its signatures are checked with.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey {
            name: self.name.clone(),
            kind: self.kind,
            key: self.key.verifying_key(),
        }
    }

    /// Signs a checkpoint's text; `unix_seconds` is the time in a witness's signature and not
    /// used in a log's. The same text and time give the same signature.
    ///
    /// # Panics
    /// Never: the name was checked when the key was made.
    #[must_use]
    pub fn sign(&self, text: &[u8], unix_seconds: u64) -> signed_note::Signature {
        let bytes = match self.kind {
            KeyKind::Log => self.key.sign(text).to_bytes().to_vec(),
            KeyKind::Witness => {
                let signature = self.key.sign(&cosigned(unix_seconds, text));
                [unix_seconds.to_be_bytes().as_slice(), &signature.to_bytes()].concat()
            }
        };
        match signed_note::Signature::new(self.name.clone(), self.public().id(), bytes) {
            Ok(signature) => signature,
            Err(error) => panic!("the name of a key was checked: {error}"),
        }
    }
}

/// The keys that somebody trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys(Vec<PublicKey>);

impl Keys {
    /// These keys, each once.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = PublicKey>) -> Self {
        let mut known: Vec<PublicKey> = Vec::new();
        for key in keys {
            if !known.contains(&key) {
                known.push(key);
            }
        }
        Self(known)
    }

    /// Reads a file of public keys, one a line.
    ///
    /// # Errors
    /// See [`KeyError`]; a file without keys is one.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let keys: Vec<_> = lines(text)
            .map(PublicKey::parse)
            .collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err(KeyError::Empty);
        }
        Ok(Self::new(keys))
    }

    /// The keys, in order.
    pub fn iter(&self) -> impl Iterator<Item = &PublicKey> {
        self.0.iter()
    }

    /// Those of one name.
    #[must_use]
    pub fn named(&self, name: &str) -> Self {
        Self(
            self.iter()
                .filter(|key| key.name == name)
                .cloned()
                .collect(),
        )
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Verifiers for Keys {
    fn verifier(&self, name: &str, id: u32) -> Result<&dyn Verifier, VerificationError> {
        let mut found = self.iter().filter(|key| key.name == name && key.id() == id);
        let name = name.to_owned();
        match (found.next(), found.next()) {
            (Some(key), None) => Ok(key),
            (Some(_), Some(_)) => Err(VerificationError::AmbiguousKey { name, id }),
            (None, _) => Err(VerificationError::UnknownKey { name, id }),
        }
    }
}

/// Reads a file of secret keys, one a line.
///
/// # Errors
/// See [`KeyError`]; a file without keys is one.
pub fn parse_secret_keys(text: &str) -> Result<Vec<SecretKey>, KeyError> {
    let keys: Vec<_> = lines(text)
        .map(SecretKey::parse)
        .collect::<Result<_, _>>()?;
    if keys.is_empty() {
        return Err(KeyError::Empty);
    }
    Ok(keys)
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}
