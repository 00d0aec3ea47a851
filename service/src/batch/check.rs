//! The first reading of a file: whether it is whole, how many rows it has, and which file it is.

use std::io::{self, BufRead};

use lombard_core::id::digest_text;

use super::{
    read::{Context, Fault, Piece, Rows},
    record::{Format, Pain001},
};
use crate::ports::Vault;

/// Rows of one file. Ids of payments are derived from 32 bits of row number, and a file of more
/// rows than this is better sent in parts.
pub const ROWS_MAX: u64 = 10_000_000;
/// Faults that are told of one file.
pub const FAULTS_MAX: usize = 20;

/// A file that can be paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// How many rows it has.
    pub rows: u64,
    /// Of a pain.001 file: its header.
    pub pain001: Option<Pain001>,
    /// Which file it is, whoever sends it again: see [`identity`].
    pub identity: String,
}

/// Why a file is not paid, at all.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The spooled file cannot be read.
    #[error("the file cannot be read again")]
    Io(#[from] io::Error),
    /// It is at fault. At most [`FAULTS_MAX`] of its faults.
    #[error("the file is at fault in {} place(s)", .0.len())]
    Faults(Vec<Fault>),
}

/// Reads a file to its end.
///
/// # Errors
/// See [`CheckError`].
pub fn check(
    format: Format,
    input: impl BufRead,
    context: Context,
    digest: &[u8; 32],
    vault: &dyn Vault,
) -> Result<Checked, CheckError> {
    let mut rows = Rows::new(format, input, context)?;
    let (mut count, mut header, mut faults) = (0, None, Vec::new());
    while let Some(piece) = rows.next_piece()? {
        match piece {
            Piece::Header(known, sender) => header = Some((known, sender)),
            Piece::Row(row) => count = row.number,
            Piece::Block(_) => {}
            Piece::Fault(fault) => faults.push(fault),
        }
        if faults.len() >= FAULTS_MAX {
            break;
        }
        if count > ROWS_MAX {
            faults.push(of_file("limit", format!("has more than {ROWS_MAX} rows")));
            break;
        }
    }
    if faults.is_empty() && count == 0 {
        faults.push(of_file("empty", "has no rows".to_owned()));
    }
    if !faults.is_empty() {
        return Err(CheckError::Faults(faults));
    }
    let identity = identity(context, header.as_ref(), digest, vault);
    Ok(Checked {
        rows: count,
        pain001: header.map(|(known, _)| known),
        identity,
    })
}

fn of_file(rule: &str, message: String) -> Fault {
    Fault {
        path: "/".to_owned(),
        rule: rule.to_owned(),
        message,
    }
}

/// A pain.001 file is named by its sender and its message id, which the sender must not use twice
/// (ISO 20022, `MsgId`); any other file by its contents. Blinded, because the sender may be a person.
fn identity(
    context: Context,
    header: Option<&(Pain001, String)>,
    digest: &[u8; 32],
    vault: &dyn Vault,
) -> String {
    let tenant = context.tenant;
    match header {
        Some((known, sender)) => {
            let sender = vault.blind(tenant.short(), sender);
            digest_text(&["pain.001", &sender, &known.message_id])
        }
        None => digest_text(&["contents", &hex::encode(digest)]),
    }
}
