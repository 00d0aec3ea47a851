//! A rail's own code beside our reason, made safe to store, log and show.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Reason;

/// Our reason, and the code in which the rail gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coded {
    /// Our reason.
    pub reason: Reason,
    /// The rail's code, as it was sent.
    pub code: RailCode,
}

impl Coded {
    pub(super) fn new(found: Option<Reason>, code: &str) -> Self {
        Self {
            reason: found.unwrap_or(Reason::Unrecognised),
            code: RailCode::sanitised(code),
        }
    }
}

/// A code from outside: 1 to 35 printable ASCII characters without space.
///
/// ISO 20022 codes have four characters and proprietary ones at most 35 (`Max35Text`), so a real
/// code is kept whole. What is not printable ASCII becomes `?`, what is longer ends at 35, and an
/// empty code is `-`: the text comes from another party and ends up in logs and pages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct RailCode(String);

impl RailCode {
    /// The most characters that are kept.
    pub const CHARS_MAX: usize = 35;

    /// Keeps a code from outside, made safe as the type says.
    #[must_use]
    pub fn sanitised(text: &str) -> Self {
        let safe = |char: char| if char.is_ascii_graphic() { char } else { '?' };
        let kept: String = text
            .trim()
            .chars()
            .take(Self::CHARS_MAX)
            .map(safe)
            .collect();
        Self(if kept.is_empty() {
            "-".to_owned()
        } else {
            kept
        })
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for RailCode {
    fn from(text: String) -> Self {
        Self::sanitised(&text)
    }
}

impl fmt::Display for RailCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_code_from_outside_is_made_safe() {
        for (text, kept) in [
            ("AC04", "AC04"),
            (" AC04\n", "AC04"),
            ("", "-"),
            ("A\u{1b}[31mB", "A?[31mB"),
            ("Überweisung", "?berweisung"),
        ] {
            assert_eq!(RailCode::sanitised(text).as_str(), kept);
        }
    }

    proptest! {
        #[test]
        fn any_text_becomes_a_safe_code_that_stays_as_it_is(text in any::<String>()) {
            let code = RailCode::sanitised(&text);
            prop_assert!((1..=RailCode::CHARS_MAX).contains(&code.as_str().len()));
            prop_assert!(code.as_str().bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert_eq!(RailCode::sanitised(code.as_str()), code);
        }
    }
}
