//! `lombard fraud rules`: propose rules, put those of others in force, and see what they do.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::lists::{escaped, post};
use crate::{
    client::{Remote, Server},
    exit::{Exit, Failure, Outcome},
    say,
};

/// Arguments of `lombard fraud rules`.
#[derive(Debug, Args)]
#[command(after_help = "\
Whoever wrote a version cannot put it in force. Example:
  lombard fraud rules propose large 'new_payee && amount > 50000' --action review --says 'it is large' --reason 'case 7'
  lombard fraud rules set large 1 live --reason 'the back-test is good' --key KEY_OF_SOMEBODY_ELSE")]
pub struct Rules {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    server: Server,
}

/// What to do with rules; without it they are listed.
#[derive(Debug, Subcommand)]
enum What {
    /// Show a rule with its versions and their back-tests.
    Show {
        /// What it is called.
        name: String,
    },
    /// Count what the rules did to the newest payments.
    Hits,
    /// Propose a rule, or the next version of one. It is tried on the newest payments.
    Propose {
        /// What it is called.
        name: String,
        /// The condition.
        condition: String,
        /// What it asks for.
        #[arg(long)]
        action: Action,
        /// What is told to whoever asks why.
        #[arg(long)]
        says: String,
        /// Why there should be such a rule.
        #[arg(long)]
        reason: String,
    },
    /// Set how far a version is in force.
    Set {
        /// What the rule is called.
        name: String,
        /// Which version.
        #[arg(id = "of_version", value_name = "VERSION")]
        version: u32,
        /// How far.
        mode: Mode,
        /// Of `percentage`: the share of payments.
        #[arg(long)]
        percent: Option<u8>,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Take a rule out for good.
    Retire {
        /// What it is called.
        name: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

/// What a rule asks for.
#[derive(Clone, Copy, Debug, ValueEnum, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Approve,
    Challenge,
    Review,
    Decline,
}

/// How far a version is in force.
#[derive(Clone, Copy, Debug, ValueEnum, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Off,
    Shadow,
    Live,
    Percentage,
}

/// Does it.
pub async fn run(args: &Rules, as_json: bool) -> Outcome {
    let remote = args.server.remote()?;
    let found = match &args.what {
        None => json!({"object": "risk_rules", "data": all(&remote).await?}),
        Some(What::Hits) => remote.get("/v1/risk/hits").await?,
        Some(What::Show { name }) => rule(&remote, name).await?,
        Some(What::Propose {
            name,
            condition,
            action,
            says,
            reason,
        }) => {
            let body = json!({"name": name, "after_version": newest(&remote, name).await?,
                "condition": condition, "action": action, "says": says, "reason": reason});
            post(&remote, "/v1/risk/rules", &body).await?
        }
        Some(What::Set {
            name,
            version,
            mode,
            percent,
            reason,
        }) => {
            let revision = &rule(&remote, name).await?["revision"];
            let mut body =
                json!({"version": version, "mode": mode, "revision": revision, "reason": reason});
            if let Some(percent) = percent {
                body["percent"] = json!(percent);
            }
            let path = format!("/v1/risk/rules/{}/mode", escaped(name));
            post(&remote, &path, &body).await?
        }
        Some(What::Retire { name, reason }) => {
            let revision = &rule(&remote, name).await?["revision"];
            let body = json!({"revision": revision, "reason": reason});
            let path = format!("/v1/risk/rules/{}/retire", escaped(name));
            post(&remote, &path, &body).await?
        }
    };
    match &args.what {
        _ if as_json => say::json(&found),
        Some(What::Hits) => tell_hits(&found),
        None => {
            for rule in found["data"].as_array().into_iter().flatten() {
                tell(rule, false);
            }
        }
        Some(_) => tell(&found, true),
    }
    Ok(Exit::Done)
}

async fn rule(remote: &Remote, name: &str) -> Result<Value, Failure> {
    remote
        .get(&format!("/v1/risk/rules/{}", escaped(name)))
        .await
}

/// All rules, page by page.
async fn all(remote: &Remote) -> Result<Vec<Value>, Failure> {
    let (mut all, mut path) = (Vec::new(), "/v1/risk/rules?limit=100".to_owned());
    loop {
        let mut page = remote.get(&path).await?;
        if let Value::Array(rules) = page["data"].take() {
            all.extend(rules);
        }
        let Some(next) = page["next_cursor"].as_str() else {
            return Ok(all);
        };
        path = format!("/v1/risk/rules?limit=100&cursor={}", escaped(next));
    }
}

/// The newest version of a rule, 0 when there is none.
async fn newest(remote: &Remote, name: &str) -> Result<u64, Failure> {
    let all = all(remote).await?;
    let rule = all.iter().find(|rule| rule["name"] == name);
    let versions = rule.and_then(|rule| rule["versions"].as_array());
    Ok(versions
        .and_then(|versions| versions.last()?["version"].as_u64())
        .unwrap_or_default())
}

fn tell(rule: &Value, whole: bool) {
    let text = |of: &Value, name: &str| of[name].as_str().unwrap_or_default().to_owned();
    let retired = if rule["retired"].is_null() {
        ""
    } else {
        " (retired)"
    };
    say::line(&format!("{}{retired}", text(rule, "name")));
    for version in rule["versions"].as_array().into_iter().flatten() {
        let share = version["percent"].as_u64();
        let share = share.map_or_else(String::new, |share| format!(" {share} %"));
        say::line(&format!(
            "  {} {}{share}: {} if {}",
            version["version"],
            text(version, "mode"),
            text(version, "action"),
            text(version, "condition"),
        ));
        if !whole {
            continue;
        }
        say::line(&format!(
            "    by {}, because {}",
            text(version, "author"),
            text(version, "reason")
        ));
        let report = &version["backtest"]["report"];
        if report.is_object() {
            say::line(&format!(
                "    tried on {} payments: {} hits, {} of {} known frauds, {} genuine",
                report["payments"],
                report["hits"],
                report["frauds_caught"],
                report["frauds"],
                report["false_positives"]
            ));
        }
    }
}

fn tell_hits(found: &Value) {
    say::line(&format!("of the newest {} payments", found["payments"]));
    for hit in found["data"].as_array().into_iter().flatten() {
        say::line(&format!(
            "  {} {}: {} hits, {} decided, {} known frauds, {} genuine",
            hit["rule"].as_str().unwrap_or_default(),
            hit["version"],
            hit["hits"],
            hit["decided"],
            hit["frauds_caught"],
            hit["false_positives"]
        ));
    }
}
