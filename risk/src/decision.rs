//! The decision: a score and rules become approve, challenge, review or decline, with reasons.
//!
//! **Shape.** [`decide`] is a function of what is stored with the decision: the vector, the
//! versions of model and rules, the thresholds. So a decision can be made again years later, and
//! [`Decision::agrees`] says whether it comes out the same.
//!
//! **Order.** A rule that asks for more than the model prevails; so does one that asks for less
//! only if it is an exception (`approve`) and no other rule asks for more. What could not be
//! judged is reviewed, never waved through.

pub mod costs;
pub mod fallback;
pub mod plot;
pub mod reasons;

use serde::{Deserialize, Serialize};

pub use costs::{Costs, Thresholds};
pub use fallback::{Fallback, Plan};

use crate::{
    features::Vector,
    model::{Scorer, scorer::Contribution},
    rules::{Action, Facts, Fired, RuleSet},
};

/// The most reasons that are given.
const REASONS_MAX: usize = 4;

/// What was decided about a payment. Stored with it, in the commit that took it in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// What is done.
    pub action: Action,
    /// The probability of fraud, in millionths; none when no model was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<u32>,
    /// The rules that held.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fired: Vec<Fired>,
    /// Why, in plain words, the weightiest first.
    pub reasons: Vec<String>,
    /// Which model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Which set of rules.
    pub rule_set: u64,
    /// At which scores what is done.
    pub thresholds: Thresholds,
    /// What was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vector: Option<Vector>,
    /// Why the fallback decided, when it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Fallback>,
    /// What the challenger would have said, in millionths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenger: Option<Challenger>,
    /// How long it took, in microseconds. The only part that another run may find different.
    pub took_us: u32,
}

/// A model in the shadow, beside the one that decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenger {
    /// Which.
    pub model: String,
    /// Its score, in millionths.
    pub score: u32,
}

/// A probability in millionths, in which scores are stored and compared.
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // From 0 to a million.
pub fn millionths(probability: f64) -> u32 {
    (probability.clamp(0.0, 1.0) * 1e6).round() as u32
}

/// What decides.
#[derive(Clone, Copy, Debug)]
pub struct Judges<'a> {
    /// The model, when there is one.
    pub champion: Option<&'a Scorer>,
    /// A model in the shadow.
    pub challenger: Option<&'a Scorer>,
    /// The rules.
    pub rules: &'a RuleSet,
    /// At which scores what is done.
    pub thresholds: Thresholds,
}

/// Whom the score comes from.
#[derive(Clone, Copy, Debug)]
pub enum Score<'a> {
    /// From the champion, if there is one.
    Own,
    /// From a model elsewhere, in millionths.
    Given(u32, &'a str),
    /// From nobody, although somebody was asked: the plan decides in the model's place.
    Missing(Fallback, &'a Plan),
}

/// Decides about a payment.
#[must_use]
pub fn decide(judges: Judges<'_>, facts: &Facts<'_>, score: Score<'_>) -> Decision {
    let scored = match (score, judges.champion) {
        (Score::Given(score, model), _) => Some((score, model)),
        (Score::Own, Some(model)) => {
            Some((millionths(model.probability(facts.vector)), model.version()))
        }
        (Score::Own, None) | (Score::Missing(..), _) => None,
    };
    let answer = judges.rules.ask(facts);
    let (by_model, fallback) = match (score, scored) {
        (Score::Missing(why, plan), _) => (plan.action(facts.rail, facts.event.amount), Some(why)),
        (_, Some((score, _))) => (judges.thresholds.action(score), None),
        (_, None) => (Action::Approve, None),
    };
    let action = match answer.severest() {
        None => by_model,
        Some(Action::Approve) => Action::Approve,
        Some(asked) => asked.max(by_model),
    };
    let contributions = match (by_model, score, judges.champion) {
        // Reasons cost as much as the score, and nobody asks why a payment was let through.
        (Action::Challenge | Action::Review | Action::Decline, Score::Own, Some(model)) => {
            model.contributions(facts.vector)
        }
        _ => Vec::new(),
    };
    let mut reasons = reasons(&answer.fired, &answer.failed, &contributions, action);
    if let Some(why) = fallback {
        reasons.insert(0, why.in_words().to_owned());
    }
    // A model elsewhere names no features; that it was the model is said all the same.
    if let Some((score, model)) = scored
        && reasons.is_empty()
        && action != Action::Approve
    {
        reasons.push(reasons::of_score(model, score));
    }
    Decision {
        action,
        score: scored.map(|(score, _)| score),
        reasons,
        fired: answer.fired,
        model: scored.map(|(_, version)| version.to_owned()),
        rule_set: judges.rules.version(),
        thresholds: judges.thresholds,
        vector: Some(facts.vector.clone()),
        fallback,
        challenger: judges.challenger.map(|model| Challenger {
            model: model.version().to_owned(),
            score: millionths(model.probability(facts.vector)),
        }),
        took_us: 0,
    }
}

/// What rules say first, then what they could not judge, then what moved the model.
fn reasons(
    fired: &[Fired],
    failed: &[(String, String)],
    contributions: &[Contribution],
    action: Action,
) -> Vec<String> {
    let mut deciding: Vec<&Fired> = fired.iter().filter(|fired| fired.decides).collect();
    deciding.sort_by_key(|fired| std::cmp::Reverse(fired.action));
    let mut reasons: Vec<String> = deciding.iter().map(|fired| fired.says.clone()).collect();
    let failed = failed.iter();
    reasons.extend(failed.map(|(rule, why)| format!("the rule {rule} could not be judged: {why}")));
    if action != Action::Approve {
        let towards = contributions.iter().filter(|part| part.weight > 0.0);
        let mut words: Vec<String> = towards.map(reasons::in_words).collect();
        words.dedup();
        reasons.extend(words);
    }
    reasons.truncate(REASONS_MAX);
    reasons
}

impl Decision {
    /// Whether this decision and one that was made again say the same, time taken left out.
    #[must_use]
    pub fn agrees(&self, again: &Self) -> bool {
        let again = Self {
            took_us: self.took_us,
            ..again.clone()
        };
        *self == again
    }
}

#[cfg(test)]
mod tests;
