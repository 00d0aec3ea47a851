//! A small piece of a document, whole: what a statement says of one balance or one transaction.

use std::io::{self, BufRead};

use crate::iso20022::xml::{Stop, Token, Tokens};

/// The most elements of one piece.
const NODES_MAX: usize = 20_000;

/// The longest text of one element in bytes; the schemas allow 500 characters here.
const TEXT_MAX: usize = 8 * 1024;

/// An element: its local name, its currency if it is an amount, its text, its children.
#[derive(Debug, Default)]
pub struct Node {
    pub name: String,
    pub currency: Option<String>,
    text: String,
    pub children: Vec<Node>,
}

impl Node {
    /// The first child of this name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The element at a path of names.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, name| node.child(name))
    }

    /// The children of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The trimmed text, unless it is empty.
    pub fn text(&self) -> Option<&str> {
        Some(self.text.trim()).filter(|text| !text.is_empty())
    }

    /// The text at a path.
    pub fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path)?.text()
    }

    /// The first text anywhere inside, in order.
    pub fn any_text(&self) -> Option<&str> {
        let inside = || self.children.iter().find_map(Self::any_text);
        self.text().or_else(inside)
    }
}

/// What reading a piece came to.
pub enum Trouble {
    /// The file cannot be read.
    Io(io::Error),
    /// The markup is broken, in these words.
    Broken(String),
}

impl From<Stop> for Trouble {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Io(error) => Self::Io(error),
            Stop::Refused(_, message) => Self::Broken(message),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads the element whose start tag was just read, to its end. What is beyond the bounds is left
/// out.
pub fn node<R: BufRead>(tokens: &mut Tokens<R>) -> Result<Node, Trouble> {
    let mut open = vec![start(tokens)];
    let mut count = 1;
    loop {
        match tokens.next()? {
            Token::Start => {
                count += 1;
                open.push(start(tokens));
            }
            Token::Text => {
                if let Some(node) = open.last_mut()
                    && node.text.len() + tokens.text().len() <= TEXT_MAX
                {
                    node.text.push_str(tokens.text());
                }
            }
            Token::End => {
                let Some(node) = open.pop() else {
                    return Err(Trouble::Broken("an end tag too many".to_owned()));
                };
                match open.last_mut() {
                    None => return Ok(node),
                    Some(parent) if count <= NODES_MAX => parent.children.push(node),
                    Some(_) => {}
                }
            }
            Token::Eof => return Err(Trouble::Broken("the file ends too early".to_owned())),
        }
    }
}

/// Passes over the element whose start tag was just read.
pub fn skip<R: BufRead>(tokens: &mut Tokens<R>) -> Result<(), Trouble> {
    let mut depth = 1;
    while depth > 0 {
        match tokens.next()? {
            Token::Start => depth += 1,
            Token::End => depth -= 1,
            Token::Text => {}
            Token::Eof => return Err(Trouble::Broken("the file ends too early".to_owned())),
        }
    }
    Ok(())
}

fn start<R: BufRead>(tokens: &Tokens<R>) -> Node {
    let currency = tokens.attributes().iter().find(|(name, _)| name == "Ccy");
    Node {
        name: tokens.name().1.to_owned(),
        currency: currency.map(|(_, value)| value.clone()),
        ..Node::default()
    }
}
