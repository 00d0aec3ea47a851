//! Field 86: what a line is about, in the ways in which banks structure it.
//!
//! Three of them are common: a business code and numbered sub-fields behind a separator (Germany,
//! Austria, Poland: `166?00…?20EREF+…`), words between slashes (the Netherlands and banks that
//! follow SWIFT's own guide: `/EREF/…/REMI/…`), and words with `+` or `:` behind them in plain text.

use super::{
    super::{model::Line, words},
    field::Field,
};

/// The longest text that is kept, in bytes.
const TEXT_MAX: usize = 2_000;

/// Adds what the field says to its line.
pub fn read(field: &Field, line: &mut Line) {
    let text = match numbered(&field.joined()) {
        Some(text) => text,
        None => unwrapped(&field.lines),
    };
    if text.trim_start().starts_with('/') {
        words::find(&text, '/', line);
    } else {
        words::find(&text, '+', line);
        words::find(&text, ':', line);
    }
    let mut kept = text;
    let mut end = kept.len().min(TEXT_MAX);
    while !kept.is_char_boundary(end) {
        end -= 1;
    }
    kept.truncate(end);
    line.text = kept.trim().to_owned();
}

/// The purpose of a field with numbered sub-fields: 20 to 29 and 60 to 63, put together again.
fn numbered(text: &str) -> Option<String> {
    let code = text.get(0..3)?;
    let separator = text[3..].chars().next()?;
    let is_code = code.bytes().all(|byte| byte.is_ascii_digit());
    if !is_code || !matches!(separator, '?' | '~' | '^' | '<' | '@' | '&') {
        return None;
    }
    let mut purpose = String::new();
    for part in text[3 + separator.len_utf8()..].split(separator) {
        let number = part.get(0..2).and_then(|it| it.parse::<u8>().ok());
        match number {
            Some(20..=29 | 60..=63) => purpose.push_str(&part[2..]),
            Some(_) => {}
            // The separator in a text.
            None => {
                purpose.push(separator);
                purpose.push_str(part);
            }
        }
    }
    Some(purpose)
}

/// Lines of plain text. A full line was cut in the middle of a word, a short one ended there.
fn unwrapped(lines: &[String]) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str(line);
        if line.chars().count() < 60 {
            text.push(' ');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{super::super::model::RefKind, *};

    fn of(lines: &[&str]) -> Line {
        let field = Field {
            tag: "86".to_owned(),
            place: 1,
            lines: lines.iter().map(|it| (*it).to_owned()).collect(),
        };
        let mut line = Line::default();
        read(&field, &mut line);
        line
    }

    #[test]
    fn numbered_sub_fields() {
        let line = of(&["166?00GUTSCHRIFT?20EREF+INV-1?21007 KREF+K1 SVWZ+Thanks?30BIC?32KARL"]);
        assert_eq!(
            line.references,
            [
                (RefKind::EndToEnd, "INV-1007".to_owned()),
                (RefKind::Instruction, "K1".to_owned())
            ]
        );
        assert!(line.text.ends_with("SVWZ+Thanks"));
        let line = of(&["020~00PRZELEW~20EREF+42~3010901014~32JAN"]);
        assert_eq!(line.references, [(RefKind::EndToEnd, "42".to_owned())]);
    }

    #[test]
    fn words_between_slashes() {
        let line = of(&["/TRTP/SEPA/EREF/E-7/MARF/M-1/REMI/a/b", "/CSID/NL1"]);
        assert_eq!(
            line.references,
            [
                (RefKind::EndToEnd, "E-7".to_owned()),
                (RefKind::Mandate, "M-1".to_owned())
            ]
        );
    }

    #[test]
    fn plain_text() {
        let line = of(&["Payment EREF: 1111 of May", "TEREF: 2"]);
        assert_eq!(line.references, [(RefKind::EndToEnd, "1111".to_owned())]);
        assert!(of(&["nothing", "here"]).references.is_empty());
        assert_eq!(of(&["nothing", "here"]).text, "nothing here");
    }
}
