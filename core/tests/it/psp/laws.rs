//! Order, repetition and delay of a provider's news do not matter.

use lombard_core::{
    lifecycle::{Pending, Status},
    psp::{Facts, News},
};
use proptest::prelude::*;

type Said = (News, &'static str, i64);

fn after(said: &[Said]) -> Facts {
    let mut facts = Facts::default();
    for (news, part, amount) in said {
        facts.learn(*news, part, *amount);
    }
    facts
}

/// What a payment of 1000 went through, and how it stands then.
fn lives() -> Vec<(&'static str, Vec<Said>, Status)> {
    use News as N;
    vec![
        (
            "asked of the payer",
            vec![(N::ActionNeeded, "p", 1000)],
            Status::AuthPending,
        ),
        (
            "a failed try, then a good one",
            vec![
                (N::TryFailed, "p", 1000),
                (N::Processing, "p", 1000),
                (N::Captured, "p", 1000),
            ],
            Status::Cleared,
        ),
        ("refused", vec![(N::Refused, "p", 1000)], Status::Failed),
        (
            "expired",
            vec![(N::Authorised, "p", 1000), (N::Expired, "p", 1000)],
            Status::Failed,
        ),
        (
            "a late failure",
            vec![
                (N::Processing, "p", 1000),
                (N::Captured, "p", 1000),
                (N::Refused, "p", 1000),
            ],
            Status::Reversed,
        ),
        (
            "a late failure after it was paid out",
            vec![
                (N::Captured, "p", 1000),
                (N::PaidOut, "p", 1000),
                (N::Refused, "p", 1000),
            ],
            Status::Reversed,
        ),
        (
            "only paid out was heard",
            vec![(N::PaidOut, "p", 1000)],
            Status::Cleared,
        ),
        (
            "a capture that failed later",
            vec![
                (N::Authorised, "p", 1000),
                (N::Captured, "c", 1000),
                (N::CaptureFailed, "c", 1000),
            ],
            Status::Reversed,
        ),
        (
            "one of two captures failed",
            vec![
                (N::Captured, "c1", 400),
                (N::Captured, "c2", 600),
                (N::CaptureFailed, "c2", 600),
            ],
            Status::Cleared,
        ),
        (
            "refunded in part",
            vec![
                (N::Captured, "c", 1000),
                (N::RefundPending, "r", 300),
                (N::Refunded, "r", 300),
            ],
            Status::Cleared,
        ),
        (
            "refunded in full, in two parts",
            vec![
                (N::Captured, "c", 1000),
                (N::Refunded, "r1", 300),
                (N::Refunded, "r2", 700),
            ],
            Status::Reversed,
        ),
        (
            "a refund that failed later",
            vec![
                (N::Captured, "c", 1000),
                (N::Refunded, "r", 1000),
                (N::RefundFailed, "r", 1000),
            ],
            Status::Cleared,
        ),
        (
            "the provider's own sum of refunds",
            vec![
                (N::Captured, "c", 1000),
                (N::RefundedSoFar, "c", 400),
                (N::RefundedSoFar, "c", 1000),
            ],
            Status::Reversed,
        ),
        (
            "charged back and given back",
            vec![
                (N::Captured, "c", 1000),
                (N::ChargedBack, "d", 1000),
                (N::ChargebackReversed, "d", 1000),
            ],
            Status::Cleared,
        ),
        (
            "charged back twice",
            vec![
                (N::Captured, "c", 1000),
                (N::DisputeOpened, "d", 1000),
                (N::ChargedBack, "d", 1000),
                (N::ChargebackReversed, "d", 1000),
                (N::SecondChargeback, "d", 1000),
            ],
            Status::Reversed,
        ),
        (
            "bounced",
            vec![(N::Captured, "p", 1000), (N::Returned, "p", 1000)],
            Status::Reversed,
        ),
    ]
}

#[test]
fn lives_end_where_they_should() {
    for (name, said, status) in lives() {
        let standing = after(&said).standing();
        assert_eq!(standing.status, status, "{name}: {standing:?}");
        assert!(!standing.contradiction, "{name}: {standing:?}");
    }
}

#[test]
fn what_cannot_both_be_true_is_shown() {
    let crossed = after(&[(News::Captured, "p", 5), (News::Cancelled, "p", 5)]).standing();
    assert_eq!(crossed.status, Status::Cleared, "the money moved");
    assert!(crossed.contradiction);
    let orphan = after(&[(News::Refunded, "r", 5)]).standing();
    assert!(orphan.contradiction, "a refund of what was never taken");
}

#[test]
fn it_waits_for_the_payer_until_it_is_under_way() {
    let mut facts = after(&[(News::ActionNeeded, "p", 5)]);
    assert_eq!(facts.standing().pending, Some(Pending::Verification));
    facts.learn(News::Processing, "p", 5);
    assert_eq!(facts.standing().pending, Some(Pending::Rails));
}

proptest! {
    /// Any order, with anything said again: the same facts, and so the same standing.
    #[test]
    fn order_and_repetition_do_not_matter(
        life in 0..lives().len(),
        order in proptest::collection::vec(any::<proptest::sample::Index>(), 0..40),
        keys in proptest::collection::vec(any::<u32>(), 8),
    ) {
        let (_, said, _) = lives().swap_remove(life);
        let mut shuffled: Vec<_> = said.iter().zip(&keys).collect();
        shuffled.sort_by_key(|(_, key)| **key);
        let mut again: Vec<Said> = shuffled.into_iter().map(|(said, _)| *said).collect();
        for at in order {
            again.insert(at.index(again.len() + 1), said[at.index(said.len())]);
        }
        prop_assert_eq!(after(&again), after(&said));
    }
}
