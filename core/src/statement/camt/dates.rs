//! Days of ISO 20022, with or without a time, and as banks write them otherwise.

use time::{Date, Month};

/// The day of an ISO date, or of a date and time whatever follows the day; also without hyphens.
pub fn day(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    let (year, month, day) = match bytes {
        [_, _, _, _, b'-', _, _, b'-', _, _, ..] => {
            (&text.get(0..4)?, &text.get(5..7)?, &text.get(8..10)?)
        }
        _ if bytes.len() >= 8 && bytes[..8].iter().all(u8::is_ascii_digit) => {
            (&text.get(0..4)?, &text.get(4..6)?, &text.get(6..8)?)
        }
        _ => return None,
    };
    let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
    Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn days() {
        for text in [
            "2026-11-22",
            "2026-11-22T10:00:00+01:00",
            "20261122",
            "2026-11-22Z",
        ] {
            assert_eq!(day(text), Some(date!(2026 - 11 - 22)), "{text}");
        }
        for text in [
            "",
            "2026-13-01",
            "22.11.2026",
            "2026-02-30",
            "2026-1-2",
            "é026-11-22",
        ] {
            assert_eq!(day(text), None, "{text}");
        }
    }
}
