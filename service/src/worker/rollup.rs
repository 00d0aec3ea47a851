//! Keeps the balances and entries of house accounts: see the roll-up of [`lombard_core::plan`].
//!
//! One task a shard, in the order of the feed. The place reached is written in the same commit
//! as the balances, so nothing is counted twice, and nothing is left out, whatever fails.

use lombard_core::{
    command::{Act, Command, RollUp},
    id::Id,
    ledger::{Account, Rollup, Transaction},
    plan::{fitting, keys},
    store::{Commit, decode},
    tenant::TenantId,
};
use serde::Deserialize;
use tokio::sync::watch;
use tracing::warn;

use super::feed::rest;
use crate::{
    app::App,
    metrics::{label::Consumer, sample},
    ports::Cause,
};

const BATCH: usize = 2048;
const WAIT_MS: u64 = 500;
/// Positions that may go by without a house account's leg before the place is noted all the
/// same; noting is itself a commit, so an idle roll-up must not note after each.
const IDLE_POSITIONS: u64 = 10_000;

/// Rolls up one shard until `stop` turns true.
pub async fn run(app: App, shard: u16, mut stop: watch::Receiver<bool>) {
    let mut place: Option<Place> = None;
    while !*stop.borrow() {
        let stepped = tokio::select! {
            biased;
            _ = stop.changed() => break,
            stepped = step(&app, shard, place, WAIT_MS) => stepped,
        };
        place = stepped.ok();
        match place {
            Some(place) => sample::reached(Consumer::Rollup, place.reached),
            None => drop(rest(&mut stop, 200).await),
        }
    }
}

/// Rolls up everything that the feed has now: for a runtime that is woken. Gives how far it came, to go on
/// from the next time.
///
/// # Errors
/// When the store cannot be read or written; then begin with `None` again.
pub async fn catch_up(app: &App, shard: u16, from: Option<Place>) -> Result<Place, Cause> {
    let mut place = step(app, shard, from, 0).await?;
    loop {
        let next = step(app, shard, Some(place), 0).await?;
        if next.reached == place.reached {
            return Ok(next);
        }
        place = next;
    }
}

/// A transaction with its place in the feed and its tenant.
type Placed = (u64, TenantId, Transaction);

/// How far it has come: in memory, and as noted in the store.
#[derive(Clone, Copy)]
pub struct Place {
    reached: u64,
    noted: u64,
}

/// Rolls up the next part of the feed, waiting up to `wait_ms` for one.
async fn step(app: &App, shard: u16, place: Option<Place>, wait_ms: u64) -> Result<Place, Cause> {
    let mut place = match place {
        Some(place) => place,
        None => {
            let noted = app
                .value(&keys::rollup_cursor(shard))
                .await
                .map_err(told)?
                .unwrap_or(0);
            Place {
                reached: noted,
                noted,
            }
        }
    };
    let commits = app
        .store
        .changes(shard, place.reached, BATCH, wait_ms)
        .await
        .map_err(told)?;
    let Some(last) = commits.last().map(|commit| commit.position) else {
        return Ok(place);
    };
    let mut waiting: Vec<(u64, Vec<Placed>)> = Vec::new();
    for commit in &commits {
        let found = house_transactions(commit);
        if !found.is_empty() {
            waiting.push((commit.position, found));
        }
    }
    let mut rest = waiting.as_slice();
    while !rest.is_empty() {
        // A commit is rolled up whole, so that a place is always between commits.
        let mut take = 1;
        while take < rest.len() && fits(&rest[..=take]) {
            take += 1;
        }
        let transactions = rest[..take]
            .iter()
            .flat_map(|(_, found)| found.clone())
            .collect();
        let upto = rest[take - 1].0;
        roll_up(app, shard, upto, transactions).await?;
        place.noted = upto;
        rest = &rest[take..];
    }
    if last - place.noted >= IDLE_POSITIONS {
        roll_up(app, shard, last, Vec::new()).await?;
        place.noted = last;
    }
    place.reached = last;
    Ok(place)
}

fn fits(waiting: &[(u64, Vec<Placed>)]) -> bool {
    let all = waiting.iter().flat_map(|(_, found)| found);
    fitting(all) == waiting.iter().map(|(_, found)| found.len()).sum::<usize>()
}

/// The part of a transaction that says whether it matters here: most touch customers' accounts
/// alone, and need not be read whole.
#[derive(Deserialize)]
struct Touched {
    legs: Vec<TouchedLeg>,
}

#[derive(Deserialize)]
struct TouchedLeg {
    account: Id<Account>,
}

/// The transactions of a commit that touch house accounts.
fn house_transactions(commit: &Commit) -> Vec<Placed> {
    let mut found = Vec::new();
    for change in commit
        .changes
        .iter()
        .filter(|change| change.key.sort() == "txn")
    {
        let Some((tenant, _)) = change.key.partition().split_once('/') else {
            continue;
        };
        let (Ok(tenant), Some(record)) = (tenant.parse(), &change.record) else {
            continue;
        };
        let touched: Touched = decode(&record.body.bytes);
        let mut accounts = touched.legs.iter().map(|leg| leg.account);
        if accounts.any(|id| id.rollup() == Rollup::House) {
            found.push((commit.position, tenant, decode(&record.body.bytes)));
        }
    }
    found
}

async fn roll_up(app: &App, shard: u16, upto: u64, transactions: Vec<Placed>) -> Result<(), Cause> {
    let tenant = transactions
        .first()
        .map_or(TenantId::new(0), |(_, tenant, _)| *tenant);
    let act = Act::RollUp(RollUp {
        shard,
        upto,
        transactions,
    });
    let actor = "worker/rollup".into();
    let command = Command {
        tenant,
        actor,
        trace: None,
        idempotency: None,
        act,
    };
    app.execute(command).await.map_err(|error| {
        warn!(%error, "the roll-up is held up");
        told(error)
    })?;
    Ok(())
}

fn told<E: std::error::Error + Send + Sync + 'static>(error: E) -> Cause {
    std::sync::Arc::new(error)
}
