//! The IBAN registry: which countries have IBANs, how long they are and what they are made of.
//!
//! Sources: SWIFT's IBAN Registry, release 101 (ISO 13616), for structures; the European Payments
//! Council's list of SEPA countries (EPC409-09, 41 countries since May 2025) for membership. The
//! crown dependencies and the French and Finnish territories have IBANs of `GB`, `FR` and `FI`, so
//! they have no row.
//!
//! Countries that publish a national IBAN format without being in SWIFT's registry are listed as
//! [`Scope::National`]: their IBANs exist and carry check digits, but no scheme of ours reaches them.

/// How far a country's IBANs reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// In SWIFT's registry and in the geographical scope of the SEPA schemes.
    Sepa,
    /// In SWIFT's registry.
    World,
    /// Published by the country, not in SWIFT's registry.
    National,
}

use Scope::{National, Sepa, World};

/// One country.
pub(super) struct Entry {
    /// ISO 3166-1 alpha-2.
    pub country: [u8; 2],
    /// The BBAN, part by part: a count and `n` digits, `a` upper-case letters or `c` either.
    pub structure: &'static str,
    /// How far its IBANs reach.
    pub scope: Scope,
}

const fn entry(country: [u8; 2], structure: &'static str, scope: Scope) -> Entry {
    Entry {
        country,
        structure,
        scope,
    }
}

/// What a character of a BBAN may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Digit,
    Letter,
    Either,
}

impl Class {
    pub(super) fn admits(self, byte: u8) -> bool {
        match self {
            Self::Digit => byte.is_ascii_digit(),
            Self::Letter => byte.is_ascii_uppercase(),
            Self::Either => byte.is_ascii_digit() || byte.is_ascii_uppercase(),
        }
    }
}

impl Entry {
    /// The class of each character of the BBAN, in order.
    pub(super) fn classes(&self) -> impl Iterator<Item = Class> {
        self.structure.split(' ').flat_map(|part| {
            // Every part is a count and a class letter, kept by a test.
            let (count, class) = part.split_at(part.len() - 1);
            let class = match class {
                "n" => Class::Digit,
                "a" => Class::Letter,
                _ => Class::Either,
            };
            std::iter::repeat_n(class, count.parse().unwrap_or(0))
        })
    }

    /// The length of a whole IBAN: country, check digits and BBAN.
    pub(super) fn length(&self) -> usize {
        4 + self.classes().count()
    }
}

/// Finds a country.
pub(super) fn find(country: &[u8]) -> Option<&'static Entry> {
    let index = ENTRIES
        .binary_search_by(|entry| entry.country.as_slice().cmp(country))
        .ok()?;
    Some(&ENTRIES[index])
}

