//! The half of `lombard inspect` that reads files of payments: CSV and JSON Lines.

use std::{
    collections::BTreeMap,
    io::{self, BufRead},
};

use lombard_core::{iso20022::limits::VIOLATIONS_MAX, statement::Unit, tenant::TenantId};
use lombard_service::{
    batch::{
        read::{Context, Piece, Rows},
        record::{Format, Refused},
    },
    host::SystemHost,
    ports::Host,
};
use serde_json::{Value, json};

use super::statements::decimal;
use crate::say;

/// Reads a file as one of payments, to its end.
pub fn look(reader: impl BufRead, format: Format) -> io::Result<Value> {
    // Ids stand in the file as they are; whose they are is found out when it is paid.
    let context = Context {
        tenant: TenantId::new(0),
        now: SystemHost::default().now(),
    };
    let mut rows = Rows::new(format, reader, context)?;
    let (mut count, mut errors) = (0, Errors::default());
    let mut sums = BTreeMap::<&str, i64>::new();
    while let Some(piece) = rows.next_piece()? {
        match piece {
            Piece::Row(row) => {
                count = row.number;
                match row.wish {
                    Ok(wish) => {
                        let sum = sums.entry(wish.money.currency.code()).or_default();
                        *sum = sum.saturating_add(wish.money.amount.minor().cast_signed());
                    }
                    Err(refused) => errors.add(of_row(row.number, &refused)),
                }
            }
            Piece::Fault(fault) => errors.add(error(&fault.path, &fault.rule, &fault.message)),
            // Only pain.001 has these.
            Piece::Header(..) | Piece::Block(_) => {}
        }
    }
    if count == 0 && errors.count == 0 {
        errors.add(error("/", "empty", "has no rows"));
    }
    Ok(json!({
        "format": if format == Format::Csv { "csv" } else { "jsonl" },
        "message": null,
        "valid": errors.count == 0,
        "errors": errors.first,
        "error_count": errors.count,
        "payments": {"rows": count, "sums": sums},
    }))
}

/// What is wrong: the first of it, and how much there is.
#[derive(Default)]
struct Errors {
    first: Vec<Value>,
    count: u64,
}

impl Errors {
    fn add(&mut self, error: Value) {
        self.count += 1;
        if self.first.len() < VIOLATIONS_MAX {
            self.first.push(error);
        }
    }
}

fn of_row(number: u64, refused: &Refused) -> Value {
    let path = match &refused.field {
        Some(field) => format!("row {number}/{field}"),
        None => format!("row {number}"),
    };
    let rule = refused.rule.as_ref().unwrap_or(&refused.code);
    error(&path, rule, &refused.detail)
}

fn error(path: &str, rule: &str, message: &str) -> Value {
    json!({"path": path, "rule": rule, "message": message})
}

/// Tells of payments in lines for a person.
pub fn tell(found: &Value) {
    let payments = &found["payments"];
    let Some(rows) = payments["rows"].as_u64() else {
        return;
    };
    let sums = payments["sums"].as_object().into_iter().flatten();
    let sums: Vec<String> = sums
        .map(|(code, sum)| {
            let sum = sum.as_i64().unwrap_or_default();
            let unit = Unit::read(code);
            format!("{} {code}", decimal(sum, unit))
        })
        .collect();
    say::line(&format!("  {rows} payments: {}", sums.join(", ")));
}
