//! Time is data: milliseconds since 1970 in UTC, given as an argument and never read here.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime, format_description::well_known::Rfc3339};

/// A moment: Unix milliseconds, UTC, without leap seconds.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

/// The last moment that an id can carry: 48 bits, in the year 10889.
const UNIX_MS_MAX: u64 = (1 << 48) - 1;

impl Timestamp {
    /// The moment `ms` milliseconds after 1970. Beyond 48 bits it stays at the last one.
    #[must_use]
    pub const fn from_unix_ms(ms: u64) -> Self {
        Self(if ms > UNIX_MS_MAX { UNIX_MS_MAX } else { ms })
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn unix_ms(self) -> u64 {
        self.0
    }

    /// The moment `ms` milliseconds later.
    #[must_use]
    pub const fn plus_ms(self, ms: u64) -> Self {
        Self::from_unix_ms(self.0.saturating_add(ms))
    }

    /// How many milliseconds ago `earlier` was, 0 if it was not.
    #[must_use]
    pub const fn ms_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The year and the month, from 1, in UTC.
    #[must_use]
    pub fn year_and_month(self) -> (u16, u8) {
        // 48 bits of milliseconds end in the year 10889, which the calendar type cannot tell.
        let seconds = (self.0 / 1000).min(253_402_300_799);
        let at = OffsetDateTime::from_unix_timestamp(seconds as i64);
        let at = at.unwrap_or(OffsetDateTime::UNIX_EPOCH);
        (at.year() as u16, u8::from(at.month()))
    }

    /// Reads RFC 3339, such as `2026-11-22T11:12:13.123Z`; `None` for anything else, for times
    /// before 1970, and for more precision than a millisecond keeps.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        let nanos = moment.unix_timestamp_nanos();
        let ms = u64::try_from(nanos / 1_000_000)
            .ok()
            .filter(|ms| *ms <= UNIX_MS_MAX)?;
        (nanos >= 0 && nanos % 1_000_000 == 0).then_some(Self(ms))
    }

    /// The day, in UTC, that it is in.
    #[must_use]
    pub fn day(self) -> Date {
        let seconds = (self.0 / 1000) as i64;
        // Forty-eight bits of milliseconds end in the year 10889, days in 9999.
        OffsetDateTime::from_unix_timestamp(seconds).map_or(Date::MAX, OffsetDateTime::date)
    }

    /// The beginning, in UTC, of a day; none before 1970.
    #[must_use]
    pub fn begin_of(day: Date) -> Option<Self> {
        let seconds = u64::try_from(day.midnight().assume_utc().unix_timestamp()).ok()?;
        Some(Self::from_unix_ms(seconds * 1000))
    }

    /// The beginning, in UTC, of a day that is written as `2026-11-22`; `None` for anything else.
    #[must_use]
    pub fn parse_day(text: &str) -> Option<Self> {
        (text.len() == 10)
            .then(|| Self::parse_rfc3339(&format!("{text}T00:00:00Z")))
            .flatten()
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with milliseconds always written, so that texts sort as moments do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = (self.0 / 1000) as i64;
        let at = OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| fmt::Error)?;
        let (date, time) = (at.date(), at.time());
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            date.year(),
            u8::from(date.month()),
            date.day(),
            time.hour(),
            time.minute(),
            time.second(),
            self.0 % 1000
        )
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_and_back(ms in 0u64..253_402_300_799_999) {
            let at = Timestamp::from_unix_ms(ms);
            prop_assert_eq!(Timestamp::parse_rfc3339(&at.to_string()), Some(at));
        }
    }

    #[test]
    fn offsets_are_understood_and_rubbish_is_not() {
        let at = Timestamp::parse_rfc3339("2026-11-22T12:12:13.5+01:00").unwrap();
        assert_eq!(at.to_string(), "2026-11-22T11:12:13.500Z");
        for text in [
            "",
            "2026-11-22",
            "2026-11-22T11:12:13",
            "1969-12-31T23:59:59Z",
        ] {
            assert_eq!(Timestamp::parse_rfc3339(text), None, "{text}");
        }
    }
}
