//! The card networks, and the prefixes and lengths that they issue.
//!
//! Source: the issuer identification number ranges that each network publishes to acquirers
//! (Visa, Mastercard's "Series 2" announcement, American Express, Discover Global Network with
//! Diners Club and its alliance partners, JCB, UnionPay, NSPK for Mir, NPCI for RuPay), under the
//! scheme of ISO/IEC 7812-1. Networks lend ranges to each other; the longest prefix says who
//! issued the card.

use serde::{Deserialize, Serialize};

/// A card network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // Their names say all.
pub enum Brand {
    Visa,
    Mastercard,
    Amex,
    Discover,
    Diners,
    Jcb,
    Unionpay,
    Maestro,
    Mir,
    Rupay,
    Elo,
    Troy,
    Dankort,
    Uatp,
    /// None whose ranges are known here.
    Unknown,
}

/// Prefixes from the first to the last, both with the same number of digits, and the lengths
/// that the network issues under them, from the fewest to the most digits.
struct Range(u32, u32, u8, u8, Brand);

const RANGES: &[Range] = &[
    Range(1, 1, 15, 15, Brand::Uatp),
    Range(1800, 1800, 15, 15, Brand::Jcb),
    Range(2131, 2131, 15, 15, Brand::Jcb),
    Range(2200, 2204, 16, 19, Brand::Mir),
    Range(2221, 2720, 16, 16, Brand::Mastercard),
    Range(300, 305, 14, 19, Brand::Diners),
    Range(3095, 3095, 14, 19, Brand::Diners),
    Range(34, 34, 15, 15, Brand::Amex),
    Range(3528, 3589, 16, 19, Brand::Jcb),
    Range(36, 36, 14, 19, Brand::Diners),
    Range(37, 37, 15, 15, Brand::Amex),
    Range(38, 39, 14, 19, Brand::Diners),
    Range(4, 4, 13, 19, Brand::Visa),
    Range(401_178, 401_179, 16, 16, Brand::Elo),
    Range(431_274, 431_274, 16, 16, Brand::Elo),
    Range(438_935, 438_935, 16, 16, Brand::Elo),
    Range(451_416, 451_416, 16, 16, Brand::Elo),
    Range(457_393, 457_393, 16, 16, Brand::Elo),
    Range(457_631, 457_632, 16, 16, Brand::Elo),
    Range(500, 509, 12, 19, Brand::Maestro),
    Range(5019, 5019, 16, 16, Brand::Dankort),
    Range(504_175, 504_175, 16, 16, Brand::Elo),
    Range(506_699, 506_778, 16, 16, Brand::Elo),
    Range(508_500, 508_999, 16, 16, Brand::Rupay),
    Range(509_000, 509_999, 16, 16, Brand::Elo),
    Range(51, 55, 16, 16, Brand::Mastercard),
    Range(56, 58, 12, 19, Brand::Maestro),
    Range(6011, 6011, 16, 19, Brand::Discover),
    Range(606_985, 607_984, 16, 16, Brand::Rupay),
    Range(608_001, 608_500, 16, 16, Brand::Rupay),
    Range(62, 62, 16, 19, Brand::Unionpay),
    Range(6304, 6304, 12, 19, Brand::Maestro),
    Range(636_297, 636_297, 16, 16, Brand::Elo),
    Range(636_368, 636_368, 16, 16, Brand::Elo),
    Range(639, 639, 12, 19, Brand::Maestro),
    Range(644, 649, 16, 19, Brand::Discover),
    Range(65, 65, 16, 19, Brand::Discover),
    Range(650_031, 650_033, 16, 16, Brand::Elo),
    Range(650_035, 650_051, 16, 16, Brand::Elo),
    Range(650_405, 650_439, 16, 16, Brand::Elo),
    Range(650_485, 650_538, 16, 16, Brand::Elo),
    Range(652_150, 653_149, 16, 16, Brand::Rupay),
    Range(67, 67, 12, 19, Brand::Maestro),
    Range(81, 81, 16, 19, Brand::Unionpay),
    Range(817_200, 820_199, 16, 16, Brand::Rupay),
    Range(9792, 9792, 16, 16, Brand::Troy),
];

impl Range {
    /// That of the longest prefix of a number.
    fn of(digits: &[u8]) -> Option<&'static Self> {
        let places = |range: &Self| range.0.ilog10() as usize + 1;
        let holds = |range: &&Self| {
            let prefix = digits.get(..places(range)).map(|prefix| {
                let digit = |byte: &u8| u32::from(byte.wrapping_sub(b'0'));
                prefix.iter().fold(0, |sum, byte| sum * 10 + digit(byte))
            });
            prefix.is_some_and(|prefix| (range.0..=range.1).contains(&prefix))
        };
        RANGES
            .iter()
            .filter(holds)
            .max_by_key(|range| places(range))
    }
}

impl Brand {
    /// The network of a number, given as ASCII digits.
    #[must_use]
    pub fn of(digits: &[u8]) -> Self {
        Range::of(digits).map_or(Self::Unknown, |range| range.4)
    }

    /// Whether its network issues numbers of that many digits under that prefix.
    #[must_use]
    pub fn issues(digits: &[u8]) -> bool {
        let length = digits.len();
        match Range::of(digits) {
            None => (super::DIGITS_MIN..=super::DIGITS_MAX).contains(&length),
            // Thirteen in the past, sixteen, nineteen; none between.
            Some(Range(.., Self::Visa)) => matches!(length, 13 | 16 | 19),
            Some(Range(_, _, least, most, _)) => {
                (usize::from(*least)..=usize::from(*most)).contains(&length)
            }
        }
    }

    /// As it is written in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Visa => "visa",
            Self::Mastercard => "mastercard",
            Self::Amex => "amex",
            Self::Discover => "discover",
            Self::Diners => "diners",
            Self::Jcb => "jcb",
            Self::Unionpay => "unionpay",
            Self::Maestro => "maestro",
            Self::Mir => "mir",
            Self::Rupay => "rupay",
            Self::Elo => "elo",
            Self::Troy => "troy",
            Self::Dankort => "dankort",
            Self::Uatp => "uatp",
            Self::Unknown => "unknown",
        }
    }
}
