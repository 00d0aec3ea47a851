//! Who is told by webhook: one endpoint of each tenant, which takes messages, refuses them, is slow, or
//! takes them and is not heard; and holds every message to what Standard Webhooks and our own
//! documentation promise of it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::future::BoxFuture;
use hmac::{Hmac, KeyInit, Mac};
use lombard_core::{id::Id, store::WriteSet, tenant::TenantId, time::Timestamp};
use lombard_service::{
    hooks::{
        delivery::{Attempt, Failure},
        endpoint::{self, Endpoint, SealedSecret},
        secret::Secret,
        send::{Courier, Outgoing, Sent},
    },
    ports::{Store, Vault},
};
use sha2::Sha256;
use tokio::time::Instant;

use super::{
    Shared,
    life::{Blow, Life},
    luck::Luck,
    process::OpenVault,
};

/// How long a try may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// By how much a message's time may differ from ours, in milliseconds: clocks differ by seconds and
/// jump by up to two minutes while a message travels.
const SKEW_MS: u64 = 300_000;

/// What the endpoints have received.
#[derive(Debug, Default)]
pub struct Received {
    /// The secret of each endpoint, by its URL.
    secrets: BTreeMap<String, (TenantId, Vec<u8>)>,
    /// The first body under each message's id, by URL and id.
    taken: BTreeMap<(String, String), Vec<u8>>,
}

impl Received {
    /// Whether a tenant's endpoint has a message.
    #[must_use]
    pub fn has(&self, url: &str, id: &str) -> bool {
        self.taken.contains_key(&(url.to_owned(), id.to_owned()))
    }

    /// Takes a message in; says what is wrong with it.
    fn take(&mut self, message: &Outgoing<'_>, left: Timestamp) -> Result<(), String> {
        let (_, secret) = self
            .secrets
            .get(message.url)
            .ok_or("goes to a URL that nobody gave")?;
        let seconds = message.at.unix_ms() / 1000;
        let mut signed = format!("{}.{seconds}.", message.id).into_bytes();
        signed.extend_from_slice(&message.body);
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|error| error.to_string())?;
        mac.update(&signed);
        let right = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        if !message.signature.split(' ').any(|one| one == right) {
            return Err(format!(
                "is signed {}, and right is {right}",
                message.signature
            ));
        }
        if message.at.unix_ms().abs_diff(left.unix_ms()) > SKEW_MS {
            return Err(format!(
                "says that it is of {}, and left at {left}",
                message.at
            ));
        }
        let told: serde_json::Value =
            serde_json::from_slice(&message.body).map_err(|error| error.to_string())?;
        if told["data"]["event"]["id"] != message.id {
            return Err("is about another event than its id".to_owned());
        }
        let place = (message.url.to_owned(), message.id.to_owned());
        let first = self
            .taken
            .entry(place)
            .or_insert_with(|| message.body.clone());
        if *first != message.body {
            let (first, body) = (
                String::from_utf8_lossy(first).into_owned(),
                String::from_utf8_lossy(&message.body),
            );
            return Err(format!("says {body}, and said {first} before"));
        }
        Ok(())
    }
}

/// Makes the endpoint of a tenant, as if it had been made before the world began.
pub async fn open_endpoint(shared: &Shared, tenant: TenantId) {
    let luck = Luck::new(shared.seed, &format!("endpoint of {tenant}"));
    let secret: Vec<u8> = (0..4).flat_map(|_| luck.bits().to_be_bytes()).collect();
    let id: Id<Endpoint> = Id::of_name(&format!("endpoint/{tenant}"));
    let now = shared.clock.now();
    let Ok(sealed) = Secret::of(secret.clone()).seal(&OpenVault as &dyn Vault, tenant, id) else {
        return;
    };
    let endpoint = Endpoint {
        id,
        url: url_of(tenant),
        events: Vec::new(),
        description: None,
        disabled: None,
        secrets: vec![SealedSecret {
            sealed,
            made_at: now,
            until: None,
        }],
        given_up: 0,
        created_at: Timestamp::from_unix_ms(0),
        updated_at: now,
    };
    let mut writes = WriteSet::default();
    writes.create(endpoint::key(tenant, id), endpoint.body());
    let made = shared.memory.commit(&writes).await;
    if made.is_ok() {
        let known = (tenant, secret);
        shared.received.lock().secrets.insert(url_of(tenant), known);
        shared.audit_commit("the beginning", &writes);
    }
}

/// Where a tenant is told.
#[must_use]
pub fn url_of(tenant: TenantId) -> String {
    format!("https://{}.example/hook", tenant.short())
}

/// The way to the endpoints, as one process has it.
pub struct Way {
    /// Everybody's.
    pub shared: Arc<Shared>,
    /// The process that calls.
    pub life: Arc<Life>,
    /// What goes wrong.
    pub luck: Luck,
}

impl Way {
    async fn travel(&self, most_ms: u64) {
        let ms = self.luck.between(1, most_ms);
        tokio::time::sleep(Duration::from_millis(ms)).await;
        self.life.pass().await;
    }

    /// Carries a message; gives the status of the answer, or why there is none.
    async fn carry(&self, message: &Outgoing<'_>) -> Result<u16, Failure> {
        // All clocks may jump while it is on its way; what it says must be right when it leaves.
        let left = self.shared.clock.now();
        self.life.pass().await;
        let blow = self.shared.effects.next("a webhook");
        if blow == Some(Blow::DiesBefore) {
            self.life.end();
        }
        let (deaf, gone) = self.shared.weather(|now| (now.deaf, now.gone));
        let drawn = self.luck.below(1000) as u32;
        let slow = self.luck.happens(deaf / 4);
        self.travel(if slow { 4_000 } else { 60 }).await;
        if matches!(blow, Some(Blow::Refused | Blow::Lost)) || drawn < deaf {
            return Err(Failure::NotConnected);
        }
        if (deaf..2 * deaf).contains(&drawn) {
            return Ok(503);
        }
        if self.luck.happens(gone) {
            return Ok(410);
        }
        let taken = self.shared.received.lock().take(message, left);
        if let Err(found) = taken {
            self.shared
                .violate(message.id, &format!("a webhook {found}"));
        }
        if blow == Some(Blow::DiesAfter) {
            self.life.end();
        }
        self.travel(60).await;
        if blow == Some(Blow::LostDone) || (2 * deaf..3 * deaf).contains(&drawn) {
            return Err(Failure::TimedOut);
        }
        Ok(200)
    }
}

impl Courier for Way {
    fn timeout(&self) -> Duration {
        TIMEOUT
    }

    fn send<'a>(&'a self, message: Outgoing<'a>) -> BoxFuture<'a, (Attempt, Sent)> {
        Box::pin(async move {
            let begun = Instant::now();
            let heard = self.carry(&message).await;
            let note = || format!("a webhook: {heard:?}");
            self.shared.history.note(message.id, note);
            let sent = match heard {
                Ok(200) => Sent::Taken,
                Ok(410) => Sent::Gone,
                _ => Sent::Failed {
                    retry_after_ms: None,
                },
            };
            let attempt = Attempt {
                at: message.at,
                latency_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
                status: heard.as_ref().ok().copied(),
                failure: heard.err(),
            };
            (attempt, sent)
        })
    }
}
