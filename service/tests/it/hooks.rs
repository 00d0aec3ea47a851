//! Webhooks: what a receiver gets, and what becomes of what it does not take.

mod failures;
mod replays;
mod sending;

use std::{sync::Arc, time::Duration};

use lombard_core::{
    command::Act,
    id::Id,
    ledger::{Account, AliasScheme},
    payment::{External, Party, Payment},
    rail::Rail,
};
use lombard_service::{
    config::{Config, WebhooksConfig},
    hooks::{
        consumer::WebhookConsumer,
        delivery::{self, Delivery},
        dispatch::Hooks,
        endpoint::{self, Endpoint, SealedSecret},
        retry,
        secret::Secret,
    },
    ports::Range,
};
use serde_json::Value;
use standardwebhooks::Webhook;

use crate::{
    receiver::Received,
    support::{World, pay},
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

    /// A payment to an account elsewhere.
    async fn send_out(&self) -> Id<Payment> {
        let host = &self.world.app.host;
        let id = Id::new(host.now(), host.random());
        let mut wish = pay(id, self.from, self.to);
        wish.rail = Rail::Fps;
        wish.creditor = Party::External(External {
            scheme: AliasScheme::UkAccount,
            country: "GB".into(),
            last4: "9911".into(),
            fingerprint: "f".into(),
        });
        self.world.execute(Act::Pay(Box::new(wish))).await;
        id
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
        kept_days: 30,
    }
}

fn verify(secret: &str, received: &Received) {
    let official = Webhook::new(secret).unwrap();
    official.verify(&received.body, &received.headers).unwrap();
}

fn body(received: &Received) -> Value {
    serde_json::from_slice(&received.body).unwrap()
}
