//! `lombard reconcile`: statements and reports held against the payments of a running server.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::{Value, json};

use crate::{
    client::{Remote, Server},
    exit::{Exit, Failure, OrExit, Outcome, failure},
    inspect::decimal,
    pay::upload::streamed,
    say,
};

/// Arguments of `lombard reconcile`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "\
Exit code: 0 everything agrees, 1 there are exceptions.

Examples:
  lombard reconcile statement.xml --source barclays
  lombard reconcile *.sta --source ing --json | jq .exceptions
  lombard reconcile close --source ing 2026-11-23")]
pub struct Reconcile {
    #[command(subcommand)]
    act: Option<Act>,
    /// The statements or reports, in the order of their days.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Whose they are: a name of your own, such as `barclays` or `stripe`.
    #[arg(long, value_name = "NAME", required = true)]
    source: Option<String>,
    #[command(flatten)]
    server: Server,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Close a day of a source: each of its accounts that adds up
    Close(Close),
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit code: 0 all accounts are closed, 1 one does not add up, or there is none."
)]
struct Close {
    /// Which day, as 2026-11-23
    day: String,
    /// Whose statements
    #[arg(long, value_name = "NAME")]
    source: String,
    #[command(flatten)]
    server: Server,
}

/// Sends the files one after the other and tells what they came to together.
pub async fn run(args: &Reconcile, as_json: bool) -> Outcome {
    if let Some(Act::Close(args)) = &args.act {
        return close(args, as_json).await;
    }
    let remote = args.server.remote()?;
    let mut all = Together::default();
    // The parser asks for a source where there are files.
    let source = args.source.as_deref().unwrap_or_default();
    for file in &args.files {
        all.take(&send(&remote, file, source).await?);
    }
    let report = all.report();
    if as_json {
        say::json(&report);
    } else {
        tell(&report);
    }
    let agrees = report["exceptions"].as_array().is_some_and(Vec::is_empty);
    Ok(if agrees { Exit::Done } else { Exit::No })
}

/// Closes the accounts of a day that add up, and tells what each came to.
async fn close(args: &Close, as_json: bool) -> Outcome {
    let remote = args.server.remote()?;
    let path = format!(
        "/v1/reconciliation/days?source={}&day={}",
        args.source, args.day
    );
    let found = remote.get(&path).await?;
    let mut days = Vec::new();
    for day in found["data"].as_array().into_iter().flatten() {
        let adds_up = day["why"].is_null() && day["closed_at"].is_null();
        days.push(if adds_up {
            let body = json!({"source": args.source, "account_id": day["account_id"],
                "currency": day["currency"], "day": day["day"]});
            let request = remote
                .request(Method::POST, "/v1/reconciliation/days")
                .header("idempotency-key", fresh_key()?)
                .json(&body);
            remote.send(request).await?
        } else {
            day.clone()
        });
    }
    if as_json {
        say::json(&json!({"data": days}));
    } else {
        days.iter().for_each(tell_day);
    }
    let all = days.iter().all(|it| it["closed_at"].is_string());
    Ok(if all && !days.is_empty() {
        Exit::Done
    } else {
        Exit::No
    })
}

fn tell_day(day: &Value) {
    let text = |name: &str| day[name].as_str().unwrap_or("?");
    let unit = lombard_core::statement::Unit::read(text("currency"));
    let figure = |it: &Value| {
        let minor = it.as_i64();
        minor.map_or_else(|| "?".to_owned(), |minor| decimal(minor, unit))
    };
    let stands = match (day["why"].as_str(), day["closed_at"].as_str()) {
        (_, Some(at)) => format!("closed {at}"),
        (why, None) => format!("NOT CLOSED: {}", why.unwrap_or("it waits for approval")),
    };
    say::line(&format!(
        "{} {} {}: opening {}, matched {}, explained {}, open {}, closing {}; late {}; {stands}",
        text("account"),
        text("currency"),
        text("day"),
        figure(&day["opening"]),
        figure(&day["matched"]["minor"]),
        figure(&day["explained"]["minor"]),
        figure(&day["open"]["minor"]),
        figure(&day["closing"]),
        figure(&day["late"]["minor"]),
    ));
}

