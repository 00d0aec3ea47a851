//! Movements and payments that belong together, in small cases: what is matched, and what is said of
//! the rest.

use lombard_core::{
    currency::Currency,
    matching::{Break, BreakKind, Expected, Match, Movement, Outcome, Rules, Standing, run},
    statement::{Kind, RefKind, Unit},
};
use time::{Date, macros::date};

const DAY: Date = date!(2026 - 11 - 20);

fn line(minor: i64, reference: &str) -> Movement {
    let references = [(RefKind::EndToEnd, reference)];
    let given = references.into_iter().filter(|it| !it.1.is_empty());
    Movement {
        minor,
        unit: Unit::from(Currency::GBP),
        gross: None,
        fee: 0,
        original: None,
        day: Some(DAY),
        kind: Kind::Payment,
        references: given.map(|(kind, text)| (kind, text.into())).collect(),
        text: "".into(),
    }
}

fn payment(minor: i64, reference: &str) -> Expected {
    Expected {
        minor,
        unit: Unit::from(Currency::GBP),
        day: DAY,
        references: [reference].into_iter().collect(),
        group: None,
        standing: Standing::Open,
    }
}

fn matched(movements: &[Movement], expected: &[Expected]) -> Outcome {
    let rules = Rules {
        expected_within: 0,
        ..Rules::default()
    };
    run(movements, expected, &rules, Some(DAY))
}

/// Each match as its movements and payments, each break as its kind and amount.
fn told(outcome: &Outcome) -> (Vec<(Vec<u32>, Vec<u32>)>, Vec<(BreakKind, i64)>) {
    let places = |it: &Match| {
        let movements = it.movements.iter().map(|it| it.0.0).collect();
        (movements, it.expected.iter().map(|it| it.0).collect())
    };
    let breaks = |it: &Break| (it.kind, it.minor);
    (
        outcome.matches.iter().map(places).collect(),
        outcome.breaks.iter().map(breaks).collect(),
    )
}

#[test]
fn one_line_removed_and_one_cent_changed_are_one_break_each() {
    let payments = [
        payment(-100, "A-1"),
        payment(-200, "A-2"),
        payment(-300, "A-3"),
    ];
    let removed = matched(&[line(-100, "A-1"), line(-300, "A-3")], &payments);
    assert_eq!(told(&removed).1, [(BreakKind::MissingThere, -200)]);
    let changed = [line(-100, "A-1"), line(-201, "A-2"), line(-300, "A-3")];
    assert_eq!(
        told(&matched(&changed, &payments)).1,
        [(BreakKind::AmountDiffers, -1)]
    );
}

#[test]
fn a_payment_and_its_own_return_share_a_reference_and_each_is_found() {
    let payments = [payment(-100, "A-1"), payment(100, "A-1")];
    let both = matched(&[line(100, "A-1"), line(-100, "A-1")], &payments);
    let (mut matches, breaks) = told(&both);
    matches.sort();
    assert_eq!(matches, [(vec![0], vec![1]), (vec![1], vec![0])]);
    assert_eq!(breaks, []);
    // A refund of ours settles our refund, and not the sale that it is of.
    let mut refund = line(-40, "A-1");
    refund.kind = Kind::Refund;
    let mut sale = payment(100, "A-1");
    sale.standing = Standing::Settled;
    let found = matched(&[refund], &[sale, payment(-40, "A-1")]);
    assert_eq!(told(&found), (vec![(vec![0], vec![1])], vec![]));
}

#[test]
fn two_ways_to_read_it_is_no_match() {
    let payments = [payment(-100, "A-1"), payment(-100, "A-2")];
    let outcome = matched(&[line(-100, "")], &payments);
    assert_eq!(told(&outcome), (vec![], vec![(BreakKind::Ambiguous, -100)]));
}

#[test]
fn what_came_before_is_a_duplicate_and_what_failed_a_conflict() {
    for (standing, kind) in [
        (Standing::Settled, BreakKind::Duplicate),
        (Standing::Failed, BreakKind::ConflictingStatus),
    ] {
        let mut known = payment(-100, "A-1");
        known.standing = standing;
        let outcome = matched(&[line(-100, "A-1")], &[known]);
        assert_eq!(told(&outcome), (vec![], vec![(kind, -100)]));
    }
}

#[test]
fn what_was_kept_back_is_a_fee_and_what_returns_is_beside() {
    let mut sale = line(980, "A-1");
    (sale.gross, sale.fee) = (Some(1_000), 20);
    let mut back = line(-1_000, "A-1");
    back.kind = Kind::Chargeback;
    let outcome = matched(&[sale, back], &[payment(1_000, "A-1")]);
    assert_eq!(told(&outcome), (vec![(vec![0, 1], vec![0])], vec![]));
    assert_eq!(outcome.matches[0].fee, 20);
}
