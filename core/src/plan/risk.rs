//! Settles what risk says of a payment, in the commit that takes the payment in, and gives back what
//! one that fails has used of limits, in the commit in which it fails.

use super::{
    draft::{Draft, Stop},
    keys,
};
use crate::{
    id::Id,
    lifecycle::Stage,
    payment::Payment,
    risk::{Action, Assessment, Counter, Kept, Limit, Used},
    store::{Body, Key},
};

/// What is done with a payment, and what it would use.
pub struct Settled<'a> {
    /// What risk wants, or what an exceeded limit wants where that is severer.
    pub action: Action,
    counted: Vec<(&'a Limit, Counter)>,
}

/// Holds a payment against its limits, and keeps the decision. What is used is counted when it is
/// known whether the payment fails ([`count`]).
pub fn settle<'a>(
    draft: &mut Draft<'_>,
    id: Id<Payment>,
    assessment: Option<&'a Assessment>,
) -> Result<Settled<'a>, Stop> {
    let Some(assessment) = assessment else {
        return Ok(Settled {
            action: Action::Approve,
            counted: Vec::new(),
        });
    };
    let now = draft.now();
    let mut action = assessment.action;
    let (mut counted, mut exceeded) = (Vec::new(), Vec::new());
    for limit in &assessment.limits {
        let key = keys::limit(draft.tenant(), &limit.counter);
        let counter = draft.read::<Counter>(&key)?.unwrap_or_default();
        let period = limit.period(now);
        let used = counter.used_in(period).saturating_add(limit.add);
        if used > limit.most {
            action = action.max(limit.action);
            exceeded.push(limit.name.clone());
        }
        counted.push((limit, Counter { period, used }));
    }
    let mut body = Body::of(&Kept {
        action,
        exceeded,
        decision: assessment.decision.clone(),
    });
    // What nobody need look at is found through its payment.
    if action != Action::Approve {
        let list = keys::decisions_list(draft.tenant());
        body = body.listed(Key::new(&list, id.text().as_str()));
    }
    draft.create(keys::decision(draft.tenant(), id), body);
    Ok(Settled { action, counted })
}

/// Counts what a payment uses: attempts always, amounts unless it has failed at once.
pub fn count(draft: &mut Draft<'_>, payment: &mut Payment, settled: Settled<'_>) {
    for (limit, counter) in settled.counted {
        if !limit.always {
            if payment.stage == Stage::Failed {
                continue;
            }
            payment.limits.push(Used {
                counter: limit.counter.clone(),
                period: counter.period,
                amount: limit.add,
            });
        }
        let key = keys::limit(draft.tenant(), &limit.counter);
        draft.put(&key, Body::of(&counter));
    }
}

/// Gives back what a payment used that fails. A period that is over has nothing to be given back to.
pub fn take_back(draft: &mut Draft<'_>, payment: &mut Payment) -> Result<(), Stop> {
    let tenant = draft.tenant();
    let used = std::mem::take(&mut payment.limits);
    for used in &used {
        draft.want(&keys::limit(tenant, &used.counter));
    }
    for Used {
        counter,
        period,
        amount,
    } in used
    {
        let key = keys::limit(tenant, &counter);
        let known = draft.read::<Counter>(&key)?.unwrap_or_default();
        if known.period == period {
            let used = known.used.saturating_sub(amount);
            draft.put(&key, Body::of(&Counter { period, used }));
        }
    }
    Ok(())
}
