//! How the simulated rail treats a payment: what becomes of it, when it says so, and how often.
//!
//! A behaviour is chosen for each payment once: by a rule of the control API, or by a magic
//! amount ([`MAGIC`]), or else it is the default: accepted at once. Choosing has no chance in it.

use lombard_core::{money::Money, rail::Rail};
use serde::{Deserialize, Serialize};

/// Everything about the treatment of one payment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// What becomes of it.
    pub outcome: Outcome,
    /// How the first answer comes.
    pub answer: Answer,
    /// Milliseconds between taking it and answering.
    pub delay_ms: u64,
    /// Milliseconds until an answer that comes later.
    pub late_ms: u64,
    /// How often the final answer is told by a message of its own, beside or instead of the first.
    pub repeats: u32,
    /// What happens afterwards.
    pub then: Vec<Then>,
    /// What is said to an enquiry.
    pub enquiry: Enquiry,
    /// What is said to a recall.
    pub recall: Recall,
}

/// What becomes of a payment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is paid.
    #[default]
    Accept,
    /// It is refused with this code.
    Reject(String),
    /// It is never decided.
    Undecided,
    /// It is lost before anybody takes it. When it is sent again it is paid.
    Lost,
}

/// How the first answer comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// In the response.
    #[default]
    Now,
    /// The response says that it comes later (202), and then it comes.
    Later,
    /// The response says pending (`PDNG`), and then the final one comes.
    Pending,
    /// Not at all: the connection stays open and silent.
    Never,
    /// The connection breaks in the middle of the response.
    Broken,
    /// The response is no message.
    Garbage,
    /// The response is an error (500).
    Error,
}

/// What happens after the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// The money comes back, all of it or so many percent.
    Return {
        /// Milliseconds later.
        after_ms: u64,
        /// The reason's code.
        code: String,
        /// How much of it.
        percent: u8,
    },
    /// The rail says something else: a status, with a code if it is a refusal.
    Say {
        /// Milliseconds later.
        after_ms: u64,
        /// Four letters.
        status: String,
        /// The reason's code.
        code: Option<String>,
    },
}

/// What is said to an enquiry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enquiry {
    /// How it stands.
    #[default]
    Truth,
    /// Pending; the truth comes in a message of its own.
    PendingThenLate,
    /// Nothing at all.
    Silence,
}

/// What is said to a recall.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recall {
    /// The money comes back.
    #[default]
    Grant,
    /// It does not, with this code.
    Refuse(String),
    /// Nothing.
    Silence,
    /// The gateway does not take it: it calls the message wrong.
    Invalid,
}

/// Amounts from 6,660.00 to 6,660.99 are magic: the two last digits choose.
const MAGIC_MAJOR: u64 = 6_660;

