//! The clock of a claim of authorised push payment (APP) fraud, and what is owed on it.
//!
//! **Source.** The Payment Systems Regulator's reimbursement requirement for Faster Payments, in
//! force since 7 October 2024. The sending provider reimburses the payer within five business
//! days of the claim, or stops the clock to ask, up to the thirty-fifth; the receiving one bears
//! half. What is claimed more than thirteen months after the payment need not be reimbursed.
//!
//! **Absent.** Who may claim (consumers, micro-enterprises, charities), gross negligence and the
//! excess of up to £100 are a person's to judge: nothing here decides whether a claim is good.

use time::Date;

use crate::scheme::Period;

/// The most that is reimbursed on one claim, in pence.
pub const MOST: u64 = 8_500_000;

/// When a claim must be decided.
const ANSWER: Period = Period::EnglandBusinessDays(5);
/// When, at the latest, after the clock was stopped.
const ANSWER_LATEST: Period = Period::EnglandBusinessDays(35);
/// For how long after the payment it can be claimed.
const CLAIMED_WITHIN: Period = Period::Months(13);

/// What the rules say of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The last day of the five.
    pub answer_by: Date,
    /// The last day of the thirty-five.
    pub answer_latest: Date,
    /// The most that is owed to the payer, in pence.
    pub owed: u64,
    /// What of it the receiving provider bears: half, the odd penny being the sender's.
    pub receiver_bears: u64,
    /// Whether it came in time.
    pub in_time: bool,
}

impl Claim {
    /// A claim of `claimed` on a payment of `amount` pence; none beyond the year 9999.
    #[must_use]
    pub fn new(amount: u64, paid: Date, claimed: Date) -> Option<Self> {
        let owed = amount.min(MOST);
        Some(Self {
            answer_by: ANSWER.after(claimed)?,
            answer_latest: ANSWER_LATEST.after(claimed)?,
            owed,
            receiver_bears: owed / 2,
            in_time: claimed <= CLAIMED_WITHIN.after(paid)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn a_claim_is_answered_in_five_days_or_thirty_five() {
        // Over Christmas: the 25th is a Friday, the 28th stands in for Boxing Day.
        let claim = Claim::new(10_001, date!(2026 - 12 - 01), date!(2026 - 12 - 22)).unwrap();
        assert_eq!(claim.answer_by, date!(2026 - 12 - 31));
        assert_eq!(claim.answer_latest, date!(2027 - 02 - 12));
        assert_eq!((claim.owed, claim.receiver_bears), (10_001, 5_000));
    }

    #[test]
    fn no_more_is_owed_than_the_cap() {
        let of = |amount| Claim::new(amount, date!(2026 - 01 - 05), date!(2026 - 01 - 06)).unwrap();
        assert_eq!(of(MOST).owed, MOST);
        assert_eq!(
            (of(MOST + 1).owed, of(MOST + 1).receiver_bears),
            (MOST, MOST / 2)
        );
    }

    #[test]
    fn it_is_claimed_within_thirteen_months() {
        let of = |claimed| {
            Claim::new(1, date!(2026 - 01 - 31), claimed)
                .unwrap()
                .in_time
        };
        assert!(of(date!(2027 - 02 - 28)) && !of(date!(2027 - 03 - 01)));
    }
}
