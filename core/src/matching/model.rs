//! The two sides, and what becomes of them.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::Date;

use crate::statement::{Kind, RefKind, Unit};

/// A movement's place among those that were given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MovementId(pub u32);

/// An expected movement's place among those that were given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExpectedId(pub u32);

/// A movement that a statement tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// Minor units; positive when the account gets them.
    pub minor: i64,
    /// Its currency.
    pub unit: Unit,
    /// What the payer paid, where fees were kept back.
    pub gross: Option<i64>,
    /// What was kept back.
    pub fee: i64,
    /// What was paid in another currency.
    pub original: Option<(i64, Unit)>,
    /// The day of entry.
    pub day: Option<Date>,
    /// What it is about.
    pub kind: Kind,
    /// What it can be recognised by.
    pub references: Box<[(RefKind, Box<str>)]>,
    /// What was written for the other side; references are looked for in it.
    pub text: Box<str>,
}

/// A movement that our books say must come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Minor units; positive when the account gets them.
    pub minor: i64,
    /// Its currency.
    pub unit: Unit,
    /// When it cleared.
    pub day: Date,
    /// What it can be recognised by.
    pub references: References,
    /// What it is a part of: a payout, a batch.
    pub group: Option<Box<str>>,
    /// What our books say of it.
    pub standing: Standing,
}

/// Texts in one piece of memory, since there are several for each of millions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References(Box<str>);

/// Ends each text. No message carries it; one that did would be two texts.
const END: char = '\u{1f}';

impl References {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split_terminator(END)
    }
}

impl<T: AsRef<str>> FromIterator<T> for References {
    fn from_iter<I: IntoIterator<Item = T>>(texts: I) -> Self {
        let mut all = String::new();
        for text in texts {
            all.push_str(text.as_ref());
            all.push(END);
        }
        Self(all.into())
    }
}

/// What our books say of an expected movement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// It should come.
    #[default]
    Open,
    /// It came, by an earlier statement.
    Settled,
    /// Money did not move.
    Failed,
    /// Its money came back.
    Reversed,
}

/// What a movement is to its payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It settles it.
    Settles,
    /// It takes it back, in whole or in part.
    Returns,
    /// It is charged for it.
    Charges,
}

/// By which rule a match was made; the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleName {
    /// The same reference, to the letter.
    Reference,
    /// The same reference but for case, marks and leading zeros.
    NormalisedReference,
    /// The reference stands in the text.
    ReferenceInText,
    /// A payout or batch is what its parts add up to.
    Group,
    /// The only one of its amount and days, on both sides.
    Amount,
}

impl RuleName {
    /// As it is written in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::NormalisedReference => "normalised_reference",
            Self::ReferenceInText => "reference_in_text",
            Self::Group => "group",
            Self::Amount => "amount",
        }
    }

    /// How sure it is, of 100.
    #[must_use]
    pub const fn score(self) -> u8 {
        match self {
            Self::Reference => 100,
            Self::NormalisedReference => 95,
            Self::Group => 90,
            Self::ReferenceInText => 85,
            Self::Amount => 60,
        }
    }
}

/// Movements and what they settle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// By which rule.
    pub rule: RuleName,
    /// The movements, each with what it is.
    pub movements: Box<[(MovementId, Role)]>,
    /// The payments.
    pub expected: Box<[ExpectedId]>,
    /// What was kept back, in minor units: told by the source, or within its fee rule.
    pub fee: i64,
    /// What remains between the sides, within the tolerance.
    pub difference: i64,
    /// It came outside of the days of its source.
    pub out_of_days: bool,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakKind {
    /// The amounts of what belongs together differ.
    AmountDiffers,
    /// The statement lacks what our books have.
    MissingThere,
    /// Our books lack what the statement has.
    MissingHere,
    /// The same movement came before.
    Duplicate,
    /// It should have come by now.
    Late,
    /// The statement is of another account than the source's.
    WrongAccount,
    /// The statement has a reference that we never gave.
    UnknownReference,
    /// The fee is not the one that was agreed.
    FeeDiffers,
    /// The currencies of what belongs together differ.
    Currency,
    /// The statement contradicts itself.
    BrokenStatement,
    /// A payment that failed, or came back, has settled.
    ConflictingStatus,
    /// Several could be meant.
    Ambiguous,
}

impl BreakKind {
    /// As it is written in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AmountDiffers => "amount_differs",
            Self::MissingThere => "missing_there",
            Self::MissingHere => "missing_here",
            Self::Duplicate => "duplicate",
            Self::Late => "late",
            Self::WrongAccount => "wrong_account",
            Self::UnknownReference => "unknown_reference",
            Self::FeeDiffers => "fee_differs",
            Self::Currency => "currency",
            Self::BrokenStatement => "broken_statement",
            Self::ConflictingStatus => "conflicting_status",
            Self::Ambiguous => "ambiguous",
        }
    }
}

impl fmt::Display for BreakKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Something that does not agree, and the candidates that were looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// What is wrong.
    pub kind: BreakKind,
    /// The movements concerned.
    pub movements: Box<[MovementId]>,
    /// The payments concerned, or the candidates.
    pub expected: Box<[ExpectedId]>,
    /// What is at stake, in minor units: the difference, or the whole amount.
    pub minor: i64,
}

/// What a run came to. Every movement is in exactly one match, explained by its kind, or in a
/// break.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What was matched.
    pub matches: Vec<Match>,
    /// Fees, payouts, reserves and the like, which no payment of ours stands for.
    pub explained: Vec<MovementId>,
    /// What was not.
    pub breaks: Vec<Break>,
    /// What is expected and may still come.
    pub open: Vec<ExpectedId>,
}
