//! Whole lives of payments, told as a payments person would.

use lombard_core::{
    command::{Act, OpenAccount, Pay, PostLegs, ReceiveReturn, Rejection, Report, Verification},
    currency::Currency,
    event::{Errand, Event},
    id::Id,
    journal::{self, Role, house},
    ledger::{Account, AliasScheme, Rollup, Sums},
    lifecycle::Stage,
    money::{Amount, Money},
    payment::{External, OnInsufficientFunds, Party, Payment},
    plan::{ENQUIRIES_MAX, enquiry_delay_ms, keys},
    rail::Rail,
    reason::Reason,
    store::decode,
    timer::{Due, Timer},
};

use super::World;

pub fn gbp(minor: u64) -> Money {
    Money {
        amount: Amount::try_from(minor).unwrap(),
        currency: Currency::GBP,
    }
}

pub fn open(world: &mut World, funds: u64) -> Id<Account> {
    let id: Id<Account> = world.id();
    let id = id.of_kind(Rollup::Constrained);
    world
        .run(Act::OpenAccount(OpenAccount {
            id,
            name: "current".to_owned(),
            currency: Currency::GBP,
            aliases: Vec::new(),
            sealed: None,
            metadata: Default::default(),
        }))
        .unwrap();
    if funds > 0 {
        fund(world, id, funds);
    }
    id
}

pub fn fund(world: &mut World, account: Id<Account>, minor: u64) {
    let bank = house(world.tenant, Rail::Fps, Role::Settlement, Currency::GBP);
    if world
        .value::<Account>(&keys::account(world.tenant, bank))
        .is_none()
    {
        world
            .run(Act::OpenAccount(OpenAccount {
                id: bank,
                name: journal::house_name(Rail::Fps, Role::Settlement, Currency::GBP),
                currency: Currency::GBP,
                aliases: Vec::new(),
                sealed: None,
                metadata: Default::default(),
            }))
            .unwrap();
    }
    let legs = journal::move_now(bank, account, gbp(minor));
    let id = world.id();
    world.run(Act::PostLegs(PostLegs { id, legs })).unwrap();
}

pub fn outside() -> External {
    External {
        scheme: AliasScheme::UkAccount,
        country: "GB".to_owned(),
        last4: "6819".to_owned(),
        fingerprint: "f".to_owned(),
    }
}

pub fn order(world: &mut World, debtor: Id<Account>, minor: u64) -> Pay {
    Pay {
        id: world.id(),
        rail: Rail::Fps,
        money: gbp(minor),
        debtor,
        creditor: Party::External(outside()),
        end_to_end_id: "E2E-1".to_owned(),
        on_insufficient_funds: OnInsufficientFunds::Fail,
        verification: None,
        execute_at: None,
        agency: None,
        needs_approval: false,
        parties: Vec::new(),
        sca: None,
        wait_ms: 60_000,
        sealed: None,
        warnings: Vec::new(),
        metadata: Default::default(),
        batch: None,
        risk: None,
    }
}

pub fn pay(world: &mut World, order: &Pay) -> Stage {
    let reply = world.run(Act::Pay(Box::new(order.clone()))).unwrap();
    assert_eq!(reply.status, 201);
    reply.stage.unwrap()
}

pub fn report(world: &mut World, id: Id<Payment>, report: Report) -> Stage {
    world.run(Act::Report(id, report)).unwrap().stage.unwrap()
}

pub fn payment(world: &World, id: Id<Payment>) -> Payment {
    world.value(&keys::payment(world.tenant, id)).unwrap()
}

/// The timeline as one line: what happened and where it led, with errands in brackets.
pub fn story(world: &World, id: Id<Payment>) -> String {
    let partition = keys::payment_partition(world.tenant, id);
    let events = world
        .records
        .iter()
        .filter(|(key, _)| key.partition() == partition && key.sort().starts_with("e#"));
    let events: Vec<Event> = events
        .map(|(_, record)| decode(&record.body.bytes))
        .collect();
    for (place, event) in events.iter().enumerate() {
        assert_eq!(event.number as usize, place + 1, "a gap in the timeline");
    }
    let line = |event: &Event| match event.effects.as_slice() {
        [] => event.kind().to_owned(),
        errands => format!("{}{errands:?}", event.kind()),
    };
    events.iter().map(line).collect::<Vec<_>>().join(" ")
}

fn clearing(world: &World) -> Id<Account> {
    house(world.tenant, Rail::Fps, Role::Clearing, Currency::GBP)
}

