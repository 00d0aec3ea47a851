//! The drill of a stolen key: somebody who is not of the house pays with a key of the house.

use serde_json::{Value, json};

use super::{fresh, pay};
use crate::{
    client::{Remote, Server},
    exit::{Exit, Failure, failure},
    say,
};

/// How many payments the thief makes.
const PAYMENTS: u32 = 3;
const RUNBOOK: &str = "docs/runbooks/key-compromise.md";

/// Makes a key, and pays with it as a thief would.
pub async fn run(
    server: &Server,
    remote: &Remote,
    account: &str,
    as_json: bool,
) -> Result<(), Failure> {
    let body = json!({"name": "drill-stolen", "role": "operator"});
    let made = remote.post("/v1/api_keys", &fresh("key"), &body).await?;
    let stolen = made["key"].as_str();
    let stolen = stolen.ok_or_else(|| failure(Exit::Refused, "the key was not told"))?;
    let thief = Server {
        key: Some(stolen.to_owned()),
        url: Some(remote.base().to_owned()),
        ..server.clone()
    };
    let thief = thief.remote()?;
    let mut payments = Vec::new();
    for number in 0..PAYMENTS {
        payments.push(pay(&thief, account, 4_200, number).await?);
    }
    if as_json {
        // The secret is what a finder would have in hand.
        let told: Value =
            json!({"found": stolen, "key": made["id"], "payments": payments, "runbook": RUNBOOK});
        say::json(&told);
        return Ok(());
    }
    say::line(&format!(
        "A key of yours was found in a public place. It begins with {}; somebody has been using it.",
        made["hint"].as_str().unwrap_or_default()
    ));
    say::line("Look at     the audit, and the payments of the last minutes");
    say::line(&format!("Work from   {RUNBOOK}"));
    Ok(())
}
