//! `/v1/batches`: files of payments, from the bytes to the counts.

mod crash;
mod formats;
mod large;
mod pain001;
mod real;

use std::time::{Duration, Instant};

use axum::body::Body;
use lombard_core::{
    command::{Act, OpenAccount},
    currency::Currency,
    id::Id,
    ledger::{Account, Layer, Leg, Rollup, Side},
    money::{Amount, Money},
};
use lombard_service::{batch::tally, config::Config, details::BankAddress};
use serde_json::Value;

use crate::{
    client::{Answered, Client},
    support::World,
};

/// A tenant that sends files.
struct Sender {
    world: World,
    client: Client,
}

impl Sender {
    async fn new() -> Self {
        Self::with(Config::default()).await
    }

    async fn with(config: Config) -> Self {
        let world = World::new(config);
        let client = Client::new(&world.app, world.tenant).await;
        Self { world, client }
    }

    async fn send(&self, kind: &str, key: &str, file: impl Into<Body>) -> Answered {
        let request = self
            .client
            .request("POST", "/v1/batches")
            .header("content-type", kind)
            .header("idempotency-key", key)
            .body(file.into())
            .unwrap();
        self.client.send(request).await
    }

    /// Waits until every row is decided and the feed is counted, and gives the batch.
    async fn decided(&self, id: &str) -> Value {
        let started = Instant::now();
        loop {
            let batch = self
                .client
                .get(&format!("/v1/batches/{id}"))
                .await
                .expect(200);
            if batch["state"] == "completed" {
                break;
            }
            assert!(started.elapsed() < Duration::from_secs(60), "{batch}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.count().await;
        self.client
            .get(&format!("/v1/batches/{id}"))
            .await
            .expect(200)
    }

    /// Folds the whole feed.
    async fn count(&self) {
        tally::catch_up(&self.world.app, 0, None).await.unwrap();
    }

    /// An account at a bank address, with money.
    async fn account(&self, address: &str, currency: Currency) -> Id<Account> {
        let host = &self.world.host;
        let draw = || Id::new(host_now(host), host_random(host));
        let id: Id<Account> = draw().of_kind(Rollup::Constrained);
        let house: Id<Account> = draw().of_kind(Rollup::House);
        let address: BankAddress = serde_json::from_str(address).unwrap();
        let alias = address.alias(&*self.world.app.vault);
        for (id, aliases) in [(id, vec![alias]), (house, Vec::new())] {
            let open = OpenAccount {
                id,
                name: "test".into(),
                currency,
                aliases,
                sealed: None,
                metadata: Default::default(),
            };
            self.world.execute(Act::OpenAccount(open)).await;
        }
        let amount = Amount::try_from(1 << 50).unwrap();
        let money = Money { amount, currency };
        let leg = |account, side| Leg {
            account,
            side,
            layer: Layer::Posted,
            money,
        };
        let legs = vec![leg(house, Side::Debit), leg(id, Side::Credit)];
        self.world.post(legs).await;
        id
    }
}

fn host_now(host: &crate::support::TestHost) -> lombard_core::time::Timestamp {
    lombard_service::ports::Host::now(host)
}

fn host_random(host: &crate::support::TestHost) -> u128 {
    lombard_service::ports::Host::random(host)
}

fn iban(text: &str) -> String {
    format!(r#"{{"iban":"{text}"}}"#)
}

fn id_of(batch: &Value) -> String {
    batch["id"].as_str().unwrap().to_owned()
}
