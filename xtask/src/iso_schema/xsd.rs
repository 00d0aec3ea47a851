//! Reads the part of XML Schema that the ISO 20022 catalogue uses.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow, bail, ensure};
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// The namespace of every message, before its identifier.
const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:";

/// One schema file.
pub struct Xsd {
    /// The message identifier, such as `pacs.008.001.08`.
    pub message: String,
    /// The type of the root element.
    pub root_type: String,
    /// Types by name.
    pub types: BTreeMap<String, Type>,
}

/// A named type.
#[derive(Debug)]
pub enum Type {
    /// Text with rules.
    Simple(Simple),
    /// Text with rules and one required attribute: an amount with its currency.
    Amount {
        base: String,
        attribute: String,
        attribute_type: String,
    },
    /// Elements.
    Complex(Group),
}

/// A restriction of a built-in type.
#[derive(Debug, Default)]
pub struct Simple {
    base: String,
    facets: BTreeMap<String, Vec<String>>,
}

/// A sequence or a choice.
#[derive(Debug)]
pub struct Group {
    /// Which of the two.
    pub kind: Kind,
    /// `minOccurs` and `maxOccurs` as in [`occurs`].
    pub occurs: String,
    /// Its members in order.
    pub items: Vec<Item>,
}

/// All in order, or exactly one.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Kind {
    /// All, in order.
    Sequence,
    /// Exactly one.
    Choice,
}

/// A member of a group.
#[derive(Debug)]
pub enum Item {
    /// An element.
    Element {
        name: String,
        kind: String,
        occurs: String,
    },
    /// A group inside the group.
    Group(Group),
    /// Any element, of any namespace (`*`) or one.
    Any { namespace: String, occurs: String },
}

impl Simple {
    /// `base facet=value…`, with enumerations in the order of the schema.
    pub fn render(&self) -> String {
        let facets = self.facets.iter().map(|(facet, values)| {
            let values = values.join("|");
            format!(" {facet}={values}")
        });
        format!("{}{}", self.base, facets.collect::<String>())
    }
}

impl Xsd {
    /// Reads a schema; an error names what is outside the subset.
    pub fn parse(text: &str) -> Result<Self> {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        let mut schema = Self {
            message: String::new(),
            root_type: String::new(),
            types: BTreeMap::new(),
        };
        loop {
            match reader.read_event()? {
                Event::Start(tag) => match tag.local_name().as_ref() {
                    "schema" => {
                        let namespace = required(&tag, "targetNamespace")?;
                        let message = namespace.strip_prefix(NAMESPACE);
                        schema.message = message.context("not an ISO 20022 namespace")?.to_owned();
                    }
                    "element" => {
                        ensure!(schema.root_type.is_empty(), "two root elements");
                        schema.root_type = required(&tag, "type")?;
                    }
                    "simpleType" => {
                        let simple = Type::Simple(simple_type(&mut reader)?);
                        schema.types.insert(required(&tag, "name")?, simple);
                    }
                    "complexType" => {
                        let complex = complex_type(&mut reader)?;
                        schema.types.insert(required(&tag, "name")?, complex);
                    }
                    "annotation" => {
                        reader.read_to_end(tag.name())?;
                    }
                    other => bail!("{other} at the top"),
                },
                Event::Eof => break,
                _ => {}
            }
        }
        ensure!(!schema.root_type.is_empty(), "no root element");
        Ok(schema)
    }
}

fn simple_type(reader: &mut Reader<&[u8]>) -> Result<Simple> {
    let mut simple = Simple::default();
    loop {
        match reader.read_event()? {
            Event::Start(tag) => match tag.local_name().as_ref() {
                "restriction" => {
                    let base = required(&tag, "base")?;
                    let base = base.strip_prefix("xs:").with_context(|| base.clone())?;
                    simple.base = base.to_owned();
                }
                "annotation" => {
                    reader.read_to_end(tag.name())?;
                }
                facet @ ("enumeration" | "fractionDigits" | "length" | "maxInclusive"
                | "maxLength" | "minInclusive" | "minLength" | "pattern"
                | "totalDigits") => {
                    let value = required(&tag, "value")?;
                    ensure!(!value.contains([' ', '|']), "facet {facet} {value:?}");
                    simple
                        .facets
                        .entry(facet.to_owned())
                        .or_default()
                        .push(value);
                }
                other => bail!("{other} in a simple type"),
            },
            Event::End(tag) if tag.local_name().as_ref() == "simpleType" => break,
            Event::Eof => bail!("end in a simple type"),
            _ => {}
        }
    }
    Ok(simple)
}

