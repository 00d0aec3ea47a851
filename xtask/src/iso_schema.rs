//! Compiles the official ISO 20022 schemas into one table of types.
//!
//! ```text
//! cargo xtask iso-schema --out core/src/iso20022/schema/types.txt DIR_OR_XSD…
//! ```
//!
//! **Shape.** An XSD of the ISO 20022 catalogue uses a small part of XML Schema: sequences and
//! choices of elements, restrictions of simple types, one attribute (`Ccy`) and `any`. Messages
//! share most of their types, so a type is written once, under its structure: two types are the
//! same when their lines are the same, whatever message they come from. That makes the table about
//! a twentieth of the schemas, and a diff of it a diff of what we accept.
//!
//! Anything outside that subset stops the compiler: a schema is never half understood.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail, ensure};

mod xsd;

use xsd::{Group, Item, Kind, Type, Xsd};

/// Arguments of `cargo xtask iso-schema`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The table to write.
    #[arg(long, default_value = "core/src/iso20022/schema/types.txt")]
    out: PathBuf,
    /// Schemas, or folders of them. Of two schemas of one message the first is taken.
    #[arg(required = true)]
    sources: Vec<PathBuf>,
}

/// Compiles every schema and writes the table.
pub fn run(args: &Args) -> Result<()> {
    let mut table = Table::default();
    for path in schema_files(&args.sources)? {
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let add = |table: &mut Table| table.add(&Xsd::parse(&text)?);
        add(&mut table).with_context(|| format!("cannot compile {}", path.display()))?;
    }
    std::fs::write(&args.out, table.render()?)
        .with_context(|| format!("cannot write {}", args.out.display()))
}

fn schema_files(sources: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for source in sources {
        if source.is_dir() {
            let entries = std::fs::read_dir(source)?.collect::<Result<Vec<_>, _>>()?;
            let mut found: Vec<_> = entries.iter().map(std::fs::DirEntry::path).collect();
            found.retain(|path| path.extension().is_some_and(|ext| ext == "xsd"));
            found.sort();
            files.extend(found);
        } else {
            files.push(source.clone());
        }
    }
    Ok(files)
}

/// All types of all messages, each once.
#[derive(Default)]
struct Table {
    /// Bodies in the order in which they were first complete: parts before wholes.
    bodies: Vec<String>,
    /// Every name that each body goes by in some schema.
    names: Vec<BTreeSet<String>>,
    by_body: HashMap<String, usize>,
    /// Message to the type of its root element.
    messages: BTreeMap<String, usize>,
}

impl Table {
    fn add(&mut self, schema: &Xsd) -> Result<()> {
        if self.messages.contains_key(&schema.message) {
            return Ok(());
        }
        let mut done = HashMap::new();
        let root = self.intern(schema, &schema.root_type, &mut done, 0)?;
        self.messages.insert(schema.message.clone(), root);
        Ok(())
    }

    /// The number of a type, after the numbers of its parts.
    fn intern(
        &mut self,
        schema: &Xsd,
        name: &str,
        done: &mut HashMap<String, usize>,
        depth: usize,
    ) -> Result<usize> {
        if let Some(id) = done.get(name) {
            return Ok(*id);
        }
        ensure!(depth < 64, "type {name} contains itself");
        let kind = schema
            .types
            .get(name)
            .ok_or_else(|| anyhow!("type {name} is missing"))?;
        let mut resolve = |part: &str| self.intern(schema, part, done, depth + 1);
        let body = match kind {
            Type::Simple(simple) => simple.render(),
            Type::Amount {
                base,
                attribute,
                attribute_type,
            } => {
                format!(
                    "with {attribute}:{} {}",
                    resolve(attribute_type)?,
                    resolve(base)?
                )
            }
            Type::Complex(group) => render_group(group, &mut resolve)?,
        };
        let id = *self.by_body.entry(body.clone()).or_insert_with(|| {
            self.bodies.push(body);
            self.names.push(BTreeSet::new());
            self.bodies.len() - 1
        });
        self.names[id].insert(name.to_owned());
        done.insert(name.to_owned(), id);
        Ok(id)
    }

    /// One line a message and one line a type: `number body # a name of it`.
    fn render(&self) -> Result<String> {
        let mut out = String::from(
            "# ISO 20022 message types, compiled by `cargo xtask iso-schema`; see ORIGIN.md.\n",
        );
        for (message, root) in &self.messages {
            out += &format!("message {message} {root}\n");
        }
        for (id, (body, names)) in self.bodies.iter().zip(&self.names).enumerate() {
            let name = names
                .iter()
                .min_by_key(|name| (name.len(), *name))
                .context("no name")?;
            out += &format!("{id} {body} # {name}\n");
        }
        Ok(out)
    }
}

/// A sequence of elements and choices, or one choice.
fn render_group(group: &Group, resolve: &mut impl FnMut(&str) -> Result<usize>) -> Result<String> {
    let mut flat = Vec::new();
    flatten(group, &mut flat)?;
    if let [Item::Any { namespace, occurs }] = flat.as_slice() {
        ensure!(occurs.is_empty(), "any that occurs {occurs}");
        return Ok(format!("any {namespace}"));
    }
    let mut parts = Vec::new();
    for item in flat {
        parts.push(match item {
            Item::Element { name, kind, occurs } => format!("{name}{occurs}:{}", resolve(kind)?),
            Item::Group(Group {
                kind: Kind::Choice,
                items,
                occurs,
            }) => {
                ensure!(occurs.is_empty(), "a choice that occurs {occurs}");
                let mut of = Vec::new();
                for item in items {
                    let Item::Element { name, kind, occurs } = item else {
                        bail!("a choice of something else than elements");
                    };
                    of.push(format!("{name}{occurs}:{}", resolve(kind)?));
                }
                of.join("|")
            }
            other => bail!("a sequence of {other:?}"),
        });
    }
    Ok(format!("of {}", parts.join(" ")))
}

/// Unfolds sequences that only hold a sequence or a choice.
fn flatten<'a>(group: &'a Group, out: &mut Vec<&'a Item>) -> Result<()> {
    if group.kind == Kind::Choice {
        bail!("a choice outside a sequence");
    }
    ensure!(
        group.occurs.is_empty(),
        "a sequence that occurs {}",
        group.occurs
    );
    for item in &group.items {
        match item {
            Item::Group(inner) if inner.kind == Kind::Sequence => flatten(inner, out)?,
            other => out.push(other),
        }
    }
    Ok(())
}
