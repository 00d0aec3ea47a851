//! Tells by how a file begins in which manner it is written.

/// The manners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// XML, which may be ISO 20022.
    Xml,
    /// Fields of SWIFT.
    Swift,
    /// Records of BAI2.
    Bai2,
    /// Text in columns.
    Table,
    /// None that is known.
    Unknown,
}

/// The family, by the first bytes of a file.
#[must_use]
pub fn family(start: &[u8]) -> Family {
    let text = narrow(start);
    let text =
        text.trim_start_matches(|ch: char| ch.is_whitespace() || ch.is_control() || ch == '"');
    let first = text.lines().next().unwrap_or_default();
    if text.starts_with('<') {
        return Family::Xml;
    }
    if is_field(first) || text.starts_with("{1:") || text.starts_with("@@:") {
        return Family::Swift;
    }
    if is_record(first)
        && text
            .lines()
            .skip(1)
            .take(5)
            .filter(|line| is_record(line))
            .count()
            > 0
        || first.starts_with("01,") && first.split(',').count() >= 5
    {
        return Family::Bai2;
    }
    if text.starts_with(['{', '[']) {
        return Family::Unknown;
    }
    // Some banks write a few lines of their own before the first field.
    let fields = || text.lines().take(40).filter(|line| is_field(line)).count();
    if fields() >= 2 {
        return Family::Swift;
    }
    let is_table = text.lines().take(40).any(|line| {
        line.chars()
            .filter(|ch| matches!(ch, ',' | ';' | '\t' | '|'))
            .count()
            >= 2
    });
    let is_text = first.chars().all(|ch| !ch.is_control() || ch == '\t');
    if is_table && is_text {
        Family::Table
    } else {
        Family::Unknown
    }
}

/// The beginning as text; of UTF-16 the low halves, in which all that is looked for stands.
fn narrow(start: &[u8]) -> String {
    let start = &start[..start.len().min(8 * 1024)];
    let wide = start.starts_with(&[0xff, 0xfe])
        || start.starts_with(&[0xfe, 0xff])
        || start
            .get(0..2)
            .is_some_and(|two| two[0] == 0 || two[1] == 0);
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    if wide {
        let low = start.iter().filter(|byte| **byte != 0 && byte.is_ascii());
        return low.map(|byte| char::from(*byte)).collect();
    }
    String::from_utf8_lossy(start).into_owned()
}

/// A record of BAI2: the code of two digits, and fields up to a slash.
fn is_record(line: &str) -> bool {
    let code = line.split(',').next().unwrap_or_default();
    let codes = ["00", "01", "02", "03", "16", "88"];
    codes.contains(&code) && line.contains('/')
}

fn is_field(line: &str) -> bool {
    let Some((tag, _)) = line
        .trim_start()
        .strip_prefix(':')
        .and_then(|it| it.split_once(':'))
    else {
        return false;
    };
    let bytes = tag.as_bytes();
    (2..=3).contains(&bytes.len()) && bytes[..2].iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families() {
        for (start, found) in [
            (&b"\xef\xbb\xbf \n<?xml version='1.0'?>"[..], Family::Xml),
            (b"\xff\xfe<\0?\0", Family::Xml),
            (b":20:X\r\n:25:Y\r\n", Family::Swift),
            (b"\x01{1:F01X}{2:O942X}{4:", Family::Swift),
            (b"ABNANL2A\n940\nABNANL2A\n:20:ABN\n:25:1\n", Family::Swift),
            (b"01,BANK,US,260101,0000,1,,,2/", Family::Bai2),
            (b"a,b,c\n1,2,3\n", Family::Table),
            (b"Report of May\n\nDate;Amount;Text\n", Family::Table),
            (b"{\"a\": [1,2,3]}", Family::Unknown),
            (b"", Family::Unknown),
            (b"\x7fELF\x02\x01\x01\x00,,,", Family::Unknown),
            (b"hello", Family::Unknown),
        ] {
            assert_eq!(family(start), found, "{:?}", String::from_utf8_lossy(start));
        }
    }
}
