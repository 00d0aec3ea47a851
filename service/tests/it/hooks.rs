//! Webhooks: what a receiver gets, and what becomes of what it does not take.

use std::{sync::Arc, time::Duration};

use lombard_core::{id::Id, ledger::Account, payment::Payment, time::Timestamp};
use lombard_service::{
    config::{Config, WebhooksConfig},
    exceptions,
    hooks::{
        consumer::WebhookConsumer,
        delivery::{self, Delivery, Failure, State},
        dispatch::Hooks,
        endpoint::{self, DisabledReason, Endpoint, GIVE_UPS_MAX, SealedSecret},
        replay::{self, Replay, Wish},
        retry,
        secret::Secret,
        sign,
    },
    ports::Range,
};
use serde_json::Value;
use standardwebhooks::Webhook;

use crate::{
    receiver::{Answer, Received, Receiver},
    support::World,
};

/// A tenant with two accounts, webhooks, and a place in the feed.
struct Stage {
    world: World,
    hooks: Arc<Hooks>,
    consumer: WebhookConsumer,
    after: u64,
    from: Id<Account>,
    to: Id<Account>,
}

impl Stage {
    async fn new(webhooks: WebhooksConfig) -> Self {
        let world = World::new(Config {
            webhooks,
            ..Config::default()
        });
        let (from, to) = (world.account(1_000_000).await, world.account(0).await);
        let hooks = Hooks::new(world.app.clone()).unwrap();
        let consumer = WebhookConsumer(hooks.clone());
        Self {
            world,
            hooks,
            consumer,
            after: 0,
            from,
            to,
        }
    }

    async fn open() -> Self {
        Self::new(open_config()).await
    }

    async fn endpoint(&self, url: &str, events: &[&str]) -> (Endpoint, String) {
        let app = &self.world.app;
        let secret = Secret::generate(&*app.host);
        let id = Id::new(app.host.now(), app.host.random());
        let sealed = secret.seal(&*app.vault, self.world.tenant, id).unwrap();
        let endpoint = Endpoint {
            id,
            url: url.to_owned(),
            events: events.iter().map(|&kind| kind.to_owned()).collect(),
            description: None,
            disabled: None,
            secrets: vec![SealedSecret {
                sealed,
                made_at: app.host.now(),
                until: None,
            }],
            given_up: 0,
            created_at: app.host.now(),
            updated_at: app.host.now(),
        };
        self.store(&endpoint).await;
        (endpoint, secret.reveal().to_string())
    }

    async fn store(&self, endpoint: &Endpoint) {
        let app = &self.world.app;
        let key = endpoint::key(self.world.tenant, endpoint.id);
        let mut snapshot = lombard_core::store::Snapshot::default();
        snapshot.put(key.clone(), app.get(&key).await.unwrap());
        let mut writes = snapshot.checks();
        writes.put(&key, endpoint.body());
        app.store.commit(&writes).await.unwrap();
    }

    async fn endpoint_now(&self, id: Id<Endpoint>) -> Endpoint {
        let key = endpoint::key(self.world.tenant, id);
        self.world.app.value(&key).await.unwrap().unwrap()
    }

    async fn pay(&self) -> Id<Payment> {
        self.world.pay(self.from, self.to).await
    }

    async fn feed(&mut self) {
        self.after = self.world.feed(&self.consumer, self.after).await;
    }

    async fn deliveries(&self, endpoint: &Endpoint) -> Vec<Delivery> {
        let partition = delivery::partition(self.world.tenant, endpoint.id);
        let found = self
            .world
            .app
            .store
            .range(&Range::of(&partition, 1000))
            .await;
        let found = found.unwrap();
        found
            .iter()
            .map(|found| lombard_core::store::decode(&found.record.body.bytes))
            .collect()
    }

    /// Tries what is due while the clock goes on, until the deliveries of `endpoint` are as asked.
    async fn retry_until(&self, endpoint: &Endpoint, done: impl Fn(&Delivery) -> bool) {
        for _ in 0..400 {
            retry::scan(&self.hooks).await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
            self.world.host.advance(5);
            if self.deliveries(endpoint).await.iter().all(&done) {
                return;
            }
        }
        let deliveries = self.deliveries(endpoint).await;
        panic!("still {:?}", deliveries.iter().find(|one| !done(one)));
    }

