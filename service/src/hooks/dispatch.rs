//! A try from record to record: what is stored before it, who is called, what is stored after.
//!
//! A first try comes straight from the feed and is stored when it ended, or after [`PARK`] if it
//! takes longer: then the record says that it is under way until its lease ends, the feed goes on,
//! and the try's end is written into the record. A later try claims the record by a lease first.
//! Whatever crashes in between, the record or the feed's cursor brings the delivery back.

use std::{collections::HashSet, sync::Arc, time::Duration};

use futures_util::future::try_join_all;
use lombard_core::{
    event::Event,
    payment::Payment,
    plan::keys,
    store::{Key, decode},
    tenant::TenantId,
    time::Timestamp,
};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, RwLock, oneshot};
use tracing::{error, warn};

use super::{
    delivery::{Attempt, Delivery, Failure, State},
    directory::Directory,
    endpoint::Endpoint,
    lane::{Lane, Lanes},
    message,
    send::{Courier, Outgoing, Sender, Sent},
    sign,
};
use crate::{
    app::App,
    metrics::{
        METRICS,
        kinds::Took,
        label::{Label, Tried},
    },
    ports::{Cause, CommitError, ReadError},
    records::{Then, change},
    traces::{Context, Hop, Kind, Span},
};

/// How long the feed waits for a first try before it goes on without it.
const PARK: Duration = Duration::from_millis(50);
/// How much longer than a try may take its lease is, in milliseconds: time to store its end.
const LEASE_SLACK_MS: u64 = 15_000;

/// Webhooks, at work: shared by the consumer, the retries and the API.
pub struct Hooks {
    pub(super) app: App,
    /// Which endpoints a tenant has.
    pub directory: Directory,
    courier: Arc<dyn Courier>,
    lanes: Lanes,
    under_way: Mutex<HashSet<Key>>,
    /// Held for reading by every try that goes on by itself.
    at_work: Arc<RwLock<()>>,
}

impl Hooks {
    /// Webhooks as the app's configuration says.
    ///
    /// # Errors
    /// When the system's certificates cannot be read.
    pub fn new(app: App) -> Result<Arc<Self>, Cause> {
        let courier = Arc::new(Sender::new(&app.config.webhooks)?);
        Ok(Self::by(app, courier))
    }

    /// Webhooks that somebody else carries.
    #[must_use]
    pub fn by(app: App, courier: Arc<dyn Courier>) -> Arc<Self> {
        Arc::new(Self {
            app,
            directory: Directory::default(),
            courier,
            lanes: Lanes::default(),
            under_way: Mutex::default(),
            at_work: Arc::default(),
        })
    }

    /// Returns when no try is under way: for a runtime that stands still between its invocations.
    pub async fn settled(&self) {
        drop(self.at_work.write().await);
    }

    /// Delivers an event to every endpoint that wants it, or stores that it is to be delivered.
    ///
    /// # Errors
    /// When some delivery is not stored; those that are will not be made again.
    pub async fn deliver(
        self: &Arc<Self>,
        tenant: TenantId,
        event: &Event,
        payment: &Payment,
    ) -> Result<(), CommitError> {
        let endpoints = self.directory.of(&self.app, tenant).await.map_err(unread)?;
        let wanted = endpoints.iter().filter(|endpoint| endpoint.wants(event));
        let tries = wanted.map(|endpoint| {
            let delivery = Delivery::new(tenant, endpoint.id, event, self.app.host.now());
            self.first_try(endpoint.clone(), delivery, Letter::of(event, payment))
        });
        try_join_all(tries).await?;
        Ok(())
    }

    async fn first_try(
        self: &Arc<Self>,
        endpoint: Arc<Endpoint>,
        mut delivery: Delivery,
        letter: Letter,
    ) -> Result<(), CommitError> {
        let known = self.app.get(&delivery.key()).await.map_err(unread)?;
        if known.is_some() {
            // The feed tells it again, after a crash.
            return Ok(());
        }
        let lane = self.lanes.of(endpoint.id);
        let Some(place) = lane.enter() else {
            delivery.due = Some(lane.book(self.app.host.now()));
            return self.store_new(&delivery).await;
        };
        let (told, stored) = oneshot::channel();
        let (hooks, at_work) = (self.clone(), self.at_work.clone().read_owned().await);
        tokio::spawn(async move {
            hooks
                .try_parked(endpoint, delivery, letter, (lane, place), told)
                .await;
            drop(at_work);
        });
        match stored.await {
            Ok(result) => result,
            Err(lost) => Err(CommitError::Unknown(Arc::new(lost))),
        }
    }

