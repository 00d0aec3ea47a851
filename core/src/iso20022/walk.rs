//! Walks through a message and holds every element against its schema.
//!
//! **Shape.** A pull of steps over the tokens of [`super::xml`]. Around the message there may be an
//! envelope: elements of other namespaces are passed through, and inside them one `Document` and at
//! most one `AppHdr` of the ISO 20022 namespaces are looked for and validated, each by its own
//! schema. What breaks the schema is noted and the walk goes on, so that a sender hears of
//! everything at once; what breaks XML ends it.
//!
//! **Bounds.** A frame per open element, the text of one element, and the violations that are kept.

use std::io::{self, BufRead};

use super::limits::{DECLARATIONS_MAX, TEXT_BYTES_MAX};
use super::names::{self, Namespace, SCHEMA_INSTANCE, Scopes, declared_prefix};
use super::schema::{Schema, TextType, Type, TypeId};
use super::violation::{Rule, Violations};
use super::xml::{Stop, Token, Tokens};

mod frame;
mod present;

use frame::{Child, Frame};

/// What the walk has come to; what it is, is asked of [`Walk`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// An element that holds elements begins.
    Open,
    /// An element with text has ended.
    Value,
    /// An element that holds elements has ended.
    Close,
    /// Everything was read, or reading cannot go on.
    End,
}

/// A walk through a message.
pub(super) struct Walk<R: BufRead> {
    tokens: Tokens<R>,
    schema: &'static Schema,
    scopes: Scopes,
    /// Open elements from `Document` or `AppHdr` on; none while in the envelope.
    frames: Vec<Frame>,
    /// The innermost frame has been reported and goes with the next step.
    spent: bool,
    /// Open elements inside something that is not looked at.
    skipping: usize,
    /// The namespace of the present document or header.
    namespace: Namespace,
    text: String,
    attribute: Option<String>,
    header: Option<&'static str>,
    document: Option<&'static str>,
    /// What the document said it was, where there is no schema for it.
    unsupported: Option<String>,
    broken: bool,
    violations: Violations,
    violations_max: usize,
}

impl<R: BufRead> Walk<R> {
    /// A walk that keeps at most `violations_max` violations at a time.
    pub(super) fn new(input: R, violations_max: usize) -> Self {
        Self {
            tokens: Tokens::new(input),
            schema: Schema::get(),
            scopes: Scopes::new(),
            frames: Vec::new(),
            spent: false,
            skipping: 0,
            namespace: Namespace::NONE,
            text: String::new(),
            attribute: None,
            header: None,
            document: None,
            unsupported: None,
            broken: false,
            violations: Violations::default(),
            violations_max,
        }
    }

    /// Goes on to the next step.
    ///
    /// # Errors
    /// The input could not be read. Everything else is a violation.
    pub(super) fn next(&mut self) -> io::Result<Step> {
        if std::mem::take(&mut self.spent) {
            self.frames.pop();
        }
        if self.broken {
            return Ok(Step::End);
        }
        loop {
            match self.advance() {
                Ok(Some(step)) => return Ok(step),
                Ok(None) => {}
                Err(Stop::Io(error)) => return Err(error),
                Err(Stop::Refused(rule, message)) => {
                    self.violate(rule, message);
                    self.broken = true;
                    return Ok(Step::End);
                }
            }
        }
    }

    fn advance(&mut self) -> Result<Option<Step>, Stop> {
        match self.tokens.next()? {
            Token::Start => {
                if !self.scopes.open(self.tokens.attributes()) {
                    let message = format!("has more than {DECLARATIONS_MAX} namespaces in scope");
                    return Err(Stop::Refused(Rule::Limit, message));
                }
                self.start()
            }
            Token::End => {
                self.scopes.close();
                Ok(self.end())
            }
            Token::Text => {
                self.take_text()?;
                Ok(None)
            }
            Token::Eof => {
                if self.document.is_none() && self.unsupported.is_none() && self.header.is_none() {
                    self.violate(Rule::NoDocument, "there is no ISO 20022 Document");
                }
                Ok(Some(Step::End))
            }
        }
    }

    fn start(&mut self) -> Result<Option<Step>, Stop> {
        if self.skipping > 0 {
            self.skipping += 1;
            return Ok(None);
        }
        let (prefix, name) = self.tokens.name();
        let Some(namespace) = self.scopes.resolve(prefix) else {
            let message = "an element has a prefix that is not declared";
            return Err(Stop::Refused(Rule::Namespace, message.to_owned()));
        };
        let frame = match self.frames.last_mut() {
            None => {
                let name = name.to_owned();
                self.find_root(namespace, &name)
            }
            Some(parent) => {
                let own = namespace == self.namespace;
                match parent.child(self.schema, name, own, self.scopes.text(namespace)) {
                    Child::Placed(frame, breach) => {
                        if let Some((rule, reason)) = breach {
                            self.violate_at(frame.name, rule, reason);
                        }
                        Some(frame)
                    }
                    Child::Open => {
                        self.skipping = 1;
                        None
                    }
                    Child::Misplaced(rule, reason) => {
                        self.skipping = 1;
                        // The name is the sender's and may be anything: only its beginning is shown.
                        let shown: String = name.chars().take(35).collect();
                        self.violate_at(&shown, rule, reason);
                        None
                    }
                }
            }
        };
        let Some(frame) = frame else { return Ok(None) };
        let kind = frame.kind;
        self.frames.push(frame);
        self.text.clear();
        self.check_attributes(kind);
        let opens = self.schema.text(kind).is_none();
        Ok(opens.then_some(Step::Open))
    }

