//! `lombard fraud lists`: who is on which list, and putting somebody on one or taking him off.

use clap::{Args, Subcommand};
use lombard_service::host::SystemHost;
use lombard_service::ports::Host;
use serde_json::{Value, json};

use crate::{
    client::{Remote, Server},
    exit::{Exit, Failure, Outcome},
    say,
};

/// Arguments of `lombard fraud lists`.
#[derive(Debug, Args)]
#[command(after_help = "\
SUBJECT is 16 hexadecimal digits, as `lombard fraud explain PAYMENT --json` has them under `subjects`. Example:
  lombard fraud lists add mules 0123456789abcdef --until 2027-05-31T00:00:00Z --reason 'case 7'")]
pub struct Lists {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    server: Server,
}

/// What to do with lists; without it their names are told.
#[derive(Debug, Subcommand)]
enum What {
    /// Show who is on a list: the first hundred after a subject.
    Show {
        /// Which list.
        list: String,
        /// After whom.
        #[arg(long)]
        after: Option<String>,
    },
    /// Make a list with nobody on it.
    Make {
        /// What it is called.
        list: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Put somebody on a list.
    Add {
        /// Which list.
        list: String,
        /// Who.
        subject: String,
        /// When the entry ends by itself (RFC 3339).
        #[arg(long)]
        until: Option<String>,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Take somebody off a list.
    Remove {
        /// Which list.
        list: String,
        /// Who.
        subject: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

/// Does it.
pub async fn run(args: &Lists, as_json: bool) -> Outcome {
    let remote = args.server.remote()?;
    let at = |list: &str, what: &str| format!("/v1/risk/lists/{}{what}", escaped(list));
    let found = match &args.what {
        None => remote.get("/v1/risk/lists").await?,
        Some(What::Show { list, after }) => {
            let after = after
                .as_ref()
                .map(|after| format!("&cursor={}", escaped(after)));
            let page = format!("?limit=100{}", after.unwrap_or_default());
            remote.get(&at(list, &page)).await?
        }
        Some(What::Make { list, reason }) => {
            let body = json!({"name": list, "reason": reason});
            post(&remote, "/v1/risk/lists", &body).await?
        }
        Some(What::Add {
            list,
            subject,
            until,
            reason,
        }) => {
            let mut body = json!({"subject": subject, "reason": reason});
            if let Some(until) = until {
                body["expires_at"] = json!(until);
            }
            post(&remote, &at(list, "/entries"), &body).await?
        }
        Some(What::Remove {
            list,
            subject,
            reason,
        }) => {
            let body = json!({"subject": subject, "reason": reason});
            post(&remote, &at(list, "/removals"), &body).await?
        }
    };
    if as_json {
        say::json(&found);
        return Ok(Exit::Done);
    }
    match found["data"].as_array() {
        Some(data) => data.iter().for_each(tell),
        None => tell(&found),
    }
    Ok(Exit::Done)
}

fn tell(found: &Value) {
    let text = |name: &str| found[name].as_str().unwrap_or_default();
    if found["object"] == "risk_list" {
        say::line(&format!("{}: {} entries", text("name"), found["entries"]));
        return;
    }
    let until = match text("expires_at") {
        "" => String::new(),
        end => format!(" until {end}"),
    };
    let listed = if found["listed"] == true {
        ""
    } else {
        " (not listed)"
    };
    let reason = found["added"]["reason"].as_str().unwrap_or("from the file");
    say::line(&format!("{}{until}{listed}: {reason}", text("subject")));
}

/// Posts once: whoever repeats the command means it.
pub async fn post(remote: &Remote, path: &str, body: &Value) -> Result<Value, Failure> {
    let key = format!("{:032x}", SystemHost::default().random());
    remote.post(path, &key, body).await
}

/// A name as a part of a path.
pub fn escaped(name: &str) -> String {
    form_urlencoded::byte_serialize(name.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}
