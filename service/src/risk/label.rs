//! Labels: what became of a payment, told when it is known. They flow to the profiles through the
//! change feed like everything else, so they are learned when they came and not before.

use std::time::Duration;

use lombard_core::{
    id::Id,
    payment::Payment,
    plan::keys,
    store::{Body, Key, WriteSet},
    tenant::TenantId,
    time::Timestamp,
};
use lombard_risk::features::Outcome;
use serde::{Deserialize, Serialize};

use super::{Judged, claim};

/// Who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A chargeback.
    Chargeback,
    /// A claim of authorised push payment fraud that was confirmed.
    Claim,
    /// An analyst who looked at it.
    Analyst,
    /// The customer, or another bank.
    Report,
    /// Nobody complained in time.
    Silence,
}

impl Source {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Chargeback,
        Self::Claim,
        Self::Analyst,
        Self::Report,
        Self::Silence,
    ];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chargeback => "chargeback",
            Self::Claim => "claim",
            Self::Analyst => "analyst",
            Self::Report => "report",
            Self::Silence => "silence",
        }
    }

    /// Whether what this source says holds against what the other said: that nobody complained is
    /// the weakest, that somebody's money is gone the strongest.
    const fn outweighs(self, other: Self) -> bool {
        self.weight() > other.weight()
    }

    const fn weight(self) -> u8 {
        match self {
            Self::Silence => 0,
            Self::Analyst => 1,
            Self::Report => 2,
            Self::Claim | Self::Chargeback => 3,
        }
    }
}

/// What became of a payment. That it was fraud never changes: what was learned cannot be unlearned.
/// That it was genuine holds until a weightier source says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// Of which payment.
    pub payment: Id<Payment>,
    /// Who says so.
    pub source: Source,
    /// When it was told.
    pub told_at: Timestamp,
    /// By whom.
    pub by: String,
    /// What the profiles learn of it.
    pub outcome: Outcome,
    /// Who had said that it was genuine, if somebody had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrects: Option<Source>,
    /// When the payer claimed to have been deceived into it, where the fraud was known before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_at: Option<Timestamp>,
}

/// What comes of telling a label.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// It is known from now on, or more is.
    News(Box<Label>),
    /// It was known.
    Known(Box<Label>),
    /// The opposite is known, from a source that weighs no less.
    Opposite,
}

impl Label {
    /// What is known of a payment that was judged, as told by `source` at a moment.
    #[must_use]
    pub fn new(judged: &Judged, fraud: bool, source: Source, at: Timestamp, by: &str) -> Self {
        Self {
            payment: judged.payment,
            source,
            told_at: at,
            by: by.to_owned(),
            outcome: Outcome {
                event: judged.event.clone(),
                fraud,
                times_typical: judged.times_typical(),
            },
            corrects: None,
            claimed_at: None,
        }
    }

    /// Writes it, and begins the clock of a claim that it tells of.
    pub fn write(&self, writes: &mut WriteSet, judged: &Judged) {
        writes.put(&key(judged.tenant, judged.payment), Body::of(self));
        claim::start(writes, judged, self);
    }

    /// When the payer claimed to have been deceived, if he did.
    #[must_use]
    pub fn claimed(&self) -> Option<Timestamp> {
        let told = self.outcome.fraud && self.source == Source::Claim;
        self.claimed_at.or(told.then_some(self.told_at))
    }

    /// Whether the payment was not the payer's: fraud, other than that he was deceived into ordering
    /// it himself.
    #[must_use]
    pub fn is_unauthorised(&self) -> bool {
        self.outcome.fraud && self.source != Source::Claim
    }

    /// Whether the profiles learn from it, or have from what was told before.
    #[must_use]
    pub const fn teaches(&self) -> bool {
        self.claimed_at.is_none()
    }

    /// How long after the payment it was told.
    #[must_use]
    pub fn delay(&self) -> Duration {
        let paid = self.outcome.event.at.unix_ms();
        Duration::from_millis(self.told_at.unix_ms().saturating_sub(paid))
    }

    /// What is known once `self` is told after `known`.
    #[must_use]
    pub fn after(self, known: Option<Self>) -> Told {
        let Some(known) = known else {
            return Told::News(Box::new(self));
        };
        match (known.outcome.fraud, self.outcome.fraud) {
            (true, true) if self.source == Source::Claim && known.claimed().is_none() => {
                Told::News(Box::new(Self {
                    claimed_at: Some(self.told_at),
                    ..known
                }))
            }
            (false, true) if self.source.outweighs(known.source) => Told::News(Box::new(Self {
                corrects: Some(known.source),
                ..self
            })),
            (before, now) if before == now => Told::Known(Box::new(known)),
            _ => Told::Opposite,
        }
    }
}

/// Where it is kept: beside the decision.
#[must_use]
pub fn key(tenant: TenantId, id: Id<Payment>) -> Key {
    Key::new(keys::decision(tenant, id).partition(), SORT)
}

/// The place among the payment's records of risk.
pub(super) const SORT: &str = "label";

#[cfg(test)]
mod tests {
    use lombard_core::id::Id;
    use lombard_risk::features::Event;

    use super::*;

    fn told(fraud: bool, source: Source, at: u64) -> Label {
        let at = Timestamp::from_unix_ms(at);
        let payment = Id::of_name("a payment");
        Label {
            payment,
            source,
            told_at: at,
            by: "key/a".into(),
            outcome: Outcome {
                event: Event::new(1, Timestamp::default(), 100),
                fraud,
                times_typical: 1.0,
            },
            corrects: None,
            claimed_at: None,
        }
    }

    fn news(told: Told) -> Label {
        match told {
            Told::News(label) => *label,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_claim_after_a_report_is_news_once_and_teaches_nothing_twice() {
        let report = told(true, Source::Report, 5);
        assert_eq!((report.claimed(), report.teaches()), (None, true));
        let claimed = news(told(true, Source::Claim, 9).after(Some(report)));
        assert_eq!(claimed.claimed(), Some(Timestamp::from_unix_ms(9)));
        assert_eq!(
            (claimed.source, claimed.told_at.unix_ms()),
            (Source::Report, 5)
        );
        assert!(!claimed.teaches());
        let again = told(true, Source::Claim, 12).after(Some(claimed.clone()));
        assert_eq!(again, Told::Known(Box::new(claimed)));
    }

    #[test]
    fn genuine_holds_until_a_weightier_source_says_otherwise() {
        use Source::{Analyst, Chargeback, Claim, Report, Silence};
        for (known, later, corrected) in [
            (Silence, Analyst, true),
            (Silence, Claim, true),
            (Analyst, Chargeback, true),
            (Report, Analyst, false),
            (Claim, Claim, false),
            (Silence, Silence, false),
        ] {
            let found = told(true, later, 9).after(Some(told(false, known, 5)));
            if corrected {
                let label = news(found);
                assert_eq!((label.corrects, label.source), (Some(known), later));
                assert!(label.teaches());
            } else {
                assert_eq!(found, Told::Opposite, "{known:?} {later:?}");
            }
        }
        let unlearned = told(false, Claim, 9).after(Some(told(true, Silence, 5)));
        assert_eq!(unlearned, Told::Opposite);
    }
}
