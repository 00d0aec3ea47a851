//! What was said of one payment, gathered so that order, repetition and delay do not matter.
//!
//! **Shape.** Facts only grow: for each part of the payment (a capture, a refund, a dispute) the set
//! of news heard of it and the largest amount named. Two sets joined are their union, so any
//! permutation of the same deliveries, with any of them doubled, gives equal facts.
//! [`Facts::standing`] is a function of the facts alone.
//!
//! **Rules.** A final yes beats a cancel that crossed it, and the two together are a contradiction
//! that a person sees. A refusal beside a final yes is money that came back: the payment is
//! reversed, never failed. What failed and was then heard to have cleared *before* is reversed as
//! well, because that is what the same news says in its right order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::news::{News, Part};
use crate::lifecycle::{Pending, Status};

/// What was heard of one part of a payment, each with the largest amount named, in minor units.
pub type Heard = BTreeMap<News, i64>;

/// Everything that a provider said of one payment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// By part and the provider's id of it.
    parts: BTreeMap<Part, BTreeMap<String, Heard>>,
}

/// How a payment stands at its provider. Amounts in minor units of the payment's currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Our status. Never `SETTLED`: a provider cannot say that.
    pub status: Status,
    /// What it waits for.
    pub pending: Option<Pending>,
    /// Taken and not failed later.
    pub captured: i64,
    /// Paid back and not failed later.
    pub refunded: i64,
    /// Asked back and not decided.
    pub refunding: i64,
    /// Taken from us by disputes, and not given back.
    pub charged_back: i64,
    /// News that cannot both be true; a person must look.
    pub contradiction: bool,
}

impl Facts {
    /// Takes in one piece of news, of the part with the provider's id `part_id`, for `amount` minor
    /// units (news that names none is about the whole payment: give its amount). Whether it said
    /// anything new.
    pub fn learn(&mut self, news: News, part_id: &str, amount: i64) -> bool {
        let part = self.parts.entry(news.part()).or_default();
        let heard = part.entry(part_id.to_owned()).or_default();
        let known = heard.insert(news, amount);
        if let Some(known) = known {
            heard.insert(news, known.max(amount));
        }
        known.is_none_or(|known| amount > known)
    }

    /// Whether the money was ever promised.
    #[must_use]
    pub fn authorised(&self) -> bool {
        self.heard(News::Authorised)
    }

    /// What was ever taken, in minor units, whether or not it failed later; none where nothing was
    /// said of captures.
    #[must_use]
    pub fn claimed(&self) -> Option<i64> {
        self.parts
            .contains_key(&Part::Capture)
            .then(|| self.sum(Part::Capture, |heard| Some(largest(heard))))
    }

    /// Whether a refund that news is about was paid (`true`), or failed; none while it is open.
    #[must_use]
    pub fn refund_paid(&self) -> Option<bool> {
        let failed = self.heard(News::RefundFailed).then_some(false);
        failed.or(self.heard(News::Refunded).then_some(true))
    }

