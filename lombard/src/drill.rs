//! `lombard drill`: a failure on purpose, in a demo, so that its runbook can be practised.
//!
//! It works on a server with the rail simulator in its own process alone, and tells the simulator
//! what to do: no gateway of a real rail can be reached by it. Whatever becomes of the drill, the
//! simulator is told to work again at its end.

mod key;
mod statement;

use std::time::Duration;

use clap::{Args, ValueEnum};
use lombard_service::{host::SystemHost, ports::Host};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    client::{self, Remote, Server},
    exit::{Exit, Failure, OrExit, Outcome, failure},
    say,
};

/// Arguments of `lombard drill`.
#[derive(Debug, Args)]
#[command(after_help = "\
Start a demo with `lombard up`, open its console, and work from the runbook that the drill names.

Examples: lombard drill rail-outage
          lombard drill stuck-in-doubt --seconds 120")]
pub struct Drill {
    #[command(flatten)]
    server: Server,
    /// What fails.
    #[arg(value_enum)]
    name: Name,
    /// For how long, in seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

/// What can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    /// The rail's gateway is out of order: the breaker opens, payments wait.
    RailOutage,
    /// The gateway takes connections and breaks them off: retries, then the breaker.
    RetryStorm,
    /// The gateway does not answer: payments are in doubt, and are enquired about.
    StuckInDoubt,
    /// The rail says no and then yes: an exception that cannot wait.
    Contradiction,
    /// A bank's statement does not add up: it is quarantined.
    BrokenStatement,
    /// A key was stolen, and is being used.
    KeyCompromise,
}

/// What a drill of the rail does.
struct Plan {
    /// What is told to the simulator (docs/rails.md).
    outage: Option<&'static str>,
    /// What each payment is of, in minor units: 1.00, or an amount with which the simulator does
    /// something of its own.
    amount: u64,
    payments: u32,
    runbook: &'static str,
    /// What is to be seen.
    look: &'static str,
}

impl Name {
    /// What happens on the rail; nothing of a drill that is about something else.
    const fn plan(self) -> Option<Plan> {
        let breaker = "docs/runbooks/alerts/rail-breaker-open.md";
        let waiting = "lombard_rail_breaker and lombard_payments_pending{reason=\"rails\"}";
        let (outage, amount, payments, runbook, look) = match self {
            Self::RailOutage => (Some("unavailable"), 100, 40, breaker, waiting),
            Self::RetryStorm => (Some("drop"), 100, 40, breaker, waiting),
            Self::StuckInDoubt => (
                Some("hang"),
                100,
                12,
                "docs/runbooks/alerts/in-doubt.md",
                "lombard_payments_at_stage{stage=\"in_doubt\"}, and the payments in the console",
            ),
            Self::Contradiction => (
                None,
                666_043,
                1,
                "docs/runbooks/exceptions/contradiction.md",
                "the queue of exceptions, and the channels of alerts",
            ),
            Self::BrokenStatement | Self::KeyCompromise => return None,
        };
        Some(Plan {
            outage,
            amount,
            payments,
            runbook,
            look,
        })
    }
}

/// Runs the drill.
pub async fn run(args: &Drill, as_json: bool) -> Outcome {
    let (rail, account) = args.server.demo()?;
    let remote = args.server.remote()?;
    let Some(plan) = args.name.plan() else {
        match args.name {
            Name::KeyCompromise => key::run(&args.server, &remote, &account, as_json).await?,
            _ => statement::run(&remote, &args.server.data, as_json).await?,
        }
        return Ok(Exit::Done);
    };
    let http = client::http()?;
    let outage = |mode: &str| {
        let url = format!("{rail}/control/outage");
        http.request(Method::PUT, url).json(&json!({"mode": mode}))
    };
    if let Some(mode) = plan.outage {
        let told = outage(mode)
            .send()
            .await
            .and_then(|it| it.error_for_status());
        told.or_exit(Exit::Unreachable, "the rail simulator")?;
    }
    let under_way = tokio::select! {
        paid = practise(&remote, &account, &plan, args.seconds, as_json) => paid,
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    if plan.outage.is_some() {
        let told = outage("none")
            .send()
            .await
            .and_then(|it| it.error_for_status());
        told.or_exit(
            Exit::Unreachable,
            "the rail simulator is still out of order",
        )?;
    }
    under_way?;
    if !as_json {
        say::line(
            "The drill is over; everything works again. What the runbook calls Verify comes now.",
        );
    }
    Ok(Exit::Done)
}

async fn practise(
    remote: &Remote,
    account: &str,
    plan: &Plan,
    seconds: u64,
    as_json: bool,
) -> Result<(), Failure> {
    let mut ids = Vec::new();
    for number in 0..plan.payments {
        ids.push(pay(remote, account, plan.amount, number).await?);
    }
    if as_json {
        say::json(&json!({"payments": ids, "runbook": plan.runbook, "seconds": seconds}));
    } else {
        say::line(&format!(
            "{} payments are under way, such as {}",
            ids.len(),
            ids[0]
        ));
        say::line(&format!("Look at     {}", plan.look));
        say::line(&format!("Work from   {}", plan.runbook));
        say::line(&format!("For {seconds} s from now; Ctrl-C ends it."));
    }
    let wait = if plan.outage.is_some() { seconds } else { 0 };
    tokio::time::sleep(Duration::from_secs(wait)).await;
    Ok(())
}

async fn pay(remote: &Remote, account: &str, amount: u64, number: u32) -> Result<String, Failure> {
    let body = json!({
        "amount": amount, "currency": "GBP", "debtor": {"account": account}, "reference": "DRILL",
        "creditor": {"name": "A Drill", "sort_code": "20-00-00", "account_number": "55779911"},
    });
    let key = fresh(&number.to_string());
    let paid = remote.post("/v1/payments", &key, &body).await?;
    let id = paid.get("id").and_then(Value::as_str);
    id.map(str::to_owned)
        .ok_or_else(|| failure(Exit::Refused, "the payment has no id"))
}

/// An idempotency key that nobody used.
fn fresh(what: &str) -> String {
    format!("drill-{what}-{:032x}", SystemHost::default().random())
}
