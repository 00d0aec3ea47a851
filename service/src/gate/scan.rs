//! Finds what is personal by its form, in one pass over the bytes.

use std::ops::Range;

use lombard_core::{
    bank::{Iban, uk::UkAccount},
    card::{Brand, Pan},
};

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A card number: its check digit is right and a network issues such numbers.
    CardNumber,
    /// An IBAN: its check digits are right.
    Iban,
    /// A UK sort code and account number, one after the other.
    UkAccount,
    /// An e-mail address.
    Email,
}

/// The fewest digits in a row, separators aside, that can be anything.
const DIGITS_MIN: usize = 12;
/// The most characters of an IBAN written in groups of four.
const IBAN_CHARS_MAX: usize = 42;

/// What is personal in a text, and where; from left to right, none overlapping another.
#[must_use]
pub fn find(text: &str) -> Vec<(Range<usize>, Found)> {
    let bytes = text.as_bytes();
    let mut found: Vec<(Range<usize>, Found)> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let begins = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
        let here = match bytes[at] {
            b'@' => email(text, at, found.last().map_or(0, |(place, _)| place.end)),
            b'A'..=b'Z' | b'a'..=b'z' if begins => iban(text, at),
            b'0'..=b'9' if begins => digits(text, at),
            _ => None,
        };
        match here {
            Some((place, kind)) => {
                at = place.end;
                found.push((place, kind));
            }
            None => at += 1,
        }
    }
    found
}

/// Digits in a row with single separators between them, up to so many; with the end of each.
fn run(bytes: &[u8], from: usize, most: usize, separators: &[u8]) -> Vec<usize> {
    let mut ends = Vec::with_capacity(most);
    let mut at = from;
    while ends.len() < most {
        match bytes.get(at) {
            Some(b'0'..=b'9') => {
                at += 1;
                ends.push(at);
            }
            Some(byte)
                if separators.contains(byte)
                    && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
                    && ends.last() == Some(&at) =>
            {
                at += 1;
            }
            _ => break,
        }
    }
    ends
}

fn ends_word(bytes: &[u8], at: usize) -> bool {
    !bytes.get(at).is_some_and(u8::is_ascii_alphanumeric)
}

fn digits(text: &str, from: usize) -> Option<(Range<usize>, Found)> {
    let bytes = text.as_bytes();
    let ends = run(bytes, from, 24, b" -.");
    if ends.len() >= DIGITS_MIN {
        // The longest number first: a shorter one may be a part of it.
        for length in (DIGITS_MIN..=ends.len().min(19)).rev() {
            let end = ends[length - 1];
            if !ends_word(bytes, end) {
                continue;
            }
            let plain: String = text[from..end]
                .chars()
                .filter(char::is_ascii_digit)
                .collect();
            let pan = Pan::parse(&plain);
            if pan.is_ok_and(|pan| pan.brand() != Brand::Unknown) {
                return Some((from..end, Found::CardNumber));
            }
        }
    }
    uk_account(text, from)
}

/// Six digits, at most a few other characters, eight digits.
fn uk_account(text: &str, from: usize) -> Option<(Range<usize>, Found)> {
    const BETWEEN_MAX: usize = 24;
    let bytes = text.as_bytes();
    let sort = run(bytes, from, 6, b"- ");
    let sort_end = *sort.get(5)?;
    // Right behind it, or as the next member of a JSON object.
    let rest = &bytes[sort_end..];
    let gap = rest.iter().position(u8::is_ascii_digit)?;
    let between = text.get(sort_end..sort_end + gap)?;
    let joins = |char: char| " ,;:/\"'=_-".contains(char) || char.is_ascii_alphabetic();
    let words = between.chars().any(|char| char.is_ascii_alphabetic());
    let named = between.contains("account");
    if gap == 0 || gap > BETWEEN_MAX || !between.chars().all(joins) || (words && !named) {
        return None;
    }
    let start = sort_end + gap;
    let end = start + 8;
    let number = text.get(start..end)?;
    let plain: String = text[from..sort_end]
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    let is_one = number.bytes().all(|byte| byte.is_ascii_digit())
        && ends_word(bytes, end)
        && UkAccount::parse(&plain, number).is_ok();
    is_one.then_some((from..end, Found::UkAccount))
}

