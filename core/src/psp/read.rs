//! Taking a webhook's body apart, by a provider's file.
//!
//! **Bounds.** A delivery holds at most [`MOST_EVENTS`] events. What cannot be read is said with the
//! place; nothing is guessed.

use serde_json::Value;

use super::{
    lookup::text,
    map::{Map, Meaning, Row, Unit},
    news::News,
};
use crate::currency::{Currency, parse_minor};

/// The most events that one delivery may hold.
pub const MOST_EVENTS: usize = 1_000;

/// One event of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The provider's id of the event, the same for each time that it is delivered.
    pub event_id: String,
    /// The provider's name of it.
    pub name: String,
    /// The provider's id of the payment, if it names one.
    pub payment: Option<String>,
    /// Our own reference, if it carries one.
    pub reference: Option<String>,
    /// When the provider says it happened, as written.
    pub occurred: Option<String>,
    /// What it means, or why it means nothing to us.
    pub what: What,
}

/// An amount that a provider names; nought is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum {
    /// Minor units; the sign is in what happened.
    pub minor: u64,
    /// ISO 4217.
    pub currency: Currency,
}

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// News.
    News {
        /// What happened.
        news: News,
        /// The provider's id of the part it speaks of; that of the payment where it names none.
        part: String,
        /// How much, where it says so.
        amount: Option<Sum>,
        /// What an operator should know.
        hint: String,
    },
    /// A person must look first.
    Quarantined {
        /// Why.
        why: String,
    },
}

/// A delivery that holds no event at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is not JSON.
    #[error("the body is not JSON: {0}")]
    NotJson(String),
    /// The list of events is missing.
    #[error("{0} is not a list of events")]
    NoList(String),
    /// An event has no id.
    #[error("event {at} of the delivery has no id: nothing at {pointers}")]
    NoId {
        /// Which, from 0.
        at: usize,
        /// Where it was looked for.
        pointers: String,
    },
    /// There are too many.
    #[error("{0} events in one delivery; at most {MOST_EVENTS}")]
    TooMany(usize),
}

/// The events of a delivery.
///
/// # Errors
/// When the delivery as a whole cannot be taken apart. An event that means nothing to us is no
/// error: it is [`What::Quarantined`].
pub fn events(map: &Map, body: &[u8]) -> Result<Vec<Told>, Unreadable> {
    let body: Value =
        serde_json::from_slice(body).map_err(|error| Unreadable::NotJson(error.to_string()))?;
    let items = items(map, &body)?;
    if items.len() > MOST_EVENTS {
        return Err(Unreadable::TooMany(items.len()));
    }
    let told = items.into_iter().enumerate();
    told.map(|(at, item)| one(map, at, item)).collect()
}

fn items<'a>(map: &Map, body: &'a Value) -> Result<Vec<&'a Value>, Unreadable> {
    if map.event.each.is_empty() {
        return Ok(vec![body]);
    }
    let list = body.pointer(&map.event.each).and_then(Value::as_array);
    let list = list.ok_or_else(|| Unreadable::NoList(map.event.each.clone()))?;
    let inner = |element: &'a Value| element.pointer(&map.event.item).unwrap_or(element);
    Ok(list.iter().map(inner).collect())
}

fn one(map: &Map, at: usize, event: &Value) -> Result<Told, Unreadable> {
    let places = &map.event;
    let event_id = joined(event, &places.id, ":").ok_or_else(|| Unreadable::NoId {
        at,
        pointers: places.id.join(", "),
    })?;
    let name = joined(event, &places.name, ".").unwrap_or_default();
    let payment = first(event, &places.payment);
    Ok(Told {
        what: what(map, &name, event, payment.as_deref()),
        event_id,
        name,
        payment,
        reference: first(event, &places.reference),
        occurred: first(event, &places.occurred),
    })
}

fn what(map: &Map, name: &str, event: &Value, payment: Option<&str>) -> What {
    let version = event.pointer(&map.event.version).and_then(Value::as_str);
    if let Some(version) = version.filter(|version| !map.covers(version)) {
        let why = format!(
            "API version {version:?} is not one that {}'s file is about",
            map.title
        );
        return What::Quarantined { why };
    }
    let row = match map.means(name, event) {
        Meaning::Known(row) => row,
        Meaning::Quarantined { why } => return What::Quarantined { why },
    };
    match amount(map, row, event) {
        Err(why) => What::Quarantined { why },
        Ok(None) if row.news.needs_amount() && has_places(map, row) => What::Quarantined {
            why: format!("{name:?} moves money and says no amount"),
        },
        Ok(amount) => What::News {
            news: row.news,
            part: part(map, row, event, payment),
            amount,
            hint: row.hint.clone(),
        },
    }
}

fn has_places(map: &Map, row: &Row) -> bool {
    row.amount.is_some() || !map.event.amount.is_empty()
}

fn part(map: &Map, row: &Row, event: &Value, payment: Option<&str>) -> String {
    let own = row.part.iter().find_map(|at| at_pointer(event, at));
    let usual = || first(event, &map.event.part);
    let part = own.or_else(usual);
    part.unwrap_or_else(|| payment.unwrap_or_default().to_owned())
}

/// The amount of an event in minor units of its currency.
fn amount(map: &Map, row: &Row, event: &Value) -> Result<Option<Sum>, String> {
    let own = row.amount.iter().find_map(|at| at_pointer(event, at));
    let Some(written) = own.or_else(|| first(event, &map.event.amount)) else {
        return Ok(None);
    };
    let Some(currency) = first(event, &map.event.currency) else {
        return Ok(None);
    };
    let code = currency.to_ascii_uppercase();
    let currency: Currency =
        { code.parse() }.map_err(|error| format!("currency {code:?}: {error}"))?;
    // Which way the money went is in what happened, not in a sign.
    let unsigned = written.strip_prefix('-').unwrap_or(&written);
    let minor = match map.event.unit {
        Unit::Minor => unsigned
            .parse()
            .map_err(|error| format!("amount {written:?}: {error}")),
        Unit::Major => {
            parse_minor(unsigned, currency).map_err(|error| format!("amount {written:?}: {error}"))
        }
    }?;
    Ok(Some(Sum { minor, currency }))
}

fn at_pointer(event: &Value, at: &str) -> Option<String> {
    let value = event.pointer(at).filter(|value| !value.is_null())?;
    (!value.is_object() && !value.is_array())
        .then(|| text(Some(value)))
        .filter(|text| !text.is_empty())
}

fn first(event: &Value, places: &[String]) -> Option<String> {
    places.iter().find_map(|at| at_pointer(event, at))
}

fn joined(event: &Value, places: &[String], by: &str) -> Option<String> {
    let parts: Vec<_> = places
        .iter()
        .filter_map(|at| at_pointer(event, at))
        .collect();
    (!parts.is_empty()).then(|| parts.join(by))
}
