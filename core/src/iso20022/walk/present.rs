//! What the walk has come to, and what is noted about it.

use std::io::BufRead;

use super::{Walk, frame};
use crate::iso20022::violation::{Rule, Violation, Violations};

impl<R: BufRead> Walk<R> {
    /// The message: the document's identifier, or the header's if no document has come yet.
    pub(in crate::iso20022) fn message(&self) -> Option<&str> {
        self.document
            .or(self.unsupported.as_deref())
            .or(self.header)
    }

    /// The identifier of the document, once its start was read.
    pub(in crate::iso20022) const fn document(&self) -> Option<&'static str> {
        self.document
    }

    /// Whether the present element belongs to the document, not to its header.
    pub(in crate::iso20022) fn in_document(&self) -> bool {
        self.frames
            .first()
            .is_some_and(|root| root.name == "Document")
    }

    /// How many elements are open, the present one included.
    pub(in crate::iso20022) const fn depth(&self) -> usize {
        self.frames.len()
    }

    /// The name of the present element.
    pub(in crate::iso20022) fn name(&self) -> &'static str {
        self.frames.last().map_or("", |frame| frame.name)
    }

    /// The number of the present element among its like, where the schema allows several.
    pub(in crate::iso20022) fn index(&self) -> Option<u32> {
        self.frames.last()?.index
    }

    /// The name of the element at a depth from the root, which has 0.
    pub(in crate::iso20022) fn name_at(&self, depth: usize) -> &'static str {
        self.frames.get(depth).map_or("", |frame| frame.name)
    }

    /// The text of the present element, as its type sees it.
    pub(in crate::iso20022) fn value(&self) -> &str {
        &self.text
    }

    /// The one attribute of the present element, if its type has one and it was given.
    pub(in crate::iso20022) fn attribute(&self) -> Option<&str> {
        self.attribute.as_deref()
    }

    /// How many bytes were read.
    pub(in crate::iso20022) fn position(&self) -> u64 {
        self.tokens.position()
    }

    /// Whether the bytes could not be read to their end as XML.
    pub(in crate::iso20022) const fn is_broken(&self) -> bool {
        self.broken
    }

    /// What was found wrong since this was last asked.
    pub(in crate::iso20022) fn take_violations(&mut self) -> Violations {
        std::mem::take(&mut self.violations)
    }

    /// Notes that the present element breaks a rule.
    pub(in crate::iso20022) fn violate(&mut self, rule: Rule, message: impl Into<String>) {
        self.violate_at("", rule, message);
    }

    /// Notes that a part of the present element breaks a rule.
    pub(in crate::iso20022) fn violate_at(
        &mut self,
        part: &str,
        rule: Rule,
        message: impl Into<String>,
    ) {
        let path = || frame::path(&self.frames, part);
        self.violations.push(self.violations_max, || {
            Violation::new(path(), rule, message)
        });
    }

    /// Notes that an element at `path`, which was passed before, breaks a rule.
    pub(in crate::iso20022) fn violate_path(
        &mut self,
        path: &str,
        rule: Rule,
        message: impl Into<String>,
    ) {
        let violation = || Violation::new(path.to_owned(), rule, message);
        self.violations.push(self.violations_max, violation);
    }

    /// The path of the present element.
    pub(in crate::iso20022) fn path(&self) -> String {
        frame::path(&self.frames, "")
    }

    /// Notes now, and not only at its end, what the parent of the present element should have had
    /// before it: for a reader that acts on what it has read so far.
    pub(in crate::iso20022) fn require_before(&mut self) {
        let Some(parent) = self.frames.len().checked_sub(2) else {
            return;
        };
        let missing = self.frames[parent].missing_before(self.schema);
        let path = frame::path(&self.frames[..=parent], "");
        for (part, reason) in missing {
            let part = if part.is_empty() {
                String::new()
            } else {
                format!("/{part}")
            };
            self.violate_path(&format!("{path}{part}"), Rule::MissingElement, reason);
        }
    }
}
