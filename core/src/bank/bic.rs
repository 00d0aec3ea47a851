//! BIC (ISO 9362): a bank's four letters, its country, a location, and perhaps a branch.
//!
//! ISO 9362 allows digits among the first four characters since 2014; SWIFT, the registration
//! authority, issues letters only, so a digit there is a mistake and refused. The country is one of
//! ISO 3166-1, or `XK`. Whether a BIC is assigned to anybody is the rail's knowledge, not ours.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Check, country};

/// A well-formed BIC of 8 or 11 characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bic {
    /// Upper-case letters and digits; the last three are zero bytes in a BIC of 8.
    bytes: [u8; 11],
    len: u8,
}

/// The first thing that is wrong with a BIC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BicError {
    /// Neither 8 nor 11 characters.
    #[error("a BIC has 8 or 11 characters")]
    Length,
    /// A character that does not belong where it stands.
    #[error("a BIC is six upper-case letters, then upper-case letters and digits")]
    Characters,
    /// The fifth and sixth character are no country.
    #[error("characters 5 and 6 of a BIC are a country code (ISO 3166-1)")]
    Country,
}

impl BicError {
    /// A stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Characters => "characters",
            Self::Country => "country",
        }
    }
}

impl Bic {
    /// The BIC as it was given, 8 or 11 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII is ever put in.
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }

    /// The bank: the first four letters.
    #[must_use]
    pub fn bank(&self) -> &str {
        &self.as_str()[..4]
    }

    /// The country, ISO 3166-1 alpha-2 or `XK`.
    #[must_use]
    pub fn country(&self) -> &str {
        &self.as_str()[4..6]
    }

    /// The branch, if one is given and it is not the head office (`XXX`).
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        self.as_str()
            .get(8..)
            .filter(|branch| !branch.is_empty() && *branch != "XXX")
    }

    /// Does it name the same office as the other? `ABCDGB2L` and `ABCDGB2LXXX` do.
    #[must_use]
    pub fn same_office(&self, other: &Self) -> bool {
        self.bytes[..8] == other.bytes[..8] && self.branch() == other.branch()
    }

    /// Is it for test and training only? SWIFT gives these a `0` at the end of the location.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.bytes[7] == b'0'
    }
}

impl FromStr for Bic {
    type Err = BicError;

    fn from_str(text: &str) -> Result<Self, BicError> {
        let given = text.as_bytes();
        if !matches!(given.len(), 8 | 11) {
            return Err(BicError::Length);
        }
        let (letters, rest) = given.split_at(6);
        let alphanumeric = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        if !letters.iter().all(u8::is_ascii_uppercase) || !rest.iter().all(alphanumeric) {
            return Err(BicError::Characters);
        }
        // All ASCII by now, so the slice is on a boundary.
        if !country::is_known(&text[4..6]) {
            return Err(BicError::Country);
        }
        let mut bytes = [0; 11];
        bytes[..given.len()].copy_from_slice(given);
        Ok(Self {
            bytes,
            len: given.len() as u8,
        })
    }
}

impl fmt::Display for Bic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Bic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bic({self})")
    }
}

impl Serialize for Bic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Bic {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Checks a BIC: well formed, of a country.
#[must_use]
pub fn check_bic(text: &str) -> Check {
    match text.parse::<Bic>() {
        Err(error) => Check::failed(error.code(), error),
        Ok(bic) if bic.is_test() => Check::remarked(true, "test", "a BIC for test and training"),
        Ok(_) => Check::passed(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bic_has_its_parts() {
        let bic: Bic = "MIDLGB22XXX".parse().expect("well formed");
        assert_eq!(
            (bic.bank(), bic.country(), bic.branch()),
            ("MIDL", "GB", None)
        );
        let head: Bic = "MIDLGB22".parse().expect("well formed");
        assert!(bic.same_office(&head) && bic != head);
        let branch: Bic = "BOFAGB22VAM".parse().expect("well formed");
        assert_eq!(branch.branch(), Some("VAM"));
        assert!(!branch.same_office(&"BOFAGB22".parse().expect("well formed")));
    }

    #[test]
    fn what_is_no_bic_is_refused() {
        for (text, error) in [
            ("", BicError::Length),
            ("MIDLGB2", BicError::Length),
            ("MIDLGB22XX", BicError::Length),
            ("MIDLGB22XXXX", BicError::Length),
            ("midlgb22", BicError::Characters),
            ("M1DLGB22", BicError::Characters),
            ("MIDLGB2-", BicError::Characters),
            ("MIDL€22", BicError::Length),
            ("MIDLG€", BicError::Characters),
            ("MIDLUK22", BicError::Country),
            ("MIDLZZ22XXX", BicError::Country),
        ] {
            assert_eq!(text.parse::<Bic>(), Err(error), "{text}");
            assert_eq!(check_bic(text).reason, Some(error.code()));
        }
        assert_eq!(check_bic("MIDLGB20").reason, Some("test"));
    }

    proptest! {
        #[test]
        fn what_is_read_is_written(text in "[A-Z]{4}(GB|DE|FR)[A-Z0-9]{2}([A-Z0-9]{3})?", junk in any::<String>()) {
            let bic: Bic = text.parse().expect("well formed");
            prop_assert_eq!(bic.as_str(), text.as_str());
            let _ = junk.parse::<Bic>();
        }
    }
}
