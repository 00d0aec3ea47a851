//! What the simulation found, told as short stories.

use lombard_core::{
    command::{Act, Report, ReturnPayment, RollUp, Verification},
    currency::Currency,
    journal::{Role, house},
    lifecycle::Stage,
    money::Amount,
    payment::{OnInsufficientFunds, Payment},
    plan::keys,
    rail::Rail,
    reason::Reason,
    timer::{Due, Timer},
};

use super::{
    World,
    backs::receive,
    flows::{fund, open, order, pay, report},
};

/// Seed 57: the settlement of a return in doubt is its yes as well, and both tell the original.
#[test]
fn a_settlement_that_is_also_the_yes_of_a_return_leaves_the_original_told() {
    let mut world = World::new();
    let account = open(&mut world, 0);
    let original = receive(&mut world, Some(account), 400);
    let back = world.id();
    world
        .run(Act::Return(ReturnPayment {
            id: back,
            original,
            amount: Some(Amount::try_from(150).unwrap()),
            reason: Reason::CustomerRequested,
        }))
        .unwrap();
    world.run(Act::Report(back, Report::Submitted)).unwrap();
    let settled = world
        .run(Act::Report(back, Report::SettlementFound))
        .unwrap();
    assert_eq!(settled.stage, Some(Stage::Settled));
    let told: Payment = world.value(&keys::payment(world.tenant, original)).unwrap();
    assert_eq!((told.returned, told.returning, told.events), (150, 0, 3));
}

/// Seed 66: the timer of a payment that waits for money after it waited for a person is set already.
#[test]
fn who_passes_verification_without_the_money_waits_for_it() {
    let mut world = World::new();
    let account = open(&mut world, 100);
    let mut order = order(&mut world, account, 300);
    order.on_insufficient_funds = OnInsufficientFunds::Wait;
    order.verification = Some(Reason::FraudSuspected);
    let id = order.id;
    world.run(Act::Pay(Box::new(order))).unwrap();
    let passed = world.run(Act::Verify(id, Verification::Passed)).unwrap();
    assert_eq!(passed.stage, Some(Stage::AwaitingFunds));
    let payment: Payment = world.value(&keys::payment(world.tenant, id)).unwrap();
    let timer = Timer {
        tenant: world.tenant,
        due: payment.expires_at.unwrap(),
        what: Due::ExpirePayment(id),
    };
    assert_eq!(world.value(&timer.key()), Some(timer));
    fund(&mut world, account, 200);
    let woken = world.run(Act::RetryFunds(id)).unwrap();
    assert_eq!(woken.stage, Some(Stage::Queued));
}

/// Seed 38: two runners of the roll-up, of which one is behind.
#[test]
fn a_roll_up_passes_over_what_another_has_counted() {
    let mut world = World::new();
    let account = open(&mut world, 0);
    receive(&mut world, Some(account), 400);
    receive(&mut world, Some(account), 30);
    let transactions = world.unrolled();
    let roll_up = |upto: u64| {
        let transactions = transactions.iter().filter(|(at, ..)| *at <= upto).cloned();
        Act::RollUp(RollUp {
            shard: 0,
            upto,
            transactions: transactions.collect(),
        })
    };
    let (first, last) = (transactions[0].0, transactions[1].0);
    world.run(roll_up(first)).unwrap();
    // This one has not seen that the first was counted.
    world.run(roll_up(last)).unwrap();
    let clearing = house(world.tenant, Rail::Fps, Role::Clearing, Currency::GBP);
    let balance = world.balance(clearing);
    assert_eq!((balance.sums.debits_posted, balance.entries), (430, 2));
}

/// Seed 237: an account that is empty may be closed while somebody is asked about a payment of it.
#[test]
fn who_passes_verification_on_a_closed_account_is_refused() {
    let mut world = World::new();
    let account = open(&mut world, 0);
    let mut order = order(&mut world, account, 300);
    order.on_insufficient_funds = OnInsufficientFunds::Wait;
    order.verification = Some(Reason::FraudSuspected);
    let id = order.id;
    world.run(Act::Pay(Box::new(order))).unwrap();
    world.run(Act::CloseAccount(account)).unwrap();
    let passed = world.run(Act::Verify(id, Verification::Passed)).unwrap();
    assert_eq!(passed.stage, Some(Stage::Failed));
    let payment: Payment = world.value(&keys::payment(world.tenant, id)).unwrap();
    assert_eq!(payment.reason, Some(Reason::AccountClosed));
}

/// Seed 1882627252421770: the rail took back its yes when the account had been closed.
#[test]
fn money_that_comes_back_to_a_closed_account_waits_in_suspense() {
    let mut world = World::new();
    let account = open(&mut world, 2_500);
    let sent = order(&mut world, account, 2_500);
    pay(&mut world, &sent);
    report(&mut world, sent.id, Report::Accepted(None));
    world.run(Act::CloseAccount(account)).unwrap();
    let no = Report::Rejected(Reason::AccountUnknown, "AC01".to_owned());
    assert_eq!(report(&mut world, sent.id, no), Stage::Reversed);
    world.roll_up();
    let suspense = house(world.tenant, Rail::Fps, Role::Suspense, Currency::GBP);
    assert_eq!(world.balance(suspense).sums.credits_posted, 2_500);
}
