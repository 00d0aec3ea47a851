//! How XML Schema writes dates, times, numbers and truth (part 2, section 3).
//!
//! Each function takes the text after white space was collapsed and says whether it is a value of
//! the type. Nothing here rounds, guesses or repairs.

/// `xs:boolean`.
pub(super) fn is_boolean(text: &str) -> bool {
    matches!(text, "true" | "false" | "1" | "0")
}

/// `xs:date`: a day, perhaps with a zone.
pub(super) fn is_date(text: &str) -> bool {
    take_date(text).is_some_and(is_zone)
}

/// `xs:time`: a time of day, perhaps with a zone.
pub(super) fn is_time(text: &str) -> bool {
    take_time(text).is_some_and(is_zone)
}

/// `xs:dateTime`: a moment, perhaps with a zone.
pub(super) fn is_date_time(text: &str) -> bool {
    let time = take_date(text).and_then(|rest| rest.strip_prefix('T'));
    time.and_then(take_time).is_some_and(is_zone)
}

/// `xs:gYear`.
pub(super) fn is_year(text: &str) -> bool {
    take_year(text).is_some_and(|(_, rest)| is_zone(rest))
}

/// `xs:gYearMonth`.
pub(super) fn is_year_month(text: &str) -> bool {
    let month = take_year(text).and_then(|(_, rest)| rest.strip_prefix('-'));
    month
        .and_then(take_month)
        .is_some_and(|(_, rest)| is_zone(rest))
}

fn take_year(text: &str) -> Option<(u64, &str)> {
    let text = text.strip_prefix('-').unwrap_or(text);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (year, rest) = text.split_at(digits);
    // More than four digits only where needed; the year 0000 does not exist in XML Schema 1.0.
    let shaped = digits == 4 || (5..=9).contains(&digits) && !year.starts_with('0');
    let year: u64 = year.parse().ok()?;
    (shaped && year != 0).then_some((year, rest))
}

fn take_month(text: &str) -> Option<(u64, &str)> {
    two_digits(text).filter(|(month, _)| (1..=12).contains(month))
}

fn take_date(text: &str) -> Option<&str> {
    let (year, rest) = take_year(text)?;
    let (month, rest) = take_month(rest.strip_prefix('-')?)?;
    let (day, rest) = two_digits(rest.strip_prefix('-')?)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 => 28 + u64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (1..=last).contains(&day).then_some(rest)
}

fn take_time(text: &str) -> Option<&str> {
    let (hour, rest) = two_digits(text)?;
    let (minute, rest) = two_digits(rest.strip_prefix(':')?)?;
    let (second, rest) = two_digits(rest.strip_prefix(':')?)?;
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            (digits > 0).then(|| rest.split_at(digits))?
        }
        None => ("", rest),
    };
    let midnight = minute == 0 && second == 0 && fraction.bytes().all(|digit| digit == b'0');
    let valid = minute < 60 && second < 60 && (hour < 24 || hour == 24 && midnight);
    valid.then_some(rest)
}

/// Nothing, `Z`, or an offset of at most 14 hours.
fn is_zone(text: &str) -> bool {
    let offset = |text: &str| {
        let (hour, rest) = two_digits(text)?;
        let (minute, rest) = two_digits(rest.strip_prefix(':')?)?;
        Some(rest.is_empty() && minute < 60 && (hour < 14 || hour == 14 && minute == 0))
    };
    match text.strip_prefix(['+', '-']) {
        Some(rest) => offset(rest) == Some(true),
        None => text.is_empty() || text == "Z",
    }
}

fn two_digits(text: &str) -> Option<(u64, &str)> {
    let (digits, rest) = text.split_at_checked(2)?;
    let all = digits.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| digits.parse().ok())
        .flatten()
        .map(|number| (number, rest))
}

/// An `xs:decimal`, taken apart. Zeros that do not change the value are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal<'a> {
    pub(super) negative: bool,
    pub(super) whole: &'a str,
    pub(super) fraction: &'a str,
}

