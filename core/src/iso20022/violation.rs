//! What is wrong with a message: where, by which rule, and in words.
//!
//! **Personal data.** A message is written for logs and for the sender's eyes alike, so it never
//! repeats a value: it says how long the value is or what it should look like.

use std::fmt;

use serde::{Serialize, Serializer};

/// The rule that a message breaks. The names are stable: programs may depend on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// Not well-formed XML 1.0.
    Malformed,
    /// Not UTF-8, or declared to be something else than UTF-8 or US-ASCII.
    Encoding,
    /// A document type declaration: never needed, and the way to entity bombs.
    Dtd,
    /// An entity other than the five of XML itself.
    Entity,
    /// A character that XML 1.0 forbids.
    Character,
    /// A bound of `limits` is passed.
    Limit,
    /// An undeclared prefix, or a `Document` outside the namespaces of ISO 20022.
    Namespace,
    /// There is no `Document`.
    NoDocument,
    /// There is more than one `Document` or header.
    DuplicateDocument,
    /// There is no schema for this message or version.
    UnsupportedMessage,
    /// The header names another message than the document is.
    HeaderMismatch,
    /// The schema has no such element here, or not any more.
    UnexpectedElement,
    /// A required element is absent.
    MissingElement,
    /// The element occurs more often than allowed.
    MaxOccurs,
    /// Text between elements.
    UnexpectedText,
    /// The schema has no such attribute here.
    UnexpectedAttribute,
    /// A required attribute is absent.
    MissingAttribute,
    /// XSD facet `pattern`.
    Pattern,
    /// XSD facet `minLength`, in characters.
    MinLength,
    /// XSD facet `maxLength`, in characters.
    MaxLength,
    /// XSD facet `enumeration`.
    Enumeration,
    /// XSD facet `totalDigits`.
    TotalDigits,
    /// XSD facet `fractionDigits`.
    FractionDigits,
    /// XSD facet `minInclusive`.
    MinInclusive,
    /// Not a value of the built-in type: not a date, a time, a number, `true` or `false`.
    DataType,
    /// The currency is none of ISO 4217 that can be paid.
    Currency,
    /// The amount has digits below the currency's minor unit (ISO 4217).
    MinorUnits,
    /// The amount is zero or more than we carry.
    AmountRange,
    /// The check digits or the length of the IBAN are wrong (ISO 13616).
    Iban,
    /// The BIC names no country (ISO 9362, ISO 3166).
    Bic,
    /// `NbOfTxs` is not the number of transactions.
    NumberOfTransactions,
    /// `CtrlSum` or a total is not the sum of the amounts.
    ControlSum,
    /// Exactly one transaction is expected in this message.
    OneTransaction,
    /// There is nothing in the message that could be acted on.
    NoTransaction,
    /// A report without a status.
    MissingStatus,
    /// A payment of the counter-value of an amount in another currency.
    EquivalentAmount,
    /// A moment before 1970 or after the year 9999.
    TimeRange,
}

impl Rule {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Encoding => "encoding",
            Self::Dtd => "dtd",
            Self::Entity => "entity",
            Self::Character => "character",
            Self::Limit => "limit",
            Self::Namespace => "namespace",
            Self::NoDocument => "no_document",
            Self::DuplicateDocument => "duplicate_document",
            Self::UnsupportedMessage => "unsupported_message",
            Self::HeaderMismatch => "header_mismatch",
            Self::UnexpectedElement => "unexpected_element",
            Self::MissingElement => "missing_element",
            Self::MaxOccurs => "max_occurs",
            Self::UnexpectedText => "unexpected_text",
            Self::UnexpectedAttribute => "unexpected_attribute",
            Self::MissingAttribute => "missing_attribute",
            Self::Pattern => "pattern",
            Self::MinLength => "min_length",
            Self::MaxLength => "max_length",
            Self::Enumeration => "enumeration",
            Self::TotalDigits => "total_digits",
            Self::FractionDigits => "fraction_digits",
            Self::MinInclusive => "min_inclusive",
            Self::DataType => "data_type",
            Self::Currency => "currency",
            Self::MinorUnits => "minor_units",
            Self::AmountRange => "amount_range",
            Self::Iban => "iban",
            Self::Bic => "bic",
            Self::NumberOfTransactions => "number_of_transactions",
            Self::ControlSum => "control_sum",
            Self::OneTransaction => "one_transaction",
            Self::NoTransaction => "no_transaction",
            Self::MissingStatus => "missing_status",
            Self::EquivalentAmount => "equivalent_amount",
            Self::TimeRange => "time_range",
        }
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Where, such as `/Document/CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[3]/Amt/InstdAmt`. Elements
    /// that may occur several times carry their number, from 1.
    pub path: String,
    /// By which rule.
    pub rule: Rule,
    /// In words, without any value from the message.
    pub message: String,
}

impl Violation {
    pub(super) fn new(path: String, rule: Rule, message: impl Into<String>) -> Self {
        Self {
            path,
            rule,
            message: message.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() {
            "/"
        } else {
            &self.path
        };
        write!(f, "{path}: {} ({})", self.message, self.rule.name())
    }
}

/// Violations, as many as are worth keeping, and how many there were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violations {
    kept: Vec<Violation>,
    count: u64,
}

impl Violations {
    /// Counts a violation, and keeps it while fewer than `max` are kept.
    pub(super) fn push(&mut self, max: usize, violation: impl FnOnce() -> Violation) {
        self.count += 1;
        if self.kept.len() < max {
            self.kept.push(violation());
        }
    }

    /// Adds others behind these.
    pub(super) fn append(&mut self, max: usize, others: Self) {
        let room = max.saturating_sub(self.kept.len());
        self.count += others.count;
        self.kept.extend(others.kept.into_iter().take(room));
    }

    /// The first of them, in the order of the message.
    #[must_use]
    pub fn kept(&self) -> &[Violation] {
        &self.kept
    }

    /// The first of them, in the order of the message.
    #[must_use]
    pub fn into_kept(self) -> Vec<Violation> {
        self.kept
    }

    /// How many there were, the ones not kept included.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Whether there were none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// Why a message is not taken. Nothing of it was acted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Which message it said it was, where that much could be read.
    pub message: Option<String>,
    /// What is wrong with it; never empty.
    pub violations: Violations,
}

impl Refusal {
    pub(super) fn of(message: Option<&str>, violation: Violation) -> Self {
        let mut violations = Violations::default();
        violations.push(1, || violation);
        Self {
            message: message.map(str::to_owned),
            violations,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.message.as_deref().unwrap_or("the message");
        write!(f, "{name} is refused")?;
        if let Some(first) = self.violations.kept().first() {
            write!(f, ": {first}")?;
        }
        match self.violations.count() {
            0 | 1 => Ok(()),
            count => write!(f, " and {} more", count - 1),
        }
    }
}

impl std::error::Error for Refusal {}
