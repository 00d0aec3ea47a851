//! Tenants: whose payment it is. Every key begins with its tenant, so that one tenant's id asked
//! for by another is simply not there.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const LENGTH: usize = 8;
const PREFIX: &str = "ten_";

/// A tenant's id: `ten_` and eight of `0-9a-z`. Keys hold the eight alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId([u8; LENGTH]);

impl TenantId {
    /// An id out of 40 random bits.
    #[must_use]
    pub fn new(random: u64) -> Self {
        let alphabet = b"0123456789abcdefghjkmnpqrstvwxyz";
        let digit = |place: usize| alphabet[(random >> (5 * place)) as usize & 31];
        Self(std::array::from_fn(digit))
    }

    /// The eight letters that keys begin with.
    #[must_use]
    pub fn short(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.short())
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a tenant's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected `ten_` and eight of 0-9 and a-z")]
pub struct ParseTenantError;

impl FromStr for TenantId {
    type Err = ParseTenantError;

    fn from_str(text: &str) -> Result<Self, ParseTenantError> {
        let short = text.strip_prefix(PREFIX).unwrap_or(text);
        let letters: [u8; LENGTH] = short.as_bytes().try_into().map_err(|_| ParseTenantError)?;
        let fits = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
        letters
            .iter()
            .all(fits)
            .then_some(Self(letters))
            .ok_or(ParseTenantError)
    }
}

impl Serialize for TenantId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TenantId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        let id = TenantId::new(0x1234_5678_9abc);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.short().parse(), Ok(id));
        for bad in ["", "ten_", "ten_0123456", "ten_0123456/", "ten_01234567890"] {
            assert_eq!(bad.parse::<TenantId>(), Err(ParseTenantError), "{bad}");
        }
    }
}
