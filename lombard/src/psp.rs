//! `lombard psp`: what a provider's status means to us, and whether a delivery is the provider's.

use std::{fs, path::PathBuf};

use clap::{Args, Subcommand};
use lombard_core::{
    psp::{Map, Meaning, Providers, map::Row},
    time::Timestamp,
};
use lombard_service::{
    host::SystemHost,
    ports::Host,
    psp::signature::{self, Delivery},
};
use serde_json::{Value, json};

use crate::{
    exit::{Exit, OrExit, Outcome, failure},
    say,
};

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Psp {
    /// Tell what a provider's status or event means.
    #[command(after_help = "\
Exit code: 0 known, 1 quarantined, 2 no such provider.

Example: lombard psp map adyen AUTHORISATION '{\"success\":\"false\"}'")]
    Map(Means),
    /// Tell whether a delivery was signed by the provider.
    #[command(after_help = "\
Exit code: 0 valid, 1 not valid, 2 unreadable.

Example: lombard psp verify stripe --headers headers.txt --body body.json --secret-file key")]
    Verify(Verify),
}

/// Arguments of `lombard psp map`.
#[derive(Debug, Args)]
pub struct Means {
    /// The provider: `stripe`, `adyen`, … or one of the maps given.
    provider: String,
    /// The event (`charge.refunded`), the status with its object (`refund.failed`), or the status.
    status: String,
    /// What else is known, as JSON: the event, or the members that decide.
    context: Option<String>,
    /// A provider's file that is not built in. May be given more than once.
    #[arg(long = "map", value_name = "FILE")]
    maps: Vec<PathBuf>,
}

/// Arguments of `lombard psp verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// The provider: `stripe`, `adyen`, … or one of the maps given.
    provider: String,
    /// A file with the headers: `Name: value` lines, or a JSON object.
    #[arg(long)]
    headers: PathBuf,
    /// A file with the body, byte for byte.
    #[arg(long)]
    body: PathBuf,
    /// The key; more than once while one is replaced. It shows in lists of processes: prefer
    /// `--secret-file`, or the variable.
    #[arg(long, env = "LOMBARD_PSP_SECRET", hide_env_values = true)]
    secret: Vec<String>,
    /// A file with the key.
    #[arg(long)]
    secret_file: Vec<PathBuf>,
    /// The time to judge by: RFC 3339, or seconds since 1970. Without it, now.
    #[arg(long, visible_alias = "now", alias = "at")]
    time: Option<String>,
    /// The method that was used.
    #[arg(long, default_value = "POST")]
    method: String,
    /// The path that it was sent to.
    #[arg(long)]
    path: Option<String>,
    /// A provider's file that is not built in. May be given more than once.
    #[arg(long = "map", value_name = "FILE")]
    maps: Vec<PathBuf>,
}

/// Does it.
pub fn run(what: &Psp, as_json: bool) -> Outcome {
    match what {
        Psp::Map(args) => map(args, as_json),
        Psp::Verify(args) => verify(args, as_json),
    }
}

fn providers(maps: &[PathBuf]) -> Result<Providers, crate::exit::Failure> {
    let mut providers = Providers::built_in();
    for path in maps {
        let text = fs::read_to_string(path).or_exit(Exit::Usage, path.display())?;
        { providers.add(&text) }.or_exit(Exit::Usage, path.display())?;
    }
    Ok(providers)
}

fn named<'a>(providers: &'a Providers, name: &str) -> Result<&'a Map, crate::exit::Failure> {
    providers.get(name).ok_or_else(|| {
        let known: Vec<_> = { providers.iter() }
            .map(|map| map.provider.as_str())
            .collect();
        let known = known.join(", ");
        failure(Exit::Usage, format!("no provider {name:?}; known: {known}"))
    })
}

