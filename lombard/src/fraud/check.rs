//! `lombard fraud check`: is this a policy, and where is it wrong?

use std::{fs, path::PathBuf};

use clap::Args;
use lombard_risk::policy::Policy;
use serde_json::json;

use crate::{
    exit::{Exit, OrExit, Outcome},
    say,
};

/// Arguments of `lombard fraud check`.
#[derive(Debug, Args)]
#[command(after_help = "Example: lombard fraud check policy.json")]
pub struct Check {
    /// The policy: rules, lists, limits, thresholds, fallback, in JSON.
    policy: PathBuf,
}

/// Checks and tells; the exit code is [`Exit::No`] when it would not be taken.
pub fn run(args: &Check, as_json: bool) -> Outcome {
    let text = fs::read_to_string(&args.policy).or_exit(Exit::Usage, args.policy.display())?;
    let read = Policy::parse(&text);
    match &read {
        Ok(policy) => {
            let (version, rules) = (policy.rules.version(), policy.rules.len());
            let (limits, entries) = (policy.limits.len(), policy.lists.len());
            if as_json {
                say::json(
                    &json!({"valid": true, "version": version, "rules": rules, "limits": limits, "list_entries": entries}),
                );
            } else {
                say::line(&format!(
                    "version {version}; rules that are asked: {rules}; limits: {limits}; entries of lists: {entries}"
                ));
            }
        }
        Err(refused) if as_json => {
            say::json(&json!({"valid": false, "message": refused.to_string()}));
        }
        Err(refused) => say::line(&refused.to_string()),
    }
    Ok(if read.is_ok() { Exit::Done } else { Exit::No })
}