    /// The disputes, in the order of their ids.
    pub fn disputes(&self) -> impl Iterator<Item = Dispute<'_>> {
        let parts = self.parts.get(&Part::Dispute).into_iter().flatten();
        parts.map(|(part, heard)| Dispute::of(part, heard))
    }

    /// How things stand.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let taken = TAKEN.into_iter().any(|news| self.heard(news));
        let captured = self.captured();
        let refunded = self.refunded();
        let charged_back = self.sum(Part::Dispute, |heard| {
            (took_money(heard) == Some(true)).then(|| largest(heard))
        });
        let status = self.status(taken, captured - refunded - charged_back);
        Standing {
            status,
            pending: (status == Status::AuthPending).then(|| self.pending()),
            captured,
            refunded,
            refunding: self.sum(Part::Refund, |heard| {
                let only_asked = heard.keys().all(|news| *news == News::RefundPending);
                only_asked.then(|| largest(heard))
            }),
            charged_back,
            contradiction: taken && (self.heard(News::Cancelled) || self.heard(News::Expired))
                || !taken && (refunded > 0 || charged_back > 0),
        }
    }

    /// What was taken and did not fail or come back.
    fn captured(&self) -> i64 {
        if self.heard(News::Refused) || self.heard(News::Returned) {
            return 0;
        }
        let captures = self.sum(Part::Capture, |heard| {
            let failed = heard.contains_key(&News::CaptureFailed);
            heard.get(&News::Captured).filter(|_| !failed).copied()
        });
        // A provider that says only "paid out" has said "taken" with it.
        let any = self.parts.contains_key(&Part::Capture);
        if any {
            captures
        } else {
            self.whole(News::PaidOut)
        }
    }

    fn status(&self, taken: bool, left: i64) -> Status {
        let ended = [News::Refused, News::Cancelled, News::Expired];
        if taken && left <= 0 {
            Status::Reversed
        } else if taken {
            Status::Cleared
        } else if ended.into_iter().any(|news| self.heard(news)) {
            Status::Failed
        } else {
            Status::AuthPending
        }
    }

    /// Once it is under way, it waits for the rails, whatever was asked of the payer before.
    fn pending(&self) -> Pending {
        let under_way = self.heard(News::Authorised) || self.heard(News::Processing);
        let asked = self.heard(News::ActionNeeded) || self.heard(News::TryFailed);
        if asked && !under_way {
            Pending::Verification
        } else {
            Pending::Rails
        }
    }

    /// Each refund that was paid, or the provider's own sum where that says more; without those
    /// that failed.
    fn refunded(&self) -> i64 {
        let lasting = self.sum(Part::Refund, |heard| {
            let failed = heard.contains_key(&News::RefundFailed);
            let paid = heard.contains_key(&News::Refunded);
            (paid && !failed).then(|| largest(heard))
        });
        let failed = self.sum(Part::Refund, |heard| {
            let failed = heard.contains_key(&News::RefundFailed);
            failed.then(|| largest(heard))
        });
        lasting.max(self.whole(News::RefundedSoFar) - failed)
    }

    fn heard(&self, news: News) -> bool {
        let part = self.parts.get(&news.part());
        part.is_some_and(|part| part.values().any(|heard| heard.contains_key(&news)))
    }

    /// The largest amount named with a piece of news of the whole payment.
    fn whole(&self, news: News) -> i64 {
        let part = self.parts.get(&Part::Whole);
        let heard = part.into_iter().flat_map(BTreeMap::values);
        heard
            .filter_map(|heard| heard.get(&news))
            .copied()
            .max()
            .unwrap_or(0)
    }

    fn sum(&self, part: Part, counts: impl Fn(&Heard) -> Option<i64>) -> i64 {
        let heard = self.parts.get(&part).into_iter().flat_map(BTreeMap::values);
        heard.filter_map(counts).sum()
    }
}

/// One dispute of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dispute<'a> {
    /// The provider's id of it.
    pub part: &'a str,
    /// How far it is.
    pub stage: DisputeStage,
    /// Minor units that it is about.
    pub amount: i64,
    /// Whether its money was taken a second time.
    pub again: bool,
}

/// How far a dispute is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisputeStage {
    /// It has taken nothing.
    Open,
    /// It has taken its money, and may give it back.
    Taken,
    /// It has taken its money for good.
    Lost,
    /// Its money is with us.
    Over,
}

impl<'a> Dispute<'a> {
    fn of(part: &'a str, heard: &Heard) -> Self {
        let stage = match took_money(heard) {
            Some(true) if heard.contains_key(&News::DisputeLost) => DisputeStage::Lost,
            Some(true) => DisputeStage::Taken,
            Some(false) => DisputeStage::Over,
            None => DisputeStage::Open,
        };
        let taken = [News::ChargedBack, News::SecondChargeback];
        let taken = taken
            .into_iter()
            .filter_map(|news| heard.get(&news).copied())
            .max();
        Self {
            part,
            stage,
            amount: taken.unwrap_or_else(|| largest(heard)),
            again: heard.contains_key(&News::SecondChargeback),
        }
    }
}

/// News that says, or takes for granted, that money was taken.
const TAKEN: [News; 4] = [
    News::Captured,
    News::CaptureFailed,
    News::Returned,
    News::PaidOut,
];

/// The largest amount that anything heard of a part names.
fn largest(heard: &Heard) -> i64 {
    heard.values().copied().max().unwrap_or(0)
}

/// Whether the latest stage of a dispute that was heard of left its money with the payer; none
/// while none of them moved any.
fn took_money(heard: &Heard) -> Option<bool> {
    let stages = [
        (News::DisputeLost, true),
        (News::DisputeWon, false),
        (News::SecondChargeback, true),
        (News::ChargebackReversed, false),
        (News::ChargedBack, true),
    ];
    let latest = stages
        .into_iter()
        .find(|(news, _)| heard.contains_key(news));
    latest.map(|(_, took)| took)
}