    /// To when the only delivery of an endpoint is due.
    async fn advance_to_due(&self, endpoint: &Endpoint) {
        let due = self.deliveries(endpoint).await[0].due.unwrap();
        self.world
            .host
            .advance(due.ms_since(self.world.app.host.now()));
    }
}

fn open_config() -> WebhooksConfig {
    WebhooksConfig {
        allow_private: true,
        timeout_ms: 400,
    }
}

fn verify(secret: &str, received: &Received) {
    let official = Webhook::new(secret).unwrap();
    official.verify(&received.body, &received.headers).unwrap();
}

fn body(received: &Received) -> Value {
    serde_json::from_slice(&received.body).unwrap()
}

#[tokio::test]
async fn the_official_library_verifies_what_arrives() {
    let mut stage = Stage::open().await;
    let receiver = Receiver::start(Answer::Status(204)).await;
    let (endpoint, secret) = stage.endpoint(&receiver.url(), &[]).await;
    let payment = stage.pay().await;
    stage.feed().await;

    let [received] = receiver.wait_for(1).await.try_into().unwrap();
    verify(&secret, &received);
    assert!(received.header(sign::ID).starts_with("evt_"));
    assert!(!received.header(sign::ID).contains('.'));
    let message = body(&received);
    assert_eq!(message["type"], "payment.cleared");
    assert!(Timestamp::parse_rfc3339(message["timestamp"].as_str().unwrap()).is_some());
    assert_eq!(message["data"]["event"]["id"], received.header(sign::ID));
    let told = &message["data"]["payment"];
    assert_eq!(told["id"], payment.to_string());
    assert_eq!(told["status"], "CLEARED");
    assert_eq!(
        (&told["amount"], &told["currency"]),
        (&125.into(), &"GBP".into())
    );
    assert_eq!(told["end_to_end_id"], "INV-7");

    let [delivery] = stage.deliveries(&endpoint).await.try_into().unwrap();
    assert_eq!(delivery.state, State::Delivered);
    assert_eq!(delivery.attempts[0].status, Some(204));
    assert!(
        Webhook::new("whsec_AAAA")
            .unwrap()
            .verify(&received.body, &received.headers)
            .is_err()
    );
}