fn iban(text: &str, from: usize) -> Option<(Range<usize>, Found)> {
    let bytes = text.as_bytes();
    let head = bytes.get(from..from + 4)?;
    let starts = head[0].is_ascii_alphabetic()
        && head[1].is_ascii_alphabetic()
        && head[2].is_ascii_digit()
        && head[3].is_ascii_digit();
    if !starts {
        return None;
    }
    let mut plain = String::with_capacity(34);
    let mut best = None;
    let mut at = from;
    while at < bytes.len() && at - from < IBAN_CHARS_MAX && plain.len() < 34 {
        match bytes[at] {
            byte if byte.is_ascii_alphanumeric() => {
                plain.push(char::from(byte.to_ascii_uppercase()));
                at += 1;
                if plain.len() >= 15 && ends_word(bytes, at) && plain.parse::<Iban>().is_ok() {
                    best = Some(at);
                }
            }
            b' ' if plain.len().is_multiple_of(4) => at += 1,
            _ => break,
        }
    }
    best.map(|end| (from..end, Found::Iban))
}

/// The address around an `@`: a local part before it, and a name with a dot after it.
fn email(text: &str, at: usize, not_before: usize) -> Option<(Range<usize>, Found)> {
    let bytes = text.as_bytes();
    let local = |byte: &u8| byte.is_ascii_alphanumeric() || b".!#$%&*+/=?^_`{|}~-".contains(byte);
    let domain = |byte: &u8| byte.is_ascii_alphanumeric() || b".-".contains(byte);
    let before = bytes[not_before..at].iter().rev();
    let start = at - before.take_while(|byte| local(byte)).count();
    let after = bytes[at + 1..].iter();
    let mut end = at + 1 + after.take_while(|byte| domain(byte)).count();
    while end > at && bytes[end - 1] == b'.' {
        end -= 1;
    }
    let host = &text[at + 1..end];
    let (name, top) = host.rsplit_once('.')?;
    let is_one = start < at
        && !name.is_empty()
        && top.len() >= 2
        && top.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_one.then_some((start..end, Found::Email))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn only(text: &str, wanted: Option<(Found, &str)>) {
        let found = find(text);
        let found: Vec<_> = found
            .into_iter()
            .map(|(place, kind)| (kind, &text[place]))
            .collect();
        let wanted: Vec<_> = wanted.into_iter().collect();
        assert_eq!(found, wanted, "{text}");
    }

    #[test]
    fn each_form_is_found_however_it_is_written() {
        for number in [
            "4242424242424242",
            "4242 4242 4242 4242",
            "4242-4242-4242-4242",
            "4242.4242.4242.4242",
            "3782 822463 10005",
            "6205500000000000004",
        ] {
            only(
                &format!("it is {number}, yes"),
                Some((Found::CardNumber, number)),
            );
            only(
                &format!("{{\"n\":\"{number}\"}}"),
                Some((Found::CardNumber, number)),
            );
        }
        for number in [
            "GB82WEST12345698765432",
            "GB82 WEST 1234 5698 7654 32",
            "gb82west12345698765432",
            "DE89370400440532013000",
        ] {
            only(&format!("to {number}."), Some((Found::Iban, number)));
        }
        for pair in [
            "20-00-00 55779911",
            "200000 55779911",
            "20-00-00/55779911",
            "200000\",\"account_number\":\"55779911",
        ] {
            only(&format!("\"{pair}\""), Some((Found::UkAccount, pair)));
        }
        for address in ["ada@example.org", "a.b+c@x-y.example.co.uk"] {
            only(&format!("<{address}>."), Some((Found::Email, address)));
        }
    }

    #[test]
    fn what_only_looks_like_it_stays() {
        for text in [
            "4242424242424241",
            "trace 4bf92f3577b34da6a3ce929d0e0e4736",
            "at 1795000000120 ms",
            "2026-11-22T11:12:13.123Z",
            "pay_01k9z8q4v7n3r5t6w8x0y2z4a6",
            "GB83WEST12345698765432",
            "user@localhost",
            "@example.org",
            "127.0.0.1:8080",
            "12 payments, 34567890 pence",
            "1000000000000000",
        ] {
            only(text, None);
        }
    }
}
