//! A gate before everything that is written for others to read: logs, error texts, panics.
//!
//! **Shape.** What is personal should never come here: it is sealed at the border, and the types
//! that carry it do not print. The gate is for the day when something slips through. It looks for
//! card numbers (with separators, by their check digit and network), IBANs (by their check
//! digits), UK sort codes with account numbers, and e-mail addresses; writes [`REDACTED`] in
//! their place, and counts.
//!
//! **What it cannot do.** Names, streets and dates of birth have no form by which to know them.
//! Text in clear that was split over two writes, or encoded, is not seen.

mod scan;

use std::{
    borrow::Cow,
    io::{self, Write},
    sync::atomic::{AtomicU64, Ordering},
};

use serde::Serialize;

pub use scan::{Found, find};

/// What is written instead.
pub const REDACTED: &str = "[redacted]";

static COUNTS: [AtomicU64; 4] = [const { AtomicU64::new(0) }; 4];

/// How often each kind was found at a sink, since this process began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Card numbers.
    pub card_numbers: u64,
    /// IBANs.
    pub ibans: u64,
    /// Sort codes with account numbers.
    pub uk_accounts: u64,
    /// E-mail addresses.
    pub emails: u64,
}

/// How often each kind was found. Anything but zero is a leak that was stopped, to be mended
/// where it came from.
#[must_use]
pub fn counts() -> Counts {
    let count = |found: Found| COUNTS[found as usize].load(Ordering::Relaxed);
    Counts {
        card_numbers: count(Found::CardNumber),
        ibans: count(Found::Iban),
        uk_accounts: count(Found::UkAccount),
        emails: count(Found::Email),
    }
}

/// The text without what is personal in it, counted.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    let found = find(text);
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut from = 0;
    for (place, kind) in found {
        COUNTS[kind as usize].fetch_add(1, Ordering::Relaxed);
        clean.push_str(&text[from..place.start]);
        clean.push_str(REDACTED);
        from = place.end;
    }
    clean.push_str(&text[from..]);
    Cow::Owned(clean)
}

/// Whether there is a card number in a text that is kept in clear: such a text is refused rather
/// than redacted.
#[must_use]
pub fn has_card_number(text: &str) -> bool {
    find(text)
        .iter()
        .any(|(_, kind)| *kind == Found::CardNumber)
}

/// A writer whose lines pass the gate. Loggers write a line at a time.
#[derive(Debug)]
pub struct Gated<W>(pub W);

impl<W: Write> Write for Gated<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.0.write_all(redact(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_personal_is_replaced_and_counted() {
        let before = counts();
        let line = "pan 4242 4242 4242 4242 of ada@example.org, IBAN GB82 WEST 1234 5698 7654 32, 20-00-00 55779911.";
        let clean = redact(line);
        assert_eq!(
            clean,
            "pan [redacted] of [redacted], IBAN [redacted], [redacted]."
        );
        let after = counts();
        assert!(after.card_numbers > before.card_numbers && after.emails > before.emails);
        assert!(after.ibans > before.ibans && after.uk_accounts > before.uk_accounts);
        let mut out = Vec::new();
        Gated(&mut out).write_all(b"n=5555555555554444\n").unwrap();
        assert_eq!(out, b"n=[redacted]\n");
    }
}