#[test]
fn a_payment_is_held_sent_cleared_and_settled() {
    let mut world = World::new();
    let account = open(&mut world, 10_000);
    let order = order(&mut world, account, 2_500);
    assert_eq!(pay(&mut world, &order), Stage::Held);
    assert_eq!(world.balance(account).sums.available(), 7_500);
    assert_eq!(
        report(&mut world, order.id, Report::Submitted),
        Stage::Submitted
    );
    let yes = || Report::Accepted(Some("R1".to_owned()));
    assert_eq!(report(&mut world, order.id, yes()), Stage::Cleared);
    assert_eq!(
        report(&mut world, order.id, yes()),
        Stage::Cleared,
        "rails repeat themselves"
    );
    assert_eq!(
        report(&mut world, order.id, Report::SettlementFound),
        Stage::Settled
    );
    assert_eq!(
        story(&world, order.id),
        "payment.initiated[Submit] payment.auth_pending payment.cleared payment.settled"
    );
    world.roll_up();
    let sums = world.balance(account).sums;
    assert_eq!((sums.debits_posted, sums.debits_pending), (2_500, 0));
    let sums = world.balance(clearing(&world)).sums;
    assert_eq!(
        (
            sums.debits_posted,
            sums.credits_posted,
            sums.credits_pending
        ),
        (2_500, 2_500, 0)
    );
    assert_eq!(
        payment(&world, order.id).attempt.rail_reference.as_deref(),
        Some("R1")
    );
}

#[test]
fn a_no_releases_the_hold_and_a_late_yes_is_shown_to_a_person() {
    let mut world = World::new();
    let account = open(&mut world, 10_000);
    let order = order(&mut world, account, 2_500);
    pay(&mut world, &order);
    report(&mut world, order.id, Report::Submitted);
    let no = || Report::Rejected(Reason::AccountClosed, "AC04".to_owned());
    assert_eq!(report(&mut world, order.id, no()), Stage::Failed);
    assert_eq!(report(&mut world, order.id, no()), Stage::Failed);
    assert_eq!(world.balance(account).sums.available(), 10_000);
    assert_eq!(
        report(&mut world, order.id, Report::Accepted(None)),
        Stage::Failed
    );
    assert!(story(&world, order.id).ends_with("payment.noted[Contradiction]"));
    let payment = payment(&world, order.id);
    assert_eq!(payment.reason, Some(Reason::AccountClosed));
    assert_eq!(payment.reason_code.as_deref(), Some("AC04"));
}

#[test]
fn a_no_after_the_yes_reverses_what_has_not_come_back_already() {
    let mut world = World::new();
    let account = open(&mut world, 10_000);
    let order = order(&mut world, account, 2_500);
    pay(&mut world, &order);
    report(&mut world, order.id, Report::Accepted(None));
    let id = world.id();
    let back = ReceiveReturn {
        id,
        original: order.id,
        amount: Amount::try_from(500).unwrap(),
        reason: Reason::AccountClosed,
        reason_code: "AC04".to_owned(),
        rail_reference: "R2".to_owned(),
    };
    world.run(Act::ReceiveReturn(back)).unwrap();
    assert_eq!(world.balance(account).sums.available(), 8_000);
    let no = Report::Rejected(Reason::TechnicalError, "MS03".to_owned());
    assert_eq!(report(&mut world, order.id, no), Stage::Reversed);
    assert_eq!(world.balance(account).sums.available(), 10_000);
    world.roll_up();
    let sums = world.balance(clearing(&world)).sums;
    assert_eq!(sums.debits_posted, sums.credits_posted);
}

#[test]
fn silence_is_doubt_and_the_hold_stays_until_the_rail_says_which() {
    for (news, end, available) in [
        (Report::Accepted(None), Stage::Cleared, 7_500),
        (
            Report::Rejected(Reason::AccountClosed, "AC04".to_owned()),
            Stage::Failed,
            10_000,
        ),
        (Report::SettlementFound, Stage::Settled, 7_500),
    ] {
        let mut world = World::new();
        let account = open(&mut world, 10_000);
        let order = order(&mut world, account, 2_500);
        pay(&mut world, &order);
        report(&mut world, order.id, Report::Submitted);
        assert_eq!(
            report(&mut world, order.id, Report::TimedOut),
            Stage::InDoubt
        );
        assert_eq!(world.balance(account).sums.available(), 7_500);
        let cancelled = world.run(Act::Cancel(order.id));
        assert!(matches!(cancelled, Err(Rejection::WrongStage { .. })));
        assert_eq!(report(&mut world, order.id, news), end);
        assert_eq!(world.balance(account).sums.available(), available);
    }
}

