//! Fills a roster, and keeps it as the store is.

use std::sync::Arc;

use lombard_core::{
    plan::keys,
    store::{Commit, Key, decode},
    tenant::TenantId,
};
use tokio::sync::watch;
use tracing::{info, warn};

use super::{Roster, rows::Carried};
use crate::{
    app::App,
    exceptions,
    ports::{RANGE_MAX, Range, ReadError},
    tenants,
    worker::{feed::rest, standing},
};

/// Changes read at once.
const BATCH: usize = 2_048;
const WAIT_MS: u64 = 500;
/// The pause after a failure.
const PAUSE_MS: u64 = 500;

/// Follows the store until `stop` turns true.
pub async fn run(app: App, roster: Arc<Roster>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let failed = tokio::select! {
            biased;
            _ = stop.changed() => return,
            failed = follow(&app, &roster) => failed,
        };
        if let Err(error) = failed {
            warn!(%error, "payments are not counted, and found only among the newest");
            roster.begin_again();
            rest(&mut stop, PAUSE_MS).await;
        }
    }
}

/// Follows the store for as long as it can be read.
async fn follow(app: &App, roster: &Roster) -> Result<(), ReadError> {
    let mut places = catch_up(app, roster).await?;
    loop {
        for (shard, place) in (0..).zip(&mut places) {
            // With one shard there is nothing else to look at while it is quiet.
            let wait = WAIT_MS / u64::from(app.store.shards().max(1));
            take(app, roster, shard, place, wait).await?;
        }
    }
}

/// Fills a roster with all that is there, and gives the place reached in each shard.
///
/// # Errors
/// See [`ReadError`].
pub async fn catch_up(app: &App, roster: &Roster) -> Result<Vec<u64>, ReadError> {
    let mut places = Vec::new();
    for shard in 0..app.store.shards() {
        // What is listed after this is at least as new as that.
        places.push(standing::reached(app, shard).await?);
    }
    let mut all = tenants::ids(app).await?;
    all.push(exceptions::operator());
    for tenant in all {
        payments(app, roster, tenant).await?;
        open_exceptions(app, roster, tenant).await?;
    }
    for (shard, place) in (0..).zip(&mut places) {
        while take(app, roster, shard, place, 0).await? {}
    }
    roster.complete();
    info!("all payments are counted");
    Ok(places)
}

async fn payments(app: &App, roster: &Roster, tenant: TenantId) -> Result<(), ReadError> {
    let list = keys::payments_list(tenant);
    let mut after = None;
    loop {
        let range = Range::listed(&list, RANGE_MAX).past_damage().after(after);
        let found = app.store.range(&range).await?;
        let Some(last) = found.last() else {
            return Ok(());
        };
        after = Some(last.at.sort().to_owned());
        let read: Vec<Carried> = { found.iter() }
            .map(|it| decode(&it.record.body.bytes))
            .collect();
        roster.note(tenant, &read);
        // Whoever waits for an answer comes first.
        tokio::task::yield_now().await;
    }
}

async fn open_exceptions(app: &App, roster: &Roster, tenant: TenantId) -> Result<(), ReadError> {
    let mut after = None;
    loop {
        let page = exceptions::list(app, tenant, after, RANGE_MAX).await?;
        for (_, exception) in &page {
            roster.note_exception(tenant, exception);
        }
        if page.len() < RANGE_MAX {
            return Ok(());
        }
        after = page.last().map(|it| it.0.clone());
    }
}

/// Takes over the next commits; says whether there were any.
async fn take(
    app: &App,
    roster: &Roster,
    shard: u16,
    place: &mut u64,
    wait_ms: u64,
) -> Result<bool, ReadError> {
    let commits = app.store.changes(shard, *place, BATCH, wait_ms).await?;
    for commit in &commits {
        note(roster, commit);
        *place = commit.position;
    }
    Ok(!commits.is_empty())
}

fn note(roster: &Roster, commit: &Commit) {
    for change in commit.changes.iter() {
        let sort = change.key.sort();
        if sort != keys::PAYMENT_SORT && sort != exceptions::SORT {
            continue;
        }
        let (Some(tenant), Some(record)) = (tenant(&change.key), &change.record) else {
            continue;
        };
        if sort == exceptions::SORT {
            roster.note_exception(tenant, &decode(&record.body.bytes));
        } else {
            roster.note(tenant, [&decode(&record.body.bytes)]);
        }
    }
}

/// Whose a record is.
fn tenant(key: &Key) -> Option<TenantId> {
    key.partition().split_once('/')?.0.parse().ok()
}
