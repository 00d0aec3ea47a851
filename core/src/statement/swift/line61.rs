//! Field 61: one line of a statement.
//!
//! `6!n[4!n]2a[1!a]15d1!a3!c16x[//16x]` and a supplement on the next line: value date, entry date,
//! mark, third letter of the currency, amount, type, the customer's reference, the bank's.

use time::{Date, Duration, Month};

use super::{
    super::model::{Kind, Line, RefKind, Rule, State},
    amount, day,
    field::Field,
};
use crate::statement::Unit;

/// Notes on what was understood though it is written otherwise.
type Notes = Vec<(Rule, String)>;

/// Reads the line.
pub fn read(field: &Field, unit: Option<Unit>) -> Result<(Line, Notes), String> {
    let mut notes = Notes::new();
    let first = field.lines.first().map_or("", |text| text.trim_end());
    // A bank may wrap even this line, before its amount ends.
    let is_cut = !first.contains([',', '.']) && field.lines.len() > 1;
    let joined = if is_cut {
        field.joined()
    } else {
        first.to_owned()
    };
    let supplement = if is_cut {
        &[]
    } else {
        field.lines.get(1..).unwrap_or_default()
    };
    let mut rest = joined.as_str();
    let value = rest.get(0..6).ok_or("it is too short")?;
    if !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("it does not begin with a date".to_owned());
    }
    rest = &rest[6..];
    let value_date = day(value);
    if value_date.is_none() {
        notes.push((
            Rule::Date,
            format!("the value date {value} is none of the calendar"),
        ));
    }
    let booked = entry_date(&mut rest, value_date, &mut notes);
    let (mark, after) = mark(rest).ok_or("it is neither a credit nor a debit")?;
    rest = after.trim_start();
    // The third letter of the currency, where a bank writes it.
    rest = rest
        .strip_prefix(|ch: char| ch.is_ascii_alphabetic())
        .unwrap_or(rest)
        .trim_start();
    let digits = rest
        .find(|ch: char| !ch.is_ascii_digit() && !matches!(ch, ',' | '.'))
        .unwrap_or(rest.len());
    let (number, tail) = rest.split_at(digits);
    // Two decimals where no currency is known: the caller notes it.
    let assumed = unit
        .or_else(|| Unit::read("XXX"))
        .ok_or("it has no currency")?;
    let units = amount(number, assumed).map_err(|why| format!("the amount {why}"))?;
    let mut line = Line {
        minor: if mark.adds { units } else { -units },
        unit,
        state: mark.state,
        reversal: mark.reversal,
        booked: booked.or(value_date),
        value: value_date,
        ..Line::default()
    };
    references(tail, supplement, &mut line);
    Ok((line, notes))
}

/// `MMDD`, of the year that brings it nearest to the value date; spaces where there is none.
fn entry_date(rest: &mut &str, value: Option<Date>, notes: &mut Notes) -> Option<Date> {
    if rest.starts_with("    ") {
        *rest = rest.trim_start();
        return None;
    }
    let text = rest.get(0..4)?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    *rest = &rest[4..];
    let found = value.and_then(|value| nearest(text, value));
    if found.is_none() {
        notes.push((
            Rule::Date,
            format!("the entry date {text} is none of the calendar"),
        ));
    }
    found
}

fn nearest(text: &str, value: Date) -> Option<Date> {
    let month = Month::try_from(text[..2].parse::<u8>().ok()?).ok()?;
    let day = text[2..].parse().ok()?;
    let years = [value.year() - 1, value.year(), value.year() + 1];
    let dates = years
        .into_iter()
        .filter_map(|year| Date::from_calendar_date(year, month, day).ok());
    dates.min_by_key(|date| Duration::abs(*date - value))
}

struct Mark {
    adds: bool,
    reversal: bool,
    state: State,
}

