//! A confirmed claim of authorised push payment fraud as a case with its clock: what is owed on
//! it, by which day, and what the other bank bears.

use lombard_core::{rail::Rail, risk::reimbursement::Claim};

use super::{Judged, label::Label};
use crate::exceptions::{Kind, Trouble};

/// The case of a claim; none where the rules do not speak of the payment, which they do of Faster
/// Payments alone.
#[must_use]
pub fn case(judged: &Judged, label: &Label) -> Option<Trouble> {
    if judged.rail != Rail::Fps.name() {
        return None;
    }
    let (paid, told) = (judged.event.at.day(), label.told_at.day());
    let claim = Claim::new(judged.event.amount, paid, told)?;
    let what = if claim.in_time {
        "the payer claims to have been deceived: reimburse, or say why not, while the clock runs"
    } else {
        "the payer claims to have been deceived, more than thirteen months after the payment"
    };
    let case = Trouble::with_payment(judged.tenant, Kind::AppClaim, judged.payment, what);
    Some(
        case.evidence("answer_by", claim.answer_by)
            .evidence("answer_latest", claim.answer_latest)
            .evidence("owed_at_most", claim.owed)
            .evidence("other_bank_bears", claim.receiver_bears)
            .evidence("currency", &judged.currency),
    )
}
