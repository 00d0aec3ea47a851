//! What the fold takes in: a payment as risk sees it, and what became of one.

use std::{fmt, str::FromStr};

use lombard_core::{currency::Currency, id::digest_text, time::Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::place::Place;

/// Somebody or something that a payment names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Who pays.
    Customer,
    /// From which account.
    Account,
    /// Who is paid.
    Payee,
    /// On which device it was ordered.
    Device,
    /// At which merchant or terminal.
    Terminal,
    /// With which card.
    Card,
    /// From which IP address.
    Ip,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Customer,
        Self::Account,
        Self::Payee,
        Self::Device,
        Self::Terminal,
        Self::Card,
        Self::Ip,
    ];

    /// As it stands in the names of features.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Account => "account",
            Self::Payee => "payee",
            Self::Device => "device",
            Self::Terminal => "terminal",
            Self::Card => "card",
            Self::Ip => "ip",
        }
    }

    /// Whether it is one and the same in every currency. An account has one, and a payee or a
    /// terminal is known by each apart, so that their amounts are never added up across them.
    #[must_use]
    pub const fn spans_currencies(self) -> bool {
        matches!(self, Self::Customer | Self::Device | Self::Card | Self::Ip)
    }

    /// The kind of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A subject, hashed with its kind and its tenant, so that nothing is ever added up across them,
/// and with the currency unless its kind [spans](Kind::spans_currencies) them. Written as 16 hexadecimal digits, by which lists name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(pub u64);

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Subject {
    type Err = NoSubject;

    fn from_str(text: &str) -> Result<Self, NoSubject> {
        let digits = |text: &&str| text.len() == 16;
        let text = Some(text).filter(digits).ok_or(NoSubject)?;
        u64::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_| NoSubject)
    }
}

/// That a text is no subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a subject is written as 16 hexadecimal digits")]
pub struct NoSubject;

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl Subject {
    /// The subject of a name. The name should be an id or a blinded address, never personal data.
    #[must_use]
    pub fn new(scope: &str, kind: Kind, currency: Currency, name: &str) -> Self {
        // The text is 128 bits of SHA-256; 64 of them keep a billion subjects apart.
        let text = if kind.spans_currencies() {
            digest_text(&[scope, kind.name(), name])
        } else {
            digest_text(&[scope, kind.name(), currency.code(), name])
        };
        Self(of_text(&text))
    }

    /// A subject of a numbered thing, for data sets that number theirs.
    #[must_use]
    pub const fn numbered(kind: Kind, number: u64) -> Self {
        Self(mix(number ^ ((kind as u64 + 1) << 56)))
    }
}

/// The first 64 bits behind a text of base-32 digits.
fn of_text(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        mix(hash ^ u64::from(byte))
    })
}

/// Spreads the bits of a number (the finaliser of splitmix64).
#[must_use]
pub const fn mix(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// What a Confirmation of Payee check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayeeCheck {
    /// The name is the account's.
    Match,
    /// It is nearly.
    CloseMatch,
    /// It is not.
    NoMatch,
    /// The other bank could not say.
    Unavailable,
}

impl PayeeCheck {
    /// As a number that grows with the danger.
    #[must_use]
    pub const fn level(self) -> f64 {
        match self {
            Self::Match => 0.0,
            Self::CloseMatch => 1.0,
            Self::Unavailable => 2.0,
            Self::NoMatch => 3.0,
        }
    }
}

impl std::str::FromStr for PayeeCheck {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "match" => Ok(Self::Match),
            "close_match" => Ok(Self::CloseMatch),
            "no_match" => Ok(Self::NoMatch),
            "unavailable" => Ok(Self::Unavailable),
            _ => Err("expected match, close_match, no_match or unavailable"),
        }
    }
}

/// A payment, as risk sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// A hash of the payment's id.
    pub id: u64,
    /// When it was made.
    pub at: Timestamp,
    /// How much, in minor units.
    pub amount: u64,
    /// Whom it names, by [`Kind::ALL`].
    pub subjects: [Option<Subject>; 7],
    /// Where it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What the payee check said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payee_check: Option<PayeeCheck>,
    /// The nearest name on a sanctions list, in per cent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screening: Option<u8>,
}

impl Event {
    /// A payment that names nobody yet.
    #[must_use]
    pub const fn new(id: u64, at: Timestamp, amount: u64) -> Self {
        Self {
            id,
            at,
            amount,
            subjects: [None; 7],
            place: None,
            payee_check: None,
            screening: None,
        }
    }

    /// The same, naming a subject.
    #[must_use]
    pub const fn with(mut self, kind: Kind, subject: Subject) -> Self {
        self.subjects[kind as usize] = Some(subject);
        self
    }

    /// The subject of a kind, if the payment names one.
    #[must_use]
    pub const fn subject(&self, kind: Kind) -> Option<Subject> {
        self.subjects[kind as usize]
    }

    /// Seconds since 1970; the fold is no finer.
    #[must_use]
    pub fn seconds(&self) -> u32 {
        u32::try_from(self.at.unix_ms() / 1000).unwrap_or(u32::MAX)
    }
}

/// What became of a payment, told when it is known and not before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The payment.
    pub event: Event,
    /// Whether it was fraud. A payment that nobody complained of within the delay of labels is
    /// told as genuine.
    pub fraud: bool,
    /// How many times the payer's typical amount it was, as known when it was made; `NaN`-free:
    /// 1 when nothing was known.
    pub times_typical: f32,
}
