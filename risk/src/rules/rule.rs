//! A rule: a condition, what it asks for, and how it came to be in force.
//!
//! **Invariants.** A version never changes: an edit is a new version. Who wrote a version cannot
//! activate it. A version that decides about payments was activated by somebody, and says by whom.

pub use lombard_core::risk::Action;
use lombard_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::features::event::mix;

/// How far a rule is in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "mode", content = "percent")]
pub enum Mode {
    /// It is not asked.
    #[default]
    Off,
    /// It is asked and noted, and decides nothing.
    Shadow,
    /// It decides.
    Live,
    /// It decides about this share of payments, and is noted for the others. Which, follows from
    /// the payment's id: the same payment is always on the same side.
    Percentage(u8),
}

impl Mode {
    /// Whether it decides about any payment, which takes a second person.
    #[must_use]
    pub const fn may_decide(self) -> bool {
        matches!(self, Self::Live | Self::Percentage(_))
    }

    /// Whether it decides about this payment.
    #[must_use]
    pub const fn decides(self, payment: u64) -> bool {
        match self {
            Self::Off | Self::Shadow => false,
            Self::Live => true,
            Self::Percentage(share) => mix(payment) % 100 < share as u64,
        }
    }
}

impl Mode {
    /// The mode of a name, with the share of payments that only a percentage has.
    ///
    /// # Errors
    /// See [`NoMode`].
    pub const fn named(name: ModeName, percent: Option<u8>) -> Result<Self, NoMode> {
        match (name, percent) {
            (ModeName::Off, None) => Ok(Self::Off),
            (ModeName::Shadow, None) => Ok(Self::Shadow),
            (ModeName::Live, None) => Ok(Self::Live),
            (ModeName::Percentage, Some(share @ 1..=100)) => Ok(Self::Percentage(share)),
            (ModeName::Percentage, _) => Err(NoMode::Share),
            (_, Some(_)) => Err(NoMode::Needless),
        }
    }
}

/// A mode by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModeName {
    /// See [`Mode::Off`].
    Off,
    /// See [`Mode::Shadow`].
    Shadow,
    /// See [`Mode::Live`].
    Live,
    /// See [`Mode::Percentage`].
    Percentage,
}

/// Why a name and a share are no mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMode {
    /// A percentage has no share, or an impossible one.
    #[error("a percentage needs its share of payments, `percent`, from 1 to 100")]
    Share,
    /// Another mode has one.
    #[error("only the mode `percentage` has a share of payments, `percent`")]
    Needless,
}

/// One version of a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct Rule {
    /// What it is called; the same for all its versions.
    pub name: String,
    /// From 1.
    pub version: u32,
    /// The condition.
    pub condition: String,
    /// What it asks for when the condition holds. `approve` is an exception: it takes the payment
    /// out of what the model says, never out of what another rule says.
    pub action: Action,
    /// What is told to whoever asks why, in plain words.
    pub says: String,
    /// Who wrote it.
    pub author: String,
    /// Why.
    pub reason: String,
    /// When: a day, or a moment.
    #[serde(with = "crate::moment")]
    pub written_at: Timestamp,
    /// How far it is in force.
    #[serde(flatten)]
    pub mode: Mode,
    /// Who put it in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activated_by: Option<String>,
    /// When.
    #[serde(
        default,
        with = "crate::moment::maybe",
        skip_serializing_if = "Option::is_none"
    )]
    pub activated_at: Option<Timestamp>,
}

/// A rule as it is written: a member that is not known is refused, so that nobody believes in one
/// that is passed over.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    version: u32,
    condition: String,
    action: Action,
    says: String,
    author: String,
    reason: String,
    #[serde(with = "crate::moment")]
    written_at: Timestamp,
    mode: ModeName,
    percent: Option<u8>,
    activated_by: Option<String>,
    #[serde(default, with = "crate::moment::maybe")]
    activated_at: Option<Timestamp>,
}

impl TryFrom<Written> for Rule {
    type Error = NoMode;

    fn try_from(it: Written) -> Result<Self, NoMode> {
        Ok(Self {
            mode: Mode::named(it.mode, it.percent)?,
            name: it.name,
            version: it.version,
            condition: it.condition,
            action: it.action,
            says: it.says,
            author: it.author,
            reason: it.reason,
            written_at: it.written_at,
            activated_by: it.activated_by,
            activated_at: it.activated_at,
        })
    }
}

/// Why a rule is not put in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotActivated {
    /// Whoever wrote it may not do that.
    #[error("a rule is put in force by somebody other than its author")]
    OwnRule,
    /// A share is from 1 to 100.
    #[error("a percentage is from 1 to 100")]
    Percentage,
}

impl Rule {
    /// The same version, in another mode. Turning it off, or into the shadow, takes one person:
    /// in an emergency nobody should have to be found.
    ///
    /// # Errors
    /// See [`NotActivated`].
    pub fn activate(mut self, mode: Mode, by: &str, at: Timestamp) -> Result<Self, NotActivated> {
        match mode {
            Mode::Off | Mode::Shadow => {}
            Mode::Percentage(0 | 101..) => return Err(NotActivated::Percentage),
            Mode::Live | Mode::Percentage(_) if by == self.author => {
                return Err(NotActivated::OwnRule);
            }
            Mode::Live | Mode::Percentage(_) => {}
        }
        self.mode = mode;
        self.activated_by = Some(by.to_owned());
        self.activated_at = Some(at);
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> Rule {
        Rule {
            name: "big".into(),
            version: 1,
            condition: "amount > 100".into(),
            action: Action::Review,
            says: "it is big".into(),
            author: "ann".into(),
            reason: "many were".into(),
            written_at: Timestamp::default(),
            mode: Mode::Off,
            activated_by: None,
            activated_at: None,
        }
    }

    #[test]
    fn it_takes_two_to_put_a_rule_in_force() {
        let at = Timestamp::default();
        assert_eq!(
            rule().activate(Mode::Live, "ann", at),
            Err(NotActivated::OwnRule)
        );
        assert_eq!(
            rule().activate(Mode::Percentage(101), "bob", at),
            Err(NotActivated::Percentage)
        );
        let live = rule().activate(Mode::Live, "bob", at).unwrap();
        assert_eq!(live.activated_by.as_deref(), Some("bob"));
        let off = live.activate(Mode::Off, "ann", at).unwrap();
        assert_eq!(off.mode, Mode::Off);
    }

    #[test]
    fn a_percentage_is_about_that_share() {
        let decided = (0..10_000)
            .filter(|id| Mode::Percentage(30).decides(*id))
            .count();
        assert!((2_800..3_200).contains(&decided), "{decided}");
        assert!((0..100).all(|id| Mode::Percentage(100).decides(id)));
    }

    #[test]
    fn a_rule_reads_back() {
        let rule = rule()
            .activate(Mode::Percentage(5), "bob", Timestamp::default())
            .unwrap();
        let text = serde_json::to_string(&rule).unwrap();
        assert_eq!(serde_json::from_str::<Rule>(&text).unwrap(), rule, "{text}");
    }
}
