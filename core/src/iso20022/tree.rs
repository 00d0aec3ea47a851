//! A validated message in memory, for messages that are small.
//!
//! **Shape.** Elements in document order, each knowing where its content ends, and one string for all
//! their texts: a message of a hundred elements is three allocations. The names are those of the
//! schema table, so comparing them is comparing known words.

use super::violation::{Rule, Violation};
use super::walk::Walk;

/// Elements that have passed the schema.
#[derive(Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    text: String,
    open: Vec<usize>,
}

struct Node {
    name: &'static str,
    /// Its number among its like, where the schema allows several.
    index: Option<u32>,
    parent: usize,
    /// Where its content ends: the number of the next element that is not inside it.
    end: usize,
    text: std::ops::Range<usize>,
    attribute: std::ops::Range<usize>,
}

impl Tree {
    /// Adds what the walk has come to: the beginning of an element, or a text element.
    pub(super) fn open<R: std::io::BufRead>(&mut self, walk: &Walk<R>) {
        self.push(walk.name(), walk.index(), "", "");
    }

    /// Adds a text element.
    pub(super) fn value<R: std::io::BufRead>(&mut self, walk: &Walk<R>) {
        self.push(
            walk.name(),
            walk.index(),
            walk.value(),
            walk.attribute().unwrap_or_default(),
        );
        self.close();
    }

    /// Ends the element that was begun last.
    pub(super) fn close(&mut self) {
        if let Some(at) = self.open.pop() {
            self.nodes[at].end = self.nodes.len();
        }
    }

    /// Ends every element that is still open.
    pub(super) fn finish(&mut self) {
        while !self.open.is_empty() {
            self.close();
        }
    }

    /// Forgets everything, and keeps the memory for the next.
    pub(super) fn clear(&mut self) {
        self.nodes.clear();
        self.text.clear();
        self.open.clear();
    }

    /// How many elements there are.
    pub(super) const fn len(&self) -> usize {
        self.nodes.len()
    }

    /// How much text there is.
    pub(super) const fn text_bytes(&self) -> usize {
        self.text.len()
    }

    /// The first element, which holds all others.
    pub(super) fn root(&self) -> Option<El<'_>> {
        (!self.nodes.is_empty()).then_some(El { tree: self, at: 0 })
    }

    fn push(&mut self, name: &'static str, index: Option<u32>, text: &str, attribute: &str) {
        let start = self.text.len();
        self.text.push_str(text);
        let middle = self.text.len();
        self.text.push_str(attribute);
        let at = self.nodes.len();
        self.nodes.push(Node {
            name,
            index,
            parent: self.open.last().copied().unwrap_or(at),
            end: at + 1,
            text: start..middle,
            attribute: middle..self.text.len(),
        });
        self.open.push(at);
    }
}

/// An element of a tree.
#[derive(Clone, Copy)]
pub(super) struct El<'t> {
    tree: &'t Tree,
    at: usize,
}

impl<'t> El<'t> {
    fn node(self) -> &'t Node {
        &self.tree.nodes[self.at]
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        self.node().name
    }

    /// Its text; empty for an element that holds elements.
    pub(super) fn text(self) -> &'t str {
        &self.tree.text[self.node().text.clone()]
    }

    /// Its attribute; empty if it has none.
    pub(super) fn attribute(self) -> &'t str {
        &self.tree.text[self.node().attribute.clone()]
    }

    /// The elements in it, in order.
    pub(super) fn children(self) -> impl Iterator<Item = El<'t>> {
        let end = self.node().end;
        let mut at = self.at + 1;
        std::iter::from_fn(move || {
            let child = (at < end).then_some(El {
                tree: self.tree,
                at,
            })?;
            at = child.node().end;
            Some(child)
        })
    }

    /// The elements in it of one name.
    pub(super) fn all(self, name: &'static str) -> impl Iterator<Item = El<'t>> {
        self.children().filter(move |child| child.name() == name)
    }

    /// The first element at a path such as `PmtId/EndToEndId`.
    pub(super) fn get(self, path: &str) -> Option<El<'t>> {
        path.split('/').try_fold(self, |at, name| {
            at.children().find(|child| child.name() == name)
        })
    }

    /// The text at a path.
    pub(super) fn string(self, path: &str) -> Option<String> {
        self.get(path).map(|found| found.text().to_owned())
    }

    /// Where it is in the message.
    pub(super) fn path(self) -> String {
        let node = self.node();
        let above = match node.parent {
            parent if parent == self.at => String::new(),
            parent => El {
                tree: self.tree,
                at: parent,
            }
            .path(),
        };
        let index = node
            .index
            .map(|index| format!("[{index}]"))
            .unwrap_or_default();
        format!("{above}/{}{index}", node.name)
    }

    /// A violation of a rule by this element.
    pub(super) fn violation(self, rule: Rule, message: impl Into<String>) -> Violation {
        Violation::new(self.path(), rule, message)
    }
}
