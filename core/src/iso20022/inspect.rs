//! Says what a file is and everything that is wrong with it.

use std::io::{self, BufRead};

use serde::Serialize;

use super::limits::VIOLATIONS_MAX;
use super::rules::Rules;
use super::violation::Violation;
use super::walk::{Step, Walk};

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// `iso20022`.
    pub format: &'static str,
    /// The message identifier, such as `pain.001.001.09`, as far as the file says so.
    pub message: Option<String>,
    /// Whether nothing is wrong with it.
    pub valid: bool,
    /// The first [`VIOLATIONS_MAX`] things that are wrong.
    pub errors: Vec<Violation>,
    /// How many things are wrong.
    pub error_count: u64,
    /// How many bytes were read.
    pub bytes: u64,
}

/// Reads a message or file to its end and reports all that is wrong with it, in bounded memory.
///
/// # Errors
/// The input could not be read. What is wrong with it is in the [`Inspection`].
pub fn inspect(input: impl BufRead) -> io::Result<Inspection> {
    let mut walk = Walk::new(input, VIOLATIONS_MAX);
    let mut rules = Rules::default();
    loop {
        match walk.next()? {
            Step::End => break,
            step => rules.observe(&mut walk, step),
        }
    }
    let violations = walk.take_violations();
    Ok(Inspection {
        format: "iso20022",
        message: walk
            .message()
            .map(str::to_owned)
            .filter(|message| !message.is_empty()),
        valid: violations.is_empty(),
        error_count: violations.count(),
        errors: violations.into_kept(),
        bytes: walk.position(),
    })
}
