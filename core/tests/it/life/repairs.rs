//! What a person does about a payment that no machine could finish: by evidence, again, or beside it.

use lombard_core::{
    command::{Act, Bearer, Mend, OpenAccount, Rejection, Repair, Report},
    currency::Currency,
    id::Id,
    journal::{Role, house, house_name},
    ledger::{Account, Transaction},
    lifecycle::Stage,
    payment::Payment,
    rail::Rail,
    reason::Reason,
};

use super::{
    World,
    flows::{open, order, pay, payment, report},
};

const FUNDS: u64 = 10_000;
const PENCE: u64 = 2_500;

/// A payment that the rail was told of, and what it then said.
fn told(said: &[Report]) -> (World, Id<Account>, Id<Payment>) {
    let mut world = World::new();
    let account = open(&mut world, FUNDS);
    for role in [Role::Clearing, Role::Differences] {
        let house = OpenAccount {
            id: house(world.tenant, Rail::Fps, role, Currency::GBP),
            name: house_name(Rail::Fps, role, Currency::GBP),
            currency: Currency::GBP,
            aliases: Vec::new(),
            sealed: None,
            metadata: Default::default(),
        };
        world.run(Act::OpenAccount(house)).unwrap();
    }
    let order = order(&mut world, account, PENCE);
    pay(&mut world, &order);
    report(&mut world, order.id, Report::Submitted);
    for said in said {
        report(&mut world, order.id, said.clone());
    }
    (world, account, order.id)
}

fn in_doubt() -> (World, Id<Account>, Id<Payment>) {
    told(&[Report::TimedOut])
}

/// It failed, and its money left all the same.
fn contradicted() -> (World, Id<Account>, Id<Payment>) {
    let no = Report::Rejected(Reason::Unspecified, "1160".to_owned());
    told(&[no, Report::Accepted(None)])
}

/// As somebody who looked at the payment just now decides.
fn mend(world: &mut World, id: Id<Payment>, mend: Mend) -> Result<Option<Stage>, Rejection> {
    let seen = payment(world, id).events;
    let why = "a test".to_owned();
    let repair = Repair {
        payment: id,
        seen,
        mend,
        why,
    };
    let done = world.run(Act::Repair(Box::new(repair)));
    done.map(|reply| reply.stage)
}

fn available(world: &World, account: Id<Account>) -> u64 {
    world.balance(account).sums.available()
}

#[test]
fn evidence_is_taken_in_as_the_rail_s_own_word() {
    for (by_hand, stage, left) in [
        (
            Mend::Paid("report 7".to_owned()),
            Stage::Cleared,
            FUNDS - PENCE,
        ),
        (Mend::NotPaid, Stage::Failed, FUNDS),
    ] {
        let (mut world, account, id) = in_doubt();
        assert_eq!(mend(&mut world, id, by_hand.clone()), Ok(Some(stage)));
        assert_eq!(available(&world, account), left);
        let again = mend(&mut world, id, by_hand);
        let decided = matches!(again, Err(Rejection::WrongStage { .. }));
        assert!(decided, "what is decided is decided: {again:?}");
    }
}

#[test]
fn what_is_sent_again_is_the_same_attempt() {
    let (mut world, account, id) = in_doubt();
    let before = payment(&world, id).attempt_id(world.tenant);
    mend(&mut world, id, Mend::Resubmit).unwrap();
    let again = payment(&world, id);
    assert_ne!(again.stage, Stage::InDoubt);
    assert_eq!(again.attempt_id(world.tenant), before);
    assert_eq!(available(&world, account), FUNDS - PENCE, "it stays held");
}

#[test]
fn what_somebody_did_not_see_is_not_decided_on() {
    let (mut world, account, id) = in_doubt();
    let seen = payment(&world, id).events - 1;
    let stale = Repair {
        payment: id,
        seen,
        mend: Mend::NotPaid,
        why: "a test".to_owned(),
    };
    let refused = world.run(Act::Repair(Box::new(stale))).map(drop);
    assert_eq!(refused, Err(Rejection::Changed));
    assert_eq!(available(&world, account), FUNDS - PENCE);
}

#[test]
fn money_that_left_is_borne_once_for_an_id_and_taken_back() {
    for (bearer, left) in [(Bearer::Payer, FUNDS - PENCE), (Bearer::House, FUNDS)] {
        let (mut world, account, id) = contradicted();
        assert_eq!(available(&world, account), FUNDS);
        let (posted, undone): (Id<Transaction>, Id<Transaction>) = (world.id(), world.id());
        for _ in 0..2 {
            mend(&mut world, id, Mend::Compensate(posted, bearer)).unwrap();
            assert_eq!(available(&world, account), left, "{bearer:?}");
        }
        // The rail says once more what it said; what was borne is borne.
        report(&mut world, id, Report::Accepted(Some("R2".to_owned())));
        mend(&mut world, id, Mend::Compensate(posted, bearer)).unwrap();
        assert_eq!(available(&world, account), left, "{bearer:?}");
        assert_eq!(payment(&world, id).stage, Stage::Failed);
        for _ in 0..2 {
            mend(&mut world, id, Mend::TakeBack(undone, posted)).unwrap();
            assert_eq!(available(&world, account), FUNDS, "{bearer:?}");
        }
    }
}

#[test]
fn only_money_of_a_failed_payment_that_went_out_is_borne() {
    let (mut world, account, id) = in_doubt();
    let posted = world.id();
    let early = mend(&mut world, id, Mend::Compensate(posted, Bearer::Payer));
    assert!(
        matches!(early, Err(Rejection::WrongStage { .. })),
        "{early:?}"
    );
    let of_nothing = world.id();
    let undone = mend(&mut world, id, Mend::TakeBack(of_nothing, posted));
    assert!(
        matches!(undone, Err(Rejection::NotFound { .. })),
        "{undone:?}"
    );
    assert_eq!(available(&world, account), FUNDS - PENCE);
}
