//! The official schemas as a table: which elements a message has, in which order, with which text.
//!
//! **Shape.** `schema/types.txt` (see `schema/ORIGIN.md`) is embedded and read once, on first use.
//! A type refers to types on earlier lines, so reading is one pass and no type contains itself.

use std::collections::BTreeMap;
use std::sync::OnceLock;

mod text;

pub(super) use text::TextType;

/// The place of a type in the table.
pub(super) type TypeId = usize;

/// All types of all messages.
pub(super) struct Schema {
    types: Vec<Type>,
    messages: BTreeMap<&'static str, TypeId>,
}

/// What an element may hold.
pub(super) enum Type {
    /// Text.
    Text(TextType),
    /// Text with one required attribute: an amount with its currency.
    Attributed {
        attribute: &'static str,
        attribute_type: TypeId,
        value: TypeId,
    },
    /// Elements in order.
    Elements(Vec<Particle>),
    /// One element whose content is not looked at, of one namespace or of any (`*`).
    Any(&'static str),
}

/// One place in a sequence: an element, or a choice of which exactly one occurs.
pub(super) struct Particle {
    pub(super) alternatives: Vec<Element>,
}

/// An element as a type has it.
pub(super) struct Element {
    pub(super) name: &'static str,
    /// [`key_of`] the name.
    pub(super) key: u64,
    pub(super) min: u32,
    /// `u32::MAX` for no bound.
    pub(super) max: u32,
    pub(super) kind: TypeId,
}

/// The first bytes of a name and its length: most names differ in them, so a search among the elements
/// of a type compares numbers.
pub(super) fn key_of(name: &str) -> u64 {
    let first = name
        .bytes()
        .take(7)
        .fold(0, |key, byte| key << 8 | u64::from(byte));
    first << 8 | (name.len() as u64 & 0xff)
}

impl Particle {
    /// Whether the sequence is incomplete without it. A choice of which one alternative may be absent
    /// may itself be absent.
    pub(super) fn is_required(&self) -> bool {
        self.alternatives.iter().all(|element| element.min > 0)
    }
}

/// The most places of a sequence, so that the places seen are one machine word.
const PARTICLES_MAX: usize = 64;

impl Schema {
    /// The table of this program.
    pub(super) fn get() -> &'static Self {
        static SCHEMA: OnceLock<Schema> = OnceLock::new();
        SCHEMA.get_or_init(|| {
            // The table is part of the program and a test reads all of it.
            Self::parse(include_str!("schema/types.txt"))
                .expect("the embedded table is well-formed")
        })
    }

    fn parse(table: &'static str) -> Option<Self> {
        let mut schema = Self {
            types: Vec::new(),
            messages: BTreeMap::new(),
        };
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let body = line.split_once(" # ").map_or(line, |(body, _)| body);
            let (head, body) = body.split_once(' ')?;
            if head == "message" {
                let (name, root) = body.split_once(' ')?;
                schema.messages.insert(name, root.parse().ok()?);
            } else {
                let _: () = (head.parse() == Ok(schema.types.len())).then_some(())?;
                let kind = schema.parse_type(body)?;
                schema.types.push(kind);
            }
        }
        let known = schema
            .messages
            .values()
            .all(|root| *root < schema.types.len());
        known.then_some(schema)
    }

    fn parse_type(&self, body: &'static str) -> Option<Type> {
        let (kind, rest) = body.split_once(' ').unwrap_or((body, ""));
        Some(match kind {
            "any" => Type::Any(rest),
            "of" => {
                let parts = rest.split(' ').map(|part| self.parse_particle(part));
                let particles: Vec<_> = parts.collect::<Option<_>>()?;
                let _: () = (particles.len() <= PARTICLES_MAX).then_some(())?;
                Type::Elements(particles)
            }
            "with" => {
                let (attribute, value) = rest.split_once(' ')?;
                let (attribute, attribute_type) = attribute.split_once(':')?;
                Type::Attributed {
                    attribute,
                    attribute_type: self.earlier(attribute_type)?,
                    value: self.earlier(value)?,
                }
            }
            base => Type::Text(TextType::parse(base, rest)?),
        })
    }

    fn parse_particle(&self, part: &'static str) -> Option<Particle> {
        let alternatives = part.split('|').map(|element| {
            let (name, kind) = element.split_once(':')?;
            let end = name.find(['?', '*', '+', '{']).unwrap_or(name.len());
            let (name, occurs) = name.split_at(end);
            let (min, max) = match occurs {
                "" => (1, 1),
                "?" => (0, 1),
                "*" => (0, u32::MAX),
                "+" => (1, u32::MAX),
                range => {
                    let range = range.strip_prefix('{')?.strip_suffix('}')?;
                    let (min, max) = range.split_once(',')?;
                    (min.parse().ok()?, max.parse().ok()?)
                }
            };
            Some(Element {
                name,
                key: key_of(name),
                min,
                max,
                kind: self.earlier(kind)?,
            })
        });
        Some(Particle {
            alternatives: alternatives.collect::<Option<_>>()?,
        })
    }

    fn earlier(&self, number: &str) -> Option<TypeId> {
        number.parse().ok().filter(|id| *id < self.types.len())
    }

    /// A type.
    pub(super) fn kind(&self, id: TypeId) -> &Type {
        &self.types[id]
    }

    /// The type that text of this type follows, if the type is of text.
    pub(super) fn text(&self, id: TypeId) -> Option<&TextType> {
        match &self.types[id] {
            Type::Text(text) => Some(text),
            Type::Attributed { value, .. } => self.text(*value),
            Type::Elements(_) | Type::Any(_) => None,
        }
    }

    /// A message of the table by its identifier, such as `pacs.008.001.08`, with its root type.
    pub(super) fn message(&self, name: &str) -> Option<(&'static str, TypeId)> {
        self.messages
            .get_key_value(name)
            .map(|(name, root)| (*name, *root))
    }
}

/// The messages that can be validated, in order of their identifiers.
pub fn supported_messages() -> impl Iterator<Item = &'static str> {
    Schema::get().messages.keys().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_well_formed_and_has_what_we_speak() {
        let names: Vec<_> = supported_messages().collect();
        for message in [
            "head.001.001.02",
            "pacs.002.001.10",
            "pacs.002.001.12",
            "pacs.004.001.09",
            "pacs.008.001.08",
            "pacs.008.001.10",
            "pacs.008.001.12",
            "pacs.028.001.03",
            "camt.029.001.09",
            "camt.056.001.08",
            "pain.002.001.03",
            "pain.002.001.10",
            "pain.002.001.12",
        ] {
            assert!(names.contains(&message), "{message}");
        }
        for version in 3..=12 {
            assert!(
                names.contains(&format!("pain.001.001.{version:02}").as_str()),
                "{version}"
            );
        }
    }
}
