//! What the commands print: answers to standard output, everything else to standard error. With
//! `--json` standard output has JSON and nothing else, one value a line.
#![allow(clippy::print_stdout, clippy::print_stderr)] // Here is where it is printed.

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::exit::Failure;

/// Prints one line of JSON.
pub fn json(value: &impl Serialize) {
    // Our own values have text for keys and no custom serialisation that fails.
    println!("{}", serde_json::to_string(value).unwrap_or_default());
}

/// Prints a line of an answer.
pub fn line(text: &str) {
    println!("{text}");
}

/// Prints a line that is not part of the answer.
pub fn note(text: &str) {
    eprintln!("{text}");
}

/// Prints why a command failed: a sentence, its causes, and with `--json` the same for a script.
pub fn failure(failure: &Failure, as_json: bool) {
    let message = format!("{:#}", failure.error);
    if as_json {
        let (error, exit) = (failure.exit.name(), failure.exit as u8);
        json(&serde_json::json!({"error": error, "message": message, "exit": exit}));
    }
    eprintln!("lombard: {message}");
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
