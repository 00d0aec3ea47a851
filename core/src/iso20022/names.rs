//! Namespaces in scope (Namespaces in XML 1.0).

use super::limits::DECLARATIONS_MAX;

/// The namespaces of ISO 20022 messages, before the message identifier (ISO 20022-4).
pub(super) const ISO_20022: &str = "urn:iso:std:iso:20022:tech:xsd:";

/// The namespace of schema locations, which any element may carry.
pub(super) const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// The namespace that is bound to `xml` without being declared.
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// Declarations of the open elements.
#[derive(Default)]
pub(super) struct Scopes {
    depth: usize,
    bindings: Vec<Binding>,
}

struct Binding {
    depth: usize,
    prefix: String,
    uri: String,
}

impl Scopes {
    /// Opens an element with these attributes; false where more than [`DECLARATIONS_MAX`] are in
    /// scope, which would make every name dear to look up.
    #[must_use]
    pub(super) fn open(&mut self, attributes: &[(String, String)]) -> bool {
        self.depth += 1;
        for (name, uri) in attributes {
            if let Some(prefix) = declared_prefix(name) {
                let (prefix, uri) = (prefix.to_owned(), uri.clone());
                self.bindings.push(Binding {
                    depth: self.depth,
                    prefix,
                    uri,
                });
            }
        }
        self.bindings.len() <= DECLARATIONS_MAX
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
    pub(super) fn resolve(&self, prefix: &str) -> Option<&str> {
        let bound = self
            .bindings
            .iter()
            .rev()
            .find(|binding| binding.prefix == prefix);
        match (bound, prefix) {
            (Some(binding), _) => Some(&binding.uri),
            (None, "") => Some(""),
            (None, "xml") => Some(XML),
            (None, _) => None,
        }
    }
}

/// The prefix that an attribute declares, if it is a declaration; the default namespace has none.
pub(super) fn declared_prefix(attribute: &str) -> Option<&str> {
    match attribute.strip_prefix("xmlns")? {
        "" => Some(""),
        rest => rest.strip_prefix(':'),
    }
}