/// A row of the table: the two digits, and the behaviour in JSON with `{code}` for a reason. The
/// codes are those of SEPA Instant and of Faster Payments.
pub struct MagicRow {
    /// The minor units.
    pub minor: u64,
    /// The codes in the place of `{code}`.
    pub codes: [&'static str; 2],
    /// The behaviour.
    pub json: &'static str,
    /// In words, for the documentation.
    pub says: &'static str,
}

const fn row(
    minor: u64,
    codes: [&'static str; 2],
    json: &'static str,
    says: &'static str,
) -> MagicRow {
    MagicRow {
        minor,
        codes,
        json,
        says,
    }
}

const NONE: [&str; 2] = ["", ""];
const CLOSED: [&str; 2] = ["AC04", "1160"];

/// Every magic amount.
#[rustfmt::skip]
pub static MAGIC: &[MagicRow] = &[
    row(1, ["AC01", "1114"], r#"{"outcome":{"reject":"{code}"}}"#, "rejected: account unknown"),
    row(2, CLOSED, r#"{"outcome":{"reject":"{code}"}}"#, "rejected: account closed"),
    row(3, ["AC06", "1161"], r#"{"outcome":{"reject":"{code}"}}"#, "rejected: account blocked"),
    row(4, ["RR04", "1170"], r#"{"outcome":{"reject":"{code}"}}"#, "rejected: regulatory reason, terms"),
    row(5, ["AB05", "9911"], r#"{"outcome":{"reject":"{code}"}}"#, "rejected: the other bank did not answer"),
    row(6, ["MD07", "1167"], r#"{"outcome":{"reject":"{code}"}}"#, "rejected: the payee has died"),
    row(10, NONE, r#"{"delay_ms":1000}"#, "accepted after 1 s"),
    row(11, NONE, r#"{"delay_ms":2500}"#, "accepted after 2.5 s"),
    row(12, NONE, r#"{"delay_ms":4000}"#, "accepted, answered after 4 s: too late for us, found by enquiry"),
    row(20, NONE, r#"{"outcome":"lost","answer":"never"}"#, "lost on the way, no answer; an enquiry finds nothing, sent again it is accepted"),
    row(21, NONE, r#"{"answer":"broken"}"#, "accepted, the answer is lost"),
    row(22, CLOSED, r#"{"outcome":{"reject":"{code}"},"answer":"broken"}"#, "rejected, the answer is lost"),
    row(23, NONE, r#"{"outcome":"undecided","answer":"pending"}"#, "never decided: pending for ever"),
    row(24, NONE, r#"{"answer":"never"}"#, "accepted, never answered"),
    row(25, NONE, r#"{"answer":"garbage"}"#, "accepted, the answer is no message"),
    row(26, NONE, r#"{"answer":"error"}"#, "accepted, answered with a server error"),
    row(30, NONE, r#"{"answer":"later","late_ms":300,"repeats":1}"#, "accepted, answered later by a message"),
    row(31, CLOSED, r#"{"outcome":{"reject":"{code}"},"answer":"later","late_ms":300,"repeats":1}"#, "rejected, answered later by a message"),
    row(32, NONE, r#"{"answer":"pending","late_ms":300,"repeats":1}"#, "pending, then accepted by a message"),
    row(33, NONE, r#"{"repeats":2,"late_ms":200}"#, "accepted, and told twice more"),
    row(34, NONE, r#"{"then":[{"say":{"after_ms":300,"status":"PDNG","code":null}}]}"#, "accepted, then a stale pending: out of order"),
    row(35, NONE, r#"{"answer":"never","enquiry":"pending_then_late","late_ms":300}"#, "accepted, never answered; an enquiry hears pending, then the answer comes"),
    row(40, CLOSED, r#"{"then":[{"return":{"after_ms":1000,"code":"{code}","percent":100}}]}"#, "accepted, returned in full after 1 s"),
    row(41, CLOSED, r#"{"then":[{"return":{"after_ms":1000,"code":"{code}","percent":50}}]}"#, "accepted, half of it returned after 1 s"),
    row(42, CLOSED, r#"{"then":[{"say":{"after_ms":500,"status":"RJCT","code":"{code}"}}]}"#, "accepted, and rejected after all: reversed"),
    row(43, CLOSED, r#"{"outcome":{"reject":"{code}"},"then":[{"say":{"after_ms":500,"status":"ACSC","code":null}}]}"#, "rejected, and accepted after all: a contradiction"),
    row(50, NONE, r#"{"recall":"grant"}"#, "accepted; a recall is granted"),
    row(51, NONE, r#"{"recall":{"refuse":"CUST"}}"#, "accepted; a recall is refused"),
    row(52, NONE, r#"{"recall":"silence"}"#, "accepted; a recall is never answered"),
    row(53, NONE, r#"{"recall":"invalid"}"#, "accepted; a recall is not taken"),
];

impl Behaviour {
    /// What the amount asks for, if it is magic.
    #[must_use]
    pub fn of_amount(rail: Rail, money: Money) -> Option<Self> {
        let minor = money.amount.minor().checked_sub(MAGIC_MAJOR * 100)?;
        let row = MAGIC.iter().find(|row| row.minor == minor)?;
        let code = row.codes[usize::from(rail == Rail::Fps)];
        serde_json::from_str(&row.json.replace("{code}", code)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lombard_core::{currency::Currency, money::Amount};

    #[test]
    fn every_row_of_the_table_reads_and_is_there_once() {
        for (place, row) in MAGIC.iter().enumerate() {
            let money = Money {
                amount: Amount::try_from(MAGIC_MAJOR * 100 + row.minor).unwrap(),
                currency: Currency::GBP,
            };
            let first = MAGIC.iter().position(|other| other.minor == row.minor);
            assert_eq!(first, Some(place), "{}", row.minor);
            for rail in [Rail::Fps, Rail::SepaInst] {
                assert!(Behaviour::of_amount(rail, money).is_some(), "{}", row.minor);
            }
        }
    }

    #[test]
    fn other_amounts_are_not_magic() {
        for minor in [1, 2, 102, 665_999, 666_000, 666_099, 66_602] {
            let money = Money {
                amount: Amount::try_from(minor).unwrap(),
                currency: Currency::EUR,
            };
            assert_eq!(Behaviour::of_amount(Rail::SepaInst, money), None, "{minor}");
        }
    }

    #[test]
    fn the_documentation_has_the_whole_table() {
        let document = include_str!("../../../docs/rails.md");
        for row in MAGIC {
            let line = format!("| 6,660.{:02} | {} |", row.minor, row.says);
            assert!(document.contains(&line), "docs/rails.md lacks: {line}");
        }
    }
}
