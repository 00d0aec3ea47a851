//! What the commands print: answers to standard output, everything else to standard error. With
//! `--json` standard output has JSON and nothing else, one value a line.
//!
//! Whoever listened may have gone (`lombard up | head`). That is no reason to end otherwise than
//! one would have, so what cannot be said is not said; the macros of the standard library panic.

use std::io::{self, Write};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::exit::{Exit, Failure};

/// Prints one line of JSON.
pub fn json(value: &impl Serialize) {
    // Our own values have text for keys and no custom serialisation that fails.
    line(&serde_json::to_string(value).unwrap_or_default());
}

/// Prints a line of an answer.
pub fn line(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// Prints a line that is not part of the answer.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Prints why a command failed: a sentence, its causes, and with `--json` the same for a script.
pub fn failure(failure: &Failure, as_json: bool) {
    let message = format!("{:#}", failure.error);
    if as_json {
        failure_json(failure.exit, &message);
    }
    note(&format!("lombard: {message}"));
}

/// Prints for a script why a command failed.
pub fn failure_json(exit: Exit, message: &str) {
    let (error, exit) = (exit.name(), exit as u8);
    json(&serde_json::json!({"error": error, "message": message, "exit": exit}));
}

/// A bar for long work: of `total` steps, or a spinner when nobody knows. It is drawn on a
/// terminal only.
pub fn progress(total: Option<u64>, what: &str) -> ProgressBar {
    let (bar, style) = match total {
        Some(total) => (
            ProgressBar::new(total),
            "{msg} {wide_bar} {pos}/{len} {per_sec} {eta}",
        ),
        None => (
            ProgressBar::new_spinner(),
            "{msg} {spinner} {pos} {per_sec}",
        ),
    };
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar.with_message(what.to_owned())
}