fn mark(text: &str) -> Option<(Mark, &str)> {
    let text = text.trim_start();
    for (name, adds, reversal, state) in [
        ("RC", false, true, State::Booked),
        ("RD", true, true, State::Booked),
        ("EC", true, false, State::Pending),
        ("ED", false, false, State::Pending),
        ("C", true, false, State::Booked),
        ("D", false, false, State::Booked),
    ] {
        if let Some(rest) = text.strip_prefix(name) {
            let mark = Mark {
                adds,
                reversal,
                state,
            };
            return Some((mark, rest));
        }
    }
    None
}

/// Type and references, and the supplement of the next line.
fn references(tail: &str, supplement: &[String], line: &mut Line) {
    let proper = tail
        .get(0..1)
        .is_some_and(|it| matches!(it, "N" | "F" | "S"));
    let (code, refs) = match tail.get(0..4) {
        Some(code) if proper => (code, &tail[4..]),
        _ => ("", tail),
    };
    code.clone_into(&mut line.code);
    line.kind = match code.get(1..) {
        Some("CHG" | "COM" | "INT") => Kind::Fee,
        Some("RTI") => Kind::Refund,
        _ => Kind::Payment,
    };
    let (own, bank) = refs.split_once("//").unwrap_or((refs, ""));
    line.refer(RefKind::Customer, own);
    line.refer(RefKind::Bank, bank);
    let supplement = supplement.join(" ");
    supplement.trim().clone_into(&mut line.text);
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    fn of(text: &str) -> Result<(Line, Notes), String> {
        let lines = text.split('\n').map(str::to_owned).collect();
        let field = Field {
            tag: "61".to_owned(),
            place: 1,
            lines,
        };
        read(&field, Unit::read("EUR"))
    }

    #[test]
    fn lines() {
        for (text, minor, reversal, state) in [
            ("2601311231C12,50NTRFABC//DEF", 1250, false, State::Booked),
            ("260131D12,NMSCNONREF", -1200, false, State::Booked),
            ("2601310131DR437,69NMSCX", -43769, false, State::Booked),
            ("260131RC1,00NTRFX", -100, true, State::Booked),
            ("260131RD1,00NTRFX", 100, true, State::Booked),
            ("260131RDR1,00NTRFX", 100, true, State::Booked),
            ("260131EC5,NTRFX", 500, false, State::Pending),
            ("260131    C1,1NTRFX", 110, false, State::Booked),
            ("260131C1.50NTRFX", 150, false, State::Booked),
        ] {
            let (line, notes) = of(text).expect(text);
            assert_eq!(
                (line.minor, line.reversal, line.state),
                (minor, reversal, state),
                "{text}"
            );
            assert_eq!(notes, [], "{text}");
        }
        let (line, _) = of("2601311231C12,50NTRFABC//DEF\nmore").unwrap();
        assert_eq!(line.booked, Some(date!(2025 - 12 - 31)));
        assert_eq!(line.value, Some(date!(2026 - 01 - 31)));
        assert_eq!(line.code, "NTRF");
        assert_eq!(line.text, "more");
        assert_eq!(
            line.references,
            [
                (RefKind::Customer, "ABC".to_owned()),
                (RefKind::Bank, "DEF".to_owned())
            ]
        );
    }

    #[test]
    fn a_line_that_is_wrapped_in_the_middle() {
        let (line, _) = of("1811261126CR\n30,00N062NONREF").unwrap();
        assert_eq!((line.minor, line.code.as_str()), (3000, "N062"));
    }

    #[test]
    fn a_day_that_is_none_is_noted_and_the_line_counts() {
        let (line, notes) = of("260230C1,00NTRFX").unwrap();
        assert_eq!((line.minor, line.value), (100, None));
        assert_eq!(notes[0].0, Rule::Date);
    }

    #[test]
    fn what_cannot_be_counted_is_not() {
        for text in [
            "",
            "26013",
            "26013100",
            "260131X1,00",
            "260131C,NTRF",
            "260131C1,005NTRF",
        ] {
            assert!(of(text).is_err(), "{text}");
        }
    }
}