/// Sends a file and gives what it came to.
///
/// # Errors
/// When it cannot be read, the server cannot be reached, or it refuses the file.
pub async fn send(remote: &Remote, file: &Path, source: &str) -> Result<Value, Failure> {
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(&byte);
    if !source.bytes().all(plain) {
        let why = format!("--source {source}: a name is of a-z, 0-9, `_`, `.` and `-`");
        return Err(failure(Exit::Usage, why));
    }
    let path = format!("/v1/reconciliation/statements?source={source}");
    let request = remote
        .request(Method::POST, &path)
        .header(CONTENT_TYPE, "application/octet-stream")
        // A file may be tried again when payments have come since: doing it twice does no harm,
        // and the answer is of now.
        .header("idempotency-key", fresh_key()?)
        .body(streamed(file).await?);
    remote.send(request).await
}

/// A key that no other request has.
fn fresh_key() -> Result<String, Failure> {
    let mut bytes = [0u8; 16];
    let filled = ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes);
    filled
        .map_err(|_| std::io::Error::other("no randomness"))
        .or_exit(Exit::Internal, "a key")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Several files as one.
#[derive(Default)]
struct Together {
    lines: u64,
    matched: u64,
    explained: u64,
    exceptions: Vec<Value>,
    opening: Option<Value>,
    closing: Value,
    statements: Vec<Value>,
}

impl Together {
    fn take(&mut self, found: &Value) {
        let number = |name: &str| found[name].as_u64().unwrap_or_default();
        self.lines += number("lines");
        self.matched += number("matched");
        self.explained += number("explained");
        self.opening.get_or_insert_with(|| found["opening"].clone());
        self.closing = found["closing"].clone();
        let list = |name: &str| found[name].as_array().cloned().unwrap_or_default();
        self.statements.extend(list("statements"));
        // What an earlier file left open, a later one may have closed or told again.
        let told = list("exceptions");
        self.exceptions
            .retain(|it| !told.iter().any(|other| other["id"] == it["id"]));
        self.exceptions.extend(told);
    }

    fn report(self) -> Value {
        json!({
            "lines": self.lines,
            "matched": self.matched,
            "explained": self.explained,
            "exceptions": self.exceptions,
            "opening": self.opening,
            "closing": self.closing,
            "statements": self.statements,
        })
    }
}

fn tell(report: &Value) {
    for it in report["statements"].as_array().into_iter().flatten() {
        let unit = it["currency"]
            .as_str()
            .and_then(lombard_core::statement::Unit::read);
        let money = |name: &str| {
            it[name]
                .as_i64()
                .map_or_else(|| "?".to_owned(), |units| decimal(units, unit))
        };
        let quarantined = it["quarantined"].as_bool() == Some(true);
        say::line(&format!(
            "{} {}: opening {}, matched {}, explained {}, open {}, closing {}{}",
            it["account"].as_str().unwrap_or("?"),
            it["currency"].as_str().unwrap_or("?"),
            money("opening"),
            money("matched"),
            money("explained"),
            money("open"),
            money("closing"),
            if quarantined { "; QUARANTINED" } else { "" },
        ));
    }
    say::line(&format!(
        "{} lines, {} matched, {} explained",
        report["lines"], report["matched"], report["explained"]
    ));
    for it in report["exceptions"].as_array().into_iter().flatten() {
        let text = |name: &str| it[name].as_str().unwrap_or_default();
        say::line(&format!(
            "  {} [{}] {}: {}",
            text("id"),
            text("kind"),
            text("reference"),
            text("why")
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_add_up() {
        let mut all = Together::default();
        let exception = json!({"id": "exc_1", "kind": "late"});
        all.take(&json!({"lines": 2, "matched": 1, "explained": 0, "opening": 5, "closing": 7, "exceptions": [exception]}));
        all.take(&json!({"lines": 3, "matched": 2, "explained": 1, "opening": 7, "closing": 9, "exceptions": [exception]}));
        let report = all.report();
        assert_eq!(
            (&report["lines"], &report["matched"]),
            (&json!(5), &json!(3))
        );
        assert_eq!(
            (&report["opening"], &report["closing"]),
            (&json!(5), &json!(9))
        );
        assert_eq!(report["exceptions"], json!([exception]));
    }
}
