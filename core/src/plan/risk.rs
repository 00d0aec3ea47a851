//! Settles what risk says of a payment, in the commit that takes the payment in.

use super::{
    draft::{Draft, Stop},
    keys,
};
use crate::{
    command::Pay,
    risk::{Action, Counter, Kept},
    store::{Body, Key},
};

/// Counts the payment against its limits, keeps the decision, and answers what is done: what risk
/// wants, or what an exceeded limit wants where that is severer.
pub fn settle(draft: &mut Draft<'_>, pay: &Pay) -> Result<Action, Stop> {
    let Some(assessment) = &pay.risk else {
        return Ok(Action::Approve);
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
        counted.push((limit.always, key, Counter { period, used }));
    }
    for (always, key, counter) in counted {
        if always || action != Action::Decline {
            draft.put(&key, Body::of(&counter));
        }
    }
    let mut body = Body::of(&Kept {
        action,
        exceeded,
        decision: assessment.decision.clone(),
    });
    // What nobody need look at is found through its payment.
    if action != Action::Approve {
        let list = keys::decisions_list(draft.tenant());
        body = body.listed(Key::new(&list, pay.id.text().as_str()));
    }
    draft.create(keys::decision(draft.tenant(), pay.id), body);
    Ok(action)
}
