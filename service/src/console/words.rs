//! Small texts: amounts, moments, escapes.

use lombard_core::currency::{Currency, format_minor};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// `1234567` of GBP is `12,345.67`. The currency stands beside it, not in it.
pub fn amount(minor: u64, currency: &str) -> String {
    let Ok(currency) = currency.parse::<Currency>() else {
        return minor.to_string();
    };
    let text = format_minor(minor, currency);
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let grouped = in_threes(whole);
    if fraction.is_empty() {
        grouped
    } else {
        format!("{grouped}.{fraction}")
    }
}

/// Milliseconds in the two largest units that they have: `3 d 4 h`.
pub fn span(ms: u64) -> String {
    let minutes = ms / 60_000;
    match minutes {
        0 => "under 1 min".to_owned(),
        1..60 => format!("{minutes} min"),
        60..1440 => format!("{} h {} min", minutes / 60, minutes % 60),
        _ => format!("{} d {} h", minutes / 1440, minutes % 1440 / 60),
    }
}

/// `1234567` as `1,234,567`.
pub fn grouped(count: u64) -> String {
    in_threes(&count.to_string())
}

fn in_threes(digits: &str) -> String {
    let groups = digits.as_bytes().rchunks(3).rev();
    let groups: Vec<_> = groups.map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// `2026-11-23T07:21:10.385Z` as `2026-11-23 07:21:10`.
pub fn moment(rfc3339: &str) -> String {
    rfc3339.get(..19).unwrap_or(rfc3339).replace('T', " ")
}

/// `out_post` as `Out post`, `AUTH_PENDING` as `Auth pending`.
pub fn plain(name: &str) -> String {
    let text = name.replace(['_', '.'], " ").to_lowercase();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}

/// The beginning and the end of a long id.
pub fn short(id: &str) -> String {
    match (id.get(..8), id.get(id.len().saturating_sub(6)..)) {
        (Some(start), Some(end)) if id.len() > 18 => format!("{start}…{end}"),
        _ => id.to_owned(),
    }
}

/// What stands for itself in a query or a path (RFC 3986, section 2.3: unreserved).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// For a query or a segment of a path.
pub fn escaped(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_by_their_currency() {
        let rows = [
            (0, "GBP", "0.00"),
            (123, "GBP", "1.23"),
            (123_456_789, "GBP", "1,234,567.89"),
            (1_234, "JPY", "1,234"),
            (1_234, "KWD", "1.234"),
        ];
        for (minor, currency, text) in rows {
            assert_eq!(amount(minor, currency), text);
        }
        assert_eq!(grouped(1_234_567), "1,234,567");
        let spans = [59_999, 60_000, 3_660_000, 90_000_000].map(span);
        assert_eq!(spans, ["under 1 min", "1 min", "1 h 1 min", "1 d 1 h"]);
    }

    #[test]
    fn names_as_people_write_them() {
        assert_eq!(plain("AUTH_PENDING"), "Auth pending");
        assert_eq!(plain("payment.cleared"), "Payment cleared");
        assert_eq!(
            short("pay_01m83mfeq41cwz3ftnsvp4s4em"),
            "pay_01m8…4s4em".replace("4s4em", "p4s4em")
        );
    }
}
