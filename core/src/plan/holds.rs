//! Holds by themselves: placed, posted in full or in part, released, expired.

use super::{
    draft::{Draft, Stop},
    keys,
};
use crate::{
    command::{PlaceHold, Rejection, Reply, View},
    hold::{Hold, HoldState},
    id::Id,
    journal::{self, Journal},
    money::Amount,
    store::{Body, Key},
    timer::{Due, Timer},
};

pub fn place(draft: &mut Draft<'_>, place: &PlaceHold) -> Result<Reply, Stop> {
    if place.debtor == place.creditor {
        return Err(Rejection::SameAccount.into());
    }
    if draft
        .read::<Hold>(&keys::hold(draft.tenant(), place.id))?
        .is_some()
    {
        return Err(Rejection::Exists {
            id: place.id.to_string(),
        }
        .into());
    }
    draft.check_account(place.debtor, place.money.currency)?;
    draft.check_account(place.creditor, place.money.currency)?;
    let now = draft.now();
    let hold = Hold {
        id: place.id,
        debtor: place.debtor,
        creditor: place.creditor,
        money: place.money,
        state: HoldState::Open,
        posted: 0,
        created_at: now,
        expires_at: now.plus_ms(place.expires_in_ms),
        ended_at: None,
    };
    let legs = journal::hold(hold.debtor, hold.creditor, hold.money);
    draft.enter(hold.id, 0, Journal::Hold, None, legs)?;
    let timer = Timer {
        tenant: draft.tenant(),
        due: hold.expires_at,
        what: Due::ExpireHold(hold.id),
    };
    if !crate::planted!(ExpiryLost) {
        draft.create(timer.key(), Body::of(&timer));
    }
    store(draft, &hold);
    Ok(draft.answer(201, None, View::Hold(&hold)))
}

pub fn post(draft: &mut Draft<'_>, id: Id<Hold>, amount: Option<Amount>) -> Result<Reply, Stop> {
    let mut hold = open_hold(draft, id)?;
    let amount = amount.unwrap_or(hold.money.amount);
    if amount > hold.money.amount {
        let (held, asked) = (hold.money.amount.minor(), amount.minor());
        return Err(Rejection::MoreThanHeld { held, asked }.into());
    }
    let mut legs = journal::post(hold.debtor, hold.creditor, hold.money, amount);
    if crate::planted!(PartReleased) {
        legs.iter_mut().for_each(|leg| leg.money.amount = amount);
    }
    draft.enter(hold.id, 1, Journal::HoldPost, None, legs)?;
    hold.state = HoldState::Posted;
    hold.posted = amount.minor();
    hold.ended_at = Some(draft.now());
    store(draft, &hold);
    Ok(draft.answer(200, None, View::Hold(&hold)))
}

pub fn void(draft: &mut Draft<'_>, id: Id<Hold>) -> Result<Reply, Stop> {
    let hold = open_hold(draft, id)?;
    let hold = release(draft, hold, HoldState::Voided)?;
    Ok(draft.answer(200, None, View::Hold(&hold)))
}

/// Releases a hold whose time has come. One that has ended stays as it ended.
pub fn expire(draft: &mut Draft<'_>, id: Id<Hold>) -> Result<(), Stop> {
    if let Some(hold) = draft.read::<Hold>(&keys::hold(draft.tenant(), id))?
        && hold.state == HoldState::Open
    {
        release(draft, hold, HoldState::Expired)?;
    }
    Ok(())
}

fn release(draft: &mut Draft<'_>, mut hold: Hold, state: HoldState) -> Result<Hold, Stop> {
    let legs = journal::void(hold.debtor, hold.creditor, hold.money);
    if !(crate::planted!(ExpiredHoldKept) && state == HoldState::Expired) {
        draft.enter(hold.id, 1, Journal::HoldVoid, None, legs)?;
    }
    hold.state = state;
    hold.ended_at = Some(draft.now());
    store(draft, &hold);
    Ok(hold)
}

/// A hold that can still be posted or released: open, and not past its time even if the timer
/// has not come round to it yet.
fn open_hold(draft: &Draft<'_>, id: Id<Hold>) -> Result<Hold, Stop> {
    let hold = draft
        .read::<Hold>(&keys::hold(draft.tenant(), id))?
        .ok_or_else(|| Rejection::NotFound {
            what: "hold",
            id: id.to_string(),
        })?;
    let state = match hold.state {
        HoldState::Open if draft.now() < hold.expires_at => return Ok(hold),
        _ if crate::planted!(HoldEndsTwice) => return Ok(hold),
        HoldState::Open | HoldState::Expired => "expired",
        HoldState::Posted => "posted",
        HoldState::Voided => "voided",
    };
    Err(Rejection::HoldEnded { state }.into())
}

fn store(draft: &mut Draft<'_>, hold: &Hold) {
    let tenant = draft.tenant();
    let listed = Key::new(&keys::holds_list(tenant), &hold.id.to_string());
    draft.put(&keys::hold(tenant, hold.id), Body::of(hold).listed(listed));
}
