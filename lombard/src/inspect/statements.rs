//! The half of `lombard inspect` that reads statements.

use std::{fs::File, io::BufReader, path::Path};

use lombard_core::statement::{self, Inspection, Line, Mapping, Preview, Rule, Unit};
use serde_json::{Value, json};

use super::{Inspect, kind::Kind};
use crate::{
    exit::{Exit, Failure, OrExit, failure},
    say,
};

/// What a file says as a statement.
pub struct Found {
    inspection: Inspection,
    preview: Vec<Line>,
    is_xml: bool,
}

/// Reads a file as a statement; `None` when it is none.
pub fn look(file: File, args: &Inspect, kind: Kind) -> Result<Option<Found>, Failure> {
    let shown = args.file.display();
    let mapping = args.mapping.as_deref().map(mapping).transpose()?;
    let bar = say::progress(None, "lines");
    let mut preview = Preview {
        limit: args.preview,
        ..Preview::default()
    };
    let reader = BufReader::with_capacity(64 * 1024, file);
    let progress = &mut || bar.inc(1);
    let inspection = statement::inspect(reader, mapping.as_ref(), &mut preview, progress)
        .or_exit(Exit::Usage, &shown)?;
    bar.finish_and_clear();
    if inspection.statements.is_empty() && inspection.format == "unknown" {
        return match mapping {
            Some(mapping) => {
                let message = format!("{shown}: has not the columns that {} names", mapping.name);
                Err(failure(Exit::Usage, message))
            }
            None => Ok(None),
        };
    }
    Ok(Some(Found {
        inspection,
        preview: preview.lines,
        is_xml: kind == Kind::Xml,
    }))
}

/// Reads a mapping file, TOML by its name or else JSON.
pub fn mapping(path: &Path) -> Result<Mapping, Failure> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).or_exit(Exit::Usage, &shown)?;
    if path.extension().is_some_and(|it| it == "toml") {
        return Mapping::from_toml(&text).or_exit(Exit::Usage, &shown);
    }
    Mapping::from_json(&text).or_exit(Exit::Usage, &shown)
}

impl Found {
    /// Adds what was found to the report. A message of ISO 20022 keeps the verdict of its schema;
    /// any other file is valid when nothing contradicts its sums.
    pub fn join(&self, report: &mut Value) {
        let of = &self.inspection;
        report["statements"] = json!(of.statements);
        report["deviations"] = json!(of.deviations);
        if !self.preview.is_empty() {
            report["preview"] = self.preview.iter().map(line).collect();
        }
        if self.is_xml {
            return;
        }
        report["format"] = json!(of.format);
        let broken = of.deviations.iter().any(|it| it.rule == Rule::Broken);
        let wrong = of
            .statements
            .iter()
            .filter(|it| it.consistent == Some(false));
        let errors: Vec<Value> = wrong
            .map(|it| {
                json!({
                    "path": it.id,
                    "rule": "inconsistent",
                    "message": format!("the statement of {} does not add up; see its deviations", it.account),
                })
            })
            .collect();
        report["valid"] = json!(errors.is_empty() && !broken);
        report["errors"] = json!(errors);
    }
}

/// A line as a preview shows it.
fn line(line: &Line) -> Value {
    json!({
        "amount": line.minor,
        "currency": line.unit,
        "state": line.state,
        "kind": line.kind,
        "booked": line.booked.map(|day| day.to_string()),
        "value": line.value.map(|day| day.to_string()),
        "fee": line.fee,
        "code": line.code,
        "references": line.references,
        "text": line.text,
    })
}

/// Tells of statements in lines for a person.
pub fn tell(found: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    for it in found["statements"].as_array().into_iter().flatten() {
        let unit = it["currency"].as_str().and_then(Unit::read);
        let money = |name: &str| match it[name].as_i64() {
            Some(units) => decimal(units, unit),
            None => "?".to_owned(),
        };
        let verdict = match it["consistent"].as_bool() {
            Some(true) => "adds up",
            Some(false) => "DOES NOT ADD UP",
            None => "has no balances to add up to",
        };
        say::line(&format!(
            "  {} {}: {} + {} - {} = {} in {} entries; {verdict}",
            text(&it["account"]),
            text(&it["currency"]),
            money("opening"),
            money("credits"),
            money("debits"),
            money("closing"),
            it["entries"],
        ));
        deviations(it);
    }
    deviations(found);
    for it in found["preview"].as_array().into_iter().flatten() {
        say::line(&format!("  {it}"));
    }
}

fn deviations(of: &Value) {
    for it in of["deviations"].as_array().into_iter().flatten() {
        let text = |name: &str| it[name].as_str().unwrap_or_default();
        say::line(&format!(
            "    {} [{}] {}",
            text("at"),
            text("rule"),
            text("message")
        ));
    }
}

/// Minor units with the point where the currency has it.
pub fn decimal(units: i64, unit: Option<Unit>) -> String {
    let places = unit.map_or(2, |unit| usize::from(unit.exponent()));
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let sign = if units < 0 { "-" } else { "" };
    let point = if places == 0 { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minor_units_for_a_person() {
        for (units, code, text) in [
            (123_456, "EUR", "1234.56"),
            (-5, "EUR", "-0.05"),
            (1_000, "JPY", "1000"),
            (0, "KWD", "0.000"),
        ] {
            assert_eq!(decimal(units, Unit::read(code)), text);
        }
    }
}