#[tokio::test]
async fn an_endpoint_gets_the_types_that_it_chose_and_no_event_twice() {
    let mut stage = Stage::open().await;
    let receiver = Receiver::start(Answer::Status(200)).await;
    stage.endpoint(&receiver.url(), &["payment.failed"]).await;
    stage
        .endpoint(&receiver.url(), &["payment.cleared", "payment.failed"])
        .await;
    stage.pay().await;
    stage.feed().await;
    assert_eq!(receiver.received().len(), 1);
    // The feed tells everything again after a crash.
    stage.after = 0;
    stage.feed().await;
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn a_failed_try_is_made_again_with_the_same_id_and_bytes() {
    let mut stage = Stage::open().await;
    let receiver = Receiver::start(Answer::Status(200)).await;
    receiver.then([
        Answer::Status(500),
        Answer::With(302, "location", "/elsewhere"),
    ]);
    let (endpoint, secret) = stage.endpoint(&receiver.url(), &[]).await;
    stage.pay().await;
    stage.feed().await;
    let due = stage.deliveries(&endpoint).await[0].due.unwrap();
    let wait = due.ms_since(stage.world.app.host.now());
    assert!((5_000..=6_000).contains(&wait), "{wait}");

    retry::scan(&stage.hooks).await.unwrap();
    assert_eq!(receiver.received().len(), 1, "it is not due yet");
    stage.world.host.advance(6_000);
    stage
        .retry_until(&endpoint, |one| one.attempts.len() == 2)
        .await;
    assert_eq!(
        receiver.received().len(),
        2,
        "a redirect is a failure and is not followed"
    );
    stage.advance_to_due(&endpoint).await;
    stage
        .retry_until(&endpoint, |one| one.state == State::Delivered)
        .await;

    let received = receiver.received();
    assert_eq!(received.len(), 3);
    verify(&secret, &received[0]);
    let official = Webhook::new(&secret).unwrap();
    let times: Vec<u64> = received
        .iter()
        .map(|one| {
            assert_eq!(one.header(sign::ID), received[0].header(sign::ID));
            assert_eq!(one.body, received[0].body);
            let at: u64 = one.header(sign::TIMESTAMP).parse().unwrap();
            let signed = official.sign(one.header(sign::ID), at.cast_signed(), &one.body);
            assert_eq!(one.header(sign::SIGNATURE), signed.unwrap());
            at
        })
        .collect();
    assert!(
        times[0] < times[1] && times[1] < times[2],
        "each try has its own time"
    );
    let statuses: Vec<_> = stage.deliveries(&endpoint).await[0]
        .attempts
        .iter()
        .map(|attempt| attempt.status)
        .collect();
    assert_eq!(statuses, [Some(500), Some(302), Some(200)]);
}

#[tokio::test]
async fn gone_disables_the_endpoint() {
    let mut stage = Stage::open().await;
    let receiver = Receiver::start(Answer::Status(410)).await;
    let (endpoint, _) = stage.endpoint(&receiver.url(), &[]).await;
    stage.pay().await;
    stage.feed().await;
    let now = stage.endpoint_now(endpoint.id).await;
    assert_eq!(now.disabled.unwrap().reason, DisabledReason::Gone);
    assert_eq!(stage.deliveries(&endpoint).await[0].state, State::Failed);
    stage.pay().await;
    stage.feed().await;
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn a_hanging_endpoint_holds_up_neither_the_feed_nor_others() {
    let mut stage = Stage::open().await;
    let hanging = Receiver::start(Answer::Hang).await;
    let quick = Receiver::start(Answer::Status(200)).await;
    let (bad, _) = stage.endpoint(&hanging.url(), &[]).await;
    let (good, _) = stage.endpoint(&quick.url(), &[]).await;
    for _ in 0..100 {
        stage.pay().await;
    }
    let started = std::time::Instant::now();
    stage.feed().await;
    let took = started.elapsed();
    assert!(
        took < Duration::from_millis(350),
        "shorter than one time-out: {took:?}"
    );
    let stored = stage.deliveries(&bad).await;
    assert_eq!(stored.len(), 100, "each is stored before the feed goes on");
    assert!(
        stored
            .iter()
            .all(|one| one.state == State::Pending && one.due.is_some())
    );
    // What found no room of its own endpoint's lane is due soon.
    stage.world.host.advance(4_000);
    stage
        .retry_until(&good, |one| one.state == State::Delivered)
        .await;
    assert_eq!(quick.received().len(), 100);
    assert!(hanging.received().len() < 100, "its tries are bounded");
}

#[tokio::test]
async fn a_time_out_is_a_failure() {
    let mut stage = Stage::open().await;
    let receiver = Receiver::start(Answer::Hang).await;
    let (endpoint, _) = stage.endpoint(&receiver.url(), &[]).await;
    stage.pay().await;
    stage.feed().await;
    stage
        .retry_until(&endpoint, |one| !one.attempts.is_empty())
        .await;
    let [delivery] = stage.deliveries(&endpoint).await.try_into().unwrap();
    assert_eq!(delivery.attempts[0].failure, Some(Failure::TimedOut));
    assert_eq!((delivery.state, delivery.tries), (State::Pending, 1));
}

#[tokio::test]
async fn a_crash_in_the_middle_of_a_try_only_delays_it() {
    let mut stage = Stage::open().await;
    let receiver = Receiver::start(Answer::Hang).await;
    let (endpoint, _) = stage.endpoint(&receiver.url(), &[]).await;
    stage.pay().await;
    stage.feed().await;
    let [under_way] = stage.deliveries(&endpoint).await.try_into().unwrap();
    assert!(
        under_way.due.unwrap() > stage.world.app.host.now(),
        "it has a lease"
    );
    // Another process over the same store: it knows nothing but the records.
    receiver.usually(Answer::Status(200));
    let restarted = Hooks::new(stage.world.app.clone()).unwrap();
    stage.hooks = restarted.clone();
    retry::scan(&restarted).await.unwrap();
    assert_eq!(receiver.received().len(), 1, "the lease still holds");
    stage.world.host.advance(16_000);
    stage
        .retry_until(&endpoint, |one| one.state == State::Delivered)
        .await;
    assert_eq!(receiver.received().len(), 2);
}

#[tokio::test]
async fn what_is_given_up_again_and_again_disables_the_endpoint() {
    let mut stage = Stage::open().await;
    let receiver = Receiver::start(Answer::Status(503)).await;
    let (endpoint, _) = stage.endpoint(&receiver.url(), &[]).await;
    for round in 1..=GIVE_UPS_MAX {
        stage.pay().await;
        stage.feed().await;
        for _ in 0..9 {
            stage.world.host.advance(30 * 60 * 60 * 1000);
            let before = receiver.received().len();
            stage
                .retry_until(&endpoint, |one| {
                    one.state == State::Failed || one.attempts.len() > 1
                })
                .await;
            receiver.wait_for(before + 1).await;
        }
        stage
            .retry_until(&endpoint, |one| one.state == State::Failed)
            .await;
        let now = stage.endpoint_now(endpoint.id).await;
        assert_eq!(now.given_up, round);
        let disabled = now.disabled.map(|disabled| disabled.reason);
        let expected = (round == GIVE_UPS_MAX).then_some(DisabledReason::Failing);
        assert_eq!(disabled, expected);
    }
    assert_eq!(receiver.received().len(), 10 * GIVE_UPS_MAX as usize);
    let raised = exceptions::list(&stage.world.app, stage.world.tenant, None, 100).await;
    let raised = raised.unwrap();
    assert_eq!(
        raised.len(),
        GIVE_UPS_MAX as usize,
        "each is for a person to see"
    );
    assert!(
        raised
            .iter()
            .all(|(_, one)| one.kind == exceptions::Kind::WebhookGivenUp)
    );
}

#[tokio::test]
async fn while_a_secret_is_rotated_both_sign() {
    let mut stage = Stage::open().await;
    let receiver = Receiver::start(Answer::Status(200)).await;
    let (endpoint, old) = stage.endpoint(&receiver.url(), &[]).await;
    let app = stage.world.app.clone();
    let fresh = Secret::generate(&*app.host);
    let sealed = fresh
        .seal(&*app.vault, stage.world.tenant, endpoint.id)
        .unwrap();
    let new = fresh.reveal().to_string();
    let mut rotated = endpoint.clone();
    rotated.rotate(sealed, app.host.now(), 60_000);
    stage.store(&rotated).await;

    stage.pay().await;
    stage.feed().await;
    let first = receiver.wait_for(1).await.remove(0);
    assert_eq!(first.header(sign::SIGNATURE).split(' ').count(), 2);
    verify(&old, &first);
    verify(&new, &first);

    stage.world.host.advance(60_000);
    stage.pay().await;
    stage.feed().await;
    let second = receiver.wait_for(2).await.remove(1);
    verify(&new, &second);
    assert!(
        Webhook::new(&old)
            .unwrap()
            .verify(&second.body, &second.headers)
            .is_err()
    );
}

#[tokio::test]
async fn what_failed_or_was_missed_is_replayed_once_for_each_request() {
    let mut stage = Stage::open().await;
    let began = stage.world.app.host.now();
    stage.pay().await;
    stage.world.host.advance(10);
    let receiver = Receiver::start(Answer::Status(410)).await;
    let (endpoint, _) = stage.endpoint(&receiver.url(), &[]).await;
    stage.pay().await;
    stage.feed().await;
    assert_eq!(
        receiver.received().len(),
        1,
        "the first was before the endpoint"
    );
    let failed = stage.deliveries(&endpoint).await.remove(0);
    let mut enabled = stage.endpoint_now(endpoint.id).await;
    enabled.enable(stage.world.app.host.now());
    stage.store(&enabled).await;
    stage.feed().await;
    receiver.usually(Answer::Status(200));

    let tenant = stage.world.tenant;
    let replay = async |wish, request| {
        let replay = Replay {
            app: &stage.world.app,
            tenant,
            endpoint: &enabled,
            request,
        };
        let done = replay.carry_out(wish).await;
        let replayed = done.unwrap().map(|replayed| replayed.deliveries);
        stage.world.host.advance(1_000);
        stage
            .retry_until(&endpoint, |one| one.state == State::Delivered)
            .await;
        (replayed, receiver.received().len())
    };
    assert_eq!(replay(Wish::Failed(began), "a").await, (Some(1), 2));
    assert_eq!(replay(Wish::Failed(began), "a").await, (Some(0), 2));
    assert_eq!(replay(Wish::Missed(began), "b").await, (Some(1), 3));
    assert_eq!(replay(Wish::Missed(began), "b").await, (Some(0), 3));
    assert_eq!(replay(Wish::One(failed.event), "c").await, (Some(1), 4));
    assert_eq!(replay(Wish::One(failed.event), "c").await, (Some(0), 4));
    assert_eq!(replay(Wish::One(Id::from_bits(7)), "d").await, (None, 4));
    let received = receiver.received();
    assert_eq!(received[3].header(sign::ID), failed.event.to_string());
    assert_eq!(
        received[3].body, received[0].body,
        "the very bytes of the first try"
    );
}

#[tokio::test]
async fn a_test_message_says_that_it_is_one() {
    let stage = Stage::open().await;
    let receiver = Receiver::start(Answer::Status(200)).await;
    let (endpoint, secret) = stage.endpoint(&receiver.url(), &["payment.failed"]).await;
    let id = replay::test(&stage.world.app, stage.world.tenant, endpoint.id)
        .await
        .unwrap();
    retry::scan(&stage.hooks).await.unwrap();
    let received = receiver.wait_for(1).await.remove(0);
    verify(&secret, &received);
    assert_eq!(received.header(sign::ID), id.to_string());
    assert_eq!(body(&received)["type"], "webhook.test");
}

#[tokio::test]
async fn private_addresses_are_refused_at_the_connection_too() {
    let mut stage = Stage::new(WebhooksConfig {
        allow_private: false,
        ..open_config()
    })
    .await;
    let receiver = Receiver::start(Answer::Status(200)).await;
    let port = receiver.address.port();
    // As if they had been made when the operator allowed them; `localhost.test` style names that
    // resolve to loopback are refused by the resolver, which `localhost` stands for here.
    let (by_address, _) = stage
        .endpoint(&format!("https://127.0.0.1:{port}/"), &[])
        .await;
    let (by_name, _) = stage
        .endpoint(&format!("https://localhost:{port}/"), &[])
        .await;
    let (plain, _) = stage.endpoint(&receiver.url(), &[]).await;
    stage.pay().await;
    stage.feed().await;
    for endpoint in [by_address, by_name, plain] {
        let delivery = stage.deliveries(&endpoint).await.remove(0);
        assert_eq!(
            delivery.attempts[0].failure,
            Some(Failure::Refused),
            "{}",
            endpoint.url
        );
    }
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn an_answer_without_end_is_not_read() {
    let mut stage = Stage::open().await;
    let receiver = Receiver::start(Answer::Flood).await;
    let (endpoint, _) = stage.endpoint(&receiver.url(), &[]).await;
    stage.pay().await;
    stage.feed().await;
    stage
        .retry_until(&endpoint, |one| one.state == State::Delivered)
        .await;
}

#[tokio::test]
async fn a_slow_answer_within_the_time_out_counts() {
    let mut stage = Stage::open().await;
    let receiver = Receiver::start(Answer::Slowly(150)).await;
    let (endpoint, _) = stage.endpoint(&receiver.url(), &[]).await;
    stage.pay().await;
    stage.feed().await;
    stage
        .retry_until(&endpoint, |one| one.state == State::Delivered)
        .await;
    assert_eq!(receiver.received().len(), 1);
}

#[test]
fn the_published_vectors_hold() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/material/vectors/webhook-signatures/standard-webhooks.json"
    );
    let Ok(text) = std::fs::read(path) else {
        eprintln!("skipped: the_published_vectors_hold: no ../shared");
        return;
    };
    let vectors: Vec<Value> = serde_json::from_slice(&text).unwrap();
    assert!(!vectors.is_empty());
    for vector in vectors {
        let text = |name: &str| vector[name].as_str().unwrap();
        let bare = text("secret").trim_start_matches("whsec_");
        let secret = Secret::of(STANDARD.decode(bare).unwrap());
        let at = vector["timestamp"].as_u64().unwrap();
        let ours = sign::signature(&[secret], text("id"), at, text("payload").as_bytes());
        let valid = vector["valid"].as_bool().unwrap();
        assert_eq!(ours == text("signature"), valid, "{}", vector["name"]);
    }
}
