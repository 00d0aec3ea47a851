//! What a payment service provider tells: each event once, and in whatever order.

use lombard_core::{
    command::{Act, EventOutcome, Heard, ProviderEvent, Report},
    currency::Currency,
    id::Id,
    lifecycle::{Stage, Status},
    payment::Payment,
    psp::News,
    store::decode,
};
use proptest::prelude::*;

use super::{
    World,
    backs::receive,
    flows::{open, order, pay, payment, report},
};

pub fn event(id: Id<Payment>, world: &World, number: usize, news: News, amount: u64) -> Heard {
    Heard {
        provider: "acme".to_owned(),
        event: format!("{number:026}"),
        kept: ProviderEvent {
            id: format!("evt_{number}"),
            name: format!("{news:?}"),
            news: Some(news),
            part: format!("part_{:?}", news.part()),
            provider_payment: Some("acme_1".to_owned()),
            delivery: "digest".to_owned(),
            outcome: EventOutcome::default(),
        },
        payment: Some((world.tenant, id)),
        amount: Some((amount, Currency::GBP)),
        is_proof: true,
        delivery: (*b"{}").into(),
    }
}

pub fn hear(world: &mut World, heard: &Heard) -> EventOutcome {
    let reply = world.run(Act::Hear(Box::new(heard.clone()))).unwrap();
    decode::<ProviderEvent>(&reply.body).outcome
}

fn sent(world: &mut World) -> Id<Payment> {
    let account = open(world, 1_000);
    let order = order(world, account, 1_000);
    pay(world, &order);
    report(world, order.id, Report::Submitted);
    order.id
}

#[test]
fn an_event_moves_its_payment_once() {
    let mut world = World::new();
    let id = sent(&mut world);
    let yes = event(id, &world, 1, News::Captured, 1_000);
    assert_eq!(hear(&mut world, &yes), EventOutcome::Moved);
    let cleared = payment(&world, id);
    assert_eq!(cleared.stage, Stage::Cleared);
    assert_eq!(cleared.attempt.rail_reference.as_deref(), Some("acme_1"));
    let records = world.records.len();
    assert_eq!(
        hear(&mut world, &yes),
        EventOutcome::Moved,
        "as it was then"
    );
    let same = event(id, &world, 2, News::Captured, 1_000);
    assert_eq!(hear(&mut world, &same), EventOutcome::Noted);
    assert_eq!(world.records.len(), records + 1, "only the event itself");
}

#[test]
fn what_cannot_be_acted_on_is_kept() {
    let mut world = World::new();
    let id = sent(&mut world);
    let mut unknown = event(world.id(), &world, 1, News::Captured, 1_000);
    assert_eq!(hear(&mut world, &unknown), EventOutcome::UnknownPayment);
    unknown.payment = None;
    unknown.event = format!("{:026}", 2);
    assert_eq!(hear(&mut world, &unknown), EventOutcome::UnknownPayment);
    let mut odd = event(id, &world, 3, News::Captured, 1_000);
    odd.kept.news = None;
    odd.kept.outcome = EventOutcome::Quarantined("who knows".to_owned());
    assert_eq!(hear(&mut world, &odd), odd.kept.outcome);
    let mut weak = event(id, &world, 4, News::Captured, 1_000);
    weak.is_proof = false;
    assert_eq!(hear(&mut world, &weak), EventOutcome::Asked);
    assert_eq!(payment(&world, id).stage, Stage::InDoubt);
}

#[test]
fn a_yes_after_a_no_is_a_contradiction() {
    let mut world = World::new();
    let id = sent(&mut world);
    let no = event(id, &world, 1, News::Cancelled, 1_000);
    assert_eq!(hear(&mut world, &no), EventOutcome::Moved);
    assert_eq!(payment(&world, id).stage, Stage::Failed);
    let yes = event(id, &world, 2, News::Captured, 1_000);
    let outcome = hear(&mut world, &yes);
    assert!(
        matches!(outcome, EventOutcome::Contradiction(_)),
        "{outcome:?}"
    );
    assert_eq!(payment(&world, id).stage, Stage::Failed);
}

#[test]
fn money_that_is_taken_from_an_incoming_payment_goes_back_in_parts() {
    let mut world = World::new();
    let account = open(&mut world, 0);
    let id = receive(&mut world, Some(account), 1_000);
    let taken = event(id, &world, 1, News::Captured, 1_000);
    assert_eq!(hear(&mut world, &taken), EventOutcome::Noted);
    let part = event(id, &world, 2, News::Refunded, 300);
    assert_eq!(hear(&mut world, &part), EventOutcome::Moved);
    assert_eq!(world.balance(account).sums.available(), 700);
    let rest = event(id, &world, 3, News::ChargedBack, 700);
    assert_eq!(hear(&mut world, &rest), EventOutcome::Moved);
    assert_eq!(payment(&world, id).stage, Stage::Reversed);
    assert_eq!(world.balance(account).sums.available(), 0);
}

/// Histories as providers tell them, with how much each piece of news is about.
const HISTORIES: [&[(News, u64)]; 6] = [
    &[
        (News::Processing, 1_000),
        (News::Captured, 1_000),
        (News::PaidOut, 1_000),
    ],
    &[
        (News::ActionNeeded, 1_000),
        (News::TryFailed, 1_000),
        (News::Captured, 1_000),
    ],
    &[
        (News::Captured, 1_000),
        (News::RefundPending, 250),
        (News::Refunded, 250),
    ],
    &[
        (News::Captured, 1_000),
        (News::Refunded, 250),
        (News::ChargedBack, 750),
        (News::DisputeLost, 750),
    ],
    &[(News::Captured, 1_000), (News::Returned, 1_000)],
    &[(News::Processing, 1_000), (News::Refused, 1_000)],
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever comes late, twice or in another order, the same payment stands at the end.
    #[test]
    fn order_and_repetition_do_not_matter(
        history in 0..HISTORIES.len(),
        order in proptest::collection::vec(0..8usize, 16),
    ) {
        let told = HISTORIES[history];
        let end = |places: &[usize]| {
            let mut world = World::new();
            let id = sent(&mut world);
            for at in places {
                let (news, amount) = told[*at];
                let event = event(id, &world, *at, news, amount);
                hear(&mut world, &event);
            }
            let payment = payment(&world, id);
            (payment.stage.status(), payment.returned)
        };
        let straight: Vec<usize> = (0..told.len()).collect();
        let mut shuffled: Vec<usize> = order.iter().map(|at| at % told.len()).collect();
        // What was drawn may lack some; they come last, as late as can be.
        shuffled.extend((0..told.len()).rev());
        let (there, back) = end(&straight);
        prop_assert_eq!(end(&shuffled), (there, back));
        prop_assert!(there != Status::Settled, "a provider never settles");
    }
}