    /// An element of the envelope: the document, the header, or something around them.
    fn find_root(&mut self, namespace: Namespace, name: &str) -> Option<Frame> {
        let message = names::message(self.scopes.text(namespace));
        let is_document = name == "Document";
        let known = message.and_then(|message| self.schema.message(message));
        match (message, known) {
            _ if !is_document && name != "AppHdr" => return None,
            // A header of another kind, such as SWIFT's older one, belongs to the envelope.
            (None, _) if !is_document => {}
            (None, _) => {
                let reason = "is in no namespace of ISO 20022";
                self.violate_path("/Document", Rule::Namespace, reason);
                self.unsupported.get_or_insert_default();
            }
            (Some(message), None) => {
                let shown = message.chars().take(35).collect();
                let reason = "there is no schema for this message or version";
                self.violate_path(&format!("/{name}"), Rule::UnsupportedMessage, reason);
                self.unsupported = Some(shown);
            }
            (Some(_), Some((message, _))) if is_document == message.starts_with("head.") => {
                let reason = "is in the namespace of another element";
                self.violate_path(&format!("/{name}"), Rule::Namespace, reason);
                self.unsupported.get_or_insert_default();
            }
            (Some(_), Some((message, root))) => {
                let slot = if is_document {
                    &mut self.document
                } else {
                    &mut self.header
                };
                if slot.is_none() {
                    *slot = Some(message);
                    self.namespace = namespace;
                    let name = if is_document { "Document" } else { "AppHdr" };
                    return Some(Frame::new(name, root, None));
                }
                let reason = "there is one already";
                self.violate_path(&format!("/{name}"), Rule::DuplicateDocument, reason);
            }
        }
        self.skipping = 1;
        None
    }

    /// Declarations and schema locations may stand anywhere; else only what the type has.
    fn check_attributes(&mut self, kind: TypeId) {
        self.attribute = None;
        let expected = match self.schema.kind(kind) {
            Type::Attributed {
                attribute,
                attribute_type,
                ..
            } => self
                .schema
                .text(*attribute_type)
                .map(|kind| (*attribute, kind)),
            _ => None,
        };
        if expected.is_none() && self.tokens.attributes().is_empty() {
            return;
        }
        let mut breaches = Vec::new();
        for (name, value) in self.tokens.attributes() {
            let (prefix, local) = name.split_once(':').unwrap_or(("", name));
            let location = matches!(local, "schemaLocation" | "noNamespaceSchemaLocation")
                && self
                    .scopes
                    .resolve(prefix)
                    .is_some_and(|it| self.scopes.text(it) == SCHEMA_INSTANCE);
            match expected {
                Some((attribute, kind)) if attribute == name => {
                    self.attribute = Some(value.clone());
                    breaches.extend(breach_of_attribute(attribute, kind, value));
                }
                _ if location || declared_prefix(name).is_some() => {}
                _ => {
                    let reason = "has an attribute that the schema does not have".to_owned();
                    breaches.push((Rule::UnexpectedAttribute, reason));
                }
            }
        }
        if let (Some((attribute, _)), None) = (expected, &self.attribute) {
            breaches.push((
                Rule::MissingAttribute,
                format!("has no attribute {attribute}"),
            ));
        }
        for (rule, reason) in breaches {
            self.violate(rule, reason);
        }
    }

    fn take_text(&mut self) -> Result<(), Stop> {
        let Some(frame) = self.frames.last().filter(|_| self.skipping == 0) else {
            return Ok(());
        };
        let text = self.tokens.text();
        if self.schema.text(frame.kind).is_some() {
            if self.text.len() + text.len() > TEXT_BYTES_MAX {
                let message = format!("the text is longer than {TEXT_BYTES_MAX} bytes");
                return Err(Stop::Refused(Rule::Limit, message));
            }
            self.text.push_str(text);
        } else if !text
            .chars()
            .all(|ch| matches!(ch, ' ' | '\t' | '\n' | '\r'))
        {
            self.violate(Rule::UnexpectedText, "has text between its elements");
        }
        Ok(())
    }

    fn end(&mut self) -> Option<Step> {
        if self.skipping > 0 {
            self.skipping -= 1;
            return None;
        }
        let frame = self.frames.last()?;
        self.spent = true;
        match self.schema.kind(frame.kind) {
            Type::Elements(particles) => {
                for (part, reason) in frame.missing(particles) {
                    self.violate_at(part, Rule::MissingElement, reason);
                }
            }
            Type::Any(_) if frame.count == 0 => {
                self.violate(Rule::MissingElement, "is empty, one element is expected");
            }
            Type::Any(_) => {}
            Type::Text(_) | Type::Attributed { .. } => {
                let kind = self.schema.text(frame.kind)?;
                if let Err((rule, reason)) = kind.check(&self.text) {
                    self.violate(rule, reason);
                }
                let normal = kind.normal(&self.text);
                if normal.len() != self.text.len() {
                    self.text = normal.into_owned();
                }
                return Some(Step::Value);
            }
        }
        Some(Step::Close)
    }
}

fn breach_of_attribute(name: &str, kind: &TextType, value: &str) -> Option<(Rule, String)> {
    let (rule, reason) = kind.check(value).err()?;
    Some((rule, format!("attribute {name} {reason}")))
}
