//! Payments for a later day.

use lombard_core::{
    command::{Act, Pay, Rejection, Report, Verification},
    id::Id,
    ledger::Account,
    lifecycle::{Pending, Stage, Status},
    payment::OnInsufficientFunds,
    reason::Reason,
    timer::{Due, Timer},
};

use super::{
    World,
    flows::{fund, open, order, pay, payment, report},
};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// A payment of 100 for tomorrow, and the timer of its day.
fn tomorrow(world: &mut World, debtor: Id<Account>) -> (Pay, Timer) {
    let mut order = order(world, debtor, 100);
    let due = world.now.plus_ms(DAY_MS);
    order.execute_at = Some(due);
    let timer = Timer {
        tenant: world.tenant,
        due,
        what: Due::ExecutePayment(order.id),
    };
    (order, timer)
}

/// Its day comes.
fn comes(world: &mut World, timer: &Timer) {
    assert!(world.records.contains_key(&timer.key()), "the timer is set");
    world.now = timer.due;
    for _ in 0..2 {
        world.execute(&timer.clone().fire()).unwrap();
    }
    assert!(!world.records.contains_key(&timer.key()), "and gone");
}

#[test]
fn it_waits_without_a_hold_and_goes_on_its_day() {
    let mut world = World::new();
    let account = open(&mut world, 100);
    let (order, timer) = tomorrow(&mut world, account);
    let stage = pay(&mut world, &order);
    assert_eq!(stage, Stage::Scheduled);
    assert_eq!(
        (stage.status(), stage.pending()),
        (Status::AuthPending, Some(Pending::Rails))
    );
    assert_eq!(world.balance(account).sums.available(), 100);
    comes(&mut world, &timer);
    assert_eq!(payment(&world, order.id).stage, Stage::Queued);
    assert_eq!(world.balance(account).sums.available(), 0);
    report(&mut world, order.id, Report::Submitted);
    report(&mut world, order.id, Report::Accepted(None));
    assert_eq!(payment(&world, order.id).stage, Stage::Cleared);
}

#[test]
fn a_day_that_has_come_is_now() {
    let mut world = World::new();
    let account = open(&mut world, 100);
    let (mut order, _) = tomorrow(&mut world, account);
    order.execute_at = Some(world.now);
    assert_eq!(pay(&mut world, &order), Stage::Held);
    assert_eq!(payment(&world, order.id).execute_at, None);
}

#[test]
fn it_can_be_cancelled_until_its_day_and_the_day_then_does_nothing() {
    let mut world = World::new();
    let account = open(&mut world, 100);
    let (order, timer) = tomorrow(&mut world, account);
    pay(&mut world, &order);
    world.run(Act::Cancel(order.id)).unwrap();
    comes(&mut world, &timer);
    assert_eq!(payment(&world, order.id).stage, Stage::Failed);
    assert_eq!(world.balance(account).sums.available(), 100);
    let refused = world.run(Act::Cancel(order.id));
    assert!(matches!(refused, Err(Rejection::WrongStage { .. })));
}

#[test]
fn who_must_confirm_it_is_asked_first() {
    let mut world = World::new();
    let account = open(&mut world, 100);
    let (mut order, timer) = tomorrow(&mut world, account);
    order.verification = Some(Reason::FraudSuspected);
    assert_eq!(pay(&mut world, &order), Stage::Verifying);
    world
        .run(Act::Verify(order.id, Verification::Passed))
        .unwrap();
    let scheduled = payment(&world, order.id);
    assert_eq!(
        (scheduled.stage, scheduled.reason),
        (Stage::Scheduled, None)
    );
    comes(&mut world, &timer);
    assert_eq!(payment(&world, order.id).stage, Stage::Queued);
}

#[test]
fn a_confirmation_after_its_day_sends_it_at_once() {
    let mut world = World::new();
    let account = open(&mut world, 100);
    let (mut order, timer) = tomorrow(&mut world, account);
    order.verification = Some(Reason::FraudSuspected);
    pay(&mut world, &order);
    world.now = timer.due.plus_ms(1);
    world
        .run(Act::Verify(order.id, Verification::Passed))
        .unwrap();
    assert_eq!(payment(&world, order.id).stage, Stage::Queued);
}

#[test]
fn without_money_on_its_day_it_fails_or_waits_and_expires() {
    for (wish, stage) in [
        (OnInsufficientFunds::Fail, Stage::Failed),
        (OnInsufficientFunds::Wait, Stage::AwaitingFunds),
    ] {
        let mut world = World::new();
        let account = open(&mut world, 0);
        let (mut order, timer) = tomorrow(&mut world, account);
        order.on_insufficient_funds = wish;
        assert_eq!(pay(&mut world, &order), Stage::Scheduled);
        comes(&mut world, &timer);
        assert_eq!(payment(&world, order.id).stage, stage);
        if stage == Stage::Failed {
            continue;
        }
        // It expires so long after its day as it may wait.
        let due = timer.due.plus_ms(order.wait_ms);
        let expiry = Timer {
            due,
            what: Due::ExpirePayment(order.id),
            ..timer
        };
        comes(&mut world, &expiry);
        let failed = payment(&world, order.id);
        assert_eq!(
            (failed.stage, failed.reason),
            (Stage::Failed, Some(Reason::Expired))
        );
        fund(&mut world, account, 100);
        assert_eq!(world.balance(account).waiting, 0);
    }
}

#[test]
fn one_whose_day_and_patience_went_by_unseen_goes_late_or_not_at_all() {
    for funds in [100, 0] {
        let mut world = World::new();
        let account = open(&mut world, funds);
        let (mut order, timer) = tomorrow(&mut world, account);
        order.on_insufficient_funds = OnInsufficientFunds::Wait;
        pay(&mut world, &order);
        let expiry = payment(&world, order.id).expires_at.unwrap();
        world.now = expiry;
        let late = Timer {
            due: expiry,
            what: Due::ExpirePayment(order.id),
            ..timer.clone()
        };
        world.execute(&late.fire()).unwrap();
        world.execute(&timer.fire()).unwrap();
        let payment = payment(&world, order.id);
        let (stage, reason) = match funds {
            0 => (Stage::Failed, Some(Reason::Expired)),
            _ => (Stage::Queued, None),
        };
        assert_eq!((payment.stage, payment.reason), (stage, reason));
    }
}