/// Every country with IBANs, in order of its code.
#[rustfmt::skip]
pub(super) static ENTRIES: [Entry; 111] = [
    entry(*b"AD", "8n 12c", Sepa),
    entry(*b"AE", "19n", World),
    entry(*b"AL", "8n 16c", Sepa),
    entry(*b"AO", "21n", National),
    entry(*b"AT", "16n", Sepa),
    entry(*b"AZ", "4a 20c", World),
    entry(*b"BA", "16n", World),
    entry(*b"BE", "12n", Sepa),
    entry(*b"BF", "2c 22n", National),
    entry(*b"BG", "4a 6n 8c", Sepa),
    entry(*b"BH", "4a 14c", World),
    entry(*b"BI", "23n", World),
    entry(*b"BJ", "2c 22n", National),
    entry(*b"BR", "23n 1a 1c", World),
    entry(*b"BY", "4c 4n 16c", World),
    entry(*b"CF", "23n", National),
    entry(*b"CG", "23n", National),
    entry(*b"CH", "5n 12c", Sepa),
    entry(*b"CI", "2a 22n", National),
    entry(*b"CM", "23n", National),
    entry(*b"CR", "18n", World),
    entry(*b"CV", "21n", National),
    entry(*b"CY", "8n 16c", Sepa),
    entry(*b"CZ", "20n", Sepa),
    entry(*b"DE", "18n", Sepa),
    entry(*b"DJ", "23n", World),
    entry(*b"DK", "14n", Sepa),
    entry(*b"DO", "4c 20n", World),
    entry(*b"DZ", "22n", National),
    entry(*b"EE", "16n", Sepa),
    entry(*b"EG", "25n", World),
    entry(*b"ES", "20n", Sepa),
    entry(*b"FI", "14n", Sepa),
    entry(*b"FK", "2a 12n", World),
    entry(*b"FO", "14n", World),
    entry(*b"FR", "10n 11c 2n", Sepa),
    entry(*b"GA", "23n", National),
    entry(*b"GB", "4a 14n", Sepa),
    entry(*b"GE", "2a 16n", World),
    entry(*b"GI", "4a 15c", Sepa),
    entry(*b"GL", "14n", World),
    entry(*b"GQ", "23n", National),
    entry(*b"GR", "7n 16c", Sepa),
    entry(*b"GT", "24c", World),
    entry(*b"GW", "2c 19n", National),
    entry(*b"HN", "4a 20n", World),
    entry(*b"HR", "17n", Sepa),
    entry(*b"HU", "24n", Sepa),
    entry(*b"IE", "4a 14n", Sepa),
    entry(*b"IL", "19n", World),
    entry(*b"IQ", "4a 15n", World),
    entry(*b"IR", "22n", National),
    entry(*b"IS", "22n", Sepa),
    entry(*b"IT", "1a 10n 12c", Sepa),
    entry(*b"JO", "4a 4n 18c", World),
    entry(*b"KM", "23n", National),
    entry(*b"KW", "4a 22c", World),
    entry(*b"KZ", "3n 13c", World),
    entry(*b"LB", "4n 20c", World),
    entry(*b"LC", "4a 24c", World),
    entry(*b"LI", "5n 12c", Sepa),
    entry(*b"LT", "16n", Sepa),
    entry(*b"LU", "3n 13c", Sepa),
    entry(*b"LV", "4a 13c", Sepa),
    entry(*b"LY", "21n", World),
    entry(*b"MA", "24n", National),
    entry(*b"MC", "10n 11c 2n", Sepa),
    entry(*b"MD", "20c", Sepa),
    entry(*b"ME", "18n", Sepa),
    entry(*b"MG", "23n", National),
    entry(*b"MK", "3n 10c 2n", Sepa),
    entry(*b"ML", "2c 22n", National),
    entry(*b"MN", "16n", World),
    entry(*b"MR", "23n", World),
    entry(*b"MT", "4a 5n 18c", Sepa),
    entry(*b"MU", "4a 19n 3a", World),
    entry(*b"MZ", "21n", National),
    entry(*b"NE", "2a 22n", National),
    entry(*b"NI", "4a 20n", World),
    entry(*b"NL", "4a 10n", Sepa),
    entry(*b"NO", "11n", Sepa),
    entry(*b"OM", "3n 16c", World),
    entry(*b"PK", "4a 16c", World),
    entry(*b"PL", "24n", Sepa),
    entry(*b"PS", "4a 21c", World),
    entry(*b"PT", "21n", Sepa),
    entry(*b"QA", "4a 21c", World),
    entry(*b"RO", "4a 16c", Sepa),
    entry(*b"RS", "18n", Sepa),
    entry(*b"RU", "14n 15c", World),
    entry(*b"SA", "2n 18c", World),
    entry(*b"SC", "4a 20n 3a", World),
    entry(*b"SD", "14n", World),
    entry(*b"SE", "20n", Sepa),
    entry(*b"SI", "15n", Sepa),
    entry(*b"SK", "20n", Sepa),
    entry(*b"SM", "1a 10n 12c", Sepa),
    entry(*b"SN", "2a 22n", National),
    entry(*b"SO", "19n", World),
    entry(*b"ST", "21n", World),
    entry(*b"SV", "4a 20n", World),
    entry(*b"TD", "23n", National),
    entry(*b"TG", "2a 22n", National),
    entry(*b"TL", "19n", World),
    entry(*b"TN", "20n", World),
    entry(*b"TR", "6n 16c", World),
    entry(*b"UA", "6n 19c", World),
    entry(*b"VA", "18n", Sepa),
    entry(*b"VG", "4a 16n", World),
    entry(*b"XK", "16n", World),
    entry(*b"YE", "4a 4n 18c", World),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_every_structure_reads() {
        assert!(ENTRIES.is_sorted_by(|a, b| a.country < b.country));
        for entry in &ENTRIES {
            for part in entry.structure.split(' ') {
                let (count, class) = part.split_at(part.len() - 1);
                assert!(matches!(class, "n" | "a" | "c"), "{}", entry.structure);
                assert!(
                    count.parse::<u8>().is_ok_and(|count| count > 0),
                    "{}",
                    entry.structure
                );
            }
            assert!((15..=33).contains(&entry.length()), "{}", entry.structure);
        }
    }

    #[test]
    fn lengths_that_everybody_knows() {
        for (country, length) in [
            ("NO", 15),
            ("BE", 16),
            ("NL", 18),
            ("DE", 22),
            ("GB", 22),
            ("FR", 27),
            ("MT", 31),
        ] {
            assert_eq!(
                find(country.as_bytes()).expect(country).length(),
                length,
                "{country}"
            );
        }
        assert!(find(b"US").is_none());
    }

    #[test]
    fn sepa_is_its_41_countries_and_gibraltar() {
        let sepa = ENTRIES.iter().filter(|entry| entry.scope == Sepa).count();
        assert_eq!(sepa, 41 + 1);
    }
}
