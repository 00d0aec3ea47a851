//! Charges of cards: authorised, captured, let go of, refunded and disputed, in whatever order their
//! providers tell of it.

use std::collections::BTreeMap;

use lombard_core::{
    charge::{Asked, Capture},
    command::{Act, EventOutcome, MakeCharge, Rejection, Report, ReturnPayment},
    id::Id,
    ledger::{Account, AliasScheme, Sums},
    lifecycle::{Pending, Stage, Status},
    money::Amount,
    payment::{External, Kind, Payment},
    psp::News,
    reason::Reason,
};
use proptest::prelude::*;

use super::{
    World,
    flows::{gbp, open, payment, report},
    providers::{event, hear},
};

/// A charge of so many minor units, made and noted as sent.
pub fn charge(world: &mut World, holder: Id<Account>, minor: u64, capture: Capture) -> Id<Payment> {
    let id = world.id();
    let make = MakeCharge {
        risk: None,
        authenticated: false,
        id,
        money: gbp(minor),
        card: External {
            scheme: AliasScheme::Card,
            country: "ZZ".to_owned(),
            last4: "4242".to_owned(),
            fingerprint: "f".to_owned(),
        },
        token: "tok_1".to_owned(),
        creditor: holder,
        provider: "acme".to_owned(),
        capture,
        end_to_end_id: "ORDER-1".to_owned(),
        metadata: BTreeMap::new(),
    };
    world.run(Act::Charge(Box::new(make))).unwrap();
    report(world, id, Report::Submitted);
    id
}

fn authorised(world: &mut World, holder: Id<Account>, minor: u64) -> Id<Payment> {
    let id = charge(world, holder, minor, Capture::Manual);
    report(world, id, Report::Authorised(Some("acme_1".to_owned())));
    id
}

fn amount(minor: u64) -> Amount {
    Amount::try_from(minor).unwrap()
}

fn sums(world: &World, holder: Id<Account>) -> (u64, u64, u64, u64) {
    let Sums {
        debits_pending,
        debits_posted,
        credits_pending,
        credits_posted,
    } = world.balance(holder).sums;
    (
        credits_pending,
        credits_posted,
        debits_pending,
        debits_posted,
    )
}

#[test]
fn a_charge_is_authorised_then_captured_in_part() {
    let mut world = World::new();
    let holder = open(&mut world, 0);
    let id = authorised(&mut world, holder, 1_000);
    let there = payment(&world, id);
    assert_eq!((there.stage, there.kind), (Stage::Authorised, Kind::Charge));
    assert_eq!(there.stage.pending(), Some(Pending::Rails));
    assert_eq!(
        sums(&world, holder),
        (1_000, 0, 0, 0),
        "promised, not there"
    );

    world.run(Act::Capture(id, Some(amount(600)))).unwrap();
    let there = payment(&world, id);
    assert_eq!(there.stage, Stage::Submitted);
    assert_eq!(there.charge.unwrap().asked, Asked::Capture(amount(600)));
    report(&mut world, id, Report::Accepted(Some("acme_1".to_owned())));
    let there = payment(&world, id);
    assert_eq!(
        (there.stage, there.money.amount.minor()),
        (Stage::Cleared, 600)
    );
    assert_eq!(
        sums(&world, holder),
        (0, 600, 0, 0),
        "the rest is let go of"
    );
}

#[test]
fn never_more_is_captured_than_was_authorised_and_never_twice() {
    let mut world = World::new();
    let holder = open(&mut world, 0);
    let id = authorised(&mut world, holder, 1_000);
    let more = world.run(Act::Capture(id, Some(amount(1_001))));
    assert_eq!(
        more.unwrap_err(),
        Rejection::MoreThanHeld {
            held: 1_000,
            asked: 1_001
        }
    );
    world.run(Act::Capture(id, None)).unwrap();
    for again in [
        Act::Capture(id, Some(amount(1))),
        Act::Void(id),
        Act::Cancel(id),
    ] {
        let refused = world.run(again).unwrap_err();
        assert!(
            matches!(
                refused,
                Rejection::WrongStage {
                    stage: Stage::Submitted,
                    ..
                }
            ),
            "{refused:?}"
        );
    }
}

#[test]
fn a_charge_is_let_go_of() {
    let mut world = World::new();
    let holder = open(&mut world, 0);
    let id = authorised(&mut world, holder, 1_000);
    world.run(Act::Void(id)).unwrap();
    assert_eq!(
        payment(&world, id).stage,
        Stage::Submitted,
        "the provider must let go of it too"
    );
    report(
        &mut world,
        id,
        Report::Rejected(Reason::Cancelled, "voided".to_owned()),
    );
    assert_eq!(payment(&world, id).stage, Stage::Failed);
    assert_eq!(sums(&world, holder), (0, 0, 0, 0));
}

