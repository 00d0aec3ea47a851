//! Lines of statements: taken in with what they settle, bring back and charge.

use super::{
    draft::{Draft, Stop},
    keys, payments, returns,
};
use crate::{
    command::{
        LINES_MAX, LineRecord, Payout, Posting, Rejection, Reply, SETTLES_MAX, TOGETHER_MAX,
        TakeLines,
    },
    ledger::{Rollup, Transaction},
    store::{Body, Key},
};

/// Takes the lines of each step in, once: a step whose line was taken in before is left out.
pub fn take_all(draft: &mut Draft<'_>, steps: &[TakeLines]) -> Result<Reply, Stop> {
    let too_many = |it: &TakeLines| it.lines.len() > LINES_MAX || it.settles.len() > SETTLES_MAX;
    if steps.iter().any(too_many) || !go_together(steps) {
        let what = "more lines or payments than one commit has room for";
        return Err(Rejection::WrongKind { what }.into());
    }
    let tenant = draft.tenant();
    for step in steps {
        for line in &step.lines {
            draft.want(&keys::line(tenant, &step.source, &line.digest));
            for name in &line.record.payouts {
                draft.want(&keys::payout(tenant, name));
            }
        }
        for id in &step.settles {
            draft.want(&keys::payment(tenant, *id));
        }
    }
    for step in steps {
        take(draft, step)?;
    }
    Ok(Draft::done(None))
}

/// Whether steps may share a commit: there is room, and none rests on what another changes.
fn go_together(steps: &[TakeLines]) -> bool {
    if steps.len() < 2 {
        return true;
    }
    let least = |it: &TakeLines| it.lines.len() + it.settles.len() + it.postings.len();
    let mut settled: Vec<_> = steps.iter().flat_map(|it| &it.settles).collect();
    let count = settled.len();
    settled.sort_unstable();
    settled.dedup();
    steps.iter().map(least).sum::<usize>() <= TOGETHER_MAX
        && steps.iter().all(|it| it.returns.is_empty())
        && settled.len() == count
}

fn take(draft: &mut Draft<'_>, take: &TakeLines) -> Result<(), Stop> {
    let tenant = draft.tenant();
    let key = |digest: &str| keys::line(tenant, &take.source, digest);
    for line in &take.lines {
        if draft.read::<LineRecord>(&key(&line.digest))?.is_some() {
            return Ok(());
        }
    }
    for id in &take.settles {
        payments::settlement_found(draft, *id)?;
    }
    for back in &take.returns {
        returns::found(draft, back)?;
    }
    for posting in &take.postings {
        post(draft, posting)?;
    }
    for line in &take.lines {
        let list = keys::lines_list(tenant, &take.source, &line.statement);
        let listed = Key::new(&list, &keys::line_sort(line.place, &line.digest));
        draft.create(key(&line.digest), Body::of(&line.record).listed(listed));
        if let Some(payout) = &line.payout {
            let listed = Key::new(&keys::payouts_list(tenant), &payout.name);
            let body = Body::of(payout).listed(listed);
            draft.create(keys::payout(tenant, &payout.name), body);
        }
        for name in &line.record.payouts {
            let line = format!("{}/{}", take.source, line.digest);
            came(draft, name, line)?;
        }
    }
    Ok(())
}

/// A bank told of a payout: it is awaited no longer.
fn came(draft: &mut Draft<'_>, name: &str, line: String) -> Result<(), Stop> {
    let key = keys::payout(draft.tenant(), name);
    match draft.read::<Payout>(&key)? {
        Some(payout) if payout.arrived.is_none() => {
            let arrived = Some(line);
            draft.put(&key, Body::of(&Payout { arrived, ..payout }));
            Ok(())
        }
        _ => {
            let what = "a payout comes once, and only one that was told of";
            Err(Rejection::WrongKind { what }.into())
        }
    }
}

fn post(draft: &mut Draft<'_>, posting: &Posting) -> Result<(), Stop> {
    let mut accounts = posting.legs.iter().map(|leg| leg.account.rollup());
    if !accounts.all(|rollup| rollup == Rollup::House) {
        let what = "what a line says is posted between house accounts";
        return Err(Rejection::WrongKind { what }.into());
    }
    let key = keys::transaction(draft.tenant(), posting.id);
    if draft.read::<Transaction>(&key)?.is_none() {
        draft.enter_as(posting.id, posting.journal, None, posting.legs.clone())?;
    }
    Ok(())
}
