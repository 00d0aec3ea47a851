//! Finding the row of a status.

use serde_json::Value;

use super::map::{Condition, Map, Meaning, Row};

pub(super) fn means<'a>(map: &'a Map, name: &str, context: &Value) -> Meaning<'a> {
    let rows = named(map, name, context);
    if rows.is_empty() {
        let why = format!("{} has no status or event {name:?} in its file", map.title);
        return Meaning::Quarantined { why };
    }
    if let Some(row) = rows.iter().find(|row| holds(row, context)) {
        return Meaning::Known(row);
    }
    let wanted: Vec<_> = rows.iter().map(|row| conditions(row)).collect();
    let why = format!(
        "{name:?} of {} means something only with {}",
        map.title,
        wanted.join(", or ")
    );
    Meaning::Quarantined { why }
}

/// The rows of one name: of an event, of a status with its object, or of a bare status of the first
/// object that has it.
fn named<'a>(map: &'a Map, name: &str, context: &Value) -> Vec<&'a Row> {
    let of = |object: &str, status: &str| -> Vec<&'a Row> {
        let rows = map.rows.iter();
        let same = rows.filter(|row| row.object == object && row.status == status);
        same.collect()
    };
    let events = of("event", name);
    if !events.is_empty() {
        return events;
    }
    let said = context.get("object").and_then(Value::as_str);
    if let Some(rows) = said
        .map(|object| of(object, name))
        .filter(|rows| !rows.is_empty())
    {
        return rows;
    }
    let with_object = name.split_once([':', '=', '.']).map(|(object, status)| {
        let object = object.trim_end_matches(".status");
        of(
            object,
            status
                .trim_start_matches("status=")
                .trim_start_matches("status:"),
        )
    });
    if let Some(rows) = with_object.filter(|rows| !rows.is_empty()) {
        return rows;
    }
    let first = map.rows.iter().find(|row| row.status == name);
    first.map_or_else(Vec::new, |row| of(&row.object, name))
}

fn holds(row: &Row, context: &Value) -> bool {
    row.when.iter().all(|condition| {
        let there = text(context.pointer(&condition.at));
        condition.is.contains(&there)
    })
}

/// A value as a condition writes it: booleans and numbers as they stand in JSON.
pub(super) fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "null".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn conditions(row: &Row) -> String {
    let one = |condition: &Condition| format!("{} = {}", condition.at, condition.is.join("|"));
    row.when.iter().map(one).collect::<Vec<_>>().join(" and ")
}
