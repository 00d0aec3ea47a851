//! Namespaces in scope (Namespaces in XML 1.0).

use super::limits::DECLARATIONS_MAX;

/// The namespaces of ISO 20022 messages, before the message identifier (ISO 20022-4).
pub(super) const ISO_20022: &str = "urn:iso:std:iso:20022:tech:xsd:";

/// Namespaces in which communities restrict a version, and that version: what is valid to them is valid there
/// (DK, Anlage 3 der Schnittstellenspezifikation; SIX, Swiss Payment Standards, until 2022).
const RESTRICTED: [(&str, &str); 3] = [
    (
        "urn:iso:std:iso:20022:tech:xsd:pain.001.002.03",
        "pain.001.001.03",
    ),
    (
        "urn:iso:std:iso:20022:tech:xsd:pain.001.003.03",
        "pain.001.001.03",
    ),
    (
        "http://www.six-interbank-clearing.com/de/pain.001.001.03.ch.02.xsd",
        "pain.001.001.03",
    ),
];

/// The message and version of a namespace; `None` outside ISO 20022.
pub(super) fn message(namespace: &str) -> Option<&str> {
    let restricted = RESTRICTED.iter().find(|(known, _)| *known == namespace);
    restricted.map_or_else(|| namespace.strip_prefix(ISO_20022), |(_, of)| Some(*of))
}

/// The namespace of schema locations, which any element may carry.
pub(super) const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// The namespace that is bound to `xml` without being declared.
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// A namespace that the input has named, as a small number: comparing two is comparing numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Namespace(usize);

impl Namespace {
    /// No namespace.
    pub(super) const NONE: Self = Self(0);
}

/// Declarations of the open elements.
pub(super) struct Scopes {
    depth: usize,
    bindings: Vec<Binding>,
    /// Every namespace that was named so far, once.
    known: Vec<String>,
}

struct Binding {
    depth: usize,
    prefix: String,
    namespace: Namespace,
}

impl Scopes {
    pub(super) fn new() -> Self {
        let namespace = Namespace(1);
        let xml = Binding {
            depth: 0,
            prefix: "xml".to_owned(),
            namespace,
        };
        Self {
            depth: 0,
            bindings: vec![xml],
            known: vec![String::new(), XML.to_owned()],
        }
    }

    /// Opens an element with these attributes; false where more than [`DECLARATIONS_MAX`] are in
    /// scope or were ever named, which would make every name dear to look up.
    #[must_use]
    pub(super) fn open(&mut self, attributes: &[(String, String)]) -> bool {
        self.depth += 1;
        for (name, uri) in attributes {
            if let Some(prefix) = declared_prefix(name) {
                let known = self.known.iter().position(|known| known == uri);
                let namespace = Namespace(known.unwrap_or(self.known.len()));
                if known.is_none() {
                    self.known.push(uri.clone());
                }
                let prefix = prefix.to_owned();
                self.bindings.push(Binding {
                    depth: self.depth,
                    prefix,
                    namespace,
                });
            }
        }
        self.bindings.len() <= DECLARATIONS_MAX && self.known.len() <= DECLARATIONS_MAX
    }

    /// Closes the innermost element.
    pub(super) fn close(&mut self) {
        while self
            .bindings
            .last()
            .is_some_and(|binding| binding.depth == self.depth)
        {
            self.bindings.pop();
        }
        self.depth -= 1;
    }

    /// The namespace of an element with this prefix; `None` if the prefix is not declared.
    pub(super) fn resolve(&self, prefix: &str) -> Option<Namespace> {
        // Most elements have no prefix. Two empty strings are not worth a comparison of bytes, which
        // costs a quarter of all reading where it is done in vectors on a pointer to nothing.
        let is_bound = |binding: &&Binding| match (binding.prefix.is_empty(), prefix.is_empty()) {
            (true, true) => true,
            (false, false) => binding.prefix == prefix,
            _ => false,
        };
        let bound = self.bindings.iter().rev().find(is_bound);
        let bound = bound.map(|binding| binding.namespace);
        bound.or_else(|| prefix.is_empty().then_some(Namespace::NONE))
    }

    /// The text of a namespace.
    pub(super) fn text(&self, namespace: Namespace) -> &str {
        &self.known[namespace.0]
    }
}

/// The prefix that an attribute declares, if it is a declaration; the default namespace has none.
pub(super) fn declared_prefix(attribute: &str) -> Option<&str> {
    match attribute.strip_prefix("xmlns")? {
        "" => Some(""),
        rest => rest.strip_prefix(':'),
    }
}
