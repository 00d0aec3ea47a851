//! Dates by patterns of `Y`, `M` and `D`.

use time::{Date, Month};

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// Whether a pattern has a year, a month and a day.
pub fn is_pattern(pattern: &str) -> bool {
    ["YY", "M", "D"].iter().all(|part| pattern.contains(part))
}

/// Reads a date by the first pattern that fits; by ISO 8601 where there is none. What follows the
/// date, such as a time, is passed over.
pub fn read(text: &str, patterns: &[String]) -> Option<Date> {
    let text = text.trim();
    let own = patterns.iter().find_map(|pattern| by(text, pattern));
    own.or_else(|| {
        if patterns.is_empty() {
            by(text, "YYYY-MM-DD").or_else(|| by(text, "YYYY/MM/DD"))
        } else {
            None
        }
    })
}

/// `YYYY` is four digits, `YY` two; `MMM` a month's name; `M`, `D` one or two digits, `MM`, `DD` two.
fn by(text: &str, pattern: &str) -> Option<Date> {
    let (mut year, mut month, mut day) = (None, None, None);
    let mut rest = text;
    let mut tail = pattern;
    while let Some(ch) = tail.chars().next() {
        let run = tail.chars().take_while(|it| *it == ch).count();
        match ch {
            'Y' => {
                let number = digits(&mut rest, run, run)?;
                year = Some(if run == 2 { 2000 + number } else { number });
            }
            'M' if run == 3 => {
                let name = rest.get(0..3)?.to_ascii_lowercase();
                let place = MONTHS.iter().position(|it| *it == name)?;
                rest = rest[3..].trim_start_matches(|ch: char| ch.is_ascii_alphabetic());
                month = Some(place as i32 + 1);
            }
            'M' => month = Some(digits(&mut rest, run, 2)?),
            'D' => day = Some(digits(&mut rest, run, 2)?),
            mark => {
                rest = rest.strip_prefix(mark)?;
                tail = &tail[ch.len_utf8()..];
                continue;
            }
        }
        tail = &tail[run..];
    }
    if rest.starts_with(|ch: char| ch.is_ascii_digit()) {
        return None;
    }
    let month = Month::try_from(u8::try_from(month?).ok()?).ok()?;
    Date::from_calendar_date(year?, month, u8::try_from(day?).ok()?).ok()
}

fn digits(rest: &mut &str, least: usize, most: usize) -> Option<i32> {
    let count = rest
        .bytes()
        .take(most)
        .take_while(u8::is_ascii_digit)
        .count();
    if count < least {
        return None;
    }
    let number = rest[..count].parse().ok();
    *rest = &rest[count..];
    number
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn dates_by_patterns() {
        let day = Some(date!(2026 - 03 - 09));
        for (text, pattern) in [
            ("2026-03-09 10:11:12", "YYYY-MM-DD"),
            ("2026/03/09 00:00:30 -0800", "YYYY/MM/DD"),
            ("09/03/2026", "DD/MM/YYYY"),
            ("9.3.26", "D.M.YY"),
            ("20260309", "YYYYMMDD"),
            ("9-Mar-2026", "D-MMM-YYYY"),
            ("March 9, 2026", "MMM D, YYYY"),
        ] {
            assert_eq!(read(text, &[pattern.to_owned()]), day, "{text}");
        }
        assert_eq!(read("2026-03-09T00:00:00Z", &[]), day);
        for (text, pattern) in [
            ("31/02/2026", "DD/MM/YYYY"),
            ("", "DD/MM/YYYY"),
            ("2026-03-091", "YYYY-MM-DD"),
        ] {
            assert_eq!(read(text, &[pattern.to_owned()]), None, "{text}");
        }
        assert!(is_pattern("DD/MM/YYYY") && !is_pattern("DD/MM"));
    }
}
