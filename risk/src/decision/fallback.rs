//! What is done when no judgement came in time: configured for each rail and amount, and written
//! into the decision. Never a silent yes.

use serde::{Deserialize, Serialize};

use super::{Decision, Thresholds};
use crate::rules::Action;

/// Why there was no judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fallback {
    /// It took too long.
    TooSlow,
    /// What judges could not be reached, or answered nonsense.
    Unavailable,
}

impl Fallback {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooSlow => "too_slow",
            Self::Unavailable => "unavailable",
        }
    }

    /// What happened, for whoever asks why.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::TooSlow => "the risk decision took too long; the configured fallback decided",
            Self::Unavailable => "no risk decision could be had; the configured fallback decided",
        }
    }
}

/// One line of the configuration; the first that fits holds. A misspelt member would make it fit
/// more than was meant, so there is none that is passed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// For this rail; none for every one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rail: Option<String>,
    /// Up to this amount and itself, in minor units; none for every one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<u64>,
    /// What is done.
    pub action: Action,
}

/// The configuration. What no line fits is reviewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Plan(pub Vec<Line>);

impl Default for Plan {
    /// Small payments go ahead, all others are looked at.
    fn default() -> Self {
        Self(vec![Line {
            rail: None,
            up_to: Some(2_500),
            action: Action::Approve,
        }])
    }
}

impl Plan {
    /// What is done with a payment.
    #[must_use]
    pub fn action(&self, rail: &str, amount: u64) -> Action {
        let fits = |line: &&Line| {
            line.rail.as_deref().is_none_or(|only| only == rail)
                && line.up_to.is_none_or(|most| amount <= most)
        };
        self.0
            .iter()
            .find(fits)
            .map_or(Action::Review, |line| line.action)
    }

    /// The decision of the plan when not even rules could be asked; it says that it is one.
    #[must_use]
    pub fn decide(&self, why: Fallback, rail: &str, amount: u64, rule_set: u64) -> Decision {
        Decision {
            action: self.action(rail, amount),
            score: None,
            fired: Vec::new(),
            reasons: vec![why.in_words().to_owned()],
            model: None,
            rule_set,
            thresholds: Thresholds::default(),
            vector: None,
            fallback: Some(why),
            challenger: None,
            took_us: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_line_is_refused_and_does_not_fit_all() {
        let line = r#"[{"rial": "fps", "up_to": 1000, "action": "approve"}]"#;
        let refused = serde_json::from_str::<Plan>(line).unwrap_err();
        assert!(refused.to_string().contains("rial"), "{refused}");
    }

    #[test]
    fn the_first_line_that_fits_holds_and_the_rest_is_reviewed() {
        let plan: Plan = serde_json::from_str(
            r#"[{"rail": "fps", "up_to": 1000, "action": "approve"}, {"rail": "fps", "action": "decline"}]"#,
        )
        .unwrap();
        assert_eq!(plan.action("fps", 1000), Action::Approve);
        assert_eq!(plan.action("fps", 1001), Action::Decline);
        assert_eq!(plan.action("book", 1), Action::Review);
        let decision = plan.decide(Fallback::TooSlow, "fps", 1, 4);
        assert_eq!(
            (decision.fallback, decision.rule_set),
            (Some(Fallback::TooSlow), 4)
        );
        assert!(decision.reasons[0].contains("too long"));
    }
}
