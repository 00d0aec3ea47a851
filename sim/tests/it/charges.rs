//! Charges end to end: the real workers and adapters against the simulated providers.

use std::collections::BTreeMap;

use lombard_core::{
    card::{Expiry, Pan},
    charge::Capture,
    command::{Act, MakeCharge, ReturnPayment},
    currency::Currency,
    id::Id,
    ledger::AliasScheme,
    lifecycle::Stage,
    money::{Amount, Money},
    payment::{External, Payment, attempt_id},
    reason::Reason,
    store::Snapshot,
};
use lombard_service::{
    config::PspConfig,
    exceptions::Kind,
    vault::{
        Tokens, subjects,
        tokens::{self, Matter, Scope, Wish},
    },
};
use lombard_sim::psp;
use serde_json::{Value, json};

use super::world::World;

/// Both providers, at the simulator.
pub fn providers(sim: &str) -> BTreeMap<String, PspConfig> {
    let own = psp::PspConfig::default();
    let of = |name: &str, secret: String| PspConfig {
        secret,
        api_key: Some("key".into()),
        url: Some(format!("{sim}/{name}")),
        merchant_account: Some("Lombard".into()),
        ..PspConfig::default()
    };
    BTreeMap::from([
        ("stripe".into(), of("stripe", own.stripe_secret)),
        ("adyen".into(), of("adyen", own.adyen_secret)),
    ])
}

pub fn amount(minor: u64) -> Amount {
    Amount::try_from(minor).unwrap()
}

impl World {
    /// A charge of so many pence by the provider's own token, captured by a request of its own.
    pub async fn charge(&self, provider: &str, minor: u64) -> Id<Payment> {
        self.charge_card(provider, "pm_card", minor).await
    }

    async fn charge_card(&self, provider: &str, token: &str, minor: u64) -> Id<Payment> {
        let id = Id::new(self.app.host.now(), self.app.host.random());
        let make = MakeCharge {
            risk: None,
            authenticated: false,
            id,
            money: Money {
                amount: amount(minor),
                currency: Currency::GBP,
            },
            card: External {
                scheme: AliasScheme::Card,
                country: "ZZ".into(),
                last4: "4242".into(),
                fingerprint: "f".into(),
            },
            token: token.into(),
            creditor: self.gbp,
            provider: provider.into(),
            capture: Capture::Manual,
            end_to_end_id: "ORDER-1".into(),
            metadata: BTreeMap::new(),
        };
        self.execute(Act::Charge(Box::new(make))).await.unwrap();
        id
    }

    /// The charges that the providers have under a payment's reference.
    pub async fn charged(&self, id: Id<Payment>) -> Vec<Value> {
        let all = self.control("psp/charges").await;
        let reference = attempt_id(self.tenant, id);
        let mut all = all["charges"].as_array().unwrap().clone();
        all.retain(|it| it["attempt"] == reference);
        all
    }
}

#[tokio::test]
async fn a_charge_is_authorised_captured_in_part_and_refunded_at_each_provider() {
    let world = World::start().await;
    for provider in ["stripe", "adyen"] {
        let before = world.balance(world.gbp).await.sums.available();
        let id = world.charge(provider, 2_000).await;
        world.stage(id, Stage::Authorised).await;
        world
            .execute(Act::Capture(id, Some(amount(1_500))))
            .await
            .unwrap();
        let cleared = world.stage(id, Stage::Cleared).await;
        assert_eq!(cleared.money.amount.minor(), 1_500);
        let refund = Id::new(world.app.host.now(), world.app.host.random());
        let wish = ReturnPayment {
            id: refund,
            original: id,
            amount: Some(amount(500)),
            reason: Reason::CustomerRequested,
        };
        world.execute(Act::Return(wish)).await.unwrap();
        world.stage(refund, Stage::Cleared).await;
        let there = world.until(id, "refunded", |it| it.returned == 500).await;
        assert_eq!((there.stage, there.returning), (Stage::Cleared, 0));
        let charged = world.charged(id).await;
        assert_eq!(charged.len(), 1, "{charged:?}");
        assert_eq!(
            (&charged[0]["captured"], &charged[0]["refunded"]),
            (&json!(1_500), &json!(500))
        );
        assert_eq!(
            world.balance(world.gbp).await.sums.available(),
            before + 1_000,
            "{provider}"
        );
    }
    assert_eq!(world.exceptions().await.len(), 0);
}

#[tokio::test]
async fn a_charge_is_let_go_of_at_each_provider_and_a_decline_says_why() {
    let world = World::start().await;
    for provider in ["stripe", "adyen"] {
        let id = world.charge(provider, 2_000).await;
        world.stage(id, Stage::Authorised).await;
        world.execute(Act::Void(id)).await.unwrap();
        let voided = world.stage(id, Stage::Failed).await;
        assert_eq!(voided.reason, Some(Reason::Cancelled), "{provider}");
        assert_eq!(world.charged(id).await[0]["state"], "voided");
    }
    let declined = world.charge("stripe", 666_002).await;
    let declined = world.stage(declined, Stage::Failed).await;
    assert_eq!(declined.reason, Some(Reason::InsufficientFunds));
    assert_eq!(declined.reason_code.as_deref(), Some("insufficient_funds"));
    let declined = world.charge("adyen", 666_001).await;
    let declined = world.stage(declined, Stage::Failed).await;
    // Its webhook says so too, and may be first.
    assert_eq!(declined.reason, Some(Reason::Declined));
}

