//! What became of every payment: nothing acknowledged may be lost, nothing may have happened
//! twice, and the books must balance.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use serde::Serialize;
use serde_json::Value;

use super::{
    http::Connection,
    load::{AMOUNT, Caller, Ledger},
};

/// How long the rails, and the roll-up of house accounts, may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(120);

/// The result of a crash test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// How often the server was killed.
    pub rounds: u64,
    /// Payments that were answered before a kill.
    pub acknowledged: u64,
    /// Payments that were under way when the server was killed.
    pub unanswered: u64,
    /// Acknowledged payments that are not there, or differ from what was answered.
    pub lost: u64,
    /// Payments that exist twice, left the account twice, or were taken twice by the rail.
    pub doubled: u64,
    /// Minor units by which debits and credits differ.
    pub unbalanced: u64,
    /// Payments whose outcome did not become known in time.
    pub unresolved: u64,
}

impl Verdict {
    /// Whether all is well.
    pub const fn sound(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.unbalanced == 0 && self.unresolved == 0
    }
}

/// Asks again for everything under its old key. What was answered must be answered the same,
/// byte for byte; what was not is answered now. Gives how many answers differ.
pub fn ask_again(caller: &Caller<'_>, ledger: &mut Ledger) -> Result<u64> {
    let mut connection = Connection::open(caller.server)?;
    let mut differ = 0;
    for (key, asked) in ledger.iter_mut() {
        let answer = caller.ask(&mut connection, key, &asked.body)?;
        match &asked.answer {
            Some(first) if *first != answer => differ += 1,
            Some(_) => {}
            None => {
                ensure!(
                    answer.status == 201,
                    "{key}: {} {}",
                    answer.status,
                    answer.body
                );
                asked.answer = Some(answer);
            }
        }
    }
    Ok(differ)
}

/// Reads every payment, and every account, when they have come to rest.
pub fn judge(
    caller: &Caller<'_>,
    simulator: &mut Connection,
    ledger: &Ledger,
    verdict: &mut Verdict,
) -> Result<()> {
    let mut connection = Connection::open(caller.server)?;
    let until = Instant::now() + PATIENCE;
    let mut ids: BTreeMap<String, &str> = BTreeMap::new();
    let mut posted = 0;
    for (key, asked) in ledger {
        let Some(answer) = &asked.answer else {
            continue;
        };
        let payment: Value = serde_json::from_str(&answer.body)?;
        let id = payment["id"].as_str().unwrap_or_default().to_owned();
        // One payment under two keys would be one too few in the books, and is found here.
        verdict.lost += u64::from(ids.insert(id.clone(), key).is_some());
        match outcome(caller, &mut connection, &id, until)? {
            Some("CLEARED" | "SETTLED") => posted += 1,
            Some("AUTH_PENDING" | "INITIATED") => verdict.unresolved += 1,
            Some(_) => {}
            None => verdict.lost += 1,
        }
    }
    balance(caller, &mut connection, posted, until, verdict)?;
    verdict.doubled += twice_at_rail(simulator)?;
    Ok(())
}

/// The status of a payment once it is final, or when the time is up; `None` if there is none.
fn outcome(
    caller: &Caller<'_>,
    connection: &mut Connection,
    id: &str,
    until: Instant,
) -> Result<Option<&'static str>> {
    const KNOWN: [&str; 6] = [
        "INITIATED",
        "AUTH_PENDING",
        "CLEARED",
        "SETTLED",
        "FAILED",
        "REVERSED",
    ];
    loop {
        let Ok(payment) = caller.get(connection, &format!("/v1/payments/{id}")) else {
            return Ok(None);
        };
        let status = KNOWN.into_iter().find(|known| payment["status"] == *known);
        let waits = matches!(status, Some("INITIATED" | "AUTH_PENDING"));
        if !waits || Instant::now() > until {
            return Ok(status);
        }
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

/// Compares the payer's account with the payments, and debits with credits over all accounts.
fn balance(
    caller: &Caller<'_>,
    connection: &mut Connection,
    posted: u64,
    until: Instant,
    verdict: &mut Verdict,
) -> Result<()> {
    loop {
        let (mut debits, mut credits, mut left) = (0, 0, 0);
        let mut path = "/v1/accounts?limit=100".to_owned();
        loop {
            let page = caller.get(connection, &path)?;
            for account in page["data"].as_array().into_iter().flatten() {
                let sum = |name: &str| account["balance"][name].as_u64().unwrap_or(0);
                debits += sum("debits_posted");
                credits += sum("credits_posted");
                if account["id"] == caller.debtor {
                    left = sum("debits_posted");
                }
            }
            match page["next_cursor"].as_str() {
                Some(cursor) => path = format!("/v1/accounts?limit=100&cursor={cursor}"),
                None => break,
            }
        }
        let unbalanced = u64::abs_diff(debits, credits);
        if unbalanced == 0 || Instant::now() > until {
            verdict.unbalanced = unbalanced;
            verdict.doubled += left.saturating_sub(posted * AMOUNT) / AMOUNT;
            verdict.lost += (posted * AMOUNT).saturating_sub(left) / AMOUNT;
            return Ok(());
        }
        std::thread::park_timeout(Duration::from_millis(250));
    }
}

/// Payments that the rail paid under more than one reference. That the same reference came twice
/// is what a crash does, and the rail pays it once.
fn twice_at_rail(simulator: &mut Connection) -> Result<u64> {
    let answer = simulator.call("GET", "/control/payments?limit=1000000", &[], "")?;
    ensure!(
        answer.status == 200,
        "the simulator: {} {}",
        answer.status,
        answer.body
    );
    let taken: Vec<Value> = serde_json::from_str(&answer.body)?;
    let mut paid: BTreeMap<&str, u64> = BTreeMap::new();
    for payment in taken
        .iter()
        .filter(|payment| payment["standing"] == "accepted")
    {
        *paid
            .entry(payment["end_to_end_id"].as_str().unwrap_or_default())
            .or_default() += 1;
    }
    Ok(paid.values().map(|times| times - 1).sum())
}