#[test]
fn a_refused_capture_leaves_the_promise_and_can_be_asked_for_again() {
    let mut world = World::new();
    let holder = open(&mut world, 0);
    let id = authorised(&mut world, holder, 1_000);
    world.run(Act::Capture(id, Some(amount(400)))).unwrap();
    report(
        &mut world,
        id,
        Report::CompletionRefused(Reason::Declined, "busy".to_owned()),
    );
    assert_eq!(payment(&world, id).stage, Stage::Authorised);
    world.run(Act::Capture(id, None)).unwrap();
    report(&mut world, id, Report::Accepted(None));
    assert_eq!(sums(&world, holder), (0, 1_000, 0, 0));
}

#[test]
fn a_provider_that_tells_later_that_it_did_not_capture_leaves_the_promise() {
    let mut world = World::new();
    let holder = open(&mut world, 0);
    let id = authorised(&mut world, holder, 1_000);
    let refused = |number, world: &World| event(id, world, number, News::CompletionRefused, 1_000);
    let early = refused(1, &world);
    assert_eq!(hear(&mut world, &early), EventOutcome::Noted);
    world.run(Act::Capture(id, None)).unwrap();
    let mut again = refused(2, &world);
    again.kept.part = "another capture".to_owned();
    assert_eq!(hear(&mut world, &again), EventOutcome::Moved);
    assert_eq!(payment(&world, id).stage, Stage::Authorised);
    world.run(Act::Capture(id, None)).unwrap();
    report(&mut world, id, Report::Accepted(None));
    assert_eq!(sums(&world, holder), (0, 1_000, 0, 0));
}

#[test]
fn in_doubt_is_neither_yes_nor_no_and_a_late_authorisation_is_no_news_of_a_capture() {
    let mut world = World::new();
    let holder = open(&mut world, 0);
    let id = charge(&mut world, holder, 1_000, Capture::Manual);
    report(&mut world, id, Report::TimedOut);
    assert_eq!(payment(&world, id).stage, Stage::InDoubt);
    report(&mut world, id, Report::Authorised(None));
    world.now = world.now.plus_ms(1);
    world.run(Act::Capture(id, None)).unwrap();
    report(&mut world, id, Report::TimedOut);
    report(&mut world, id, Report::Authorised(None));
    assert_eq!(payment(&world, id).stage, Stage::InDoubt);
    report(&mut world, id, Report::NeverArrived);
    assert_eq!(
        payment(&world, id).stage,
        Stage::Submitted,
        "it is sent again, under the same id"
    );
}

#[test]
fn another_provider_is_taken_only_before_anything_is_known() {
    let mut world = World::new();
    let holder = open(&mut world, 0);
    let id = charge(&mut world, holder, 1_000, Capture::Manual);
    let provider = |world: &World| payment(world, id).charge.unwrap().provider;
    world.run(Act::Reroute(id, "other".to_owned())).unwrap();
    assert_eq!(provider(&world), "other");
    report(&mut world, id, Report::TimedOut);
    world.run(Act::Reroute(id, "acme".to_owned())).unwrap();
    assert_eq!(provider(&world), "other", "it may be there");
}

#[test]
fn never_more_is_refunded_than_was_captured() {
    let mut world = World::new();
    let holder = open(&mut world, 0);
    let id = authorised(&mut world, holder, 1_000);
    world.run(Act::Capture(id, Some(amount(600)))).unwrap();
    report(&mut world, id, Report::Accepted(None));
    let refund = |world: &mut World, minor| {
        let back = world.id();
        let wish = ReturnPayment {
            id: back,
            original: id,
            amount: Some(amount(minor)),
            reason: Reason::CustomerRequested,
        };
        world.run(Act::Return(wish)).map(|_| back)
    };
    let first = refund(&mut world, 400).unwrap();
    let more = refund(&mut world, 201).unwrap_err();
    assert_eq!(
        more,
        Rejection::MoreThanRemains {
            remaining: 200,
            asked: 201
        }
    );
    report(&mut world, first, Report::Submitted);
    // The provider tells of it in its own words, of the charge and of the refund.
    let sum = event(id, &world, 1, News::RefundedSoFar, 400);
    assert_eq!(hear(&mut world, &sum), EventOutcome::Noted);
    let paid = event(first, &world, 2, News::Refunded, 400);
    assert_eq!(hear(&mut world, &paid), EventOutcome::Moved);
    assert_eq!(payment(&world, first).stage, Stage::Cleared);
    assert_eq!(payment(&world, id).returned, 400);
    let last = refund(&mut world, 200).unwrap();
    report(&mut world, last, Report::Submitted);
    report(&mut world, last, Report::Accepted(None));
    assert_eq!(payment(&world, id).stage, Stage::Reversed);
    assert_eq!(world.balance(holder).sums.available(), 0);
}

