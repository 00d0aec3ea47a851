//! Records: a line that begins with a code, and the `88` lines that continue it.

use std::io::{self, BufRead};

use super::super::decode::{Decoded, line};

/// The codes that begin a record.
const CODES: [&str; 8] = ["01", "02", "03", "16", "49", "88", "98", "99"];

/// The most continuations of one record.
const CONTINUATIONS_MAX: usize = 10_000;

/// One record.
#[derive(Debug, Default)]
pub struct Record {
    /// Its fields; a text, which may have commas, in several of them.
    fields: Vec<String>,
    /// What continues it, line by line.
    more: Vec<String>,
    /// How many lines it has: control totals count each.
    pub lines: u64,
    /// The line of the file at which it begins, from 1.
    place: u64,
}

/// What a transaction says beside its amount.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Detail<'a> {
    pub value: Option<&'a str>,
    pub bank: &'a str,
    pub customer: &'a str,
    pub text: String,
}

impl Record {
    pub fn code(&self) -> &str {
        self.fields.first().map_or("", String::as_str)
    }

    /// A field without the spaces around it; `None` where it is empty.
    pub fn field(&self, place: usize) -> Option<&str> {
        let field = self.fields.get(place)?.trim();
        Some(field).filter(|it| !it.is_empty())
    }

    /// All fields from a place on, those of continuations too.
    pub fn from(&self, place: usize) -> Vec<&str> {
        let own = self.fields.iter().skip(place).map(|it| it.trim());
        let more = self.more.iter().flat_map(|it| it.split(',')).map(str::trim);
        own.chain(more).collect()
    }

    pub fn at(&self) -> String {
        format!("{} in line {}", self.code(), self.place)
    }

    /// The funds type has fields of its own: `V` a date and a time, `S` three amounts, `D` a number
    /// of pairs. Then come two references and the text.
    pub fn detail(&self) -> Detail<'_> {
        let funds = self.field(3).unwrap_or_default();
        let own = match funds {
            "V" | "v" => 2,
            "S" | "s" => 3,
            "D" | "d" => {
                let pairs = self.field(4).and_then(|it| it.parse::<usize>().ok());
                1 + 2 * pairs.unwrap_or(0).min(100)
            }
            _ => 0,
        };
        let place = 4 + own;
        let text = self.fields.get(place + 2..).unwrap_or_default().join(",");
        let mut parts = vec![text];
        parts.extend(self.more.iter().cloned());
        let parts: Vec<&str> = parts
            .iter()
            .map(|it| it.trim())
            .filter(|it| !it.is_empty())
            .collect();
        let is_dated = matches!(funds, "V" | "v");
        Detail {
            value: self.field(4).filter(|_| is_dated),
            bank: self.field(place).unwrap_or_default(),
            customer: self.field(place + 1).unwrap_or_default(),
            text: parts.join(" "),
        }
    }
}

/// The records of a file.
pub struct Records<R> {
    input: Decoded<R>,
    line: String,
    place: u64,
    /// Several records in one line, which some systems make of the file on its way.
    waiting: Vec<String>,
    next: Option<Record>,
}

impl<R: BufRead> Records<R> {
    pub fn new(input: R) -> Self {
        Self {
            input: Decoded::new(input),
            line: String::new(),
            place: 0,
            waiting: Vec::new(),
            next: None,
        }
    }

    /// The next record with all that continues it.
    pub fn next(&mut self) -> io::Result<Option<Record>> {
        while let Some(text) = self.next_text()? {
            let code = text
                .get(0..3)
                .and_then(|it| it.strip_suffix(','))
                .unwrap_or_default();
            if code == "88" {
                if let Some(record) = &mut self.next {
                    record.lines += 1;
                    if record.more.len() < CONTINUATIONS_MAX {
                        record.more.push(text[3..].to_owned());
                    }
                }
            } else if CODES.contains(&code) {
                let record = Record {
                    fields: text.split(',').map(str::to_owned).collect(),
                    more: Vec::new(),
                    lines: 1,
                    place: self.place,
                };
                if let Some(done) = self.next.replace(record) {
                    return Ok(Some(done));
                }
            } else if let Some(record) = &mut self.next {
                // A text that was broken over lines without a code of its own.
                if record.more.len() < CONTINUATIONS_MAX {
                    record.more.push(text);
                }
            } else {
                return Ok(Some(Record {
                    fields: text.split(',').map(str::to_owned).collect(),
                    more: Vec::new(),
                    lines: 1,
                    place: self.place,
                }));
            }
        }
        Ok(self.next.take())
    }

    fn next_text(&mut self) -> io::Result<Option<String>> {
        loop {
            if let Some(text) = self.waiting.pop() {
                return Ok(Some(text));
            }
            if line(&mut self.input, &mut self.line)?.is_none() {
                return Ok(None);
            }
            self.place += 1;
            self.waiting = split(&self.line);
            self.waiting.reverse();
        }
    }
}

/// A line as its records, each without the slash that ends it. A slash inside a text ends nothing
/// unless a code follows it.
fn split(line: &str) -> Vec<String> {
    let mut records = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let ends = rest.match_indices('/').map(|(at, _)| at);
        let end = ends
            .into_iter()
            .find(|at| begins_record(rest[at + 1..].trim_start()));
        let (record, after) = match end {
            Some(at) => (&rest[..at], rest[at + 1..].trim_start()),
            None => (rest.strip_suffix('/').unwrap_or(rest), ""),
        };
        records.push(record.to_owned());
        rest = after;
    }
    records
}

fn begins_record(text: &str) -> bool {
    let code = text.get(0..3).and_then(|it| it.strip_suffix(','));
    code.is_some_and(|code| CODES.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_with_their_continuations() {
        let text = "03,1,,010,5,,/\n88,015,7,,/\n16,142,5,V,260131,,B,C,a, b/ c/  16,142,6,Z,,,x/\nmore\n49,1,2/";
        let mut records = Records::new(text.as_bytes());
        let mut next = || records.next().unwrap();
        let account = next().unwrap();
        assert_eq!(account.from(3), ["010", "5", "", "", "015", "7", "", ""]);
        assert_eq!(account.lines, 2);
        let line = next().unwrap();
        let detail = line.detail();
        assert_eq!(
            (detail.value, detail.bank, detail.customer),
            (Some("260131"), "B", "C")
        );
        assert_eq!(detail.text, "a, b/ c");
        assert_eq!(next().unwrap().detail().text, "x more");
        assert_eq!(next().unwrap().code(), "49");
        assert!(next().is_none());
    }

    #[test]
    fn funds_types_have_fields_of_their_own() {
        let detail = |text: &str| {
            let mut records = Records::new(text.as_bytes());
            let record = records.next().unwrap().unwrap();
            let detail = record.detail();
            (
                detail.bank.to_owned(),
                detail.customer.to_owned(),
                detail.text,
            )
        };
        let found = ("B".to_owned(), "C".to_owned(), "t".to_owned());
        for text in [
            "16,142,5,,B,C,t/",
            "16,142,5,0,B,C,t/",
            "16,142,5,S,1,2,2,B,C,t/",
            "16,142,5,D,2,0,3,1,2,B,C,t/",
            "16,142,5,V,260131,1200,B,C,t/",
        ] {
            assert_eq!(detail(text), found, "{text}");
        }
    }
}
