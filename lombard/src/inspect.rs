//! `lombard inspect`: what a payment or statement file is, and what is wrong with it.
//!
//! ISO 20022 messages are read to their end and judged by the official schemas and rules. Of
//! other files only the kind is told: nothing is judged that is not understood.

pub mod kind;

use std::{fs::File, io::BufReader, path::PathBuf};

use clap::Args;
use lombard_core::iso20022;
use serde_json::{Value, json};

use crate::{
    exit::{Exit, OrExit, Outcome, failure},
    say,
};
use kind::Kind;

/// Arguments of `lombard inspect`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit code: 0 valid, 1 not valid, 2 unreadable or of an unknown kind.

Example: lombard inspect payments.xml --json | jq .errors")]
pub struct Inspect {
    /// The file.
    file: PathBuf,
}

/// Inspects and tells.
pub fn run(args: &Inspect, as_json: bool) -> Outcome {
    let shown = args.file.display();
    let file = File::open(&args.file).or_exit(Exit::Usage, &shown)?;
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    let (found, exit) = match kind::of(&mut reader).or_exit(Exit::Usage, &shown)? {
        Kind::Xml => {
            let found = iso20022::inspect(reader).or_exit(Exit::Usage, &shown)?;
            let exit = if found.valid { Exit::Done } else { Exit::No };
            (
                serde_json::to_value(found).or_exit(Exit::Internal, "JSON")?,
                exit,
            )
        }
        Kind::Known(format) => (known(format), Exit::Usage),
        Kind::Unknown => {
            if as_json {
                say::json(&known("unknown"));
            }
            return Err(failure(
                Exit::Usage,
                format!("{shown}: of no kind that is known here"),
            ));
        }
    };
    if as_json {
        say::json(&found);
    } else {
        tell(&found);
    }
    Ok(exit)
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
            "message": "only ISO 20022 messages are judged; of this file only the kind is told",
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
}
