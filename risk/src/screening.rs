//! Sanctions screening: is a name on a list, or near one that is?
//!
//! **Shape.** A [`Watchlist`] is read from the files that the authorities publish ([`files`]).
//! [`Watchlist::screen`] finds candidates by the sound of single words and scores them word by
//! word; each match says which words were taken for which, so that a person can judge it.
//!
//! **Bounds.** A listed name is a candidate when at least one of its words sounds like one of the
//! name's: first letter and consonants the same after [`sound`]. A name that is misspelt in the
//! consonants of every word is not found. Names in other scripts must be transliterated first;
//! both authorities publish them in Latin script.

pub mod files;

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use crate::text::edits;

/// From this score on, in per cent, a match is told unless the caller wants otherwise.
pub const THRESHOLD: u8 = 85;

/// A name on a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The list's own id of the person or body.
    pub id: String,
    /// The name as listed.
    pub name: String,
    /// Which list, such as `OFAC SDN`.
    pub list: &'static str,
    /// What it is listed for, as the list says.
    pub programme: String,
}

/// A listed name that a name is near to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Match {
    /// What is listed.
    pub entry: Entry,
    /// How near, in per cent.
    pub score: u8,
    /// Which word was taken for which listed one, and how near they are in per cent.
    pub words: Vec<(String, String, u8)>,
    /// Listed words that nothing was taken for.
    pub missing: Vec<String>,
}

/// Names of one or more lists, ready to be searched.
#[derive(Debug, Default)]
pub struct Watchlist {
    entries: Vec<(Entry, Vec<String>)>,
    by_sound: HashMap<String, Vec<u32>>,
}

impl Watchlist {
    /// Adds names.
    pub fn add(&mut self, entries: impl IntoIterator<Item = Entry>) {
        for entry in entries {
            let words = words(&entry.name);
            let Ok(place) = u32::try_from(self.entries.len()) else {
                return;
            };
            for sound in words
                .iter()
                .map(|word| sound(word))
                .collect::<BTreeSet<_>>()
            {
                self.by_sound.entry(sound).or_default().push(place);
            }
            self.entries.push((entry, words));
        }
    }

    /// How many names there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The listed names that are near a name, the nearest first.
    #[must_use]
    pub fn screen(&self, name: &str, threshold: u8) -> Vec<Match> {
        let asked = words(name);
        let sounds: BTreeSet<String> = asked.iter().map(|word| sound(word)).collect();
        let candidates: BTreeSet<u32> = sounds
            .iter()
            .filter_map(|sound| self.by_sound.get(sound))
            .flatten()
            .copied()
            .collect();
        let mut found: Vec<Match> = candidates
            .into_iter()
            .map(|place| {
                let (entry, listed) = &self.entries[place as usize];
                compare(&asked, listed, entry)
            })
            .filter(|found| found.score >= threshold)
            .collect();
        found.sort_by(|one, other| {
            let by_score = other.score.cmp(&one.score);
            by_score.then_with(|| one.entry.id.cmp(&other.entry.id))
        });
        found
    }

    /// The score of the nearest name, in per cent; 0 when nothing is near.
    #[must_use]
    pub fn nearest(&self, name: &str) -> u8 {
        self.screen(name, 1).first().map_or(0, |found| found.score)
    }
}

/// Words of titles and legal forms, which say nothing of who somebody is.
const NOISE: &[&str] = &[
    "mr",
    "mrs",
    "ms",
    "dr",
    "sir",
    "the",
    "ltd",
    "limited",
    "llc",
    "plc",
    "inc",
    "co",
    "company",
    "corp",
    "corporation",
    "gmbh",
    "sa",
    "ag",
    "bv",
    "jsc",
    "ooo",
    "pjsc",
];

/// The words of a name: small Latin letters without accents, noise left out unless nothing else
/// is there.
#[must_use]
pub fn words(name: &str) -> Vec<String> {
    let plain: String = name.chars().flat_map(plain).collect();
    let all: Vec<String> = plain.split_whitespace().map(str::to_owned).collect();
    let telling = |word: &&String| !NOISE.contains(&word.as_str());
    let kept: Vec<String> = all.iter().filter(telling).cloned().collect();
    if kept.is_empty() { all } else { kept }
}

/// A letter without its accent, small; a space for what stands between words.
fn plain(letter: char) -> Vec<char> {
    let small = letter.to_lowercase().next().unwrap_or(letter);
    let text = match small {
        'à'..='å' | 'ā' | 'ă' | 'ą' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
        'ğ' => "g",
        'ì'..='ï' | 'ī' | 'į' | 'ı' => "i",
        'ł' | 'ľ' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ő' => "o",
        'œ' => "oe",
        'ř' => "r",
        'ß' => "ss",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'ť' | 'ţ' | 'ț' => "t",
        'þ' => "th",
        'ù'..='ü' | 'ū' | 'ů' | 'ű' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        '\'' | '’' | '`' | '.' => "",
        other if other.is_alphanumeric() => return vec![other],
        _ => " ",
    };
    text.chars().collect()
}

