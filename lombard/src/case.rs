//! `lombard case`: the queue of exceptions, and what is done about them.
//!
//! What moves money is shown first: `resolve` prints the journal and the name of what it shows, and does it
//! when it is given that name back, if things still stand so.

use clap::{Args, Subcommand};
use lombard_service::{host::SystemHost, ports::Host};
use serde_json::{Value, json};

use crate::{
    client::{Remote, Server},
    exit::{Exit, Failure, Outcome},
    say,
};

const HOUR_MS: u64 = 3_600_000;

/// Arguments of `lombard case`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples: lombard case list
          lombard case resolve exc_06fa… mark_paid --reference 'report of 23 November' --note 'they have it'
          lombard case snooze exc_06fa… --hours 24 --note 'until the statement is in'
          lombard case bulk ignore exc_06fa… exc_06fb… --note 'a test of theirs' --run")]
pub struct Case {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    server: Server,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum What {
    /// List the queue.
    List {
        /// `active`, `open`, `claimed`, `waiting_for_approval`, `snoozed` or `resolved`.
        #[arg(long, default_value = "active")]
        standing: String,
        /// Only of this kind.
        #[arg(long)]
        kind: Option<String>,
    },
    /// Take a case, or give it to somebody.
    Claim {
        /// Which.
        id: String,
        /// To whom: `operator/…` or `key/…`; to yourself when absent.
        #[arg(long)]
        to: Option<String>,
        /// Why.
        #[arg(long)]
        note: String,
    },
    /// Say something about a case.
    Comment {
        /// Which.
        id: String,
        /// What.
        #[arg(long)]
        note: String,
    },
    /// Let a case stand aside for a while.
    Snooze {
        /// Which.
        id: String,
        /// For how long; 30 days at the most.
        #[arg(long, default_value_t = 24)]
        hours: u64,
        /// Until what has happened.
        #[arg(long)]
        note: String,
    },
    /// Show what an action would do; with `--seen`, do it.
    Resolve {
        /// Which.
        id: String,
        /// One of its `actions`.
        action: String,
        /// Of `link`: the payment.
        #[arg(long)]
        payment: Option<String>,
        /// Of `mark_paid` and `mark_not_paid`: where the rail's own records say so.
        #[arg(long)]
        reference: Option<String>,
        /// What was shown: it is done if things still stand so.
        #[arg(long)]
        seen: Option<String>,
        /// Why.
        #[arg(long)]
        note: String,
    },
    /// Open a case again, and take back what was posted to resolve it.
    Reopen {
        /// Which.
        id: String,
        /// Why.
        #[arg(long)]
        note: String,
    },
    /// Say what an action would do about many; with `--run`, do it.
    Bulk {
        /// The action: `ask`, `ignore` or any other of theirs.
        action: String,
        /// Which.
        #[arg(required = true)]
        ids: Vec<String>,
        /// Why.
        #[arg(long)]
        note: String,
        /// Do it, where it can be done.
        #[arg(long)]
        run: bool,
    },
}

/// Does what is asked.
pub async fn run(args: &Case, as_json: bool) -> Outcome {
    let remote = args.server.remote()?;
    let act = async |id: &str, act: &str, body: Value| {
        let done = post(&remote, &format!("/v1/exceptions/{id}/{act}"), &body).await?;
        told(&done, as_json);
        Ok(Exit::Done)
    };
    match &args.what {
        What::List { standing, kind } => list(&remote, standing, kind.as_deref(), as_json).await,
        What::Claim { id, to, note } => {
            let mut body = json!({"note": note});
            if let Some(to) = to {
                body["assignee"] = json!(to);
            }
            act(id, "claim", body).await
        }
        What::Comment { id, note } => act(id, "comment", json!({"note": note})).await,
        What::Reopen { id, note } => act(id, "reopen", json!({"note": note})).await,
        What::Snooze { id, hours, note } => {
            let pause = hours.saturating_mul(HOUR_MS);
            let until = SystemHost::default().now().plus_ms(pause);
            act(
                id,
                "snooze",
                json!({"note": note, "until": until.to_string()}),
            )
            .await
        }
        What::Resolve {
            id,
            action,
            payment,
            reference,
            seen,
            note,
        } => {
            let moves = !matches!(action.as_str(), "ask" | "ignore" | "enquire" | "reprocess");
            let mut body = json!({"action": action, "note": note});
            let members = [
                ("payment", payment),
                ("reference", reference),
                ("seen", seen),
            ];
            for (name, value) in members {
                if let Some(value) = value {
                    body[name] = json!(value);
                }
            }
            if moves && seen.is_none() {
                return preview(&remote, id, &body, as_json).await;
            }
            act(id, "resolve", body).await
        }
        What::Bulk {
            action,
            ids,
            note,
            run,
        } => bulk(&remote, action, ids, note, *run, as_json).await,
    }
}

async fn post(remote: &Remote, path: &str, body: &Value) -> Result<Value, Failure> {
    let key = format!("case-{:032x}", SystemHost::default().random());
    remote.post(path, &key, body).await
}

fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of[name].as_str().unwrap_or_default()
}

