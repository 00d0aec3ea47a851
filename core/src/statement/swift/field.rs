//! Fields: a tag, and the lines up to the next one.

use std::io::{self, BufRead};

use super::super::decode::{Decoded, line};

/// The most lines of one field. The standard allows six in field 86; banks write some more.
const LINES_MAX: usize = 400;

/// One field.
#[derive(Debug, Default, Clone)]
pub struct Field {
    /// `61`, `60F`; `-` for the end of a message.
    pub tag: String,
    /// The line of the file at which it begins, from 1.
    pub place: u64,
    /// What it says, line by line.
    pub lines: Vec<String>,
}

impl Field {
    /// The lines as one text, as a field that was wrapped is meant.
    pub fn joined(&self) -> String {
        self.lines.concat()
    }

    /// Where it stands.
    pub fn at(&self) -> String {
        format!(":{}: in line {}", self.tag, self.place)
    }
}

/// The fields of a file.
pub struct Fields<R> {
    input: Decoded<R>,
    line: String,
    /// Lines that were read and belong to the next field.
    waiting: Vec<String>,
    next: Option<Field>,
    place: u64,
}

impl<R: BufRead> Fields<R> {
    pub fn new(input: R) -> Self {
        Self {
            input: Decoded::new(input),
            line: String::new(),
            waiting: Vec::new(),
            next: None,
            place: 0,
        }
    }

    pub fn is_foreign(&self) -> bool {
        self.input.is_foreign()
    }

    /// The next field.
    pub fn next(&mut self) -> io::Result<Option<Field>> {
        while let Some(text) = self.next_line()? {
            if matches!(text.trim(), "-" | "-}") || text.trim_start().starts_with("-}") {
                let end = Field {
                    tag: "-".to_owned(),
                    place: self.place,
                    lines: Vec::new(),
                };
                if let Some(done) = self.next.replace(end) {
                    return Ok(Some(done));
                }
                continue;
            }
            match tag(&text) {
                Some((tag, rest)) => {
                    let field = Field {
                        tag: tag.to_owned(),
                        place: self.place,
                        lines: vec![rest.to_owned()],
                    };
                    if let Some(done) = self.next.replace(field) {
                        return Ok(Some(done));
                    }
                }
                // What stands before the first field, or after the end of a message, says nothing.
                None => {
                    if let Some(field) = self.next.as_mut().filter(|it| it.tag != "-")
                        && field.lines.len() < LINES_MAX
                    {
                        field.lines.push(text);
                    }
                }
            }
        }
        Ok(self.next.take())
    }

    /// One line; `@@` ends lines too, and block 4 of FIN begins one.
    fn next_line(&mut self) -> io::Result<Option<String>> {
        if let Some(text) = self.waiting.pop() {
            return Ok(Some(text));
        }
        if line(&mut self.input, &mut self.line)?.is_none() {
            return Ok(None);
        }
        self.place += 1;
        // A tag that was wrapped after its colon.
        if self.line.trim() == ":" {
            line(&mut self.input, &mut self.line)?;
            self.place += 1;
            self.line.insert(0, ':');
        }
        let text = self
            .line
            .rfind("{4:")
            .map_or(self.line.as_str(), |at| &self.line[at + 3..]);
        if text.contains("@@:") {
            let parts = text.split("@@").map(str::to_owned);
            self.waiting.extend(parts);
            self.waiting.reverse();
            return Ok(self.waiting.pop());
        }
        Ok(Some(text.to_owned()))
    }
}

/// `:61:` and what follows it. Quotation marks around exported lines are passed over.
fn tag(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start().trim_start_matches('"');
    let (tag, rest) = text.strip_prefix(':')?.split_once(':')?;
    let proper = match tag.as_bytes() {
        [a, b] => a.is_ascii_digit() && b.is_ascii_digit() || tag == "NS",
        [a, b, c] => a.is_ascii_digit() && b.is_ascii_digit() && c.is_ascii_uppercase(),
        _ => false,
    };
    proper.then_some((tag, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_end_where_the_next_begins() {
        let text =
            "{1:F01X}{2:O940X}{4:\r\n:20:A\r\n:86:one\r\n-two\r\n:x:three\r\n-}\r\n@@:20:B@@:25:C";
        let mut fields = Fields::new(text.as_bytes());
        let mut found = Vec::new();
        while let Some(field) = fields.next().unwrap() {
            found.push((field.tag.clone(), field.lines.join("|")));
        }
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|it| (it.0.as_str(), it.1.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("20", "A"),
                ("86", "one|-two|:x:three"),
                ("-", ""),
                ("20", "B"),
                ("25", "C")
            ]
        );
    }
}
