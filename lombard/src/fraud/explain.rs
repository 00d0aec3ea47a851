//! `lombard fraud explain`: why was this decided about a payment, and would it be again?

use clap::Args;
use serde_json::Value;

use crate::{
    client::Server,
    exit::{Exit, Outcome},
    say,
};

/// Arguments of `lombard fraud explain`.
#[derive(Debug, Args)]
#[command(after_help = "\
The decision is made again from what was stored; the exit code is 1 when it comes out otherwise.
Example: lombard fraud explain pay_06fa… --json | jq .reasons")]
pub struct Explain {
    /// The payment's id.
    payment: String,
    #[command(flatten)]
    server: Server,
}

/// Explains.
pub async fn run(args: &Explain, as_json: bool) -> Outcome {
    let path = format!("/v1/risk/decisions/{}", args.payment);
    let found = args.server.remote()?.get(&path).await?;
    if as_json {
        say::json(&found);
    } else {
        tell(&found);
    }
    let same = found["replay"]["result"] != "other";
    Ok(if same { Exit::Done } else { Exit::No })
}

fn tell(found: &Value) {
    let text = |name: &str| found[name].as_str().unwrap_or("none").to_owned();
    say::line(&format!("{}: {}", text("payment"), text("action")));
    for reason in found["reasons"].as_array().into_iter().flatten() {
        say::line(&format!(
            "  because {}",
            reason.as_str().unwrap_or_default()
        ));
    }
    for part in found["contributions"]
        .as_array()
        .into_iter()
        .flatten()
        .take(8)
    {
        say::line(&format!(
            "  {:+.2}  {} = {}",
            part["weight"].as_f64().unwrap_or_default(),
            part["feature"].as_str().unwrap_or_default(),
            part["value"]
        ));
    }
    let score = found["score"].as_f64().map_or_else(
        || "no score".to_owned(),
        |score| format!("a score of {:.4} %", score / 1e4),
    );
    say::line(&format!(
        "  {score}, policy {}, model {}; made again it is the {}",
        found["policy_version"],
        text("model"),
        found["replay"]["result"].as_str().unwrap_or("unknown"),
    ));
}
