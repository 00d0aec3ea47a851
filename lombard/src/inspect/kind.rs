//! Tells what kind of file it is by how it begins.

use std::io::{self, BufRead};

use lombard_service::batch::record::Format;

/// What a file seems to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// XML, to be judged as ISO 20022.
    Xml,
    /// Something of the trade that is not judged here.
    Known(&'static str),
    /// Nothing that we know.
    Unknown,
}

impl Kind {
    /// How its payments are written, if it may be a file of payments other than pain.001.
    pub fn payments(self) -> Option<Format> {
        match self {
            Self::Known("csv") => Some(Format::Csv),
            Self::Known("json") => Some(Format::JsonLines),
            Self::Xml | Self::Known(_) | Self::Unknown => None,
        }
    }
}

/// The kind, from the first bytes; nothing is consumed.
///
/// # Errors
/// When the file cannot be read.
pub fn of(reader: &mut impl BufRead) -> io::Result<Kind> {
    Ok(of_start(reader.fill_buf()?))
}

fn of_start(start: &[u8]) -> Kind {
    // XML may be in UTF-16, which only its byte order mark tells.
    if start.starts_with(&[0xfe, 0xff]) || start.starts_with(&[0xff, 0xfe]) {
        return Kind::Xml;
    }
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let text = start.trim_ascii_start();
    let first_line = text.split(|byte| *byte == b'\n').next().unwrap_or(text);
    match text {
        [b'<', ..] => Kind::Xml,
        [b'{', b'1', b':', ..] => Kind::Known(swift(text)),
        [b':', b'2', b'0', b':', ..] => Kind::Known(swift(text)),
        [b'0', b'1', b',', ..] => Kind::Known("bai2"),
        [b'{' | b'[', ..] => Kind::Known("json"),
        _ if is_separated(first_line) => Kind::Known("csv"),
        _ => Kind::Unknown,
    }
}

/// Text without control characters, in at least three fields.
fn is_separated(line: &[u8]) -> bool {
    let separator = |byte: &&u8| matches!(byte, b',' | b';' | b'\t');
    let control = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\r');
    line.iter().filter(separator).count() >= 2 && !line.iter().any(control)
}

/// MT940 has a closing balance in `:62F:` or `:62M:`; MT942 has limits in `:34F:` instead.
fn swift(text: &[u8]) -> &'static str {
    let has = |tag: &[u8]| text.windows(tag.len()).any(|window| window == tag);
    if has(b"{2:I942") || has(b"{2:O942") || has(b":34F:") {
        "mt942"
    } else {
        "mt940"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_told_by_how_it_begins() {
        for (start, kind) in [
            (&b"\xef\xbb\xbf \n<?xml version='1.0'?>"[..], Kind::Xml),
            (b"\xff\xfe<\0", Kind::Xml),
            (b":20:X\r\n:25:Y\r\n:62F:C", Kind::Known("mt940")),
            (b"{1:F01X}{2:O942X}{4:", Kind::Known("mt942")),
            (b"01,BANK,US,260101,0000,1,,,2/", Kind::Known("bai2")),
            (b"{\"amount\": 1}", Kind::Known("json")),
            (b"a,b,c\n1,2,3\n", Kind::Known("csv")),
            (b"", Kind::Unknown),
            (b"\x7fELF,,,", Kind::Unknown),
            (b"hello", Kind::Unknown),
        ] {
            assert_eq!(
                of_start(start),
                kind,
                "{:?}",
                String::from_utf8_lossy(start)
            );
        }
    }
}
