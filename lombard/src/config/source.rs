//! Where each setting comes from: a file's line, or an environment variable. The two are laid
//! over each other as one table, and an error can say where to look.

use std::collections::BTreeMap;

use lombard_core::{psp::Providers, rail::Rail};
use toml::{Spanned, Table, Value, de::DeTable, de::DeValue};

use super::{
    ConfigError, Place,
    keys::{self, Kind, SETTINGS},
};

/// Settings with their places.
#[derive(Debug, Default)]
pub struct Source {
    /// All that is set, nested as in a file.
    pub table: Table,
    places: BTreeMap<String, Place>,
}

impl Source {
    /// Reads a file's text; `name` is what errors call it.
    pub fn read(name: &str, text: &str) -> Result<Self, ConfigError> {
        let syntax = |error: toml::de::Error| ConfigError::Syntax {
            file: name.to_owned(),
            why: error.to_string(),
        };
        let table = text.parse::<Table>().map_err(syntax)?;
        let spanned = DeTable::parse(text).map_err(syntax)?;
        let mut source = Self {
            table,
            ..Self::default()
        };
        source.note_places(name, text, spanned.get_ref(), "")?;
        Ok(source)
    }

    fn note_places(
        &mut self,
        name: &str,
        text: &str,
        table: &DeTable<'_>,
        prefix: &str,
    ) -> Result<(), ConfigError> {
        for (key, value) in table {
            let path = format!("{prefix}{}", key.get_ref());
            let place = Place::Line(name.to_owned(), line_of(text, key));
            self.places.insert(path.clone(), place.clone());
            match value.get_ref() {
                DeValue::Table(inner) => {
                    self.note_places(name, text, inner, &format!("{path}."))?
                }
                _ if keys::find(&path).is_none() => return Err(unknown(place, path)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Lays environment variables that begin with `LOMBARD_` over what is there. Those that are
    /// read by commands themselves are in `others`.
    pub fn overlay(
        &mut self,
        variables: impl Iterator<Item = (String, String)>,
        others: &[&str],
    ) -> Result<(), ConfigError> {
        let known: BTreeMap<String, (String, Kind)> = all_keys().collect();
        for (variable, text) in variables.filter(|(variable, _)| variable.starts_with("LOMBARD_")) {
            let place = Place::Variable(variable.clone());
            match known.get(&variable) {
                Some((key, kind)) => {
                    let value = value_of(&text, *kind);
                    let value = value.ok_or_else(|| ConfigError::Wrong {
                        place: place.clone(),
                        key: key.clone(),
                        why: format!("expected {}", expected(*kind)),
                    })?;
                    self.places.insert(key.clone(), place);
                    put(&mut self.table, key, value);
                }
                None if others.contains(&variable.as_str()) => {}
                None => return Err(unknown(place, variable)),
            }
        }
        Ok(())
    }

    /// Where the setting, or the nearest table around it, was set.
    pub fn place(&self, key: &str) -> Option<Place> {
        let mut key = key;
        loop {
            if let Some(place) = self.places.get(key) {
                return Some(place.clone());
            }
            key = key.rsplit_once('.')?.0;
        }
    }
}

fn unknown(place: Place, key: String) -> ConfigError {
    let nearest = keys::nearest(&key);
    ConfigError::Unknown {
        place,
        key,
        nearest,
    }
}

fn line_of<T>(text: &str, spanned: &Spanned<T>) -> usize {
    let before = text.get(..spanned.span().start).unwrap_or(text);
    before.matches('\n').count() + 1
}

/// Each key that can be set, by its variable, with rails and providers spelt out. Sources of
/// statements have names of the operator's own, so only a file can name them.
fn all_keys() -> impl Iterator<Item = (String, (String, Kind))> {
    let providers = Providers::built_in();
    let providers: Vec<String> = providers.iter().map(|map| map.provider.clone()).collect();
    SETTINGS.iter().flat_map(move |setting| {
        let rails = Rail::ALL.iter().filter(|rail| rail.currency().is_some());
        let named = |name: &str| setting.key.replace('*', name);
        let spelt: Vec<String> = match setting.key.split_once(".*") {
            Some(("rails", _)) => rails.map(|rail| named(rail.name())).collect(),
            Some(("psp", _)) => providers.iter().map(|name| named(name)).collect(),
            Some(_) => Vec::new(),
            None => vec![setting.key.to_owned()],
        };
        spelt
            .into_iter()
            .map(|key| (keys::variable(&key), (key, setting.kind)))
    })
}

fn value_of(text: &str, kind: Kind) -> Option<Value> {
    Some(match kind {
        Kind::Text => Value::String(text.to_owned()),
        Kind::Number => Value::Integer(text.parse().ok().filter(|number| *number >= 0)?),
        Kind::Switch => Value::Boolean(text.parse().ok()?),
    })
}

const fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Number => "a whole number",
        Kind::Switch => "`true` or `false`",
    }
}

fn put(table: &mut Table, key: &str, value: Value) {
    match key.split_once('.') {
        None => drop(table.insert(key.to_owned(), value)),
        Some((first, rest)) => {
            let inner = table
                .entry(first)
                .or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}
