//! Bytes and moments as headers and settings write them.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use lombard_core::{psp::map::Encoding, time::Timestamp};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

use super::Refusal;

/// Hexadecimal, in either case.
pub fn hex(text: &str) -> Option<Vec<u8>> {
    hex::decode(text).ok()
}

/// Base64 with padding.
pub fn base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text.trim()).ok()
}

/// Base64 for URLs, without padding (RFC 7515).
pub fn base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The bytes of a MAC's key.
pub fn key(written: &str, encoding: Encoding) -> Result<Vec<u8>, Refusal> {
    let written = written.trim();
    let bytes = match encoding {
        Encoding::Plain => Some(written.as_bytes().to_vec()),
        Encoding::Hex => hex(written),
        Encoding::Base64 => base64(written),
    };
    bytes.ok_or_else(|| Refusal::BadKey(format!("it is not {encoding:?}").to_lowercase()))
}

/// The bytes of a signature; what cannot be read fits no key.
pub fn signature(written: &str, encoding: Encoding) -> Option<Vec<u8>> {
    match encoding {
        Encoding::Plain | Encoding::Hex => hex(written.trim()),
        Encoding::Base64 => base64(written),
    }
}

/// Milliseconds since 1970 of a time as headers write it: seconds or milliseconds since 1970, RFC
/// 3339, or an HTTP date.
pub fn moment_ms(text: &str) -> Option<u64> {
    const MS_SINCE: u64 = 100_000_000_000; // Seconds stay below this until the year 5138.
    if let Ok(number) = text.parse::<u64>() {
        return Some(if number < MS_SINCE {
            number * 1000
        } else {
            number
        });
    }
    let rfc3339 = Timestamp::parse_rfc3339(text).map(Timestamp::unix_ms);
    rfc3339.or_else(|| {
        let dated = OffsetDateTime::parse(&text.replace("GMT", "+0000"), &Rfc2822).ok()?;
        u64::try_from(dated.unix_timestamp()).ok().map(|s| s * 1000)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_in_each_writing() {
        for text in [
            "1700000000",
            "1700000000000",
            "2023-11-14T22:13:20Z",
            "Tue, 14 Nov 2023 22:13:20 GMT",
        ] {
            assert_eq!(moment_ms(text), Some(1_700_000_000_000), "{text}");
        }
        assert_eq!(moment_ms("yesterday"), None);
    }

    #[test]
    fn odd_hex_is_no_hex() {
        assert_eq!(hex("0aFF"), Some(vec![10, 255]));
        assert_eq!(hex("0aF"), None);
        assert_eq!(hex("0g"), None);
        assert_eq!(hex("é"), None);
    }
}
