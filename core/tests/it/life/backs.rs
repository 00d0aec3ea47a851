//! Money that comes in, and money that goes back: returns, refunds, recalls.

use lombard_core::{
    command::{Act, RecallWish, Receive, ReceiveReturn, Rejection, Report, ReturnPayment},
    currency::Currency,
    id::Id,
    journal::{Role, house},
    ledger::Account,
    lifecycle::Stage,
    money::Amount,
    payment::{Party, Payment, RecallState},
    rail::Rail,
    reason::Reason,
    timer::{Due, Timer},
};

use super::{
    World,
    flows::{gbp, open, order, outside, pay, payment, report, story},
};

pub fn receive(world: &mut World, creditor: Option<Id<Account>>, minor: u64) -> Id<Payment> {
    let id = world.id();
    let news = Receive {
        id,
        rail: Rail::Fps,
        money: gbp(minor),
        debtor: outside(),
        creditor,
        end_to_end_id: "THEIRS".to_owned(),
        rail_reference: "R9".to_owned(),
        sealed: None,
    };
    let first = world.run(Act::Receive(Box::new(news.clone()))).unwrap();
    let second = world.run(Act::Receive(Box::new(news))).unwrap();
    assert_eq!(first.stage, second.stage, "heard twice, taken once");
    id
}

#[test]
fn money_comes_in_and_goes_back_in_parts() {
    let mut world = World::new();
    let account = open(&mut world, 0);
    let id = receive(&mut world, Some(account), 1_000);
    assert_eq!(world.balance(account).sums.available(), 1_000);
    let give_back = |world: &mut World, minor: Option<u64>| {
        let back = ReturnPayment {
            id: world.id(),
            original: id,
            amount: minor.map(|minor| Amount::try_from(minor).unwrap()),
            reason: Reason::CustomerRequested,
        };
        world.run(Act::Return(back.clone())).map(|_| back.id)
    };
    let first = give_back(&mut world, Some(400)).unwrap();
    let second = give_back(&mut world, Some(500)).unwrap();
    let too_much = give_back(&mut world, Some(101));
    assert_eq!(
        too_much,
        Err(Rejection::MoreThanRemains {
            remaining: 100,
            asked: 101
        })
    );
    // The rail refuses the second: its part can go back again.
    report(&mut world, first, Report::Accepted(None));
    report(
        &mut world,
        second,
        Report::Rejected(Reason::TechnicalError, "MS03".to_owned()),
    );
    let original = payment(&world, id);
    assert_eq!((original.returned, original.returning), (400, 0));
    assert_eq!(original.stage, Stage::Cleared);
    let rest = give_back(&mut world, None).unwrap();
    assert_eq!(payment(&world, rest).money.amount.minor(), 600);
    report(&mut world, rest, Report::Accepted(None));
    assert_eq!(payment(&world, id).stage, Stage::Reversed);
    assert_eq!(world.balance(account).sums.available(), 0);
    assert!(give_back(&mut world, Some(1)).is_err());
    assert_eq!(
        story(&world, id),
        "payment.cleared payment.return_started payment.return_started payment.returned \
         payment.return_failed payment.return_started payment.reversed"
    );
}

#[test]
fn money_for_nobody_goes_into_suspense() {
    let mut world = World::new();
    receive(&mut world, None, 700);
    world.roll_up();
    let suspense = house(world.tenant, Rail::Fps, Role::Suspense, Currency::GBP);
    assert_eq!(world.balance(suspense).sums.credits_posted, 700);
}

#[test]
fn a_book_payment_moves_at_once_and_its_return_too() {
    let mut world = World::new();
    let (from, to) = (open(&mut world, 1_000), open(&mut world, 0));
    let mut order = order(&mut world, from, 300);
    order.rail = Rail::Book;
    order.creditor = Party::Account(to);
    assert_eq!(pay(&mut world, &order), Stage::Cleared);
    assert_eq!(world.balance(to).sums.available(), 300);
    let back = ReturnPayment {
        id: world.id(),
        original: order.id,
        amount: None,
        reason: Reason::CustomerRequested,
    };
    world.run(Act::Return(back)).unwrap();
    assert_eq!(payment(&world, order.id).stage, Stage::Reversed);
    assert_eq!(world.balance(from).sums.available(), 1_000);
    // The payee has spent it: nothing can be taken back.
    let mut again = order.clone();
    again.id = world.id();
    pay(&mut world, &again);
    let mut away = self::order(&mut world, to, 200);
    away.rail = Rail::Book;
    away.creditor = Party::Account(from);
    pay(&mut world, &away);
    let back = ReturnPayment {
        id: world.id(),
        original: again.id,
        amount: None,
        reason: Reason::CustomerRequested,
    };
    assert!(matches!(
        world.run(Act::Return(back)),
        Err(Rejection::Ledger(_))
    ));
}

#[test]
fn a_return_of_a_payment_in_doubt_proves_that_it_had_arrived() {
    let mut world = World::new();
    let account = open(&mut world, 10_000);
    let order = order(&mut world, account, 2_500);
    pay(&mut world, &order);
    report(&mut world, order.id, Report::TimedOut);
    let back = ReceiveReturn {
        id: world.id(),
        original: order.id,
        amount: Amount::try_from(2_500).unwrap(),
        reason: Reason::AccountClosed,
        reason_code: "AC04".to_owned(),
        rail_reference: "R2".to_owned(),
    };
    world.run(Act::ReceiveReturn(back.clone())).unwrap();
    world.run(Act::ReceiveReturn(back)).unwrap();
    assert_eq!(payment(&world, order.id).stage, Stage::Reversed);
    assert_eq!(world.balance(account).sums.available(), 10_000);
    assert_eq!(
        story(&world, order.id),
        "payment.initiated[Submit] payment.auth_pending payment.cleared payment.reversed"
    );
}

