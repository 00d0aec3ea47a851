//! Payments that ask for the state of their parties.

use lombard_core::{
    command::{Act, Pay, Rejection, Verification},
    id::Id,
    ledger::Account,
    lifecycle::Stage,
    party::{self, Rule, Side, Standing, State, side_key, side_of},
    plan::keys,
    reason::Reason,
    store::{Body, Record, Version},
    time::Timestamp,
    timer::{Due, Timer},
};

use super::{
    World,
    flows::{fund, open, order, pay, payment},
};

/// Both sides are known: a payment waits for who is not, and fails for who was rejected.
fn rule() -> Rule {
    Rule {
        name: "known".to_owned(),
        side: Side::Both,
        rails: Vec::new(),
        currency: None,
        above: 50,
        hold: vec![State::Unknown, State::Pending, State::Expired],
        refuse: vec![State::Rejected],
    }
}

fn asked(world: &mut World, debtor: Id<Account>, minor: u64) -> Pay {
    let order = order(world, debtor, minor);
    let parties = if rule().fits(order.money, order.rail) {
        vec![rule()]
    } else {
        Vec::new()
    };
    Pay { parties, ..order }
}

/// Somebody decides about a side.
fn decide(world: &mut World, side: &str, state: State, valid_until: Option<Timestamp>) {
    let key = side_key(world.tenant, side);
    let version = world
        .records
        .get(&key)
        .map_or(Version::FIRST, |it| it.version.next());
    let party = Id::of_name(side);
    let standing = Standing {
        party,
        state,
        valid_until,
    };
    let body = Body::of(&standing);
    world.records.insert(key, Record { version, body });
}

fn listed(world: &World, side: &str) -> usize {
    let list = party::waiting_list(world.tenant, side);
    let records = world.records.values();
    records
        .filter(|record| record.body.index.iter().any(|key| key.partition() == list))
        .count()
}

#[test]
fn it_waits_for_each_side_in_turn_and_then_goes() {
    let mut world = World::new();
    let account = open(&mut world, 1_000);
    let order = asked(&mut world, account, 100);
    let (debtor, creditor) = (account.to_string(), side_of(&order.creditor));
    assert_eq!(pay(&mut world, &order), Stage::Verifying);
    let held = payment(&world, order.id);
    assert_eq!(held.reason, Some(Reason::PartyUnverified));
    assert_eq!(held.parties.as_ref().unwrap().found.len(), 2);
    assert_eq!(
        world.balance(account).sums.available(),
        1_000,
        "nothing is held"
    );
    assert_eq!((listed(&world, &debtor), listed(&world, &creditor)), (1, 0));

    // A person's yes is no verification.
    let answer = world.run(Act::Verify(order.id, Verification::Passed));
    assert!(
        matches!(answer, Err(Rejection::WrongKind { .. })),
        "{answer:?}"
    );

    decide(&mut world, &debtor, State::Verified, None);
    world.run(Act::RetryParties(order.id)).unwrap();
    assert_eq!(payment(&world, order.id).stage, Stage::Verifying);
    assert_eq!((listed(&world, &debtor), listed(&world, &creditor)), (0, 1));
    // Looked at again, nothing is written.
    let before = world.records.clone();
    world.run(Act::RetryParties(order.id)).unwrap();
    assert_eq!(world.records, before);

    decide(&mut world, &creditor, State::Verified, None);
    for _ in 0..2 {
        world.run(Act::RetryParties(order.id)).unwrap();
        assert_eq!(payment(&world, order.id).stage, Stage::Queued);
    }
    assert_eq!(payment(&world, order.id).reason, None);
    assert_eq!(listed(&world, &creditor), 0);
    assert_eq!(world.balance(account).sums.available(), 900);
}

#[test]
fn a_side_that_is_rejected_fails_it_at_once_or_while_it_waits() {
    let mut world = World::new();
    let account = open(&mut world, 1_000);
    let waits = asked(&mut world, account, 100);
    assert_eq!(pay(&mut world, &waits), Stage::Verifying);
    decide(&mut world, &account.to_string(), State::Rejected, None);
    world.run(Act::RetryParties(waits.id)).unwrap();
    let later = asked(&mut world, account, 100);
    assert_eq!(pay(&mut world, &later), Stage::Failed);
    for order in [waits, later] {
        let failed = payment(&world, order.id);
        assert_eq!(failed.stage, Stage::Failed);
        assert_eq!(failed.reason, Some(Reason::PartyRefused));
    }
    let small = asked(&mut world, account, 50);
    assert_eq!(pay(&mut world, &small), Stage::Held, "no rule asks");
}

#[test]
fn a_verification_that_ends_before_the_day_of_the_payment_fails_it() {
    let mut world = World::new();
    let account = open(&mut world, 1_000);
    let mut order = asked(&mut world, account, 100);
    let due = world.now.plus_ms(10_000);
    order.execute_at = Some(due);
    decide(&mut world, &account.to_string(), State::Verified, Some(due));
    decide(&mut world, &side_of(&order.creditor), State::Verified, None);
    assert_eq!(pay(&mut world, &order), Stage::Scheduled);
    world.now = due;
    let timer = Timer {
        tenant: world.tenant,
        due,
        what: Due::ExecutePayment(order.id),
    };
    world.execute(&timer.fire()).unwrap();
    let failed = payment(&world, order.id);
    assert_eq!(
        (failed.stage, failed.reason),
        (Stage::Failed, Some(Reason::PartyRefused))
    );
    assert_eq!(world.balance(account).sums.available(), 1_000);
}

#[test]
fn what_a_person_must_confirm_he_confirms_first() {
    let mut world = World::new();
    let account = open(&mut world, 1_000);
    let mut order = asked(&mut world, account, 100);
    order.verification = Some(Reason::NameMismatch);
    assert_eq!(pay(&mut world, &order), Stage::Verifying);
    assert_eq!(payment(&world, order.id).reason, Some(Reason::NameMismatch));
    world.run(Act::RetryParties(order.id)).unwrap();
    assert_eq!(payment(&world, order.id).reason, Some(Reason::NameMismatch));
    world
        .run(Act::Verify(order.id, Verification::Passed))
        .unwrap();
    let now = payment(&world, order.id);
    assert_eq!(
        (now.stage, now.reason),
        (Stage::Verifying, Some(Reason::PartyUnverified))
    );
    decide(&mut world, &account.to_string(), State::Verified, None);
    decide(&mut world, &side_of(&order.creditor), State::Verified, None);
    world.run(Act::RetryParties(order.id)).unwrap();
    assert_eq!(payment(&world, order.id).stage, Stage::Queued);
}

#[test]
fn one_that_waits_for_money_is_looked_at_again_when_it_comes() {
    let mut world = World::new();
    let account = open(&mut world, 0);
    let mut order = asked(&mut world, account, 100);
    order.on_insufficient_funds = lombard_core::payment::OnInsufficientFunds::Wait;
    for side in [account.to_string(), side_of(&order.creditor)] {
        decide(&mut world, &side, State::Verified, None);
    }
    assert_eq!(pay(&mut world, &order), Stage::AwaitingFunds);
    decide(&mut world, &account.to_string(), State::Pending, None);
    fund(&mut world, account, 100);
    world.run(Act::RetryFunds(order.id)).unwrap();
    assert_eq!(payment(&world, order.id).reason, Some(Reason::PartyRefused));
    assert!(
        !world
            .records
            .contains_key(&keys::decision(world.tenant, order.id))
    );
}