fn complex_type(reader: &mut Reader<&[u8]>) -> Result<Type> {
    let mut found = None;
    let mut base = String::new();
    loop {
        match reader.read_event()? {
            Event::Start(tag) => match tag.local_name().as_ref() {
                "sequence" => found = Some(Type::Complex(group(reader, Kind::Sequence, &tag)?)),
                "choice" => {
                    let choice = group(reader, Kind::Choice, &tag)?;
                    let items = vec![Item::Group(choice)];
                    let occurs = String::new();
                    found = Some(Type::Complex(Group {
                        kind: Kind::Sequence,
                        occurs,
                        items,
                    }));
                }
                "simpleContent" => {}
                "extension" => base = required(&tag, "base")?,
                "attribute" => {
                    ensure!(
                        required(&tag, "use")? == "required",
                        "an optional attribute"
                    );
                    found = Some(Type::Amount {
                        base: std::mem::take(&mut base),
                        attribute: required(&tag, "name")?,
                        attribute_type: required(&tag, "type")?,
                    });
                }
                "annotation" => {
                    reader.read_to_end(tag.name())?;
                }
                other => bail!("{other} in a complex type"),
            },
            Event::End(tag) if tag.local_name().as_ref() == "complexType" => break,
            Event::Eof => bail!("end in a complex type"),
            _ => {}
        }
    }
    found.context("an empty complex type")
}

/// Reads up to the end of the group whose start tag was just read.
fn group(reader: &mut Reader<&[u8]>, kind: Kind, start: &BytesStart) -> Result<Group> {
    let occurs = occurs(start)?;
    let mut items = Vec::new();
    loop {
        match reader.read_event()? {
            Event::Start(tag) => match tag.local_name().as_ref() {
                "element" => items.push(Item::Element {
                    name: required(&tag, "name")?,
                    kind: required(&tag, "type")?,
                    occurs: self::occurs(&tag)?,
                }),
                "sequence" => items.push(Item::Group(group(reader, Kind::Sequence, &tag)?)),
                "choice" => items.push(Item::Group(group(reader, Kind::Choice, &tag)?)),
                "any" => {
                    let namespace = optional(&tag, "namespace")?.unwrap_or_else(|| "##any".into());
                    let namespace = if namespace == "##any" {
                        "*".to_owned()
                    } else {
                        namespace
                    };
                    items.push(Item::Any {
                        namespace,
                        occurs: self::occurs(&tag)?,
                    });
                }
                "annotation" => {
                    reader.read_to_end(tag.name())?;
                }
                other => bail!("{other} in a group"),
            },
            Event::End(tag) if matches!(tag.local_name().as_ref(), "sequence" | "choice") => break,
            Event::Eof => bail!("end in a group"),
            _ => {}
        }
    }
    Ok(Group {
        kind,
        occurs,
        items,
    })
}

/// Nothing for exactly one, `?`, `*`, `+`, or `{min,max}`.
fn occurs(tag: &BytesStart) -> Result<String> {
    let min = optional(tag, "minOccurs")?.unwrap_or_else(|| "1".to_owned());
    let max = optional(tag, "maxOccurs")?.unwrap_or_else(|| "1".to_owned());
    Ok(match (min.as_str(), max.as_str()) {
        ("1", "1") => String::new(),
        ("0", "1") => "?".to_owned(),
        ("0", "unbounded") => "*".to_owned(),
        ("1", "unbounded") => "+".to_owned(),
        (_, "unbounded") => bail!("minOccurs {min} without end"),
        (min, max) => format!("{{{min},{max}}}"),
    })
}

fn optional(tag: &BytesStart, name: &str) -> Result<Option<String>> {
    let Some(attribute) = tag.try_get_attribute(name)? else {
        return Ok(None);
    };
    Ok(Some(
        attribute
            .normalized_value(quick_xml::XmlVersion::Explicit1_0)?
            .into_owned(),
    ))
}

fn required(tag: &BytesStart, name: &str) -> Result<String> {
    optional(tag, name)?.ok_or_else(|| anyhow!("no {name} in {}", tag.local_name().as_ref()))
}
