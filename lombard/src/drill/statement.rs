//! The drill of a broken statement: a bank's file whose lines do not make its closing balance, and the one that
//! the bank sends when it is asked again.

use std::path::Path;

use lombard_core::time::Timestamp;
use lombard_service::{host::SystemHost, ports::Host};
use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::json;

use crate::{
    client::Remote,
    exit::{Exit, Failure, OrExit},
    say,
};

/// The source whose statement it is.
const SOURCE: &str = "drill";
/// The file that the bank sends when it is asked again, in the data folder.
const CORRECTED: &str = "drill-statement.sta";
const RUNBOOK: &str = "docs/runbooks/exceptions/broken_statement.md";

/// Sends the broken one, and leaves the right one in the data folder.
pub async fn run(remote: &Remote, data: &Path, as_json: bool) -> Result<(), Failure> {
    let host = SystemHost::default();
    let (now, name) = (host.now(), format!("D{:07x}", host.random() & 0xfff_ffff));
    let right = data.join(CORRECTED);
    std::fs::write(&right, statement(now, &name, "12,50")).or_exit(
        Exit::NotWritable,
        format!("{} cannot be written", right.display()),
    )?;
    let request = remote
        .request(
            Method::POST,
            &format!("/v1/reconciliation/statements?source={SOURCE}"),
        )
        .header(CONTENT_TYPE, "application/octet-stream")
        .header("idempotency-key", format!("drill-{:032x}", host.random()))
        // The bank lost a digit of the line.
        .body(statement(now, &name, "12,05"));
    let report = remote.send(request).await?;
    let cases = report["exceptions"].as_array().into_iter().flatten();
    let cases: Vec<&str> = cases.filter_map(|it| it["id"].as_str()).collect();
    if as_json {
        say::json(&json!({"cases": cases, "runbook": RUNBOOK, "corrected": right}));
        return Ok(());
    }
    say::line(&format!("A statement of the source `{SOURCE}` came in."));
    say::line("Look at     the queue of exceptions, and the reconciliation page of the console");
    say::line(&format!("Work from   {RUNBOOK}"));
    say::line(&format!(
        "When you ask the bank for it anew, it sends {}",
        right.display()
    ));
    Ok(())
}

/// An MT940 statement of one line, which closes as if the line were of 12.50.
fn statement(now: Timestamp, name: &str, line: &str) -> String {
    let day = now.to_string()[2..10].replace('-', "");
    format!(
        ":20:{name}\n:25:20000055779911\n:28C:1/1\n:60F:C{day}GBP100,00\n\
         :61:{day}C{line}NTRF{name}\n:62F:C{day}GBP112,50\n-\n"
    )
}