/// Histories of a charge of 1,000 as providers tell them, with how much each piece of news is
/// about; how it stands at the end, and what its receiver then has.
type History = (&'static [(News, u64)], Status, u64);
const HISTORIES: [History; 9] = [
    (&[(News::Authorised, 1_000)], Status::AuthPending, 0),
    (
        &[(News::Authorised, 1_000), (News::Captured, 600)],
        Status::Cleared,
        600,
    ),
    (
        &[(News::Authorised, 1_000), (News::Cancelled, 1_000)],
        Status::Failed,
        0,
    ),
    (&[(News::Refused, 1_000)], Status::Failed, 0),
    (
        &[(News::Captured, 600), (News::CaptureFailed, 600)],
        Status::Reversed,
        0,
    ),
    (
        &[
            (News::Authorised, 1_000),
            (News::Captured, 1_000),
            (News::RefundedSoFar, 250),
            (News::RefundedSoFar, 300),
        ],
        Status::Cleared,
        700,
    ),
    (
        &[(News::Captured, 1_000), (News::DisputeOpened, 400)],
        Status::Cleared,
        600,
    ),
    (
        &[
            (News::Captured, 1_000),
            (News::DisputeOpened, 1_000),
            (News::ChargedBack, 1_000),
            (News::ChargebackReversed, 1_000),
            (News::DisputeWon, 1_000),
        ],
        Status::Cleared,
        1_000,
    ),
    (
        &[
            (News::Authorised, 1_000),
            (News::Captured, 1_000),
            (News::DisputeOpened, 1_000),
            (News::ChargedBack, 1_000),
            (News::DisputeLost, 1_000),
        ],
        Status::Reversed,
        0,
    ),
];

fn play(told: &[(News, u64)], places: &[usize]) -> (World, Id<Account>, Id<Payment>) {
    let mut world = World::new();
    let holder = open(&mut world, 0);
    let id = charge(&mut world, holder, 1_000, Capture::Manual);
    for at in places {
        let (news, amount) = told[*at];
        let event = event(id, &world, *at, news, amount);
        hear(&mut world, &event);
        world.now = world.now.plus_ms(1);
    }
    (world, holder, id)
}

#[test]
fn a_charge_ends_as_its_history_says() {
    for (told, status, available) in HISTORIES {
        let straight: Vec<usize> = (0..told.len()).collect();
        let (world, holder, id) = play(told, &straight);
        let there = payment(&world, id);
        assert_eq!(there.stage.status(), status, "{told:?}");
        assert_eq!(
            world.balance(holder).sums.available(),
            available,
            "{told:?}"
        );
    }
}

#[test]
fn a_second_chargeback_takes_the_money_again() {
    let told = [
        (News::Captured, 1_000),
        (News::ChargedBack, 1_000),
        (News::ChargebackReversed, 1_000),
        (News::SecondChargeback, 1_000),
    ];
    let (world, holder, id) = play(&told, &[0, 1, 2, 3]);
    assert_eq!(world.balance(holder).sums.available(), 0);
    assert_eq!(
        payment(&world, id).stage,
        Stage::Cleared,
        "it may still be won"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever comes late, twice or in another order, the same charge stands at the end, and its
    /// receiver has the same.
    #[test]
    fn order_and_repetition_do_not_matter(
        history in 0..HISTORIES.len(),
        order in proptest::collection::vec(0..8usize, 16),
    ) {
        let (told, ..) = HISTORIES[history];
        let end = |places: &[usize]| {
            let (world, holder, id) = play(told, places);
            let it = payment(&world, id);
            let charge = it.charge.unwrap();
            let shares = (it.money, it.returned, it.returning, charge.reserved, charge.disputed, charge.contested);
            let sums = world.balance(holder).sums;
            let held = (sums.credits_pending, sums.debits_pending, sums.credits_posted - sums.debits_posted);
            (it.stage, shares, held)
        };
        let straight: Vec<usize> = (0..told.len()).collect();
        let mut shuffled: Vec<usize> = order.iter().map(|at| at % told.len()).collect();
        // What was drawn may lack some; they come last, as late as can be.
        shuffled.extend((0..told.len()).rev());
        prop_assert_eq!(end(&shuffled), end(&straight));
    }
}
