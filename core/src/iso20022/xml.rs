//! XML as it may come from anybody: well-formed XML 1.0 in UTF-8, within bounds, without a DTD.
//!
//! **Shape.** A pull of tokens over quick-xml, which knows the syntax. Here is what it leaves to its
//! user: bounds on every token, the character set, references, names, one root, and where a
//! declaration may stand.
//!
//! **Invariants.** No entity is ever expanded but the five of XML and numeric references, each to
//! one character. Memory is bounded by [`TOKEN_BYTES_MAX`] and [`DEPTH_MAX`], work is linear in the
//! input. Processing instructions and comments are passed over.

use std::io::{self, BufRead};

use quick_xml::XmlVersion;
use quick_xml::errors::{Error as XmlError, IllFormedError};
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

use super::limits::{ATTRIBUTES_MAX, DEPTH_MAX, TOKEN_BYTES_MAX};
use super::violation::Rule;

mod bounded;

use bounded::Bounded;

/// A piece of XML; what it says is asked of [`Tokens`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    /// A start tag. The tag of an empty element is followed by its end.
    Start,
    /// The end of the innermost open element.
    End,
    /// A part of the text of the innermost open element; a text may come in several parts.
    Text,
    /// The end of the input, after exactly one root element.
    Eof,
}

/// Why reading stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The input cannot be read; that says nothing about the message.
    Io(io::Error),
    /// The input is not XML that we take.
    Refused(Rule, String),
}

fn refuse<T>(rule: Rule, message: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Refused(rule, message.into()))
}

/// Tokens of an input.
pub(crate) struct Tokens<R: BufRead> {
    reader: Reader<Bounded<R>>,
    buffer: Vec<u8>,
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    depth: usize,
    /// Nothing was read yet.
    at_start: bool,
    root_seen: bool,
    /// The last tag was of an empty element, whose end is the next token.
    is_empty: bool,
    /// The bytes were decoded before they came here, whatever the declaration says of them.
    is_decoded: bool,
}

impl<R: BufRead> Tokens<R> {
    /// Tokens of an input that is UTF-8 by now, and may still declare the encoding that it had.
    pub(crate) fn of_decoded(input: R) -> Self {
        let mut tokens = Self::new(input);
        tokens.is_decoded = true;
        tokens
    }

    pub(crate) fn new(input: R) -> Self {
        let mut reader = Reader::from_reader(Bounded::new(input, TOKEN_BYTES_MAX));
        reader.config_mut().check_comments = true;
        Self {
            reader,
            buffer: Vec::new(),
            name: String::new(),
            attributes: Vec::new(),
            text: String::new(),
            depth: 0,
            at_start: true,
            root_seen: false,
            is_empty: false,
            is_decoded: false,
        }
    }

    /// How many bytes were read.
    pub(crate) fn position(&self) -> u64 {
        self.reader.buffer_position()
    }

    /// The name of the last start tag, as prefix and local name.
    pub(crate) fn name(&self) -> (&str, &str) {
        self.name.split_once(':').unwrap_or(("", &self.name))
    }

    /// Names and values of the last start tag's attributes, in order.
    pub(crate) fn attributes(&self) -> &[(String, String)] {
        &self.attributes
    }

    /// The last text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The next token.
    pub(crate) fn next(&mut self) -> Result<Token, Stop> {
        loop {
            if let Some(token) = self.step()? {
                return Ok(token);
            }
        }
    }