impl<'a> Decimal<'a> {
    /// Reads `[+-] digits [. digits]`, with digits on at least one side of the point.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() && fraction.is_empty() || !digits(whole) || !digits(fraction) {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        let zero = whole.is_empty() && fraction.is_empty();
        Some(Self {
            negative: text.starts_with('-') && !zero,
            whole,
            fraction,
        })
    }

    /// Digits of the value, leading and trailing zeros apart (`totalDigits`).
    pub(super) fn total_digits(self) -> usize {
        self.whole.len() + self.fraction.len()
    }

    /// The value in units of 10^-17, or `None` where it does not fit; 17 is the most fraction
    /// digits that any ISO 20022 number may have.
    pub(super) fn scaled(self) -> Option<i128> {
        if self.fraction.len() > 17 {
            return None;
        }
        let digits = self.whole.bytes().chain(self.fraction.bytes());
        let padding = std::iter::repeat_n(b'0', 17 - self.fraction.len());
        let value = digits.chain(padding).try_fold(0i128, |value, digit| {
            value.checked_mul(10)?.checked_add(i128::from(digit - b'0'))
        })?;
        Some(if self.negative { -value } else { value })
    }
}

/// The number of octets in `xs:base64Binary`, or `None` if it is none.
pub(super) fn base64_octets(text: &str) -> Option<usize> {
    let mut symbols = 0;
    let mut padding = 0;
    for byte in text.bytes().filter(|byte| *byte != b' ') {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' if padding == 0 => symbols += 1,
            b'=' => padding += 1,
            _ => return None,
        }
    }
    let whole = (symbols + padding) % 4 == 0 && padding <= 2 && (symbols > 0 || padding == 0);
    whole.then(|| (symbols + padding) / 4 * 3 - padding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times() {
        for text in [
            "2024-02-29",
            "2000-02-29Z",
            "2026-11-23+14:00",
            "12026-01-01",
            "-0001-01-01",
        ] {
            assert!(is_date(text), "{text}");
        }
        for text in [
            "",
            "2023-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-04-31",
            "0000-01-01",
            "26-01-01",
        ] {
            assert!(!is_date(text), "{text}");
        }
        for text in [
            "2026-1-01",
            "2026-01-01T00:00:00",
            "2026-01-01+14:01",
            "02026-01-01",
            "2026-01-0é",
        ] {
            assert!(!is_date(text), "{text}");
        }
        for text in [
            "2026-11-23T10:00:00",
            "2026-11-23T10:00:00.123456789Z",
            "2026-11-23T24:00:00",
        ] {
            assert!(is_date_time(text), "{text}");
        }
        for text in [
            "2026-11-23T24:00:01",
            "2026-11-23T10:60:00",
            "2026-11-23T10:00:60",
            "2026-11-23 10:00:00",
            "2026-11-23T10:00",
            "2026-11-23T10:00:00.",
            "2026-11-23",
            "2026-11-23T10:00:00z",
        ] {
            assert!(!is_date_time(text), "{text}");
        }
        assert!(is_time("23:59:59+01:00") && !is_time("25:00:00"));
        assert!(
            is_year("2026")
                && !is_year("26")
                && is_year_month("2026-12")
                && !is_year_month("2026-13")
        );
    }

    #[test]
    fn decimals_and_their_digits() {
        let digits = |text| Decimal::parse(text).map(|it| (it.total_digits(), it.fraction.len()));
        assert_eq!(digits("001.2500"), Some((3, 2)));
        assert_eq!(digits("0"), Some((0, 0)));
        assert_eq!(digits("-.5"), Some((1, 1)));
        assert_eq!(digits("5."), Some((1, 0)));
        for text in ["", ".", "-", "1e3", "1,5", " 1", "1.2.3", "+-1", "INF", "٣"] {
            assert_eq!(digits(text), None, "{text}");
        }
        let scaled = |text| Decimal::parse(text).and_then(Decimal::scaled);
        assert_eq!(scaled("-1.5"), Some(-150_000_000_000_000_000));
        assert_eq!(scaled("0.000000000000000001"), None);
        assert_eq!(scaled(&"9".repeat(60)), None);
        assert!(!Decimal::parse("-0.0").is_none_or(|zero| zero.negative));
    }

    #[test]
    fn base64() {
        assert_eq!(base64_octets("TG9tYmFyZA=="), Some(7));
        assert_eq!(base64_octets(""), Some(0));
        for text in ["TG9", "TG9=T", "TG9tYmFyZA=", "=", "TG9t*A=="] {
            assert_eq!(base64_octets(text), None, "{text}");
        }
    }
}
