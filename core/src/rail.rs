//! Rails: the ways by which money reaches an account. What each of them requires is in
//! [`crate::scheme`]; how it is spoken to is the service's.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::currency::Currency;

/// A way for money to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rail {
    /// Between two accounts on our own books; final at once.
    Book,
    /// UK Faster Payments.
    Fps,
    /// SEPA Instant Credit Transfer.
    SepaInst,
    /// Cards, through a payment service provider.
    Card,
}

impl Rail {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Book, Self::Fps, Self::SepaInst, Self::Card];

    /// As it is written in the API, in keys and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Book => "book",
            Self::Fps => "fps",
            Self::SepaInst => "sepa_inst",
            Self::Card => "card",
        }
    }

    /// The one currency that the rail carries, `None` when it carries any.
    #[must_use]
    pub fn currency(self) -> Option<Currency> {
        match self {
            Self::Book | Self::Card => None,
            Self::Fps => Some(Currency::GBP),
            Self::SepaInst => Some(Currency::EUR),
        }
    }
}

impl fmt::Display for Rail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no such rail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected one of `book`, `fps`, `sepa_inst`, `card`")]
pub struct UnknownRail;

impl FromStr for Rail {
    type Err = UnknownRail;

    fn from_str(text: &str) -> Result<Self, UnknownRail> {
        Self::ALL
            .into_iter()
            .find(|rail| rail.name() == text)
            .ok_or(UnknownRail)
    }
}