/// The timers of a payment in doubt, one after the other, as the worker would fire them.
#[test]
fn enquiries_back_off_and_end_with_a_person() {
    let mut world = World::new();
    let account = open(&mut world, 10_000);
    let order = order(&mut world, account, 2_500);
    pay(&mut world, &order);
    report(&mut world, order.id, Report::TimedOut);
    let mut pauses = Vec::new();
    for _ in 0..ENQUIRIES_MAX + 2 {
        let timers: Vec<Timer> = world
            .records
            .iter()
            .filter(|(key, _)| key.partition().starts_with("timer#"))
            .map(|(_, record)| decode(&record.body.bytes))
            .collect();
        let [timer] = timers.as_slice() else {
            panic!("one timer, not {timers:?}")
        };
        assert_eq!(timer.what, Due::Enquire(order.id));
        pauses.push(timer.due.ms_since(world.now));
        world.now = timer.due;
        world.execute(&timer.clone().fire()).unwrap();
    }
    let expected: Vec<u64> = (0..ENQUIRIES_MAX + 2).map(enquiry_delay_ms).collect();
    assert_eq!(pauses, expected);
    let told = story(&world, order.id)
        .matches(&format!("{:?}", Errand::Unresolved))
        .count();
    assert_eq!(
        told,
        1,
        "a person is told once: {}",
        story(&world, order.id)
    );
    assert_eq!(
        payment(&world, order.id).stage,
        Stage::InDoubt,
        "and it stays in doubt"
    );
    // Once decided, the last timer comes to nothing and sets no other.
    report(&mut world, order.id, Report::Accepted(None));
    let (key, last) = world
        .records
        .iter()
        .find(|(key, _)| key.partition().starts_with("timer#"))
        .map(|(key, record)| (key.clone(), decode::<Timer>(&record.body.bytes)))
        .unwrap();
    world.now = last.due;
    world.execute(&last.fire()).unwrap();
    assert!(!world.records.contains_key(&key));
    assert!(
        !world
            .records
            .keys()
            .any(|key| key.partition().starts_with("timer#"))
    );
}

#[test]
fn a_payment_may_wait_for_money_and_expires_if_none_comes() {
    let mut world = World::new();
    let account = open(&mut world, 100);
    let mut first = order(&mut world, account, 2_500);
    first.on_insufficient_funds = OnInsufficientFunds::Wait;
    let second = Pay {
        id: world.id(),
        ..first.clone()
    };
    assert_eq!(pay(&mut world, &first), Stage::AwaitingFunds);
    assert_eq!(pay(&mut world, &second), Stage::AwaitingFunds);
    assert_eq!(world.balance(account).waiting, 2);
    world.run(Act::RetryFunds(first.id)).unwrap();
    assert_eq!(payment(&world, first.id).stage, Stage::AwaitingFunds);
    fund(&mut world, account, 2_400);
    world.run(Act::RetryFunds(first.id)).unwrap();
    world.run(Act::RetryFunds(second.id)).unwrap();
    assert_eq!(payment(&world, first.id).stage, Stage::Queued);
    assert_eq!(payment(&world, second.id).stage, Stage::AwaitingFunds);
    assert_eq!(world.balance(account).waiting, 1);
    world.now = world.now.plus_ms(60_000);
    let what = Due::ExpirePayment(second.id);
    let due = payment(&world, second.id).expires_at.unwrap();
    let timer = Timer {
        tenant: world.tenant,
        due,
        what,
    };
    world.execute(&timer.clone().fire()).unwrap();
    world.execute(&timer.fire()).unwrap();
    let expired = payment(&world, second.id);
    assert_eq!(
        (expired.stage, expired.reason),
        (Stage::Failed, Some(Reason::Expired))
    );
    assert_eq!(world.balance(account).waiting, 0);
    assert_eq!(
        story(&world, second.id),
        "payment.auth_pending payment.failed"
    );
}

#[test]
fn want_of_money_fails_a_payment_that_may_not_wait() {
    let mut world = World::new();
    let account = open(&mut world, 100);
    let order = order(&mut world, account, 101);
    assert_eq!(pay(&mut world, &order), Stage::Failed);
    assert_eq!(
        payment(&world, order.id).reason,
        Some(Reason::InsufficientFunds)
    );
    assert_eq!(
        world.balance(account).sums,
        Sums {
            credits_posted: 100,
            ..Sums::default()
        }
    );
}

#[test]
fn verification_passes_or_refuses() {
    for (answer, end) in [
        (Verification::Passed, Stage::Queued),
        (Verification::Refused(Reason::FraudSuspected), Stage::Failed),
    ] {
        let mut world = World::new();
        let account = open(&mut world, 10_000);
        let mut order = order(&mut world, account, 100);
        order.verification = Some(Reason::FraudSuspected);
        assert_eq!(pay(&mut world, &order), Stage::Verifying);
        assert_eq!(world.balance(account).sums.debits_pending, 0);
        world.run(Act::Verify(order.id, answer.clone())).unwrap();
        assert_eq!(payment(&world, order.id).stage, end);
        let again = world.run(Act::Verify(order.id, answer));
        assert!(matches!(again, Err(Rejection::WrongStage { .. })));
    }
}

#[test]
fn a_payment_is_cancelled_only_before_it_leaves() {
    let mut world = World::new();
    let account = open(&mut world, 10_000);
    let order = order(&mut world, account, 100);
    pay(&mut world, &order);
    world.run(Act::Cancel(order.id)).unwrap();
    assert_eq!(payment(&world, order.id).stage, Stage::Failed);
    assert_eq!(world.balance(account).sums.available(), 10_000);
    // The worker that was about to send it is told no.
    let refused = world.run(Act::Report(order.id, Report::Submitted)).unwrap();
    assert_eq!(refused.stage, Some(Stage::Failed));
    assert!(matches!(
        world.run(Act::Cancel(order.id)),
        Err(Rejection::WrongStage { .. })
    ));
}
