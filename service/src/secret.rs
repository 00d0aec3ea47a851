//! What must not be printed or written by accident.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

/// Something secret: it does not show itself, is not serialised, and is wiped when it is dropped.
/// [`Secret::expose`] is the one way to it, and easy to search for.
#[derive(Clone, Default)]
pub struct Secret<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> Secret<T> {
    /// Takes it over.
    pub fn new(secret: T) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// The thing itself.
    #[must_use]
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What may be shown of a number: its last four characters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Masked<'a>(pub &'a str);

impl fmt::Display for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chars = self.0.chars().count();
        // Of a short text four characters would be most of it.
        let shown = if chars >= 8 { 4 } else { 0 };
        let last: String = self.0.chars().skip(chars - shown).collect();
        write!(f, "…{last}")
    }
}

impl fmt::Debug for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_shows_more_than_it_should() {
        let secret = Secret::new("hunter22hunter22".to_owned());
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(secret.expose(), "hunter22hunter22");
        assert_eq!(Masked("GB82WEST12345698765432").to_string(), "…5432");
        assert_eq!(format!("{:?}", Masked("1234567")), "…");
    }
}
