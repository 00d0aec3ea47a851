//! A retry is told what the first caller was told.

use lombard_core::{
    command::{Act, Command, Rejection},
    idempotency::{Fingerprint, Idempotency},
    payment::Payment,
};

use super::{
    World,
    flows::{open, order},
};

fn with_key(world: &World, act: Act, key: &str, asked: &[u8]) -> Command {
    let fingerprint = Fingerprint::of(asked);
    let wish = Idempotency {
        operation: "payments.create",
        key: key.to_owned(),
        fingerprint,
    };
    Command {
        idempotency: Some(wish),
        ..world.command(act)
    }
}

#[test]
fn the_answer_is_the_same_bytes_and_the_payment_is_one() {
    let mut world = World::new();
    let account = open(&mut world, 1_000);
    let order = order(&mut world, account, 300);
    let first = with_key(&world, Act::Pay(Box::new(order.clone())), "k", b"pay 300");
    let told = world.execute(&first).unwrap();
    assert!(!told.replayed);
    // A host draws a new id for each request; the key is what counts.
    let mut again = order.clone();
    again.id = world.id();
    world.now = world.now.plus_ms(86_400_000);
    let again = with_key(&world, Act::Pay(Box::new(again)), "k", b"pay 300");
    let retold = world.execute(&again).unwrap();
    assert!(retold.replayed);
    assert_eq!((retold.status, &retold.body), (told.status, &told.body));
    assert_eq!(world.balance(account).sums.available(), 700);
    let payment: Payment = serde_json::from_slice(&retold.body).unwrap();
    assert_eq!(payment.id, order.id);
}

#[test]
fn a_key_is_for_one_request() {
    let mut world = World::new();
    let account = open(&mut world, 1_000);
    let mut order = order(&mut world, account, 300);
    let first = with_key(&world, Act::Pay(Box::new(order.clone())), "k", b"pay 300");
    world.execute(&first).unwrap();
    order.id = world.id();
    let other = with_key(&world, Act::Pay(Box::new(order)), "k", b"pay 301");
    assert_eq!(world.execute(&other), Err(Rejection::KeyReused));
    assert_eq!(world.balance(account).sums.available(), 700);
}

#[test]
fn a_rejected_request_leaves_its_key_free() {
    let mut world = World::new();
    let account = open(&mut world, 1_000);
    let mut order = order(&mut world, account, 300);
    order.creditor = lombard_core::payment::Party::Account(account);
    let nonsense = with_key(&world, Act::Pay(Box::new(order.clone())), "k", b"to itself");
    assert_eq!(world.execute(&nonsense), Err(Rejection::SameAccount));
    order.creditor = lombard_core::payment::Party::External(super::flows::outside());
    let sense = with_key(&world, Act::Pay(Box::new(order)), "k", b"to another");
    assert_eq!(world.execute(&sense).unwrap().status, 201);
}
