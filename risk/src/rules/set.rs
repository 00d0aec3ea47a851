//! All rules of a tenant, compiled once, asked together.

use serde::{Deserialize, Serialize};

use super::{
    language::{Condition, Facts, Wrong},
    lists::Lists,
    rule::{Action, Mode, Rule},
};

/// The most rules that a tenant may have in force.
pub const RULES_MAX: usize = 500;

/// Rules that were compiled.
#[derive(Debug, Default)]
pub struct RuleSet {
    /// Grows with every change, so that a decision can name what it was made by.
    version: u64,
    rules: Vec<(Rule, Condition)>,
}

/// A rule that held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fired {
    /// Which.
    pub rule: String,
    /// Which version of it.
    pub version: u32,
    /// What it asks for.
    pub action: Action,
    /// Whether it decided, or was only noted.
    pub decides: bool,
    /// What it says.
    pub says: String,
}

/// What the rules said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The rules that held.
    pub fired: Vec<Fired>,
    /// The rules in force that could not be evaluated, and why. They are taken for a review: what
    /// could not be judged is looked at. One in the shadow that fails says nothing.
    pub failed: Vec<(String, String)>,
}

impl RuleSet {
    /// Compiles rules. Those that are off are checked and left out; the others may only ask
    /// `lists` that there are.
    ///
    /// # Errors
    /// The name of a rule and what is wrong with it.
    pub fn compile(
        version: u64,
        rules: Vec<Rule>,
        lists: &Lists,
    ) -> Result<Self, (String, Vec<Wrong>)> {
        let mut asked = Vec::new();
        for rule in rules {
            let checked = Condition::compile(&rule.condition).and_then(|condition| {
                let unknown = condition.unknown_list(lists);
                match unknown.filter(|_| rule.mode != Mode::Off) {
                    Some(wrong) => Err(vec![wrong]),
                    None => Ok(condition),
                }
            });
            match checked {
                Ok(condition) if rule.mode != Mode::Off => asked.push((rule, condition)),
                Ok(_) => {}
                Err(wrong) => return Err((rule.name, wrong)),
            }
        }
        Ok(Self {
            version,
            rules: asked,
        })
    }

    /// Which set this is.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// How many rules are asked.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Asks all rules about a payment.
    #[must_use]
    pub fn ask(&self, facts: &Facts<'_>) -> Answer {
        let mut answer = Answer::default();
        for (rule, condition) in &self.rules {
            let decides = rule.mode.decides(facts.event.id);
            match condition.holds(facts) {
                Ok(false) => {}
                Ok(true) => answer.fired.push(Fired {
                    rule: rule.name.clone(),
                    version: rule.version,
                    action: rule.action,
                    decides,
                    says: rule.says.clone(),
                }),
                Err(why) if decides => answer.failed.push((rule.name.clone(), why)),
                Err(_) => {}
            }
        }
        answer
    }
}

impl Answer {
    /// The severest action that a deciding rule asks for.
    #[must_use]
    pub fn severest(&self) -> Option<Action> {
        let deciding = self.fired.iter().filter(|fired| fired.decides);
        let asked = deciding.map(|fired| fired.action).max();
        if !self.failed.is_empty() {
            return asked.max(Some(Action::Review));
        }
        asked
    }
}
