//! Thresholds, dated, for each regime.
//!
//! The built-in table has what is in force by the sources below; an operator can add to it (a
//! United Kingdom provider with low fraud may set its own contactless limit from 19 March 2026),
//! and a later row of a regime replaces an earlier one from its day on. Sources: Delegated
//! Regulation (EU) 2018/389 Art. 11, 16 and Annex; FCA Handbook, SCA-RTS Art. 11, 16; FCA PS21/2
//! for the contactless limits from 15 October 2021. The sterling bands of Art. 18 have no source
//! that we could confirm: there are none until an operator gives them, and no payment under the
//! United Kingdom's rules is exempt by risk analysis before.

use serde::{Deserialize, Serialize};

use crate::{currency::Currency, time::Timestamp};

/// Whose rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Regime {
    /// The European Union's.
    Eu,
    /// The United Kingdom's.
    Uk,
}

impl Regime {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Eu, Self::Uk];

    /// Sterling is the United Kingdom's; everything else falls under the European rules.
    #[must_use]
    pub const fn of(currency: Currency) -> Self {
        match currency {
            Currency::GBP => Self::Uk,
            _ => Self::Eu,
        }
    }

    /// In which currency its thresholds are.
    #[must_use]
    pub const fn currency(self) -> Currency {
        match self {
            Self::Eu => Currency::EUR,
            Self::Uk => Currency::GBP,
        }
    }
}

/// Which of the two counters of Art. 11 and 16 bind. The law wants one of them at least, and the
/// provider chooses (EBA Q&A 2018_4225).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counting {
    /// Both: the strictest reading, and never wrong.
    #[default]
    Both,
    /// What was paid.
    Amount,
    /// How many payments.
    Count,
}

/// Limits of an exemption by value, in minor units of the regime's currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Of one payment.
    pub each: u64,
    /// Of all since the payer last authenticated, this one included.
    pub sum: u64,
    /// How many since then, this one included.
    pub count: u32,
}

/// A band of Art. 18: up to this amount, with a fraud rate not above these. Rates are in parts
/// per million: 0.13 % is 1,300.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// The exemption threshold value, in minor units.
    pub amount: u64,
    /// The reference fraud rate of remote card payments.
    pub card_ppm: u32,
    /// The reference fraud rate of remote credit transfers.
    pub transfer_ppm: u32,
}

/// The thresholds of a regime from a day on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// Whose.
    pub regime: Regime,
    /// From when.
    pub from: Timestamp,
    /// Art. 11.
    pub contactless: Limits,
    /// Art. 16.
    pub low_value: Limits,
    /// Art. 18, in rising order of amounts.
    #[serde(default)]
    pub bands: Vec<Band>,
}

/// All thresholds, and the provider's choices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// In any order; of those that have begun, the last of a regime holds.
    pub thresholds: Vec<Thresholds>,
    /// Which counters bind.
    pub counting: Counting,
}

/// 14 September 2019, when the RTS came into force.
const RTS: u64 = 1_568_419_200_000;
/// 15 October 2021 (FCA PS21/2).
const PS21_2: u64 = 1_634_252_400_000;

const fn limits(each: u64, sum: u64, count: u32) -> Limits {
    Limits { each, sum, count }
}

const fn band(amount: u64, card_ppm: u32, transfer_ppm: u32) -> Band {
    Band {
        amount,
        card_ppm,
        transfer_ppm,
    }
}

impl Default for Rules {
    fn default() -> Self {
        let bands = vec![
            band(100_00, 1_300, 150),
            band(250_00, 600, 100),
            band(500_00, 100, 50),
        ];
        let eu = Thresholds {
            regime: Regime::Eu,
            from: Timestamp::from_unix_ms(RTS),
            contactless: limits(50_00, 150_00, 5),
            low_value: limits(30_00, 100_00, 5),
            bands,
        };
        let uk = Thresholds {
            regime: Regime::Uk,
            from: Timestamp::from_unix_ms(PS21_2),
            contactless: limits(100_00, 300_00, 5),
            low_value: limits(25_00, 85_00, 5),
            bands: Vec::new(),
        };
        Self {
            thresholds: vec![eu, uk],
            counting: Counting::default(),
        }
    }
}

impl Rules {
    /// What is in force of a regime at a moment.
    #[must_use]
    pub fn at(&self, regime: Regime, now: Timestamp) -> Option<&Thresholds> {
        let begun = |it: &&Thresholds| it.regime == regime && it.from <= now;
        self.thresholds
            .iter()
            .filter(begun)
            .max_by_key(|it| it.from)
    }
}
