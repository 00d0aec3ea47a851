//! What payments ask of their parties: rules, and what they found.

use serde::{Deserialize, Deserializer, Serialize, de};

use super::{Profile, Standing, State};
use crate::{currency::Currency, id::Id, money::Money, rail::Rail, time::Timestamp};

/// The longest name of a rule.
pub const NAME_MAX: usize = 100;

/// When a payment is held or refused for the state of its parties. The severest of all rules that fit
/// counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What it is called: 1 to [`NAME_MAX`] characters.
    #[serde(deserialize_with = "name")]
    pub name: String,
    /// Whose state it asks for.
    #[serde(default)]
    pub side: Side,
    /// For which rails alone; for all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rails: Vec<Rail>,
    /// For which currency alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// For payments of more than so many minor units alone.
    #[serde(default)]
    pub above: u64,
    /// In these states the payment waits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hold: Vec<State>,
    /// In these it is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refuse: Vec<State>,
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    if (1..=NAME_MAX).contains(&name.chars().count()) {
        return Ok(name);
    }
    Err(de::Error::custom(format!(
        "expected 1 to {NAME_MAX} characters"
    )))
}

/// Whose state a rule asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Both.
    #[default]
    Both,
    /// Who pays.
    Debtor,
    /// Who is paid.
    Creditor,
}

impl Rule {
    /// Whether it is for a payment of so much over a rail.
    #[must_use]
    pub fn fits(&self, money: Money, rail: Rail) -> bool {
        money.amount.minor() > self.above
            && self.currency.is_none_or(|own| own == money.currency)
            && (self.rails.is_empty() || self.rails.contains(&rail))
    }

    fn asks(&self, side: Side) -> bool {
        self.side == Side::Both || self.side == side
    }

    fn outcome(&self, state: State) -> Outcome {
        if self.refuse.contains(&state) {
            Outcome::Refuse
        } else if self.hold.contains(&state) {
            Outcome::Hold
        } else {
            Outcome::Pass
        }
    }
}

/// What the state of a side does to a payment, from the mildest to the severest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing.
    Pass,
    /// It waits.
    Hold,
    /// It fails.
    Refuse,
}

/// What a payment asks of its parties, and what was found. Kept with the payment: rules that change
/// later do not change it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The rules that fit it.
    pub rules: Vec<Rule>,
    /// What was found when it was last looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<Found>,
}

/// What was found of a side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Which: debtor or creditor.
    pub side: Side,
    /// By what its standing is kept: see [`side_of`].
    pub name: String,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<Id<Profile>>,
    /// How far it is known.
    pub state: State,
    /// The rule that holds or refuses the payment for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What that comes to.
    pub outcome: Outcome,
}

impl Check {
    /// The check that a payment needs, if any rule fits it.
    #[must_use]
    pub fn of(rules: &[Rule]) -> Option<Box<Self>> {
        let check = Self {
            rules: rules.to_vec(),
            found: Vec::new(),
        };
        (!rules.is_empty()).then(|| Box::new(check))
    }

    /// Whether any rule asks for the state of a side.
    #[must_use]
    pub fn asks(&self, side: Side) -> bool {
        self.rules.iter().any(|rule| rule.asks(side))
    }

    /// What the rules say of a side that is found as it is.
    #[must_use]
    pub fn judge(
        &self,
        side: Side,
        name: String,
        standing: Option<Standing>,
        now: Timestamp,
    ) -> Found {
        let state = standing.map_or(State::Unknown, |it| it.state(now));
        let asking = self.rules.iter().filter(|rule| rule.asks(side));
        // Of equal ones the first counts, as they are written.
        let severest = asking.rev().max_by_key(|rule| rule.outcome(state));
        let outcome = severest.map_or(Outcome::Pass, |rule| rule.outcome(state));
        let rule = severest.filter(|_| outcome != Outcome::Pass);
        Found {
            side,
            name,
            party: standing.map(|it| it.party),
            state,
            rule: rule.map(|rule| rule.name.clone()),
            outcome,
        }
    }

    /// What all that was found comes to.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let outcomes = self.found.iter().map(|found| found.outcome);
        outcomes.max().unwrap_or(Outcome::Pass)
    }

    /// The side whose change the payment waits for.
    #[must_use]
    pub fn holder(&self) -> Option<&str> {
        let mut found = self.found.iter();
        let held = found.find(|found| found.outcome == Outcome::Hold);
        held.map(|found| found.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str, hold: &[State], refuse: &[State]) -> Rule {
        Rule {
            name: name.to_owned(),
            side: Side::Both,
            rails: Vec::new(),
            currency: None,
            above: 0,
            hold: hold.to_vec(),
            refuse: refuse.to_vec(),
        }
    }

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_unix_ms(ms)
    }

    #[test]
    fn the_severest_rule_counts_and_the_first_of_equal_ones() {
        let rules = [
            rule("first", &[State::Unknown, State::Pending], &[]),
            rule("second", &[State::Unknown], &[]),
            rule("third", &[], &[State::Pending]),
        ];
        let check = Check::of(&rules).unwrap();
        let found = |state| {
            let standing = Standing {
                party: Id::from_bits(1),
                state,
                valid_until: None,
            };
            check.judge(Side::Debtor, "acc".to_owned(), Some(standing), at(1))
        };
        let nobody = check.judge(Side::Debtor, "acc".to_owned(), None, at(1));
        assert_eq!(
            (nobody.rule.as_deref(), nobody.outcome),
            (Some("first"), Outcome::Hold)
        );
        let pending = found(State::Pending);
        assert_eq!(
            (pending.rule.as_deref(), pending.outcome),
            (Some("third"), Outcome::Refuse)
        );
        let verified = found(State::Verified);
        assert_eq!((verified.rule, verified.outcome), (None, Outcome::Pass));
    }

    #[test]
    fn a_rule_is_for_more_than_its_amount_on_its_rails() {
        let money = |minor| Money {
            amount: crate::money::Amount::try_from(minor).unwrap(),
            currency: Currency::GBP,
        };
        let mut rule = rule("large", &[], &[]);
        rule.above = 100;
        rule.rails = vec![Rail::Fps];
        assert!(rule.fits(money(101), Rail::Fps));
        assert!(!rule.fits(money(100), Rail::Fps));
        assert!(!rule.fits(money(101), Rail::Book));
        rule.currency = Some(Currency::EUR);
        assert!(!rule.fits(money(101), Rail::Fps));
    }
}