    /// Reads one piece of XML; `None` for one that says nothing.
    fn step(&mut self) -> Result<Option<Token>, Stop> {
        if std::mem::take(&mut self.is_empty) {
            self.depth -= 1;
            return Ok(Some(Token::End));
        }
        let at_start = std::mem::take(&mut self.at_start);
        if at_start {
            self.reader.get_mut().refuse_utf16()?;
        }
        self.buffer.clear();
        self.reader.get_mut().begin_token();
        let event = match self.reader.read_event_into(&mut self.buffer) {
            Ok(event) => event,
            Err(error) => return Err(stop(error, self.reader.get_mut().is_exceeded())),
        };
        let is_empty = matches!(event, Event::Empty(_));
        let is_plain = matches!(event, Event::Text(_));
        let text = match event {
            Event::Start(tag) | Event::Empty(tag) => {
                self.is_empty = is_empty;
                if self.depth == 0 && std::mem::replace(&mut self.root_seen, true) {
                    return refuse(Rule::Malformed, "there is a second root element");
                }
                self.depth += 1;
                if self.depth > DEPTH_MAX {
                    return refuse(Rule::Limit, format!("is more than {DEPTH_MAX} levels deep"));
                }
                read_tag(&tag, &mut self.name, &mut self.attributes)?;
                return Ok(Some(Token::Start));
            }
            Event::End(_) => {
                self.depth -= 1;
                return Ok(Some(Token::End));
            }
            Event::Text(text) if text.contains("]]>") => {
                return refuse(Rule::Malformed, "the text has ]]> outside CDATA");
            }
            Event::Text(text) => text.xml10_content(),
            Event::CData(text) => text.xml10_content(),
            Event::GeneralRef(reference) => resolve(&reference)?.to_string().into(),
            Event::Eof => return self.end_of_input().map(Some),
            Event::Decl(_) if at_start && self.is_decoded => return Ok(None),
            silent => return check_silent(&silent, at_start).map(|()| None),
        };
        check_characters(&text)?;
        self.text.clear();
        self.text.push_str(&text);
        if self.depth > 0 {
            return Ok(Some(Token::Text));
        }
        // Around the root XML allows white space only, and only as plain text.
        let blank = text
            .chars()
            .all(|ch| matches!(ch, ' ' | '\t' | '\n' | '\r'));
        if is_plain && blank {
            return Ok(None);
        }
        refuse(Rule::Malformed, "there is text outside the root element")
    }

    fn end_of_input(&self) -> Result<Token, Stop> {
        if self.depth > 0 {
            refuse(Rule::Malformed, "the input ends inside an element")
        } else if !self.root_seen {
            refuse(Rule::Malformed, "there is no root element")
        } else {
            Ok(Token::Eof)
        }
    }
}

/// Checks what stands in a document and says nothing of it.
fn check_silent(event: &Event, at_start: bool) -> Result<(), Stop> {
    let late = || refuse(Rule::Malformed, "an XML declaration is not at the start");
    match event {
        Event::Decl(declaration) if at_start => check_declaration(declaration),
        Event::Decl(_) => late(),
        Event::PI(instruction) if instruction.target().eq_ignore_ascii_case("xml") => late(),
        Event::PI(instruction) => check_characters(instruction),
        Event::Comment(comment) => check_characters(comment),
        Event::DocType(_) => refuse(Rule::Dtd, "a document type declaration is not accepted"),
        _ => Ok(()),
    }
}

/// Puts the error of the parser in our words; its own could repeat what the input says.
fn stop(error: XmlError, limit_exceeded: bool) -> Stop {
    let (rule, message) = match error {
        XmlError::Io(_) if limit_exceeded => (
            Rule::Limit,
            format!("a tag or text is longer than {TOKEN_BYTES_MAX} bytes"),
        ),
        XmlError::Io(error) => return Stop::Io(io::Error::new(error.kind(), error.to_string())),
        XmlError::Encoding(_) => return bad_utf8(),
        XmlError::IllFormed(IllFormedError::DoubleHyphenInComment) => {
            (Rule::Malformed, "a comment has -- inside".to_owned())
        }
        XmlError::IllFormed(IllFormedError::UnclosedReference) => (
            Rule::Malformed,
            "an ampersand begins no reference".to_owned(),
        ),
        XmlError::IllFormed(IllFormedError::MissingEndTag(_)) => (
            Rule::Malformed,
            "the input ends inside an element".to_owned(),
        ),
        XmlError::IllFormed(
            IllFormedError::MismatchedEndTag { .. } | IllFormedError::UnmatchedEndTag(_),
        ) => (
            Rule::Malformed,
            "an end tag does not match its start tag".to_owned(),
        ),
        XmlError::IllFormed(IllFormedError::MissingDoctypeName) => (
            Rule::Dtd,
            "a document type declaration is not accepted".to_owned(),
        ),
        _ => (Rule::Malformed, "the markup is broken".to_owned()),
    };
    Stop::Refused(rule, message)
}

