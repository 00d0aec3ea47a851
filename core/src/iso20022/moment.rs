//! Moments on the wire: ISO 8601 text to Unix milliseconds and back, in integers.

use crate::time::Timestamp;

/// Reads an `xs:dateTime` that has passed its schema. Without a zone it is taken as UTC, which is
/// what ISO 20022 advises senders to write; digits below the millisecond are dropped.
///
/// `None` before 1970 and after the year 9999.
pub(super) fn read(text: &str) -> Option<u64> {
    let (date, time) = text.split_once('T')?;
    if date.len() != 10 || time.len() < 8 {
        return None;
    }
    let number = |text: &str, from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let days = days_from_civil(
        number(date, 0, 4)?,
        number(date, 5, 7)?,
        number(date, 8, 10)?,
    );
    let seconds = number(time, 0, 2)? * 3600 + number(time, 3, 5)? * 60 + number(time, 6, 8)?;
    let rest = &time[8..];
    let zone_at = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (fraction, zone) = rest.split_at(zone_at);
    let ms = fraction
        .trim_start_matches('.')
        .bytes()
        .chain(*b"000")
        .take(3);
    let ms = ms.fold(0, |ms, digit| ms * 10 + i64::from(digit - b'0'));
    let offset = match zone {
        "" | "Z" => 0,
        zone => {
            let minutes = number(zone, 1, 3)? * 60 + number(zone, 4, 6)?;
            if zone.starts_with('-') {
                -minutes
            } else {
                minutes
            }
        }
    };
    u64::try_from(((days * 86_400 + seconds) - offset * 60) * 1000 + ms).ok()
}

/// Writes a moment in UTC with milliseconds, such as `2026-11-23T10:00:00.000Z`.
pub(super) fn write(ms: u64) -> String {
    Timestamp::from_unix_ms(ms).to_string()
}

/// Days from 1970-01-01 in the Gregorian calendar, by counting years from March so that the leap day
/// is the last of its year.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 719,468 days lie between 0000-03-01 and 1970-01-01.
    year * 365 + leap_days + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn zones_and_fractions() {
        for (text, ms) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01T01:00:00+01:00", Some(0)),
            ("1969-12-31T19:00:00-05:00", Some(0)),
            ("2000-03-01T00:00:00.1234567", Some(951_868_800_123)),
            ("2024-02-29T24:00:00.000Z", Some(1_709_251_200_000)),
            ("2020-09-16T17:03:11.5Z", Some(1_600_275_791_500)),
            ("1969-12-31T23:59:59Z", None),
            ("0001-01-01T00:00:00+00:00", None),
            ("12026-01-01T00:00:00Z", None),
            ("-2026-01-01T00:00:00Z", None),
        ] {
            assert_eq!(read(text), ms, "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_and_back(ms in 0u64..253_402_300_799_999) {
            prop_assert_eq!(read(&write(ms)), Some(ms));
        }
    }
}
