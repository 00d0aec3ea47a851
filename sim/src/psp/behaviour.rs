//! How a simulated provider treats a request: by the control API, or a charge by its magic amount
//! ([`MAGIC`]), or else as it should: done at once, and told once.

use serde::{Deserialize, Serialize};

/// Everything about the treatment of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// It is refused, with this word of the provider's.
    pub decline: Option<String>,
    /// How the answer comes.
    pub answer: Answer,
    /// Milliseconds before the answer.
    pub delay_ms: u64,
    /// How its webhooks come.
    pub news: News,
}

/// How the answer comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// As it should.
    #[default]
    Now,
    /// Not at all, though it is done.
    Never,
    /// Not at all, and it is not done.
    Lost,
    /// The connection breaks, though it is done.
    Broken,
    /// As a server error (500), though it is done.
    Error,
    /// As too many requests (429), and it is not done.
    Refused,
}

/// How webhooks come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct News {
    /// How often each.
    pub times: u32,
    /// How many milliseconds late.
    pub late_ms: u64,
    /// The later ones first.
    pub backwards: bool,
}

impl Default for News {
    fn default() -> Self {
        Self {
            times: 1,
            late_ms: 0,
            backwards: false,
        }
    }
}

/// Amounts from 6,660.00 to 6,660.99 are magic: the two last digits choose.
const MAGIC_MINOR: u64 = 666_000;

/// Every magic amount: the minor units, the behaviour in JSON, and what it is in words.
pub static MAGIC: &[(u64, &str, &str)] = &[
    (1, r#"{"decline":"generic_decline"}"#, "declined"),
    (
        2,
        r#"{"decline":"insufficient_funds"}"#,
        "declined: not enough money",
    ),
    (
        3,
        r#"{"decline":"authentication_required"}"#,
        "declined: the payer must authenticate",
    ),
    (10, r#"{"delay_ms":1000}"#, "done after 1 s"),
    (
        12,
        r#"{"delay_ms":4000}"#,
        "done, answered after 4 s: too late, found by looking it up",
    ),
    (
        20,
        r#"{"answer":"lost"}"#,
        "lost on the way; sent again it is done",
    ),
    (21, r#"{"answer":"broken"}"#, "done, the answer is lost"),
    (
        24,
        r#"{"answer":"never","news":{"times":0}}"#,
        "done, never answered and never told",
    ),
    (
        26,
        r#"{"answer":"error"}"#,
        "done, answered with a server error",
    ),
    (27, r#"{"answer":"refused"}"#, "not done: too many requests"),
    (
        33,
        r#"{"news":{"times":2}}"#,
        "done, each webhook comes twice",
    ),
    (
        34,
        r#"{"news":{"times":2,"backwards":true}}"#,
        "done, webhooks come twice and backwards",
    ),
    (
        35,
        r#"{"news":{"late_ms":2000}}"#,
        "done, webhooks come 2 s late",
    ),
];

impl Behaviour {
    /// What the amount asks for, if it is magic.
    #[must_use]
    pub fn of_amount(minor: u64) -> Option<Self> {
        let minor = minor.checked_sub(MAGIC_MINOR)?;
        let (_, json, _) = MAGIC.iter().find(|row| row.0 == minor)?;
        serde_json::from_str(json).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_reads_and_is_documented() {
        let document = include_str!("../../../docs/psp.md");
        for (minor, _, says) in MAGIC {
            assert!(
                Behaviour::of_amount(MAGIC_MINOR + minor).is_some(),
                "{minor}"
            );
            let line = format!("| 6,660.{minor:02} | {says} |");
            assert!(document.contains(&line), "docs/psp.md lacks: {line}");
        }
        assert_eq!(Behaviour::of_amount(1_000), None);
    }
}
