//! IBAN (ISO 13616): country, two check digits, and the account in its country's own form.
//!
//! A check goes from the outside in and names the first thing that is wrong: the characters, the
//! country, the length, the structure, the check digits (ISO 7064, MOD 97-10). Check digits are 02 to 98:
//! 00, 01 and 99 leave the same remainder as 97, 98 and 02, and no bank ever computed them.

pub mod registry;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Check;
use registry::{Class, Entry, Scope};

/// The longest IBAN that ISO 13616 allows.
const LENGTH_MAX: usize = 34;

/// A valid IBAN in electronic form: registered country, right length, structure and check digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Iban {
    /// Upper-case letters and digits, then zero bytes.
    bytes: [u8; LENGTH_MAX],
    len: u8,
}

/// The first thing that is wrong with an IBAN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IbanError {
    /// Not upper-case letters and digits only, or not starting with two letters and two digits.
    #[error(
        "an IBAN is two letters, two digits, then upper-case letters and digits, without spaces"
    )]
    Characters,
    /// No country of that code has IBANs.
    #[error("no country {}{} has IBANs", char::from(.0[0]), char::from(.0[1]))]
    Country([u8; 2]),
    /// Too short or too long for its country.
    #[error("an IBAN of this country has {expected} characters, this one has {found}")]
    Length {
        /// The length that the registry gives.
        expected: usize,
        /// The length of the text.
        found: usize,
    },
    /// A letter where the country has a digit, or the other way round.
    #[error("character {position} of an IBAN of this country must be {}", if *.letter { "a letter" } else { "a digit" })]
    Structure {
        /// Counted from 1.
        position: usize,
        /// What the country has there.
        letter: bool,
    },
    /// The check digits do not belong to the rest.
    #[error("the check digits are wrong: a character is mistyped or two are swapped")]
    CheckDigits,
}

impl IbanError {
    /// A stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Characters => "characters",
            Self::Country(_) => "country",
            Self::Length { .. } => "length",
            Self::Structure { .. } => "structure",
            Self::CheckDigits => "check_digits",
        }
    }
}

/// What [`Iban::read`] changed to get the electronic form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Changed {
    /// Spaces or hyphens were taken out.
    pub separators: bool,
    /// Lower-case letters were raised.
    pub case: bool,
}

impl Changed {
    /// Was the text in electronic form already?
    #[must_use]
    pub const fn nothing(self) -> bool {
        !self.separators && !self.case
    }
}

impl Iban {
    /// Reads the form that people write, and says what had to be changed: spaces, hyphens and lower case.
    ///
    /// For people and files of people only; messages between machines are parsed strictly with
    /// [`str::parse`].
    ///
    /// # Errors
    /// [`IbanError`]: what is wrong with the text after these changes.
    pub fn read(text: &str) -> Result<(Self, Changed), IbanError> {
        let separator = |char: char| matches!(char, ' ' | '\u{a0}' | '-');
        let joined: String = text
            .trim()
            .chars()
            .filter(|char| !separator(*char))
            .collect();
        let raised = joined.to_ascii_uppercase();
        let changed = Changed {
            separators: joined != text,
            case: raised != joined,
        };
        Ok((raised.parse()?, changed))
    }

    /// Puts check digits before an account in its country's form.
    ///
    /// # Errors
    /// [`IbanError`] if the country has no IBANs or the account is not of its form.
    pub fn from_bban(country: &str, bban: &str) -> Result<Self, IbanError> {
        let open = format!("{country}00{bban}");
        shape(open.as_bytes())?;
        let digits = 98 - remainder(open.as_bytes());
        format!("{country}{digits:02}{bban}").parse()
    }