#[test]
fn a_recall_is_asked_once_and_granted_by_a_return_or_refused() {
    let mut world = World::new();
    let account = open(&mut world, 10_000);
    let order = order(&mut world, account, 2_500);
    pay(&mut world, &order);
    let ask = || Act::AskRecall(order.id, Reason::Duplicate, "DUPL".to_owned());
    assert!(matches!(
        world.run(ask()),
        Err(Rejection::WrongStage { .. })
    ));
    report(&mut world, order.id, Report::Accepted(None));
    world.run(ask()).unwrap();
    assert_eq!(world.run(ask()), Err(Rejection::RecalledBefore));
    world
        .run(Act::RefuseRecall(order.id, "NOOR".to_owned()))
        .unwrap();
    world
        .run(Act::RefuseRecall(order.id, "NOOR".to_owned()))
        .unwrap();
    let recall = payment(&world, order.id).recall.unwrap();
    assert_eq!(
        (recall.state, recall.refusal_code.as_deref()),
        (RecallState::Refused, Some("NOOR"))
    );
    assert_eq!(
        story(&world, order.id),
        "payment.initiated[Submit] payment.cleared payment.recall_asked[AskRecall] \
         payment.recall_refused"
    );
}

#[test]
fn a_recall_comes_in_time_or_not_at_all() {
    const DAY_MS: u64 = 24 * 60 * 60 * 1000;
    let mut world = World::new();
    let account = open(&mut world, 10_000);
    let order = order(&mut world, account, 100);
    pay(&mut world, &order);
    report(&mut world, order.id, Report::Accepted(None));
    let theirs = receive(&mut world, Some(account), 1_000);
    let ask = Act::AskRecall(order.id, Reason::CustomerRequested, "CUST".to_owned());
    let wish = RecallWish {
        reason: Reason::CustomerRequested,
        reason_code: "CUST".to_owned(),
        case: "CASE-2".to_owned(),
    };
    // On Faster Payments we take 90 days; the last of them is in time.
    let last = world.now.plus_ms(90 * DAY_MS);
    world.now = last.plus_ms(DAY_MS);
    for late in [ask.clone(), Act::ReceiveRecall(theirs, wish.clone())] {
        let refused = world.run(late);
        assert!(
            matches!(refused, Err(Rejection::RecallTooLate { .. })),
            "{refused:?}"
        );
    }
    world.now = last;
    world.run(ask).unwrap();
    world.run(Act::ReceiveRecall(theirs, wish)).unwrap();
}

/// The other bank's wish to have money back that it sent twice.
fn duplicate() -> RecallWish {
    RecallWish {
        reason: Reason::Duplicate,
        reason_code: "DUPL".to_owned(),
        case: "CASE-1".to_owned(),
    }
}

#[test]
fn the_other_bank_s_recall_is_refused_with_an_errand() {
    let mut world = World::new();
    let account = open(&mut world, 0);
    let id = receive(&mut world, Some(account), 1_000);
    let wish = duplicate();
    world.run(Act::ReceiveRecall(id, wish.clone())).unwrap();
    world.run(Act::ReceiveRecall(id, wish)).unwrap();
    world.run(Act::RefuseRecall(id, "AC04".to_owned())).unwrap();
    assert_eq!(
        story(&world, id),
        "payment.cleared payment.recall_received payment.recall_refused[RefuseRecall]"
    );
}

/// A recall's timer, on the day after the last on which it may be answered.
fn answer_due(world: &World, id: Id<Payment>) -> Timer {
    let due = payment(world, id).recall.and_then(|it| it.answer_by);
    Timer {
        tenant: world.tenant,
        due: due.expect("the rail has a time for answers"),
        what: Due::AnswerRecall(id),
    }
}

#[test]
fn a_recall_that_nobody_answers_in_time_is_somebody_s_errand() {
    let mut world = World::new();
    let account = open(&mut world, 10_000);
    let order = order(&mut world, account, 2_500);
    pay(&mut world, &order);
    report(&mut world, order.id, Report::Accepted(None));
    let code = || "DUPL".to_owned();
    let ask = Act::AskRecall(order.id, Reason::Duplicate, code());
    world.run(ask).unwrap();
    let timer = answer_due(&world, order.id);
    assert!(world.records.contains_key(&timer.key()), "the timer is set");
    world.now = timer.due;
    for _ in 0..2 {
        world.execute(&timer.clone().fire()).unwrap();
    }
    assert_eq!(
        story(&world, order.id),
        "payment.initiated[Submit] payment.cleared payment.recall_asked[AskRecall] \
         payment.recall_overdue[RecallOverdue]"
    );
    // Late is better than never.
    let refuse = Act::RefuseRecall(order.id, "NOOR".to_owned());
    world.run(refuse).unwrap();
    let recall = payment(&world, order.id).recall.unwrap();
    assert_eq!(recall.state, RecallState::Refused);
}

#[test]
fn a_recall_answered_in_time_is_never_overdue() {
    let mut world = World::new();
    let account = open(&mut world, 0);
    let id = receive(&mut world, Some(account), 1_000);
    let wish = duplicate();
    world.run(Act::ReceiveRecall(id, wish)).unwrap();
    let timer = answer_due(&world, id);
    world.run(Act::RefuseRecall(id, "AC04".to_owned())).unwrap();
    let told = story(&world, id);
    world.now = timer.due;
    world.execute(&timer.clone().fire()).unwrap();
    assert!(!world.records.contains_key(&timer.key()), "it is gone");
    assert_eq!(story(&world, id), told);
}