/// Whatever becomes of the answer, it is found out, and the card is charged once.
#[tokio::test]
async fn an_answer_that_is_lost_never_charges_twice() {
    let world = World::start().await;
    let mut charges = Vec::new();
    for provider in ["stripe", "adyen"] {
        for answer in ["broken", "error", "never"] {
            let behaviour = json!({"answer": answer, "news": {"times": 0}});
            world.tell("psp/next", behaviour).await;
            let id = world.charge(provider, 2_000).await;
            // The next request is this charge's first: no other is under way.
            world
                .until(id, "doubted", |it| it.attempt.enquiries > 0)
                .await;
            charges.push((provider, id));
        }
    }
    for (provider, id) in charges {
        world.advance(4_000);
        world.stage(id, Stage::Authorised).await;
        let charged = world.charged(id).await;
        assert_eq!(charged.len(), 1, "{provider}: {charged:?}");
    }
}

#[tokio::test]
async fn what_never_arrived_is_sent_again_under_the_same_key() {
    let world = World::start().await;
    let id = world.charge("stripe", 666_020).await;
    world.stage(id, Stage::InDoubt).await;
    assert_eq!(world.charged(id).await.len(), 0);
    // The search is a while behind: until then that it finds nothing says nothing.
    for _ in 0..7 {
        world.advance(64_000);
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }
    world.stage(id, Stage::Authorised).await;
    assert_eq!(world.charged(id).await.len(), 1);
}

#[tokio::test]
async fn webhooks_twice_and_backwards_end_where_they_should() {
    let world = World::start().await;
    for provider in ["stripe", "adyen"] {
        let id = world.charge(provider, 2_000).await;
        world.stage(id, Stage::Authorised).await;
        world.tell("psp/next", json!({"answer": "broken", "news": {"times": 3, "late_ms": 100, "backwards": true}})).await;
        world.execute(Act::Capture(id, None)).await.unwrap();
        let cleared = world.stage(id, Stage::Cleared).await;
        assert_eq!(
            (cleared.money.amount.minor(), cleared.returned),
            (2_000, 0),
            "{provider}"
        );
    }
}

#[tokio::test]
async fn a_dispute_keeps_back_takes_and_gives_back() {
    let world = World::start().await;
    for provider in ["stripe", "adyen"] {
        let id = world.charge(provider, 2_000).await;
        world.stage(id, Stage::Authorised).await;
        world.execute(Act::Capture(id, None)).await.unwrap();
        world.stage(id, Stage::Cleared).await;
        let at = world.charged(id).await[0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let step = async |step: &str| {
            world
                .tell(&format!("psp/charges/{at}/dispute"), json!({"step": step}))
                .await
        };
        let charge = |it: &Payment| it.charge.clone().unwrap();
        step("opened").await;
        world
            .until(id, "reserved", |it| charge(it).reserved == 2_000)
            .await;
        step("taken").await;
        let taken = world
            .until(id, "taken", |it| charge(it).disputed == 2_000)
            .await;
        assert_eq!(
            (taken.stage, charge(&taken).reserved),
            (Stage::Cleared, 0),
            "{provider}"
        );
        step("lost").await;
        world.stage(id, Stage::Reversed).await;
    }
}

#[tokio::test]
async fn a_provider_that_certainly_did_nothing_is_left_for_another() {
    let world = World::start().await;
    let pan = Pan::parse("4242424242424242").unwrap();
    let card = tokens::Card::new(&pan, Expiry::new(2040, 12).unwrap(), None);
    let wish = Wish {
        subject: None,
        matter: Matter::Card(card),
        scope: Scope::default(),
    };
    let subject = world.tokens.subject(world.tenant, None).await.unwrap();
    let token = world.tokens.draft(&subject, &wish).await.unwrap();
    let mut read = Snapshot::default();
    read.put(subjects::key(world.tenant, subject.id), None);
    let writes = Tokens::store(&read, &subject, &token).unwrap();
    world.app.store.commit(&writes).await.unwrap();
    let token = token.id.to_string();

    // Too many requests: it was not even looked at.
    world.tell("psp/next", json!({"answer": "refused"})).await;
    let id = world.charge_card("adyen", &token, 2_000).await;
    let there = world.stage(id, Stage::Authorised).await;
    assert_eq!(there.charge.unwrap().provider, "stripe");
    let charged = world.charged(id).await;
    assert_eq!(
        (charged.len(), &charged[0]["provider"]),
        (1, &json!("stripe"))
    );

    // Silence is not nothing.
    world.tell("psp/next", json!({"answer": "never"})).await;
    let id = world.charge_card("adyen", &token, 3_000).await;
    let there = world.stage(id, Stage::Authorised).await;
    assert_eq!(there.charge.unwrap().provider, "adyen");
    assert_eq!(world.charged(id).await.len(), 1);
    assert!(
        world
            .exceptions()
            .await
            .iter()
            .all(|it| it.kind != Kind::Unresolved)
    );
}