fn bad_utf8() -> Stop {
    Stop::Refused(Rule::Encoding, "the bytes are not UTF-8".to_owned())
}

/// ISO 20022 is exchanged in UTF-8 (ISO 20022-4); US-ASCII is a part of it.
fn check_declaration(declaration: &BytesDecl) -> Result<(), Stop> {
    match declaration.version() {
        Ok(version) if version == "1.0" => {}
        _ => return refuse(Rule::Malformed, "the XML version is not 1.0"),
    }
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(name))
            if ["utf-8", "utf8", "us-ascii", "ascii"]
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known)) =>
        {
            Ok(())
        }
        Some(Ok(_)) => refuse(Rule::Encoding, "the declared encoding is not UTF-8"),
        Some(Err(_)) => refuse(Rule::Malformed, "the XML declaration is broken"),
    }
}

fn read_tag(
    tag: &BytesStart,
    name: &mut String,
    attributes: &mut Vec<(String, String)>,
) -> Result<(), Stop> {
    check_name(tag.name().as_ref())?;
    name.clear();
    name.push_str(tag.name().as_ref());
    attributes.clear();
    // The parser's own check for duplicates compares all with all; ours does so with few.
    for attribute in tag.attributes().with_checks(false) {
        let broken = || Stop::Refused(Rule::Malformed, "an attribute is broken".to_owned());
        let attribute = attribute.map_err(|_| broken())?;
        if attributes.len() == ATTRIBUTES_MAX {
            return refuse(
                Rule::Limit,
                format!("a tag has more than {ATTRIBUTES_MAX} attributes"),
            );
        }
        let key = attribute.key.as_ref();
        check_name(key)?;
        if attributes.iter().any(|(known, _)| known == key) {
            return refuse(Rule::Malformed, "a tag has an attribute twice");
        }
        if attribute.value.contains('<') {
            return Err(broken());
        }
        let value = attribute.normalized_value(XmlVersion::Explicit1_0);
        let value = value.map_err(|_| unknown_entity())?;
        check_characters(&value)?;
        attributes.push((key.to_owned(), value.into_owned()));
    }
    Ok(())
}

/// A name of XML with at most one colon (Namespaces in XML 1.0, section 4).
fn check_name(name: &str) -> Result<(), Stop> {
    let part = |part: &str| {
        let start = |ch: char| ch.is_ascii_alphabetic() || ch == '_' || !ch.is_ascii();
        let rest = |ch: char| start(ch) || ch.is_ascii_digit() || matches!(ch, '-' | '.');
        part.starts_with(start) && part.chars().all(rest)
    };
    let (prefix, local) = name.split_once(':').unwrap_or(("_", name));
    if part(prefix) && part(local) {
        Ok(())
    } else {
        refuse(Rule::Malformed, "a name is none of XML")
    }
}

/// XML 1.0, production 2.
fn check_characters(text: &str) -> Result<(), Stop> {
    let allowed = |ch: char| match ch {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        ch => ch >= ' ',
    };
    if text.chars().all(allowed) {
        Ok(())
    } else {
        refuse(
            Rule::Character,
            "there is a character that XML does not allow",
        )
    }
}

fn resolve(reference: &BytesRef) -> Result<char, Stop> {
    match reference.resolve_char_ref() {
        Ok(Some(ch)) => Ok(ch),
        Ok(None) => {
            let known = resolve_xml_entity(reference).and_then(|text| text.chars().next());
            known.ok_or_else(unknown_entity)
        }
        Err(_) => refuse(
            Rule::Character,
            "there is a reference to a character that XML does not allow",
        ),
    }
}

fn unknown_entity() -> Stop {
    let message = "a reference is to none of the five entities of XML";
    Stop::Refused(Rule::Entity, message.to_owned())
}
