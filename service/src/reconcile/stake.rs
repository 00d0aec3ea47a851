//! What an exception of reconciliation says of its money.

use lombard_core::{id::Id, payment::Payment, statement::Unit};

use super::source::Source;
use crate::exceptions::Exception;

/// What an exception says of its money.
pub struct Stake {
    /// Whose statement it is.
    pub source: Source,
    /// Of what.
    pub unit: Unit,
    /// How much came, or went when negative.
    pub minor: i64,
    /// What was kept back of it.
    pub fee: i64,
    /// The line, the statement that it stands in, and its reference.
    pub line: Option<(String, String, String)>,
    /// The payments concerned.
    pub payments: Vec<Id<Payment>>,
}

impl Stake {
    /// What the evidence of an exception names; nothing when that is no money.
    pub fn of(exception: &Exception) -> Option<Self> {
        let text = |name: &str| exception.evidence.get(name).map(String::as_str);
        let payments = text("payments").unwrap_or_default().split(' ');
        let line = text("line").map(|line| {
            let other = |name| text(name).unwrap_or_default().to_owned();
            (line.to_owned(), other("statement"), other("reference"))
        });
        Some(Self {
            source: Source {
                name: text("source")?.to_owned(),
                ..Source::default()
            },
            unit: Unit::read(text("currency")?)?,
            minor: text("amount")?.parse().ok()?,
            fee: text("fee").unwrap_or("0").parse().ok()?,
            line,
            payments: payments.filter_map(|it| it.parse().ok()).collect(),
        })
    }
}
