//! Lines of statements: what they settle, bring back and charge, once.

use lombard_core::{
    command::{
        Act, LineRecord, Posting, ReceiveReturn, Rejection, Report, SETTLES_MAX, TakeLines,
        TakenLine,
    },
    currency::Currency,
    id::Id,
    journal::{self, Journal, Role, house},
    ledger::Transaction,
    lifecycle::Stage,
    money::Amount,
    payment::Payment,
    plan::keys,
    rail::Rail,
    reason::Reason,
};

use super::{
    World,
    backs::receive,
    flows::{gbp, open, order, pay, payment, report},
};

fn line(digest: &str, payments: &[Id<Payment>], settles: bool) -> TakenLine {
    TakenLine {
        digest: digest.to_owned(),
        place: 0,
        statement: "S1".to_owned(),
        record: LineRecord {
            minor: -1_000,
            reference: "REF".to_owned(),
            payments: payments.to_vec(),
            settles,
            ..LineRecord::default()
        },
        payout: None,
    }
}

fn step(lines: Vec<TakenLine>) -> TakeLines {
    TakeLines {
        source: "bank".to_owned(),
        lines,
        ..TakeLines::default()
    }
}

pub fn gone_back(world: &mut World, original: Id<Payment>, minor: u64) -> ReceiveReturn {
    ReceiveReturn {
        id: world.id(),
        original,
        amount: Amount::try_from(minor).unwrap(),
        reason: Reason::Disputed,
        reason_code: "chargeback".to_owned(),
        rail_reference: "REF".to_owned(),
    }
}

pub fn fee(world: &mut World, minor: u64) -> Posting {
    let tenant = world.tenant;
    let of = |role| house(tenant, Rail::Fps, role, Currency::GBP);
    let legs = journal::move_now(of(Role::Fees), of(Role::Settlement), gbp(minor));
    let id = world.id();
    Posting {
        id,
        journal: Journal::ProviderFee,
        legs,
    }
}

fn take(world: &mut World, step: &TakeLines) -> Result<(), Rejection> {
    world.run(Act::TakeLines(vec![step.clone()])).map(drop)
}

fn transactions(world: &World) -> usize {
    world
        .records
        .keys()
        .filter(|key| key.sort() == "txn")
        .count()
}

/// Payments that the rail said yes to, but for the last, of which we do not know.
fn sent(world: &mut World, count: usize) -> Vec<Id<Payment>> {
    let account = open(world, 100_000);
    let mut ids = Vec::new();
    for at in 0..count {
        let order = order(world, account, 1_000);
        pay(world, &order);
        report(world, order.id, Report::Submitted);
        if at + 1 < count {
            report(world, order.id, Report::Accepted(None));
        }
        ids.push(order.id);
    }
    ids
}

#[test]
fn a_match_is_one_commit_and_the_same_again_is_nothing() {
    let mut world = World::new();
    let ids = sent(&mut world, SETTLES_MAX);
    let mut match_ = step(vec![line("a", &ids, true), line("b", &ids, true)]);
    match_.settles.clone_from(&ids);
    match_.postings = vec![fee(&mut world, 20)];
    take(&mut world, &match_).unwrap();
    for id in &ids {
        assert_eq!(payment(&world, *id).stage, Stage::Settled);
    }
    let key = keys::line(world.tenant, "bank", "a");
    let record: LineRecord = world.value(&key).unwrap();
    assert_eq!(record.payments, ids);
    let (records, moved) = (world.records.len(), transactions(&world));
    take(&mut world, &match_).unwrap();
    // Settled again without its lines, as after a crash, it stays.
    match_.lines.clear();
    match_.postings.clear();
    take(&mut world, &match_).unwrap();
    assert_eq!(
        (world.records.len(), transactions(&world)),
        (records, moved)
    );
}

