//! Which characters a scheme carries, and how others are usually spelled in it.
//!
//! The spellings are those of the European Payments Council's best practice (EPC217-08) for Latin letters
//! and punctuation: one character for one, so a text never grows. Greek and Cyrillic have
//! spellings there too, of several letters; here a text in them is refused, because a name that is spelled
//! otherwise than the payee's bank spells it fails its name check.

/// A scheme's character set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// Faster Payments: letters and digits without accents, space, and ``/-?:().,'+#=!"%&*<>;{@``.
    Fps,
    /// The SEPA minimum: letters and digits without accents, space, and `/-?:().,'+`.
    SepaLatin,
}

/// A text in a character set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Spelled {
    /// It was in the set already.
    Same,
    /// It is in the set now.
    Respelled(String),
    /// It has a character without a spelling in the set.
    Impossible(char),
}

impl Charset {
    /// Is the character in the set?
    #[must_use]
    pub fn admits(self, char: char) -> bool {
        let common = char.is_ascii_alphanumeric() || " /-?:().,'+".contains(char);
        common || (self == Self::Fps && "#=!\"%&*<>;{@".contains(char))
    }

    /// Spells a text in the set.
    pub(super) fn spell(self, text: &str) -> Spelled {
        if text.chars().all(|char| self.admits(char)) {
            return Spelled::Same;
        }
        let mut spelled = String::with_capacity(text.len());
        for char in text.chars() {
            let usual = if self.admits(char) {
                Some(char)
            } else {
                usual_spelling(char)
            };
            match usual {
                Some(char) => spelled.push(char),
                None => return Spelled::Impossible(char),
            }
        }
        Spelled::Respelled(spelled)
    }
}

/// How a character is usually spelled within the SEPA minimum.
fn usual_spelling(char: char) -> Option<char> {
    let row = SPELLINGS.iter().find(|(from, _)| from.contains(char));
    row.map(|row| row.1)
}

/// Characters, and the one of the SEPA minimum that stands for them.
static SPELLINGS: &[(&str, char)] = &[
    ("ÀÁÂÃÄÅĀĂĄÆ", 'A'),
    ("àáâãäåāăąæ", 'a'),
    ("ÇĆĈĊČ", 'C'),
    ("çćĉċč", 'c'),
    ("ĎĐÐ", 'D'),
    ("ďđð", 'd'),
    ("ÈÉÊËĒĔĖĘĚ€", 'E'),
    ("èéêëēĕėęě", 'e'),
    ("ĜĞĠĢ", 'G'),
    ("ĝğġģ", 'g'),
    ("ĤĦ", 'H'),
    ("ĥħ", 'h'),
    ("ÌÍÎÏĨĪĬĮİ", 'I'),
    ("ìíîïĩīĭįı", 'i'),
    ("Ĵ", 'J'),
    ("ĵ", 'j'),
    ("Ķ", 'K'),
    ("ķĸ", 'k'),
    ("ĹĻĽĿŁ", 'L'),
    ("ĺļľŀł", 'l'),
    ("ÑŃŅŇŊ", 'N'),
    ("ñńņňŋ", 'n'),
    ("ÒÓÔÕÖØŌŎŐŒ", 'O'),
    ("òóôõöøōŏőœ", 'o'),
    ("ŔŖŘ", 'R'),
    ("ŕŗř", 'r'),
    ("ŚŜŞŠȘẞ", 'S'),
    ("śŝşšșß", 's'),
    ("ŢŤŦȚÞ", 'T'),
    ("ţťŧțþ", 't'),
    ("ÙÚÛÜŨŪŬŮŰŲ", 'U'),
    ("ùúûüũūŭůűų", 'u'),
    ("ŴẀẂẄ", 'W'),
    ("ŵẁẃẅ", 'w'),
    ("ÝŶŸỲ", 'Y'),
    ("ýŷÿỳ", 'y'),
    ("ŹŻŽ", 'Z'),
    ("źżž", 'z'),
    ("‘’‛ʼ`´“”„\"", '\''),
    ("‐‑‒–—―_~", '-'),
    ("[{<«", '('),
    ("]}>»", ')'),
    ("\\|¦", '/'),
    (";‚", ','),
    ("¿", '?'),
    ("&", '+'),
    ("!#$%*=@^¡·", '.'),
    ("\u{a0}\t\r\n", ' '),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_spelling_is_in_every_set_and_no_character_has_two() {
        let mut seen = BTreeSet::new();
        for (from, to) in SPELLINGS {
            assert!(
                Charset::SepaLatin.admits(*to) && Charset::Fps.admits(*to),
                "{to:?}"
            );
            for char in from.chars() {
                assert!(!Charset::SepaLatin.admits(char), "{char:?}");
                assert!(seen.insert(char), "{char:?} twice");
            }
        }
    }

    #[test]
    fn texts_and_their_spelling() {
        let sepa = |text| Charset::SepaLatin.spell(text);
        let fps = |text| Charset::Fps.spell(text);
        let respelled = |text: &str| Spelled::Respelled(text.to_owned());
        assert_eq!(sepa("O'Neil (Dublin) 1/2"), Spelled::Same);
        assert_eq!(sepa("Müller & Söhne"), respelled("Muller + Sohne"));
        assert_eq!(fps("Müller & Söhne"), respelled("Muller & Sohne"));
        assert_eq!(fps("O’Neil"), respelled("O'Neil"));
        assert_eq!(fps("two\nlines"), respelled("two lines"));
        assert_eq!(sepa("Łódź"), respelled("Lodz"));
        assert_eq!(sepa("Δήμητρα"), Spelled::Impossible('Δ'));
        assert_eq!(fps("bell\u{7}"), Spelled::Impossible('\u{7}'));
        assert_eq!(fps("💷"), Spelled::Impossible('💷'));
    }
}
