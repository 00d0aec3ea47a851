//! Keys: what two items share when they may belong together.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::model::{Expected, Movement};
use crate::statement::RefKind;

/// The shortest normalised reference that is looked for: a shorter one is not rare enough.
const NORMALISED_MIN: usize = 4;

/// The shortest word of a text that may be a reference.
const WORD_MIN: usize = 8;

/// How a reference is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    Exact,
    Normalised,
    InText,
}

/// A reference without case, marks and leading zeros; empty when too little remains.
pub fn normalised(text: &str) -> String {
    let letters = text.chars().filter(|ch| ch.is_alphanumeric());
    let plain: String = letters.flat_map(char::to_uppercase).collect();
    let plain = plain.trim_start_matches('0');
    if plain.len() < NORMALISED_MIN {
        return String::new();
    }
    plain.to_owned()
}

/// The texts by which a movement is found.
pub fn of_movement(movement: &Movement, manner: Manner, mut take: impl FnMut(&str)) {
    match manner {
        Manner::Exact => movement.references.iter().for_each(|(_, text)| take(text)),
        Manner::Normalised => {
            for (_, text) in &movement.references {
                take(&normalised(text));
            }
        }
        Manner::InText => {
            let separates =
                |ch: char| ch.is_whitespace() || matches!(ch, ',' | ';' | ':' | '/' | '?' | '+');
            for word in movement
                .text
                .split(separates)
                .filter(|it| it.len() >= WORD_MIN)
            {
                take(&normalised(word));
            }
        }
    }
}

/// The texts by which a payment is found.
pub fn of_expected(expected: &Expected, manner: Manner, mut take: impl FnMut(&str)) {
    for text in expected.references.iter() {
        match manner {
            Manner::Exact => take(text),
            Manner::Normalised | Manner::InText => take(&normalised(text)),
        }
    }
}

/// Whether a movement says which payment it is of, so that it is of no other.
pub fn names_a_payment(movement: &Movement) -> bool {
    movement.references.iter().any(|(kind, _)| {
        matches!(
            kind,
            RefKind::Uetr
                | RefKind::EndToEnd
                | RefKind::Instruction
                | RefKind::PspPayment
                | RefKind::Merchant
        )
    })
}

/// A number for a text. It is compared within one run only, and a match of two numbers is
/// confirmed by the texts.
pub fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_without_their_clothes() {
        for (text, plain) in [
            ("inv-00 12.345/a", "INV0012345A"),
            ("000123-456", "123456"),
            ("00-1", ""),
            ("", ""),
            ("rf18 5390", "RF185390"),
        ] {
            assert_eq!(normalised(text), plain, "{text}");
        }
    }
}
