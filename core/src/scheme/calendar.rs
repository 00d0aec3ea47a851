//! Deadlines in days: calendar days, months, and business days of the euro and of England.
//!
//! A banking business day of a SEPA scheme is a day on which both banks work; what no bank can know
//! of another is approximated by the days on which TARGET, the settlement system of the euro, is
//! open. A deadline that falls on the last of these days is met on that day.

use time::{Date, Duration, Month, Weekday};

/// A span of days from a payment to a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// Days on which TARGET is open.
    BusinessDays(u16),
    /// Days on which banks in England are open.
    EnglandBusinessDays(u16),
    /// Days of the calendar.
    Days(u16),
    /// Months of the calendar: the same day of a later month, or its last day.
    Months(u8),
}

impl Period {
    /// The last day of the span that begins the day after `start`; none beyond the year 9999.
    #[must_use]
    pub fn after(self, start: Date) -> Option<Date> {
        match self {
            Self::Days(days) => start.checked_add(Duration::days(days.into())),
            Self::Months(months) => months_after(start, months),
            Self::BusinessDays(days) => open_days_after(start, days, is_target_day),
            Self::EnglandBusinessDays(days) => open_days_after(start, days, is_england_day),
        }
    }
}

impl std::fmt::Display for Period {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BusinessDays(days) | Self::EnglandBusinessDays(days) => {
                write!(f, "{days} business days")
            }
            Self::Days(days) => write!(f, "{days} days"),
            Self::Months(months) => write!(f, "{months} months"),
        }
    }
}

fn open_days_after(start: Date, days: u16, is_open: fn(Date) -> bool) -> Option<Date> {
    let mut day = start;
    for _ in 0..days {
        day = day.next_day()?;
        while !is_open(day) {
            day = day.next_day()?;
        }
    }
    Some(day)
}

fn months_after(start: Date, months: u8) -> Option<Date> {
    // Months since year 0, counted from 0.
    let month = start.year() * 12 + i32::from(u8::from(start.month())) - 1 + i32::from(months);
    let year = month.div_euclid(12);
    let month = Month::try_from(u8::try_from(month.rem_euclid(12)).ok()? + 1).ok()?;
    let day = start.day().min(month.length(year));
    Date::from_calendar_date(year, month, day).ok()
}

/// Is TARGET open on this day?
///
/// It closes on Saturdays, Sundays, 1 January, Good Friday, Easter Monday, 1 May, 25 and 26 December (Eurosystem,
/// long-term calendar of TARGET closing days).
#[must_use]
pub fn is_target_day(day: Date) -> bool {
    let fixed = matches!(
        (day.month(), day.day()),
        (Month::January, 1) | (Month::May, 1) | (Month::December, 25 | 26)
    );
    !is_weekend(day) && !fixed && !is_beside_easter(day)
}

