//! `lombard get`: shows something by its id.

use clap::Args;
use serde_json::Value;

use crate::{
    client::{self, Server},
    exit::{Exit, Outcome},
    say,
};

/// Arguments of `lombard get`.
#[derive(Debug, Args)]
#[command(after_help = "Example: lombard get pay_06fa… --json | jq .status")]
pub struct Get {
    /// The id: of a payment, an account, a hold, a batch, an event, …
    id: String,
    #[command(flatten)]
    server: Server,
}

/// Gets and shows.
pub async fn run(args: &Get, as_json: bool) -> Outcome {
    let found = args
        .server
        .remote()?
        .get(&client::path_of(&args.id)?)
        .await?;
    if as_json {
        say::json(&found);
    } else {
        tell(&found, "");
    }
    Ok(Exit::Done)
}

/// Shows nested values as `a.b  value`, one a line.
fn tell(value: &Value, prefix: &str) {
    let Value::Object(members) = value else {
        say::line(&format!("{prefix:<28} {}", plain(value)));
        return;
    };
    for (name, value) in members {
        let path = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}.{name}")
        };
        tell(value, &path);
    }
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
