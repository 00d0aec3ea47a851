//! Checkpoints: the head of a log as a signed note (C2SP tlog-checkpoint).

use signed_note::{Note, NoteError};
use tlog_tiles::Checkpoint as Text;

use super::{
    key::{KeyKind, Keys, PublicKey},
    tree::Head,
};

/// The most bytes of a signed checkpoint that is looked at: the text and some hundred signatures.
pub const CHECKPOINT_BYTES_MAX: usize = 64 * 1024;

/// A checkpoint whose signatures were checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// Which log.
    pub origin: String,
    /// What it says.
    pub head: Head,
    /// The keys, among those given, that signed it. At least one.
    pub signed_by: Vec<PublicKey>,
}

/// Why a checkpoint is not to be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Not a signed note, or its text is not a checkpoint.
    #[error("not a signed checkpoint")]
    Malformed,
    /// No key that is trusted signed it.
    #[error("no trusted key has signed the checkpoint")]
    Unsigned,
    /// It bears the name of a trusted key, and that key did not sign it.
    #[error("the signature of {name} ({id:08x}) is wrong")]
    BadSignature {
        /// The key's name.
        name: String,
        /// The key's id.
        id: u32,
    },
    /// The keys that signed it speak for another log.
    #[error("the checkpoint is of the log {origin:?}, for which none of the keys speaks")]
    WrongOrigin {
        /// Which log it says that it is of.
        origin: String,
    },
}

/// The text that is signed.
///
/// # Panics
/// When `origin` is empty or has a line break: origins are names of keys, which have neither.
#[must_use]
pub fn text(origin: &str, head: &Head) -> Vec<u8> {
    assert!(!origin.contains('\n'), "an origin of two lines");
    match Text::new(origin, head.size, head.root, "") {
        Ok(text) => text.to_bytes(),
        Err(error) => panic!("an origin that is a key's name: {error}"),
    }
}

/// The checkpoint with these signatures under it.
///
/// # Panics
/// When the text is not one that [`text()`] gave.
#[must_use]
pub fn assemble(text: &[u8], signatures: &[signed_note::Signature]) -> Vec<u8> {
    match Note::new(text, signatures) {
        Ok(note) => note.to_bytes(),
        Err(error) => panic!("the text of a checkpoint is the text of a note: {error}"),
    }
}

/// What a checkpoint says, before anybody has checked who signed it: for the witness, which has
/// to find the keys by the origin, and for tools that only show it.
///
/// # Errors
/// [`OpenError::Malformed`].
pub fn peek(bytes: &[u8]) -> Result<(String, Head), OpenError> {
    let note = parse(bytes)?;
    read(&note)
}

/// Checks a checkpoint against the keys that are trusted. A log's key must have signed it, and
/// every signature under the name and id of a trusted key must be right.
///
/// # Errors
/// See [`OpenError`].
pub fn open(bytes: &[u8], keys: &Keys) -> Result<Opened, OpenError> {
    let note = parse(bytes)?;
    let (origin, head) = read(&note)?;
    let (verified, _) = note.verify(keys).map_err(|error| match error {
        NoteError::InvalidSignature { name, id } => OpenError::BadSignature { name, id },
        NoteError::UnverifiedNote => OpenError::Unsigned,
        _ => OpenError::Malformed,
    })?;
    let signed_by: Vec<PublicKey> = keys
        .iter()
        .filter(|key| {
            let mine = |found: &signed_note::Signature| {
                found.name() == key.name() && found.id() == key.id()
            };
            verified.iter().any(mine)
        })
        .cloned()
        .collect();
    let mut logs = signed_by
        .iter()
        .filter(|key| key.kind() == KeyKind::Log)
        .peekable();
    if logs.peek().is_none() {
        return Err(OpenError::Unsigned);
    }
    if !logs.any(|key| key.name() == origin) {
        return Err(OpenError::WrongOrigin { origin });
    }
    Ok(Opened {
        origin,
        head,
        signed_by,
    })
}

fn parse(bytes: &[u8]) -> Result<Note, OpenError> {
    if bytes.len() > CHECKPOINT_BYTES_MAX {
        return Err(OpenError::Malformed);
    }
    Note::from_bytes(bytes).map_err(|_| OpenError::Malformed)
}

fn read(note: &Note) -> Result<(String, Head), OpenError> {
    let text = Text::from_bytes(note.text()).map_err(|_| OpenError::Malformed)?;
    let head = Head {
        size: text.size(),
        root: *text.hash(),
    };
    // No tree has more leaves than a signed 64-bit number counts; arithmetic need not fear it.
    if head.size > i64::MAX as u64 {
        return Err(OpenError::Malformed);
    }
    Ok((text.origin().to_owned(), head))
}

/// The text of a signed checkpoint and the signatures under it, as they are.
///
/// # Errors
/// [`OpenError::Malformed`].
pub fn split(bytes: &[u8]) -> Result<(Vec<u8>, Vec<signed_note::Signature>), OpenError> {
    let note = parse(bytes)?;
    let text = note.text().to_vec();
    let lines = std::str::from_utf8(&bytes[text.len() + 1..]).map_err(|_| OpenError::Malformed)?;
    let signatures = lines
        .lines()
        .map(|line| signed_note::Signature::from_bytes(line.as_bytes()))
        .collect::<Result<_, _>>()
        .map_err(|_| OpenError::Malformed)?;
    Ok((text, signatures))
}