/// Are banks in England open on this day?
///
/// They close at weekends and on bank holidays (Banking and Financial Dealings Act 1971, and what
/// is proclaimed every year): New Year, Good Friday, Easter Monday, the first and the last Monday
/// of May, the last of August, Christmas and Boxing Day, or the days that stand in for those that
/// fall on a weekend. Holidays of a single year, such as a coronation, are not known here: a
/// deadline over one is a day early.
fn is_england_day(day: Date) -> bool {
    let monday = day.weekday() == Weekday::Monday;
    let holiday = match (day.month(), day.day()) {
        (Month::January, 1) | (Month::December, 25 | 26) => true,
        (Month::January, 2 | 3) | (Month::May, 1..=7 | 25..) | (Month::August, 25..) => monday,
        (Month::December, 27 | 28) => monday || day.weekday() == Weekday::Tuesday,
        _ => false,
    };
    !is_weekend(day) && !holiday && !is_beside_easter(day)
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// Whether it is Good Friday or Easter Monday.
fn is_beside_easter(day: Date) -> bool {
    let from_easter = easter(day.year()).map(|easter| (day - easter).whole_days());
    matches!(from_easter, Some(-2 | 1))
}

/// Easter Sunday of a Gregorian year, by the "anonymous" computus (Meeus, Jones, Butcher).
#[allow(clippy::many_single_char_names)] // The computus is published with these letters.
fn easter(year: i32) -> Option<Date> {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 19 * l) / 433;
    let month = (h + l - 7 * m + 90) / 25;
    let day = (h + l - 7 * m + 33 * month + 19) % 32;
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    Date::from_calendar_date(year, month, u8::try_from(day).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn easter_sundays() {
        for day in [
            date!(2000 - 04 - 23),
            date!(2008 - 03 - 23),
            date!(2024 - 03 - 31),
            date!(2025 - 04 - 20),
            date!(2026 - 04 - 05),
            date!(2038 - 04 - 25),
        ] {
            assert_eq!(easter(day.year()), Some(day));
        }
    }

    #[test]
    fn target_closes_on_its_six_days_and_weekends() {
        for closed in [
            date!(2026 - 01 - 01),
            date!(2026 - 04 - 03),
            date!(2026 - 04 - 06),
            date!(2026 - 05 - 01),
            date!(2026 - 12 - 25),
            date!(2025 - 12 - 26),
            date!(2026 - 11 - 21),
            date!(2026 - 11 - 22),
        ] {
            assert!(!is_target_day(closed), "{closed}");
        }
        for open in [
            date!(2026 - 04 - 02),
            date!(2026 - 04 - 07),
            date!(2026 - 05 - 14),
        ] {
            assert!(is_target_day(open), "{open}");
        }
    }

    #[test]
    fn england_closes_on_its_eight_days_or_those_that_stand_in() {
        let closed = |year| {
            let days = (1..=365).filter_map(|day| Date::from_ordinal_date(year, day).ok());
            let days = days.filter(|day| !is_weekend(*day) && !is_england_day(*day));
            days.map(|day| (u8::from(day.month()), day.day()))
                .collect::<Vec<_>>()
        };
        let in_2023 = [
            (1, 2),
            (4, 7),
            (4, 10),
            (5, 1),
            (5, 29),
            (8, 28),
            (12, 25),
            (12, 26),
        ];
        assert_eq!(closed(2023), in_2023);
        let in_2027 = [
            (1, 1),
            (3, 26),
            (3, 29),
            (5, 3),
            (5, 31),
            (8, 30),
            (12, 27),
            (12, 28),
        ];
        assert_eq!(closed(2027), in_2027);
    }

    #[test]
    fn deadlines() {
        for (period, paid, last) in [
            (
                Period::Days(90),
                date!(2026 - 11 - 23),
                date!(2027 - 02 - 21),
            ),
            (
                Period::BusinessDays(10),
                date!(2026 - 11 - 23),
                date!(2026 - 12 - 07),
            ),
            // Over Easter: Good Friday and Easter Monday do not count.
            (
                Period::BusinessDays(10),
                date!(2026 - 04 - 01),
                date!(2026 - 04 - 17),
            ),
            // A payment of a Sunday: Monday is the first day.
            (
                Period::BusinessDays(1),
                date!(2026 - 11 - 22),
                date!(2026 - 11 - 23),
            ),
            (
                Period::Months(13),
                date!(2026 - 11 - 23),
                date!(2027 - 12 - 23),
            ),
            (
                Period::Months(13),
                date!(2023 - 01 - 31),
                date!(2024 - 02 - 29),
            ),
            (
                Period::Months(13),
                date!(2026 - 12 - 31),
                date!(2028 - 01 - 31),
            ),
        ] {
            assert_eq!(period.after(paid), Some(last), "{paid} + {period}");
        }
        assert_eq!(Period::Days(1).after(Date::MAX), None);
        assert_eq!(Period::BusinessDays(1).after(Date::MAX), None);
        assert_eq!(Period::Months(1).after(Date::MAX), None);
    }
}