    /// Makes a first try and tells when it is stored, ended or not.
    async fn try_parked(
        self: Arc<Self>,
        endpoint: Arc<Endpoint>,
        delivery: Delivery,
        letter: Letter,
        (lane, _place): (Arc<Lane>, OwnedSemaphorePermit),
        told: oneshot::Sender<Result<(), CommitError>>,
    ) {
        let attempt = self.attempt(&endpoint, &delivery, letter, &lane);
        tokio::pin!(attempt);
        tokio::select! {
            biased;
            ended = &mut attempt => {
                let _ = told.send(self.settle(&endpoint, &delivery, ended).await);
            }
            () = tokio::time::sleep(PARK) => {
                let mut parked = delivery.clone();
                parked.due = Some(self.lease(self.app.host.now()));
                let result = self.store_new(&parked).await;
                let stored = result.is_ok();
                // If nothing was stored, the feed's job fails and begins again.
                let _ = told.send(result);
                if stored {
                    let ended = attempt.await;
                    self.settle_or_leave(&endpoint, &parked, ended).await;
                }
            }
        }
    }

    /// Stores a delivery, unless it is there.
    async fn store_new(&self, delivery: &Delivery) -> Result<(), CommitError> {
        change(&self.app, &delivery.key(), |known: Option<Delivery>| {
            let then = match known {
                Some(_) => Then::Keep,
                None => Then::Put(delivery.body()),
            };
            (then, ())
        })
        .await
    }

    /// Takes up a delivery that is due, if its lane has room; else puts it off.
    pub(super) async fn take_up(self: &Arc<Self>, delivery: Delivery) {
        let key = delivery.key();
        if self.under_way.lock().contains(&key) {
            return;
        }
        let lane = self.lanes.of(delivery.endpoint);
        let now = self.app.host.now();
        match lane.enter() {
            Some(place) => {
                self.under_way.lock().insert(key.clone());
                let (hooks, at_work) = (self.clone(), self.at_work.clone().read_owned().await);
                tokio::spawn(async move {
                    if let Err(error) = hooks.retry(&key, &lane).await {
                        warn!(?key, %error, "a webhook's retry is put off");
                    }
                    hooks.under_way.lock().remove(&key);
                    drop((place, at_work));
                });
            }
            None => {
                let due = lane.book(now);
                if let Err(error) = self.claim(&key, now, due).await {
                    warn!(?key, %error, "a webhook cannot be put off");
                }
            }
        }
    }

    /// Claims a due delivery, tries it, and stores what came of it.
    async fn retry(&self, key: &Key, lane: &Lane) -> Result<(), CommitError> {
        let now = self.app.host.now();
        let Some(delivery) = self.claim(key, now, self.lease(now)).await? else {
            return Ok(());
        };
        let endpoints = self
            .directory
            .of(&self.app, delivery.tenant)
            .await
            .map_err(unread)?;
        let endpoint = endpoints
            .iter()
            .find(|endpoint| endpoint.id == delivery.endpoint);
        let Some(endpoint) = endpoint.filter(|endpoint| endpoint.disabled.is_none()) else {
            return self.end_without_endpoint(key, now).await;
        };
        let ended = match self.letter_of(&delivery).await.map_err(unread)? {
            Some(letter) => self.attempt(endpoint, &delivery, letter, lane).await,
            // Nothing is ever deleted; should it be, the delivery ends where a person sees it.
            None => (
                broken(now),
                Sent::Failed {
                    retry_after_ms: None,
                },
            ),
        };
        self.settle_or_leave(endpoint, &delivery, ended).await;
        Ok(())
    }

