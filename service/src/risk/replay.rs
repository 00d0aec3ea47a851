//! Makes a stored decision again, from what is stored: the vector, the policy and the model of its
//! versions. It comes out the same, or something is wrong.

use std::{borrow::Cow, sync::Arc};

use lombard_risk::{
    decision::{Decision, Score, decide},
    model::{
        Scorer,
        scorer::{Contribution, File},
    },
    policy::Policy,
    rules::Facts,
};

use super::{
    Desk, Judged,
    archive::{self, What},
    policies::{self, NotThere},
};
use crate::{app::App, ports::ReadError};

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Replay {
    /// The same, time taken left out.
    Same,
    /// Something else.
    Other(Box<Decision>),
    /// It cannot be made again, because this is not there.
    Missing(&'static str),
}

impl Replay {
    /// As it is written.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Other(_) => "other",
            Self::Missing(_) => "missing",
        }
    }
}

/// A decision that was made again.
pub struct Replayed {
    /// What came of it.
    pub result: Replay,
    /// What moved the model, the strongest first, where the model is here.
    pub contributions: Vec<Contribution>,
}

impl From<Replay> for Replayed {
    fn from(result: Replay) -> Self {
        let contributions = Vec::new();
        Self {
            result,
            contributions,
        }
    }
}

/// Makes a decision again.
///
/// # Errors
/// See [`ReadError`].
pub async fn replay(app: &App, desk: &Desk, judged: &Judged) -> Result<Replayed, ReadError> {
    let stored = &judged.decision;
    let Some(policy) = policy(app, desk, judged).await? else {
        return Ok(Replay::Missing("the policy of that version").into());
    };
    let Some(vector) = &stored.vector else {
        let Some(why) = stored.fallback else {
            return Ok(Replay::Missing("the features").into());
        };
        let (rail, amount) = (&judged.rail, judged.event.amount);
        let again = policy.fallback.decide(why, rail, amount, stored.rule_set);
        return Ok(compared(stored, again).into());
    };
    let model = match &stored.model {
        Some(version) => model(app, desk, version).await?,
        None => None,
    };
    let score = match (stored.fallback, stored.score, &stored.model, &model) {
        (Some(why), ..) => Score::Missing(why, &policy.fallback),
        // A model elsewhere gave it, and it was stored.
        (None, Some(score), Some(name), None) => Score::Given(score, name),
        _ => Score::Own,
    };
    let facts = Facts {
        vector,
        event: &judged.event,
        rail: &judged.rail,
        currency: &judged.currency,
        lists: &policy.lists,
    };
    let mut again = decide(desk.judges(&policy, model.as_deref()), &facts, score);
    // What decided nothing is kept as it was said.
    again.challenger.clone_from(&stored.challenger);
    Ok(Replayed {
        result: compared(stored, again),
        contributions: model.map_or_else(Vec::new, |model| model.contributions(vector)),
    })
}

fn compared(stored: &Decision, again: Decision) -> Replay {
    if stored.agrees(&again) {
        Replay::Same
    } else {
        Replay::Other(Box::new(again))
    }
}

async fn policy(app: &App, desk: &Desk, judged: &Judged) -> Result<Option<Arc<Policy>>, ReadError> {
    let (tenant, version) = (judged.tenant, judged.decision.rule_set);
    let now = desk.policy(tenant);
    if now.rules.version() == version {
        return Ok(Some(now));
    }
    match policies::at(app, desk, tenant, version, &judged.event).await {
        Ok(Some(own)) => return Ok(Some(Arc::new(own))),
        // A version of the file.
        Ok(None) => {}
        Err(NotThere::Read(error)) => return Err(error),
        Err(NotThere::Refused(_) | NotThere::Missing { .. }) => return Ok(None),
    }
    let file = desk.file();
    if file.rules.version() == version {
        return Ok(Some(file));
    }
    let text = archive::load(app, What::Policy, &version.to_string()).await?;
    Ok(text
        .and_then(|text| Policy::parse(&text).ok())
        .map(Arc::new))
}

async fn model<'a>(
    app: &App,
    desk: &'a Desk,
    version: &str,
) -> Result<Option<Cow<'a, Scorer>>, ReadError> {
    if let Some(own) = desk.champion().filter(|own| own.version() == version) {
        return Ok(Some(Cow::Borrowed(own)));
    }
    let text = archive::load(app, What::Model, version).await?;
    let read = |text: String| File::parse(&text).ok()?.scorer().ok();
    Ok(text.and_then(read).map(Cow::Owned))
}
