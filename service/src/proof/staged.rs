//! A staged batch: all files of a batch in one, so that one write and one sync make them safe
//! before the head is swapped, and all can be published again after a crash.
//!
//! `path length (16 bits), path, content length (32 bits), content`, repeated; then the SHA-256 of
//! all that. It is read by the program that wrote it and by nobody else.

use bytes::{Buf, Bytes};
use lombard_core::proof::tree::Head;
use sha2::{Digest, Sha256};

use super::growth::File;

/// Where staged batches are.
pub const FOLDER: &str = "staged/";

/// The name of a batch: it follows from the tree that it leads to, so that a batch that is staged
/// twice is one file.
#[must_use]
pub fn name(head: &Head) -> String {
    let digest = Sha256::digest(head.root.0);
    let short: String = digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{FOLDER}{:020}-{short}", head.size)
}

/// How many leaves the tree has that the batch of this name leads to.
#[must_use]
pub fn size(name: &str) -> Option<u64> {
    let (size, _) = name.strip_prefix(FOLDER)?.split_once('-')?;
    size.parse().ok()
}

/// The files as one.
///
/// # Panics
/// Never for files of the log: their names are short and they are far below 4 GiB.
#[must_use]
pub fn pack(files: &[File]) -> Bytes {
    let length: usize = files
        .iter()
        .map(|(path, it)| path.len() + it.len() + 6)
        .sum();
    let mut packed = Vec::with_capacity(length + 32);
    for (path, content) in files {
        let (Ok(path_length), Ok(length)) =
            (u16::try_from(path.len()), u32::try_from(content.len()))
        else {
            panic!("a file of the log is too long to be staged: {path}");
        };
        packed.extend_from_slice(&path_length.to_be_bytes());
        packed.extend_from_slice(path.as_bytes());
        packed.extend_from_slice(&length.to_be_bytes());
        packed.extend_from_slice(content);
    }
    let digest = Sha256::digest(&packed);
    packed.extend_from_slice(&digest);
    packed.into()
}

/// The files again; `None` when they are damaged.
#[must_use]
pub fn unpack(packed: &Bytes) -> Option<Vec<File>> {
    let content = packed.len().checked_sub(32)?;
    let mut rest = packed.slice(..content);
    if Sha256::digest(&rest)[..] != packed[content..] {
        return None;
    }
    let mut files = Vec::new();
    while rest.has_remaining() {
        let length = usize::from(rest.try_get_u16().ok()?);
        let path = take(&mut rest, length)?;
        let length = usize::try_from(rest.try_get_u32().ok()?).ok()?;
        let file = take(&mut rest, length)?;
        files.push((String::from_utf8(path.to_vec()).ok()?, file));
    }
    Some(files)
}

fn take(rest: &mut Bytes, length: usize) -> Option<Bytes> {
    (rest.len() >= length).then(|| rest.split_to(length))
}
