//! What risk says of a payment is done, counted and kept in the commit that takes it in.

use lombard_core::{
    command::{Act, Pay, Rejection, Verification},
    id::Id,
    ledger::Account,
    lifecycle::Stage,
    mandate::Agency,
    payment::Payment,
    plan::keys,
    reason::Reason,
    risk::{Action, Assessment, Counter, Kept, Limit},
    sca::{Channel, WhyNot, Wish},
};

use serde_json::value::RawValue;

use super::{
    World,
    flows::{open, order, pay, payment},
};

const HOUR_MS: u64 = 3_600_000;

fn funded() -> (World, Id<Account>) {
    let mut world = World::new();
    let account = open(&mut world, 10_000);
    (world, account)
}

fn limit(name: &str, most: u64, add: u64, always: bool) -> Limit {
    Limit {
        name: name.to_owned(),
        counter: Limit::counter(name, &["acc", "payee"]),
        period_ms: 24 * HOUR_MS,
        most,
        add,
        always,
        action: Action::Decline,
    }
}

fn assessed(world: &mut World, account: Id<Account>, action: Action, limits: Vec<Limit>) -> Pay {
    let mut pay = order(world, account, 100);
    pay.risk = Some(Assessment {
        action,
        decision: RawValue::from_string(r#"{"score":7}"#.to_owned())
            .unwrap()
            .into(),
        limits,
    });
    pay
}

fn kept(world: &World, id: Id<Payment>) -> Kept {
    world.value(&keys::decision(world.tenant, id)).unwrap()
}

#[test]
fn each_action_has_its_stage_and_is_kept() {
    for (action, wanted) in [
        (Action::Approve, Stage::Held),
        (Action::Challenge, Stage::Verifying),
        (Action::Review, Stage::Verifying),
        (Action::Decline, Stage::Failed),
    ] {
        let (mut world, account) = funded();
        let pay_it = assessed(&mut world, account, action, Vec::new());
        assert_eq!(pay(&mut world, &pay_it), wanted, "{action:?}");
        let kept = kept(&world, pay_it.id);
        assert_eq!(
            (kept.action, kept.decision.get()),
            (action, r#"{"score":7}"#)
        );
        let reason = payment(&world, pay_it.id).reason;
        let wanted = match action {
            Action::Approve => None,
            Action::Challenge => Some(Reason::AuthenticationNeeded),
            Action::Review | Action::Decline => Some(Reason::FraudSuspected),
        };
        assert_eq!(reason, wanted, "{action:?}");
    }
}

#[test]
fn a_reviewed_payment_goes_on_when_it_passed() {
    let (mut world, account) = funded();
    let pay_it = assessed(&mut world, account, Action::Review, Vec::new());
    pay(&mut world, &pay_it);
    let reply = world
        .run(Act::Verify(pay_it.id, Verification::Passed))
        .unwrap();
    assert_eq!(reply.stage, Some(Stage::Queued));
}

#[test]
fn a_limit_holds_to_the_unit_and_begins_anew_with_its_period() {
    let (mut world, account) = funded();
    let attempt = |world: &mut World| {
        let limits = vec![limit("payee_day", 250, 100, false)];
        let pay_it = assessed(world, account, Action::Approve, limits);
        (pay(world, &pay_it), kept(world, pay_it.id).exceeded)
    };
    assert_eq!(attempt(&mut world).0, Stage::Held);
    assert_eq!(attempt(&mut world).0, Stage::Held);
    // What was refused has not counted: the rest of the limit is still there, and still too small.
    for _ in 0..3 {
        assert_eq!(
            attempt(&mut world),
            (Stage::Failed, vec!["payee_day".to_owned()])
        );
    }
    world.now = world.now.plus_ms(24 * HOUR_MS);
    assert_eq!(attempt(&mut world).0, Stage::Held);
}

#[test]
fn what_fails_gives_back_what_it_used() {
    let (mut world, account) = funded();
    let attempt = |world: &mut World, action| {
        let limits = vec![
            limit("payee_day", 250, 100, false),
            limit("attempts", 9, 1, true),
        ];
        let pay_it = assessed(world, account, action, limits);
        (pay_it.id, pay(world, &pay_it))
    };
    let used = |world: &World, name: &str| {
        let key = keys::limit(world.tenant, &Limit::counter(name, &["acc", "payee"]));
        world.value::<Counter>(&key).unwrap_or_default().used
    };
    let (first, _) = attempt(&mut world, Action::Approve);
    let (second, _) = attempt(&mut world, Action::Review);
    assert_eq!(attempt(&mut world, Action::Approve).1, Stage::Failed);
    let refused = Verification::Refused(Reason::FraudSuspected);
    world.run(Act::Verify(second, refused)).unwrap();
    assert_eq!(used(&world, "payee_day"), 100);
    assert_eq!(attempt(&mut world, Action::Approve).1, Stage::Held);
    world.run(Act::Cancel(first)).unwrap();
    // Told twice, it is given back once.
    assert!(world.run(Act::Cancel(first)).is_err());
    assert_eq!(used(&world, "payee_day"), 100);
    assert_eq!(used(&world, "attempts"), 4, "tries stay tries");
    // For want of money it never used anything.
    let other = open(&mut world, 10);
    let limits = vec![limit("payee_day", 250, 100, false)];
    let poor = assessed(&mut world, other, Action::Approve, limits);
    assert_eq!(pay(&mut world, &poor), Stage::Failed);
    assert_eq!(used(&world, "payee_day"), 100);
    // What is given back late is not taken from a period that it never counted in.
    let (last, _) = attempt(&mut world, Action::Review);
    world.now = world.now.plus_ms(24 * HOUR_MS);
    attempt(&mut world, Action::Approve);
    world.run(Act::Cancel(last)).unwrap();
    assert_eq!(used(&world, "payee_day"), 100);
}

#[test]
fn attempts_count_even_when_they_are_refused() {
    let (mut world, account) = funded();
    let attempt = |world: &mut World, action| {
        let pay_it = assessed(world, account, action, vec![limit("attempts", 3, 1, true)]);
        pay(world, &pay_it)
    };
    for _ in 0..3 {
        assert_eq!(attempt(&mut world, Action::Decline), Stage::Failed);
    }
    assert_eq!(attempt(&mut world, Action::Approve), Stage::Failed);
}

#[test]
fn a_decline_spends_nothing_of_a_mandate_and_needs_no_second_person() {
    let (mut world, account) = funded();
    let mut pay_it = assessed(&mut world, account, Action::Decline, Vec::new());
    pay_it.needs_approval = true;
    // A mandate that is not there is a rejection, had anybody looked.
    pay_it.agency = Some(Agency {
        mandate: world.id(),
        human: "u".to_owned(),
        workload: "k".to_owned(),
        agent: "a".to_owned(),
    });
    assert_eq!(pay(&mut world, &pay_it), Stage::Failed);
    let payment = payment(&world, pay_it.id);
    assert_eq!((payment.agency, payment.approval), (None, None));
    pay_it.id = world.id();
    pay_it.risk = None;
    let refused = world.run(Act::Pay(Box::new(pay_it)));
    assert!(matches!(
        refused,
        Err(Rejection::NotFound {
            what: "mandate",
            ..
        })
    ));
}

#[test]
fn who_is_challenged_authenticates_although_he_were_exempt() {
    let (mut world, account) = funded();
    let mut pay_it = assessed(&mut world, account, Action::Challenge, Vec::new());
    assert_eq!(pay(&mut world, &pay_it), Stage::Verifying);
    let tried = payment(&world, pay_it.id).sca.unwrap().decision.tried;
    assert!(tried.contains(&(16, WhyNot::Challenged)), "{tried:?}");
    let confirmed = world.run(Act::Verify(pay_it.id, Verification::Passed));
    assert!(confirmed.is_err(), "he was not asked");
    // Nobody is there to be asked: somebody looks.
    let mut wish = Wish::plain(pay_it.money.currency);
    wish.ask.channel = Channel::MailOrTelephone;
    pay_it.sca = Some(Box::new(wish));
    pay_it.id = world.id();
    assert_eq!(pay(&mut world, &pay_it), Stage::Verifying);
    assert_eq!(
        payment(&world, pay_it.id).reason,
        Some(Reason::FraudSuspected)
    );
    world
        .run(Act::Verify(pay_it.id, Verification::Passed))
        .unwrap();
}

#[test]
fn a_limit_may_challenge_too() {
    let (mut world, account) = funded();
    let mut over = limit("payee_day", 50, 100, false);
    over.action = Action::Challenge;
    let pay_it = assessed(&mut world, account, Action::Approve, vec![over]);
    assert_eq!(pay(&mut world, &pay_it), Stage::Verifying);
    assert_eq!(
        payment(&world, pay_it.id).reason,
        Some(Reason::AuthenticationNeeded)
    );
}

#[test]
fn who_looks_sees_the_suspicion_and_still_may_not_approve_his_own() {
    let (mut world, account) = funded();
    let mut pay_it = assessed(&mut world, account, Action::Review, Vec::new());
    pay_it.needs_approval = true;
    pay(&mut world, &pay_it);
    let waiting = payment(&world, pay_it.id);
    assert_eq!(waiting.reason, Some(Reason::FraudSuspected));
    let own = world.run(Act::Verify(pay_it.id, Verification::Passed));
    assert_eq!(own.unwrap_err(), Rejection::OwnApproval);
}
