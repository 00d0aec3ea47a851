//! Holds by themselves.

use lombard_core::{
    command::{Act, PlaceHold, Rejection},
    hold::{Hold, HoldState},
    id::Id,
    money::Amount,
    plan::keys,
    timer::{Due, Timer},
};

use super::{
    World,
    flows::{gbp, open},
};

fn place(world: &mut World, minor: u64) -> (Id<Hold>, [Id<lombard_core::ledger::Account>; 2]) {
    let (debtor, creditor) = (open(world, 1_000), open(world, 0));
    let id = world.id();
    let hold = PlaceHold {
        id,
        debtor,
        creditor,
        money: gbp(minor),
        expires_in_ms: 5_000,
    };
    world.run(Act::PlaceHold(hold)).unwrap();
    (id, [debtor, creditor])
}

fn state(world: &World, id: Id<Hold>) -> HoldState {
    world
        .value::<Hold>(&keys::hold(world.tenant, id))
        .unwrap()
        .state
}

#[test]
fn a_hold_is_posted_in_part_and_the_rest_is_free_again() {
    let mut world = World::new();
    let (id, [debtor, creditor]) = place(&mut world, 600);
    assert_eq!(world.balance(debtor).sums.available(), 400);
    let too_much = Some(Amount::try_from(601).unwrap());
    let refused = world.run(Act::PostHold(id, too_much));
    assert_eq!(
        refused,
        Err(Rejection::MoreThanHeld {
            held: 600,
            asked: 601
        })
    );
    world
        .run(Act::PostHold(id, Some(Amount::try_from(250).unwrap())))
        .unwrap();
    assert_eq!(world.balance(debtor).sums.available(), 750);
    assert_eq!(world.balance(creditor).sums.available(), 250);
    assert_eq!(world.balance(creditor).sums.credits_pending, 0);
    for act in [Act::PostHold(id, None), Act::VoidHold(id)] {
        assert_eq!(
            world.run(act),
            Err(Rejection::HoldEnded { state: "posted" })
        );
    }
}

#[test]
fn a_hold_expires_even_before_the_timer_comes_round() {
    let mut world = World::new();
    let (id, [debtor, _]) = place(&mut world, 600);
    let due = world.now.plus_ms(5_000);
    world.now = due;
    let late = world.run(Act::PostHold(id, None));
    assert_eq!(late, Err(Rejection::HoldEnded { state: "expired" }));
    assert_eq!(
        world.balance(debtor).sums.available(),
        400,
        "not released yet"
    );
    let timer = Timer {
        tenant: world.tenant,
        due,
        what: Due::ExpireHold(id),
    };
    assert!(
        world.records.contains_key(&timer.key()),
        "the expiry is in the store"
    );
    world.execute(&timer.clone().fire()).unwrap();
    world.execute(&timer.fire()).unwrap();
    assert_eq!(state(&world, id), HoldState::Expired);
    assert_eq!(world.balance(debtor).sums.available(), 1_000);
}

#[test]
fn a_hold_is_released_and_needs_money_to_be_placed() {
    let mut world = World::new();
    let (id, [debtor, creditor]) = place(&mut world, 600);
    let hold = PlaceHold {
        id: world.id(),
        debtor,
        creditor,
        money: gbp(401),
        expires_in_ms: 5_000,
    };
    assert!(matches!(
        world.run(Act::PlaceHold(hold)),
        Err(Rejection::Ledger(_))
    ));
    world.run(Act::VoidHold(id)).unwrap();
    assert_eq!(state(&world, id), HoldState::Voided);
    assert_eq!(world.balance(debtor).sums.available(), 1_000);
}