/// How a word sounds: its first letter and its consonants, doubled ones once, those that are
/// written for one another as one.
#[must_use]
pub fn sound(word: &str) -> String {
    let mut sound = String::new();
    for (place, letter) in word.chars().enumerate() {
        let letter = match letter {
            'k' | 'q' | 'c' => 'k',
            'z' | 's' => 's',
            'v' | 'w' | 'f' => 'v',
            'j' | 'y' | 'i' if place == 0 => 'y',
            'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'h' if place > 0 => continue,
            other => other,
        };
        if !sound.ends_with(letter) {
            sound.push(letter);
        }
    }
    sound
}

/// How near two words are, in per cent.
fn nearness(one: &str, other: &str) -> u8 {
    let longest = one.chars().count().max(other.chars().count()).max(1);
    let same = longest.saturating_sub(edits(one, other));
    u8::try_from(same * 100 / longest).unwrap_or(100)
}

/// Below this two words are not taken for each other.
const WORD_LEAST: u8 = 60;

/// Takes each listed word for the nearest word that is still free, the surest pairs first. The
/// score weighs words by their length; a word of the name that is too many counts a quarter,
/// because people have more names than are listed.
fn compare(asked: &[String], listed: &[String], entry: &Entry) -> Match {
    let mut pairs: Vec<(u8, usize, usize)> = Vec::new();
    for (a, one) in asked.iter().enumerate() {
        for (l, other) in listed.iter().enumerate() {
            let near = nearness(one, other);
            if near >= WORD_LEAST {
                pairs.push((near, a, l));
            }
        }
    }
    pairs.sort_by_key(|(near, a, l)| (std::cmp::Reverse(*near), *a, *l));
    let (mut free_asked, mut free_listed) = (vec![true; asked.len()], vec![true; listed.len()]);
    let (mut words, mut reached) = (Vec::new(), 0);
    for (near, a, l) in pairs {
        if free_asked[a] && free_listed[l] {
            (free_asked[a], free_listed[l]) = (false, false);
            reached += usize::from(near) * listed[l].chars().count();
            words.push((asked[a].clone(), listed[l].clone(), near));
        }
    }
    let length = |words: &[String], free: &[bool], only_free: bool| -> usize {
        let counted = words
            .iter()
            .zip(free)
            .filter(|(_, free)| **free || !only_free);
        counted.map(|(word, _)| word.chars().count()).sum()
    };
    let all = length(listed, &free_listed, false) + length(asked, &free_asked, true) / 4;
    let missing = listed.iter().zip(&free_listed).filter(|(_, free)| **free);
    Match {
        entry: entry.clone(),
        score: u8::try_from(reached / all.max(1)).unwrap_or(100).min(100),
        words,
        missing: missing.map(|(word, _)| word.clone()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> Watchlist {
        let entry = |id: &str, name: &str| Entry {
            id: id.into(),
            name: name.into(),
            list: "test",
            programme: "T".into(),
        };
        let mut list = Watchlist::default();
        list.add([
            entry("1", "KHADAFI, Muammar Abu"),
            entry("2", "Société Générale de Négoce Ltd"),
            entry("3", "IVANOV, Sergei Borisovich"),
        ]);
        list
    }

    #[test]
    fn names_are_found_however_they_are_spelt() {
        let list = list();
        for (name, id) in [
            ("Muammar Abu Khadafi", "1"),
            ("Mr. Muamar Abu Kadafi", "1"),
            ("SOCIETE GENERALE DE NEGOCE", "2"),
            ("Sergey Borisovich Ivanov", "3"),
        ] {
            let found = list.screen(name, THRESHOLD);
            assert_eq!(
                found.first().map(|m| m.entry.id.as_str()),
                Some(id),
                "{name}: {found:?}"
            );
        }
    }

    #[test]
    fn others_are_not() {
        let list = list();
        for name in [
            "Sergei Petrov",
            "Jane Smith",
            "Ivanov",
            "",
            "Abu Bakr Al Masri",
        ] {
            assert!(
                list.screen(name, THRESHOLD).is_empty(),
                "{name}: {:?}",
                list.screen(name, THRESHOLD)
            );
        }
    }

    #[test]
    fn a_match_explains_itself() {
        let found = &list().screen("Sergey Ivanow", 40)[0];
        assert_eq!(found.missing, ["borisovich"]);
        assert!(
            found
                .words
                .contains(&("ivanow".into(), "ivanov".into(), 83)),
            "{found:?}"
        );
        assert!(found.score < THRESHOLD);
    }
}
