//! References in free text, behind the words that banks use to name them.

use super::model::{Line, RefKind};

/// The words that name a reference, in any of the three ways.
const WORDS: [(&str, RefKind); 12] = [
    ("EREF", RefKind::EndToEnd),
    ("KREF", RefKind::Instruction),
    ("IREF", RefKind::Instruction),
    ("MREF", RefKind::Mandate),
    ("MARF", RefKind::Mandate),
    ("PREF", RefKind::Group),
    ("PMTINF", RefKind::Group),
    ("TREF", RefKind::Transaction),
    ("RREF", RefKind::Customer),
    ("ROC", RefKind::Customer),
    ("UETR", RefKind::Uetr),
    ("INVO", RefKind::Invoice),
];

/// Words that end what stands before them and name no reference.
const OTHERS: [&str; 24] = [
    "SVWZ", "CRED", "CSID", "DEBT", "PURP", "ABWA", "ABWE", "COAM", "OAMT", "BIC", "IBAN", "NAME",
    "REMI", "TRTP", "TRCD", "BENM", "ORDP", "CNTP", "USTD", "STRD", "ADDR", "ISDT", "RTRN", "ID",
];

/// Finds the references behind words that `mark` ends, or that stand between two of it when it is
/// a slash.
pub fn find(text: &str, mark: char, line: &mut Line) {
    let mut places: Vec<(usize, usize, Option<RefKind>)> = Vec::new();
    for (at, _) in text.match_indices(mark) {
        let found = if mark == '/' {
            let name = text[at + 1..].split('/').next().unwrap_or_default();
            // The slash after the name may begin the next word, so only the name is passed over.
            let end = at + 1 + name.len();
            (end < text.len()).then(|| (at, end + 1, meaning(name)))
        } else {
            word_before(text, at, mark).map(|name| (at - name.len(), at + 1, meaning(name)))
        };
        if let Some((begin, end, Some(kind))) = found {
            places.push((begin, end, kind));
        }
    }
    for (at, &(_, begin, kind)) in places.iter().enumerate() {
        let Some(kind) = kind else { continue };
        let end = places.get(at + 1).map_or(text.len(), |it| it.0).max(begin);
        let value = text[begin..end].trim();
        // In plain text a reference is one word.
        let value = match mark {
            ':' => value.split_whitespace().next().unwrap_or_default(),
            _ => value,
        };
        line.refer(kind, value.trim_end_matches('/'));
    }
}

/// What a word means: a reference, or the end of one; `None` for any other word.
fn meaning(name: &str) -> Option<Option<RefKind>> {
    let known = WORDS.iter().find(|(word, _)| *word == name);
    let other = || OTHERS.contains(&name).then_some(None);
    known.map(|(_, kind)| Some(*kind)).or_else(other)
}

/// The word that ends at a place. Before a plus it may be the tail of a longer one: fields are put
/// together without a space where a bank has wrapped them.
fn word_before(text: &str, end: usize, mark: char) -> Option<&str> {
    let before = &text[..end];
    let start = before
        .rfind(|ch: char| !ch.is_ascii_alphanumeric())
        .map_or(0, |at| {
            at + before[at..].chars().next().map_or(1, char::len_utf8)
        });
    let word = &before[start..];
    if mark != '+' || meaning(word).is_some() {
        return Some(word);
    }
    let tails = [6, 4].into_iter().filter(|len| word.len() > *len);
    let mut tails = tails.map(|len| &word[word.len() - len..]);
    tails.find(|tail| meaning(tail).is_some())
}
