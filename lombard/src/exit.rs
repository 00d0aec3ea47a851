//! How a command ends. The numbers are part of the interface: `docs/cli.md` has them, and a test
//! compares.

use std::{fmt, process::ExitCode};

use serde::{Deserialize, Serialize};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Exit {
    /// Done; the answer is yes.
    Done = 0,
    /// Done; the answer is no: a file is not valid, payments failed, a check did not hold.
    No = 1,
    /// The command or its input cannot be understood or read.
    Usage = 2,
    /// The server cannot be reached, or an address cannot be listened on.
    Unreachable = 3,
    /// The server refused.
    Refused = 4,
    /// Another process uses the data folder.
    InUse = 5,
    /// The data folder cannot be written: read-only, no right to, or full.
    NotWritable = 6,
    /// What is stored is damaged.
    Damaged = 7,
    /// A write of the store failed while it ran.
    StoreFailed = 8,
    /// A bug, or a failure of the machine.
    Internal = 70,
}

impl Exit {
    /// All of them, for the document.
    #[cfg(test)]
    pub const ALL: [Self; 10] = [
        Self::Done,
        Self::No,
        Self::Usage,
        Self::Unreachable,
        Self::Refused,
        Self::InUse,
        Self::NotWritable,
        Self::Damaged,
        Self::StoreFailed,
        Self::Internal,
    ];

    /// Its name in the documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::No => "no",
            Self::Usage => "usage",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::InUse => "in_use",
            Self::NotWritable => "not_writable",
            Self::Damaged => "damaged",
            Self::StoreFailed => "store_failed",
            Self::Internal => "internal",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A command that did not get as far as an answer.
#[derive(Debug)]
pub struct Failure {
    /// How the process ends.
    pub exit: Exit,
    /// Why, with the chain of causes.
    pub error: anyhow::Error,
}

/// What a command comes to.
pub type Outcome = Result<Exit, Failure>;

/// Says how the process ends when this goes wrong.
pub trait OrExit<T> {
    /// Ends with `exit`, and `what` before the cause.
    ///
    /// # Errors
    /// The failure, if there was an error.
    fn or_exit(self, exit: Exit, what: impl fmt::Display) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> OrExit<T> for Result<T, E> {
    fn or_exit(self, exit: Exit, what: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| {
            let error = error.into().context(what.to_string());
            Failure { exit, error }
        })
    }
}

/// A failure without a further cause.
pub fn failure(exit: Exit, what: impl fmt::Display) -> Failure {
    let error = anyhow::anyhow!("{what}");
    Failure { exit, error }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let exit = Exit::Internal;
        Self { exit, error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_every_code() {
        let page = include_str!("../../docs/cli.md");
        for exit in Exit::ALL {
            let row = format!("| {} | `{}` |", exit as u8, exit.name());
            assert!(page.contains(&row), "docs/cli.md lacks {row}");
        }
    }
}
