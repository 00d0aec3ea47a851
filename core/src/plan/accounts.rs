//! Accounts: opened, closed when empty, and moved by postings of the tenant's own.

use super::{
    draft::{Draft, Stop, no_account},
    keys,
};
use crate::{
    command::{OpenAccount, PostLegs, Rejection, Reply, View},
    id::Id,
    journal::Journal,
    ledger::{Account, Balance, Layer, Rollup, Sums, Transaction},
    store::{Body, Key},
    tenant::TenantId,
};

pub fn open(draft: &mut Draft<'_>, open: &OpenAccount) -> Result<Reply, Stop> {
    let tenant = draft.tenant();
    let key = keys::account(tenant, open.id);
    let balance_key = keys::balance(tenant, open.id);
    draft.want(&balance_key);
    for alias in &open.aliases {
        draft.want(&keys::alias(&alias.blind));
    }
    if draft.read::<Account>(&key)?.is_some() {
        return Err(Rejection::Exists {
            id: open.id.to_string(),
        }
        .into());
    }
    for alias in &open.aliases {
        let key = keys::alias(&alias.blind);
        if draft.read::<(TenantId, Id<Account>)>(&key)?.is_some() {
            return Err(Rejection::AliasTaken.into());
        }
        draft.put(&key, Body::of(&(tenant, open.id)));
    }
    let account = Account {
        id: open.id,
        name: open.name.clone(),
        currency: open.currency,
        aliases: open.aliases.clone(),
        sealed: open.sealed.clone(),
        metadata: open.metadata.clone(),
        created_at: draft.now(),
    };
    // A house account may have had entries before anybody named it.
    let known = draft.read::<Balance>(&balance_key)?;
    let fresh = known.is_none();
    let balance = known.unwrap_or_else(|| Balance::opening(open.id, open.currency, draft.now()));
    let listed = Key::new(&keys::accounts_list(tenant), &open.id.to_string());
    draft.put(&key, Body::of(&account).listed(listed));
    let reply = draft.answer(201, None, View::Account(&account, &balance));
    if fresh {
        draft.open_balance(balance);
    }
    Ok(reply)
}

/// Closes a constrained account. A house account stays: its entries may still be on their way.
pub fn close(draft: &mut Draft<'_>, id: Id<Account>) -> Result<Reply, Stop> {
    if id.rollup() == Rollup::House {
        return Err(Rejection::WrongKind {
            what: "a house account cannot be closed",
        }
        .into());
    }
    draft.want_account(id);
    let account: Account = draft
        .read(&keys::account(draft.tenant(), id))?
        .ok_or_else(|| no_account(id))?;
    let Sums {
        debits_pending,
        credits_pending,
        ..
    } = draft.balance(id)?.sums;
    let idle = debits_pending == 0 && credits_pending == 0 && draft.balance(id)?.waiting == 0;
    if !idle || draft.balance(id)?.sums.available() > 0 {
        return Err(Rejection::AccountNotEmpty.into());
    }
    draft.balance_mut(id)?.open = false;
    draft.note("account.close", id, 0, None);
    let balance = draft.balance(id)?.clone();
    Ok(draft.answer(200, None, View::Account(&account, &balance)))
}

/// Writes legs of the tenant's own. Promises are made by holds, so these only post.
pub fn post_legs(draft: &mut Draft<'_>, post: &PostLegs) -> Result<Reply, Stop> {
    let key = keys::transaction(draft.tenant(), post.id);
    if draft.read::<Transaction>(&key)?.is_some() {
        return Err(Rejection::Exists {
            id: post.id.to_string(),
        }
        .into());
    }
    if post.legs.iter().any(|leg| leg.layer != Layer::Posted) {
        return Err(Rejection::WrongKind {
            what: "a posting's legs are posted",
        }
        .into());
    }
    for leg in &post.legs {
        draft.check_account(leg.account, leg.money.currency)?;
    }
    let transaction = draft.enter_as(post.id, Journal::Posting, None, post.legs.clone())?;
    Ok(draft.answer(201, None, View::Transaction(&transaction)))
}