fn told(case: &Value, as_json: bool) {
    if as_json {
        say::json(case);
    } else {
        let names = ["id", "kind", "standing", "subject", "reason"];
        say::line(&names.map(|name| text(case, name)).join("  "));
    }
}

async fn list(remote: &Remote, standing: &str, kind: Option<&str>, as_json: bool) -> Outcome {
    let kind = kind.map_or_else(String::new, |kind| format!("&kind={kind}"));
    let mut after = String::new();
    loop {
        let path = format!("/v1/exceptions?limit=100&standing={standing}{kind}{after}");
        let page = remote.get(&path).await?;
        for case in page["data"].as_array().into_iter().flatten() {
            told(case, as_json);
        }
        match page["next_cursor"].as_str() {
            Some(cursor) => after = format!("&cursor={cursor}"),
            None => return Ok(Exit::Done),
        }
    }
}

/// Shows what an action would do, and how to have it done.
async fn preview(remote: &Remote, id: &str, body: &Value, as_json: bool) -> Outcome {
    let mut asked = form_urlencoded::Serializer::new(String::new());
    for name in ["action", "payment", "reference"] {
        if let Some(value) = body[name].as_str() {
            asked.append_pair(name, value);
        }
    }
    let path = format!("/v1/exceptions/{id}/preview?{}", asked.finish());
    let shown = remote.get(&path).await?;
    if as_json {
        say::json(&shown);
        return Ok(Exit::Done);
    }
    for transaction in shown["journal"].as_array().into_iter().flatten() {
        say::line(text(transaction, "journal"));
        for leg in transaction["legs"].as_array().into_iter().flatten() {
            let names = ["side", "layer", "currency", "account"];
            let words = names.map(|name| text(leg, name)).join("  ");
            say::line(&format!("  {:>14}  {words}", leg["amount"].to_string()));
        }
    }
    if let Some(status) = shown["status"].as_str() {
        let after = text(&shown, "status_after");
        say::line(&format!("The payment is {status} and would be {after}."));
    }
    if shown["needs_approval"] == true {
        say::line("It would be proposed, and done when a second person asks for the same.");
    }
    let seen = text(&shown, "seen");
    say::line(&format!(
        "Nothing was done. To do it: the same with --seen {seen}"
    ));
    Ok(Exit::Done)
}

async fn bulk(
    remote: &Remote,
    action: &str,
    ids: &[String],
    note: &str,
    run: bool,
    as_json: bool,
) -> Outcome {
    let path = "/v1/exceptions/bulk";
    let cases: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
    let mut body = json!({"cases": cases, "deed": "resolve", "action": action, "note": note,
        "dry_run": true});
    let mut outcome = post(remote, path, &body).await?;
    if run {
        let ready = outcome["data"].as_array().into_iter().flatten();
        let ready = ready.filter(|it| it["seen"].is_string());
        body["cases"] = ready
            .map(|it| json!({"id": it["id"], "seen": it["seen"]}))
            .collect();
        body["dry_run"] = json!(false);
        if body["cases"] != json!([]) {
            outcome = post(remote, path, &body).await?;
        }
    }
    if as_json {
        say::json(&outcome);
    }
    let mut refused = false;
    for one in outcome["data"].as_array().into_iter().flatten() {
        refused |= one["outcome"] == "refused";
        if !as_json {
            let names = ["id", "outcome", "detail"];
            say::line(&names.map(|name| text(one, name)).join("  "));
        }
    }
    Ok(if refused { Exit::No } else { Exit::Done })
}
