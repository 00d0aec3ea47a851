//! `lombard inspect`: what a payment or statement file is, and what is wrong with it.
//!
//! ISO 20022 messages are read to their end and judged by the official schemas and rules.
//! Statements of banks and reports of PSPs, ISO 20022 or not, are read leniently: their sums are
//! held against their balances and each deviation is listed. A table or JSON that is no statement is
//! read as `lombard pay` would have it read: as a file of payments. Of other files only the kind is told.

pub mod kind;
mod payments;
mod statements;

use std::{fs::File, io::BufReader, path::PathBuf};

use clap::Args;
use lombard_core::iso20022;
use serde_json::{Value, json};

use crate::{
    exit::{Exit, OrExit, Outcome},
    say,
};
use kind::Kind;
pub use statements::decimal;

/// Arguments of `lombard inspect`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit code: 0 valid and all sums hold, 1 not, 2 unreadable or of an unknown kind.
Of payments, what the file says is judged; accounts, money and the rail's rules are when it is paid.

Examples:
  lombard inspect payments.xml --json | jq .errors
  lombard inspect salaries.csv
  lombard inspect statement.sta --json | jq '.statements[] | {account, closing, consistent}'
  lombard inspect bank.csv --mapping bank.toml --preview 5")]
pub struct Inspect {
    /// The file.
    file: PathBuf,
    /// What the columns of a table mean, in TOML or JSON; see docs/reconciliation.md.
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Show the first lines of a statement as they were understood.
    #[arg(long, value_name = "LINES", default_value_t = 0)]
    preview: usize,
}

/// Inspects and tells.
pub fn run(args: &Inspect, as_json: bool) -> Outcome {
    let shown = args.file.display();
    let open = || File::open(&args.file).or_exit(Exit::Usage, &shown);
    let mut reader = BufReader::with_capacity(64 * 1024, open()?);
    let kind = kind::of(&mut reader).or_exit(Exit::Usage, &shown)?;
    let mut found = match kind {
        Kind::Xml => {
            let found = iso20022::inspect(reader).or_exit(Exit::Usage, &shown)?;
            serde_json::to_value(found).or_exit(Exit::Internal, "JSON")?
        }
        Kind::Known(format) => known(format),
        Kind::Unknown => known("unknown"),
    };
    match (statements::look(open()?, args, kind)?, kind.payments()) {
        (Some(statements), _) => statements.join(&mut found),
        (None, Some(format)) => {
            let reader = BufReader::with_capacity(64 * 1024, open()?);
            found = payments::look(reader, format).or_exit(Exit::Usage, &shown)?;
        }
        (None, None) => {}
    }
    if as_json {
        say::json(&found);
    } else {
        tell(&found);
    }
    Ok(match found["valid"].as_bool() {
        Some(true) => Exit::Done,
        Some(false) => Exit::No,
        None => Exit::Usage,
    })
}

/// A file whose kind is known and whose content is not judged.
fn known(format: &str) -> Value {
    json!({
        "format": format,
        "message": null,
        "valid": null,
        "errors": [{
            "path": "",
            "rule": "unsupported",
            "message": "this is neither a message nor a statement nor a file of payments that is judged here; only its kind is told",
        }],
    })
}

fn tell(found: &Value) {
    let message = found["message"].as_str().or(found["format"].as_str());
    let verdict = match found["valid"].as_bool() {
        Some(true) => "valid",
        Some(false) => "not valid",
        None => "not judged",
    };
    say::line(&format!("{}: {verdict}", message.unwrap_or("unknown")));
    for error in found["errors"].as_array().into_iter().flatten() {
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        say::line(&format!(
            "  {} [{}] {}",
            text("path"),
            text("rule"),
            text("message")
        ));
    }
    let shown = found["errors"].as_array().map_or(0, Vec::len) as u64;
    let more = found["error_count"]
        .as_u64()
        .unwrap_or(shown)
        .saturating_sub(shown);
    if more > 0 {
        say::line(&format!("  and {more} more"));
    }
    payments::tell(found);
    statements::tell(found);
}