fn map(args: &Means, as_json: bool) -> Outcome {
    let providers = providers(&args.maps)?;
    let map = named(&providers, &args.provider)?;
    let context: Value = match &args.context {
        Some(text) => serde_json::from_str(text).or_exit(Exit::Usage, "the context")?,
        None => Value::Null,
    };
    match map.means(&args.status, &context) {
        Meaning::Known(row) => {
            if as_json {
                say::json(&known(&map.provider, row));
            } else {
                say::line(&told(row));
            }
            Ok(Exit::Done)
        }
        Meaning::Quarantined { why } => {
            if as_json {
                let event = "quarantined";
                say::json(&json!({"provider": map.provider, "event": event, "why": why}));
            } else {
                say::line(&format!("quarantined: {why}"));
            }
            Ok(Exit::No)
        }
    }
}

/// A row, with our event under a name of its own.
fn known(provider: &str, row: &Row) -> Value {
    json!({
        "provider": provider, "object": row.object, "status": row.status, "when": row.when,
        "event": row.news, "certifies": row.certifies, "from": row.from, "final": row.is_final,
        "retry": row.retry, "hint": row.hint,
    })
}

fn told(row: &Row) -> String {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let shown = known("", row);
    let mut text = format!(
        "{} (certifies {}, retry {}{})",
        word(&shown["event"]),
        word(&shown["certifies"]),
        word(&shown["retry"]),
        if row.is_final { ", final" } else { "" }
    );
    if !row.hint.is_empty() {
        text.push_str("\n  ");
        text.push_str(&row.hint);
    }
    text
}

fn verify(args: &Verify, as_json: bool) -> Outcome {
    let providers = providers(&args.maps)?;
    let map = named(&providers, &args.provider)?;
    let Some(webhook) = &map.webhook else {
        let why = format!("{} sends no webhooks", map.title);
        return Err(failure(Exit::Usage, why));
    };
    let headers = fs::read_to_string(&args.headers).or_exit(Exit::Usage, args.headers.display())?;
    let headers = read_headers(&headers)?;
    let body = fs::read(&args.body).or_exit(Exit::Usage, args.body.display())?;
    let path = format!("/v1/psp/{}/webhooks", map.provider);
    let delivery = Delivery {
        method: &args.method,
        path: args.path.as_deref().unwrap_or(&path),
        headers: &headers,
        body: &body,
    };
    let found = signature::verify(webhook, &map.event, &keys(args)?, delivery, moment(args)?);
    let (valid, reason) = match &found {
        Ok(()) => (true, "signed by a key that holds".to_owned()),
        Err(refusal) => (false, refusal.to_string()),
    };
    if as_json {
        say::json(&json!({"valid": valid, "reason": reason}));
    } else {
        say::line(&format!(
            "{}: {reason}",
            if valid { "valid" } else { "not valid" }
        ));
    }
    Ok(if valid { Exit::Done } else { Exit::No })
}

fn keys(args: &Verify) -> Result<Vec<String>, crate::exit::Failure> {
    let mut keys = args.secret.clone();
    for path in &args.secret_file {
        keys.push(fs::read_to_string(path).or_exit(Exit::Usage, path.display())?);
    }
    Ok(keys)
}

fn moment(args: &Verify) -> Result<Timestamp, crate::exit::Failure> {
    let Some(text) = &args.time else {
        return Ok(SystemHost::default().now());
    };
    let seconds = { text.parse::<u64>() }.map(|s| Timestamp::from_unix_ms(s.saturating_mul(1000)));
    let moment = seconds.ok().or_else(|| Timestamp::parse_rfc3339(text));
    moment.ok_or_else(|| failure(Exit::Usage, format!("--time {text:?}: no moment")))
}

/// Headers as `curl -v` or a log shows them, or as a JSON object.
fn read_headers(text: &str) -> Result<Vec<(String, String)>, crate::exit::Failure> {
    if text.trim_start().starts_with('{') {
        let object: serde_json::Map<String, Value> =
            serde_json::from_str(text).or_exit(Exit::Usage, "the headers")?;
        let one = |(name, value): (String, Value)| {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            (name.to_lowercase(), value)
        };
        return Ok(object.into_iter().map(one).collect());
    }
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let one = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_lowercase(), value.trim().to_owned()))
    };
    let headers: Option<Vec<_>> = lines.map(one).collect();
    headers.ok_or_else(|| failure(Exit::Usage, "the headers: each line is `Name: value`"))
}
