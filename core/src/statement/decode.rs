//! Bytes of any encoding that banks use, as UTF-8.
//!
//! UTF-8 and UTF-16 are told by their marks and by their zeros. A byte that is no UTF-8 is read as
//! Windows-1252, of which ISO 8859-1 is a part: that is what banks mean when they say nothing, and
//! no byte of money or of a reference is ever concerned. Control characters (SWIFT frames its
//! blocks with them) are dropped.

use std::io::{self, BufRead, Read};

/// A reader of UTF-8 over a reader of anything.
pub struct Decoded<R> {
    input: R,
    form: Option<Form>,
    ready: Vec<u8>,
    taken: usize,
    held: Vec<u8>,
    foreign: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Bytes,
    Utf16 { little: bool },
}

/// How much is decoded at once.
const CHUNK: usize = 32 * 1024;

impl<R: Read> Decoded<R> {
    /// Decodes `input`.
    pub fn new(input: R) -> Self {
        Self {
            input,
            form: None,
            ready: Vec::new(),
            taken: 0,
            held: Vec::new(),
            foreign: false,
        }
    }

    /// Whether bytes came that are no UTF-8.
    pub fn is_foreign(&self) -> bool {
        self.foreign || matches!(self.form, Some(Form::Utf16 { .. }))
    }

    fn refill(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.taken = 0;
        while self.ready.is_empty() {
            let old = self.held.len();
            self.held.resize(old + CHUNK, 0);
            let read = self.input.read(&mut self.held[old..])?;
            self.held.truncate(old + read);
            let form = *self.form.get_or_insert_with(|| form(&mut self.held));
            match form {
                Form::Bytes => self.bytes(read == 0),
                Form::Utf16 { little } => self.wide(little),
            }
            if read == 0 {
                return Ok(());
            }
        }
        Ok(())
    }

    fn bytes(&mut self, last: bool) {
        let held = std::mem::take(&mut self.held);
        let mut rest = held.as_slice();
        loop {
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    push(&mut self.ready, text);
                    return;
                }
                Err(error) => {
                    let (good, bad) = rest.split_at(error.valid_up_to());
                    push(
                        &mut self.ready,
                        std::str::from_utf8(good).unwrap_or_default(),
                    );
                    if error.error_len().is_none() && !last {
                        // A character that is cut by the end of the chunk.
                        self.held = bad.to_vec();
                        return;
                    }
                    self.foreign = true;
                    let Some((byte, after)) = bad.split_first() else {
                        return;
                    };
                    push(&mut self.ready, western(*byte).encode_utf8(&mut [0; 4]));
                    rest = after;
                }
            }
        }
    }

    fn wide(&mut self, little: bool) {
        let held = std::mem::take(&mut self.held);
        let even = held.len() / 2 * 2;
        let mut units: Vec<u16> = held[..even]
            .chunks_exact(2)
            .map(|pair| match little {
                true => u16::from_le_bytes([pair[0], pair[1]]),
                false => u16::from_be_bytes([pair[0], pair[1]]),
            })
            .collect();
        self.held = held[even..].to_vec();
        // Half of a pair of surrogates waits for the other half.
        if let Some(last) = units.pop_if(|unit| (0xd800..0xdc00).contains(unit)) {
            let bytes = if little {
                last.to_le_bytes()
            } else {
                last.to_be_bytes()
            };
            self.held.splice(0..0, bytes);
        }
        push(&mut self.ready, &String::from_utf16_lossy(&units));
    }
}

/// Tells the form by the first bytes, and takes a mark away.
fn form(start: &mut Vec<u8>) -> Form {
    let little = Form::Utf16 { little: true };
    let big = Form::Utf16 { little: false };
    let (form, mark) = match start.as_slice() {
        [0xef, 0xbb, 0xbf, ..] => (Form::Bytes, 3),
        [0xff, 0xfe, ..] => (little, 2),
        [0xfe, 0xff, ..] => (big, 2),
        [0, first, ..] if *first != 0 => (big, 0),
        [first, 0, ..] if *first != 0 => (little, 0),
        _ => (Form::Bytes, 0),
    };
    start.drain(..mark);
    form
}

fn push(out: &mut Vec<u8>, text: &str) {
    let kept = |byte: &u8| *byte >= b' ' && *byte != 0x7f || matches!(byte, b'\t' | b'\n' | b'\r');
    // Control characters are single bytes in UTF-8 and never a part of another character.
    out.extend(text.bytes().filter(kept));
}

/// Windows-1252 (the WHATWG index, of which the five unused places are left as they are).
fn western(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut available = self.fill_buf()?;
        let read = available.read(out)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for Decoded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken == self.ready.len() {
            self.refill()?;
        }
        Ok(&self.ready[self.taken..])
    }

    fn consume(&mut self, amount: usize) {
        self.taken += amount;
    }
}

/// The longest line of a text that is read: SWIFT has 65 characters, exports of banks whole records.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// Reads one line without its end; `None` at the end of the file. A line beyond
/// [`LINE_BYTES_MAX`] is cut.
pub fn line(input: &mut impl BufRead, out: &mut String) -> io::Result<Option<()>> {
    let mut bytes = Vec::new();
    let mut any = false;
    loop {
        let available = input.fill_buf()?;
        if available.is_empty() {
            break;
        }
        any = true;
        let end = available.iter().position(|byte| *byte == b'\n');
        let part = &available[..end.unwrap_or(available.len())];
        let room = LINE_BYTES_MAX.saturating_sub(bytes.len());
        bytes.extend_from_slice(&part[..part.len().min(room)]);
        let used = end.map_or(available.len(), |end| end + 1);
        input.consume(used);
        if end.is_some() {
            break;
        }
    }
    out.clear();
    out.push_str(String::from_utf8_lossy(&bytes).trim_end_matches('\r'));
    Ok(any.then_some(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> (String, bool) {
        let mut reader = Decoded::new(bytes);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        (text, reader.is_foreign())
    }

    #[test]
    fn encodings() {
        assert_eq!(
            decoded("Müller\r\n".as_bytes()),
            ("Müller\r\n".into(), false)
        );
        assert_eq!(decoded(b"\xef\xbb\xbfa"), ("a".into(), false));
        assert_eq!(decoded(b"M\xfcller \x80"), ("Müller €".into(), true));
        assert_eq!(decoded(b"\xff\xfea\0\xfc\0"), ("aü".into(), true));
        assert_eq!(decoded(b"\0<\0?"), ("<?".into(), true));
        assert_eq!(decoded(b"\x01{1:F01}\x03"), ("{1:F01}".into(), false));
        assert_eq!(decoded(b""), (String::new(), false));
    }

    #[test]
    fn a_character_cut_by_a_chunk_is_whole() {
        let mut text = "x".repeat(CHUNK - 1);
        text.push('ü');
        assert_eq!(decoded(text.as_bytes()), (text.clone(), false));
    }

    #[test]
    fn lines_with_and_without_an_end() {
        let mut input = &b"one\r\n\ntwo"[..];
        let mut text = String::new();
        let mut found = Vec::new();
        while line(&mut input, &mut text).unwrap().is_some() {
            found.push(text.clone());
        }
        assert_eq!(found, ["one", "", "two"]);
    }
}