    /// Moves the due time of a delivery that is still pending and due, and gives it; `None` when
    /// somebody else was first.
    async fn claim(
        &self,
        key: &Key,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Delivery>, CommitError> {
        change(&self.app, key, |known: Option<Delivery>| match known {
            Some(mut delivery) if delivery.due.is_some_and(|due| due <= now) => {
                delivery.due = Some(until);
                (Then::Put(delivery.body()), Some(delivery))
            }
            _ => (Then::Keep, None),
        })
        .await
    }

    async fn end_without_endpoint(&self, key: &Key, now: Timestamp) -> Result<(), CommitError> {
        change(&self.app, key, |known: Option<Delivery>| match known {
            Some(mut delivery) if delivery.state == State::Pending => {
                delivery.endpoint_off(now);
                (Then::Put(delivery.body()), ())
            }
            _ => (Then::Keep, ()),
        })
        .await
    }

    /// What is to be sent, made again from the event.
    async fn letter_of(&self, delivery: &Delivery) -> Result<Option<Letter>, ReadError> {
        let Some(about) = delivery.about else {
            return Ok(Some(Letter {
                body: message::of_test(delivery.endpoint, delivery.at),
                hop: Hop::default(),
            }));
        };
        let partition = keys::payment_partition(delivery.tenant, about.payment);
        let wanted = [
            Key::new(&partition, &keys::event_sort(about.number)),
            keys::payment(delivery.tenant, about.payment),
        ];
        let found = self.app.store.get(&wanted).await?;
        let [Some(event), Some(payment)] = found.as_slice() else {
            return Ok(None);
        };
        let event: Event = decode(&event.body.bytes);
        let payment: Payment = decode(&payment.body.bytes);
        Ok(Some(Letter::of(&event, &payment)))
    }

    async fn attempt(
        &self,
        endpoint: &Endpoint,
        delivery: &Delivery,
        letter: Letter,
        lane: &Lane,
    ) -> (Attempt, Sent) {
        let at = self.app.host.now();
        let secrets = match endpoint.secrets_at(&*self.app.vault, delivery.tenant, at) {
            Ok(secrets) => secrets,
            Err(error) => {
                error!(endpoint = %endpoint.id, %error, "the secret of a webhook cannot be opened");
                return (
                    broken(at),
                    Sent::Failed {
                        retry_after_ms: None,
                    },
                );
            }
        };
        let mut span = Span::after(letter.hop, "webhook.try", Kind::Client);
        span.set("lombard.tenant", delivery.tenant);
        span.set("lombard.endpoint", endpoint.id);
        span.set("lombard.event", delivery.event);
        span.set("lombard.event_type", &delivery.kind);
        span.count("lombard.try", delivery.tries + 1);
        let (id, body) = (delivery.event.to_string(), letter.body);
        let outgoing = Outgoing {
            url: &endpoint.url,
            id: &id,
            at,
            signature: sign::signature(&secrets, &id, at.unix_ms() / 1000, &body),
            traceparent: span.context().map(Context::header),
            body,
        };
        let ended = self.courier.send(outgoing).await;
        tell(&mut span, &ended);
        let took = Duration::from_millis(ended.0.latency_ms);
        METRICS.webhook_duration.of(()).took(took);
        METRICS.webhook_tries.of((tried(ended.1),)).inc();
        lane.took(ended.0.latency_ms);
        ended
    }

    fn lease(&self, now: Timestamp) -> Timestamp {
        let timeout = u64::try_from(self.courier.timeout().as_millis()).unwrap_or(u64::MAX);
        now.plus_ms(timeout.saturating_add(LEASE_SLACK_MS))
    }
}

/// What is sent, and whose work it goes on.
struct Letter {
    body: Vec<u8>,
    hop: Hop,
}

impl Letter {
    fn of(event: &Event, payment: &Payment) -> Self {
        Self {
            body: message::of_event(event, payment),
            hop: Hop::of_event(event, payment),
        }
    }
}

fn tell(span: &mut Span, (attempt, sent): &(Attempt, Sent)) {
    if let Some(status) = attempt.status {
        span.count("http.response.status_code", status);
    }
    span.set("lombard.outcome", tried(*sent).value());
    if let Sent::Failed { .. } = sent {
        span.fail(attempt.failure.map_or("refused", Failure::name));
    }
}

const fn tried(sent: Sent) -> Tried {
    match sent {
        Sent::Taken => Tried::Taken,
        Sent::Gone => Tried::Gone,
        Sent::Failed { .. } => Tried::Failed,
    }
}

/// A try that could not even be made.
const fn broken(at: Timestamp) -> Attempt {
    Attempt {
        at,
        latency_ms: 0,
        status: None,
        failure: Some(Failure::Broken),
    }
}

fn unread(error: ReadError) -> CommitError {
    CommitError::Unavailable(Arc::new(error))
}
