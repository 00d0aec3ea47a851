//! Lines of statements: taken in with what they settle, bring back and charge.

use super::{
    draft::{Draft, Stop},
    keys, payments, returns,
};
use crate::{
    command::{LINES_MAX, LineRecord, Posting, Rejection, Reply, SETTLES_MAX, TakeLines},
    ledger::{Rollup, Transaction},
    store::{Body, Key},
};

/// Takes lines in, once.
pub fn take(draft: &mut Draft<'_>, take: &TakeLines) -> Result<Reply, Stop> {
    if take.lines.len() > LINES_MAX || take.settles.len() > SETTLES_MAX {
        let what = "more lines or payments than one commit has room for";
        return Err(Rejection::WrongKind { what }.into());
    }
    let tenant = draft.tenant();
    let key = |digest: &str| keys::line(tenant, &take.source, digest);
    for line in &take.lines {
        draft.want(&key(&line.digest));
    }
    for id in &take.settles {
        draft.want(&keys::payment(tenant, *id));
    }
    for line in &take.lines {
        if draft.read::<LineRecord>(&key(&line.digest))?.is_some() {
            return Err(Stop::Decided(Draft::done(None)));
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
        let listed = Key::new(&list, &line.digest);
        draft.create(key(&line.digest), Body::of(&line.record).listed(listed));
    }
    Ok(Draft::done(None))
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