#[test]
fn matches_of_one_commit_have_each_their_own_guard() {
    let mut world = World::new();
    let ids = sent(&mut world, 3);
    let single = |digest: &str, id: Id<Payment>| {
        let mut it = step(vec![line(digest, &[id], true)]);
        it.settles = vec![id];
        it
    };
    take(&mut world, &single("a", ids[0])).unwrap();
    let known = transactions(&world);
    let steps: Vec<TakeLines> = vec![
        single("a", ids[0]),
        single("b", ids[1]),
        single("c", ids[2]),
    ];
    world.run(Act::TakeLines(steps.clone())).unwrap();
    for id in &ids {
        assert_eq!(payment(&world, *id).stage, Stage::Settled);
    }
    assert!(transactions(&world) > known, "the others are not hidden");
    let (records, moved) = (world.records.len(), transactions(&world));
    world.run(Act::TakeLines(steps)).unwrap();
    assert_eq!(
        (world.records.len(), transactions(&world)),
        (records, moved)
    );
    // Two that rest on one payment do not go together.
    let twice = vec![single("d", ids[0]), single("e", ids[0])];
    assert!(matches!(
        world.run(Act::TakeLines(twice)),
        Err(Rejection::WrongKind { .. })
    ));
}

#[test]
fn one_payment_that_cannot_settle_holds_the_whole_step_back() {
    let mut world = World::new();
    let mut ids = sent(&mut world, 2);
    let account = open(&mut world, 100);
    let mut later = order(&mut world, account, 100);
    later.verification = Some(Reason::FraudSuspected);
    pay(&mut world, &later);
    ids.push(later.id);
    let mut match_ = step(vec![line("a", &ids, true)]);
    match_.settles.clone_from(&ids);
    assert!(matches!(
        take(&mut world, &match_),
        Err(Rejection::WrongStage { .. })
    ));
    assert_eq!(payment(&world, ids[0]).stage, Stage::Cleared);
}

#[test]
fn what_a_statement_shows_gone_back_is_a_return_that_is_settled() {
    let mut world = World::new();
    let id = sent(&mut world, 1)[0];
    let mut came = step(vec![line("a", &[id], false)]);
    came.returns = vec![gone_back(&mut world, id, 1_000)];
    take(&mut world, &came).unwrap();
    let original = payment(&world, id);
    assert_eq!(
        (original.stage, original.returned),
        (Stage::Reversed, 1_000)
    );
    let back = payment(&world, came.returns[0].id);
    assert_eq!((back.stage, back.original), (Stage::Settled, Some(id)));
}

#[test]
fn a_chargeback_is_borne_by_who_had_the_money_or_by_suspense() {
    for (left, bears) in [(1_000, true), (0, false)] {
        let mut world = World::new();
        let account = open(&mut world, 0);
        let id = receive(&mut world, Some(account), 1_000);
        if left == 0 {
            let spent = order(&mut world, account, 1_000);
            pay(&mut world, &spent);
        }
        let mut taken = step(vec![line("a", &[id], false)]);
        taken.returns = vec![gone_back(&mut world, id, 400)];
        take(&mut world, &taken).unwrap();
        assert_eq!(payment(&world, id).returned, 400);
        let suspense = house(world.tenant, Rail::Fps, Role::Suspense, Currency::GBP);
        let debtor = payment(&world, taken.returns[0].id).debtor.account();
        assert_eq!(debtor, Some(if bears { account } else { suspense }));
        let journals: Vec<Journal> = world
            .unrolled()
            .into_iter()
            .map(|it: (_, _, Transaction)| it.2.journal)
            .collect();
        assert!(
            [Journal::Chargeback, Journal::OutSettle]
                .iter()
                .all(|it| journals.contains(it)),
            "{journals:?}"
        );
    }
}

#[test]
fn no_line_posts_to_a_customer() {
    let mut world = World::new();
    let account = open(&mut world, 5_000);
    let mut odd = fee(&mut world, 20);
    odd.legs[0].account = account;
    let mut fees = step(vec![line("a", &[], false)]);
    fees.postings = vec![odd];
    assert!(matches!(
        take(&mut world, &fees),
        Err(Rejection::WrongKind { .. })
    ));
}