    /// The electronic form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII is ever put in.
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }

    /// The country, ISO 3166-1 alpha-2.
    #[must_use]
    pub fn country(&self) -> &str {
        &self.as_str()[..2]
    }

    /// The account in its country's own form, without country and check digits.
    #[must_use]
    pub fn bban(&self) -> &str {
        &self.as_str()[4..]
    }

    /// How far IBANs of this country reach.
    #[must_use]
    pub fn scope(&self) -> Scope {
        // The country was found when the value was made.
        registry::find(&self.bytes[..2]).map_or(Scope::National, |entry| entry.scope)
    }

    /// Is the country in the geographical scope of the SEPA schemes?
    #[must_use]
    pub fn is_sepa(&self) -> bool {
        self.scope() == Scope::Sepa
    }

    /// The printed form, in groups of four.
    #[must_use]
    pub fn printed(&self) -> String {
        let (whole, rest) = self.as_str().as_bytes().as_chunks::<4>();
        let groups = whole
            .iter()
            .map(|group| group.as_slice())
            .chain((!rest.is_empty()).then_some(rest));
        let groups: Vec<_> = groups.map(|group| String::from_utf8_lossy(group)).collect();
        groups.join(" ")
    }

    /// Country and last four characters: enough to recognise, not enough to pay.
    #[must_use]
    pub fn masked(&self) -> String {
        let text = self.as_str();
        format!("{}…{}", self.country(), &text[text.len() - 4..])
    }
}

/// Checks everything but the check digits.
fn shape(text: &[u8]) -> Result<&'static Entry, IbanError> {
    let charset = text
        .iter()
        .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    let &[c1, c2, d1, d2, ..] = text else {
        return Err(IbanError::Characters);
    };
    let head = c1.is_ascii_uppercase()
        && c2.is_ascii_uppercase()
        && d1.is_ascii_digit()
        && d2.is_ascii_digit();
    if !charset || !head {
        return Err(IbanError::Characters);
    }
    let entry = registry::find(&text[..2]).ok_or(IbanError::Country([c1, c2]))?;
    let (expected, found) = (entry.length(), text.len());
    if expected != found {
        return Err(IbanError::Length { expected, found });
    }
    let mut places = entry.classes().zip(&text[4..]).enumerate();
    match places.find(|(_, (class, byte))| !class.admits(**byte)) {
        Some((index, (class, _))) => Err(IbanError::Structure {
            position: index + 5,
            letter: class == Class::Letter,
        }),
        None => Ok(entry),
    }
}

/// Do the check digits fit, whatever the country's length and structure are?
pub(crate) fn has_check_digits(text: &str) -> bool {
    let text = text.as_bytes();
    let charset = text
        .iter()
        .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    let computed = |digits: &[u8]| !matches!(digits, b"00" | b"01" | b"99");
    charset && text.get(2..4).is_some_and(computed) && remainder(text) == 1
}

/// The remainder by 97 of the text with its first four characters at the end and letters as 10 to 35.
fn remainder(text: &[u8]) -> u32 {
    let (head, account) = text.split_at(4);
    account.iter().chain(head).fold(0, |sum, byte| match byte {
        b'0'..=b'9' => (sum * 10 + u32::from(byte - b'0')) % 97,
        letter => (sum * 100 + u32::from(letter - b'A') + 10) % 97,
    })
}

impl FromStr for Iban {
    type Err = IbanError;

    /// Reads the electronic form, and nothing else.
    fn from_str(text: &str) -> Result<Self, IbanError> {
        shape(text.as_bytes())?;
        if !has_check_digits(text) {
            return Err(IbanError::CheckDigits);
        }
        let text = text.as_bytes();
        let mut bytes = [0; LENGTH_MAX];
        // The registry's lengths are at most 33, kept by a test.
        bytes[..text.len()].copy_from_slice(text);
        Ok(Self {
            bytes,
            len: text.len() as u8,
        })
    }
}

impl fmt::Display for Iban {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Iban {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Iban({})", self.masked())
    }
}

impl Serialize for Iban {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Iban {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Checks an IBAN as a person gives it: the answer of `lombard check iban`.
#[must_use]
pub fn check_iban(text: &str) -> Check {
    match Iban::read(text) {
        Err(error) => Check::failed(error.code(), error),
        Ok((iban, changed)) if !changed.nothing() => {
            let detail = format!(
                "valid as {iban}: an IBAN in a message has no separators and no lower case"
            );
            Check::remarked(true, "not_electronic_form", detail)
        }
        Ok((iban, _)) if iban.scope() == Scope::National => {
            let detail = "the country's format is national and not in SWIFT's registry";
            Check::remarked(true, "not_registered", detail)
        }
        Ok(_) => Check::passed(),
    }
}

#[cfg(test)]
mod tests;
