//! `lombard watch`: follows a payment or a batch until its outcome is known, a line a change.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    client::{self, Server},
    exit::{Exit, Outcome},
    say,
};

/// Between two looks. The server is asked to say when something changed, so this only bounds how
/// often a server is asked that does not wait.
const PAUSE: Duration = Duration::from_millis(200);

/// Arguments of `lombard watch`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit code: 0 cleared, 1 failed or reversed, or not known when the time was up.

Example: lombard watch pay_06fa…")]
pub struct Watch {
    /// The payment's or the batch's id.
    id: String,
    /// For how many seconds at the most.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    #[command(flatten)]
    server: Server,
}

/// Follows and tells.
pub async fn run(args: &Watch, as_json: bool) -> Outcome {
    let remote = args.server.remote()?;
    let path = client::path_of(&args.id)?;
    let until = Instant::now() + Duration::from_secs(args.seconds);
    let mut told = Value::Null;
    loop {
        let found = remote.get(&path).await?;
        let change = essence(&found);
        if change != told {
            if as_json {
                say::json(&change);
            } else {
                say::line(&as_text(&change));
            }
            told = change;
        }
        if let Some(exit) = outcome(&found) {
            return Ok(exit);
        }
        if Instant::now() >= until {
            return Ok(Exit::No);
        }
        sleep(PAUSE).await;
    }
}

/// What of it is worth a line when it changes.
fn essence(found: &Value) -> Value {
    const MEMBERS: [&str; 12] = [
        "id",
        "status",
        "state",
        "pending",
        "in_doubt",
        "reason",
        "reason_code",
        "returned_amount",
        "counts",
        "accepted",
        "rejected",
        "updated_at",
    ];
    let mut essence = json!({});
    for name in MEMBERS {
        if let Some(value) = found.get(name) {
            essence[name] = value.clone();
        }
    }
    essence
}

fn as_text(change: &Value) -> String {
    let members = change.as_object().into_iter().flatten();
    let shown = members
        .filter(|(name, _)| *name != "id")
        .map(|(name, value)| match value {
            Value::String(text) => format!("{name}={text}"),
            other => format!("{name}={other}"),
        });
    shown.collect::<Vec<_>>().join("  ")
}

/// How the process ends, once the outcome is known.
fn outcome(found: &Value) -> Option<Exit> {
    match found["status"].as_str().or(found["state"].as_str())? {
        "CLEARED" | "SETTLED" | "done" | "completed" => Some(Exit::Done),
        "FAILED" | "REVERSED" | "failed" | "refused" | "rejected" => Some(Exit::No),
        _ => None,
    }
}
