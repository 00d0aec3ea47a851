//! Delivering again what was given up, and what an endpoint was not told of.
//!
//! A replay only makes deliveries due; the retries carry them out, by the plan from its beginning,
//! with the message's own id and body. The same request (by its digest) replays each delivery
//! once, so a caller whose answer was lost asks again and nothing goes out twice for it.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use lombard_core::{
    event::Event, id::Id, plan::keys, store::decode, tenant::TenantId, time::Timestamp,
};

use super::{
    delivery::{self, Delivery, failed_list},
    endpoint::Endpoint,
};
use crate::{
    app::App,
    ports::{CommitError, Found, Range, ReadError},
    records::{Then, change},
};

/// Deliveries that one request looks at; what is beyond is left to the next request.
pub const REPLAY_MAX: usize = 10_000;
/// Records read, and written, at once.
const PAGE: usize = 500;
const WRITES_AT_ONCE: usize = 64;

/// What is to be delivered again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// One event, whatever became of it; also one that the endpoint was never told of.
    One(Id<Event>),
    /// Every delivery that was given up and whose event happened at or after this moment.
    Failed(Timestamp),
    /// Every event at or after this moment that the endpoint wants now and has no delivery of:
    /// it was disabled then, or not yet made.
    Missed(Timestamp),
}

/// What a replay came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Deliveries made due.
    pub deliveries: u64,
    /// The event before which everything was looked at, when there is more after it.
    pub reached: Option<Id<Event>>,
}

/// The tenant's endpoint that something is replayed to, for the request of a digest.
#[derive(Clone, Copy)]
pub struct Replay<'a> {
    /// The ports.
    pub app: &'a App,
    /// Whose.
    pub tenant: TenantId,
    /// To where.
    pub endpoint: &'a Endpoint,
    /// The request's digest.
    pub request: &'a str,
}

/// An event of a tenant by its id: the one in the list of all between its own id and the one before.
///
/// # Errors
/// See [`ReadError`].
pub async fn event_of(
    app: &App,
    tenant: TenantId,
    id: Id<Event>,
) -> Result<Option<Event>, ReadError> {
    let before = Id::<Event>::from_bits(id.bits().saturating_sub(1));
    let range = Range::listed(&keys::events_list(tenant), 1)
        .after(Some(before.to_string()))
        .until(id.to_string());
    let found = app.store.range(&range).await?;
    Ok(found.first().map(|it| decode(&it.record.body.bytes)))
}

impl Replay<'_> {
    /// Replays what `wish` says; `None` when the event that it names is not the tenant's.
    ///
    /// # Errors
    /// See [`CommitError`]; what was made due stays so, and asking again does the rest.
    pub async fn carry_out(self, wish: Wish) -> Result<Option<Replayed>, CommitError> {
        match wish {
            Wish::One(id) => self.one(id).await,
            Wish::Failed(since) => {
                let list = Range::listed(&failed_list(self.tenant, self.endpoint.id), PAGE);
                let again = |found: Found| {
                    let delivery: Delivery = decode(&found.record.body.bytes);
                    self.again(delivery)
                };
                self.walk(list, since, again).await.map(Some)
            }
            Wish::Missed(since) => {
                let list = Range::listed(&keys::events_list(self.tenant), PAGE);
                let tell = |found: Found| {
                    let event: Event = decode(&found.record.body.bytes);
                    self.tell_missed(event)
                };
                self.walk(list, since, tell).await.map(Some)
            }
        }
    }

    async fn one(self, id: Id<Event>) -> Result<Option<Replayed>, CommitError> {
        let key = delivery::key(self.tenant, self.endpoint.id, id);
        let known: Option<Delivery> = self.app.value(&key).await.map_err(unread)?;
        let made = match known {
            Some(delivery) => self.again(delivery).await?,
            None => {
                let found = event_of(self.app, self.tenant, id).await;
                let Some(event) = found.map_err(unread)? else {
                    return Ok(None);
                };
                self.make(&event).await?
            }
        };
        Ok(Some(Replayed {
            deliveries: u64::from(made),
            reached: None,
        }))
    }

    /// Goes through a list of events or deliveries from `since`, in the order of their ids.
    async fn walk<F, Fut>(
        self,
        list: Range,
        since: Timestamp,
        each: F,
    ) -> Result<Replayed, CommitError>
    where
        F: Fn(Found) -> Fut,
        Fut: Future<Output = Result<bool, CommitError>>,
    {
        let mut after = Some(Id::<Event>::new(since, 0).to_string());
        let mut replayed = Replayed::default();
        let mut seen = 0;
        loop {
            let range = list.clone().after(after.clone());
            let page = self.app.store.range(&range).await.map_err(unread)?;
            let full = page.len() == PAGE;
            seen += page.len();
            after = page.last().map(|found| found.at.sort().to_owned());
            let made: Vec<bool> = stream::iter(page)
                .map(&each)
                .buffer_unordered(WRITES_AT_ONCE)
                .try_collect()
                .await?;
            replayed.deliveries += made.into_iter().map(u64::from).sum::<u64>();
            if !full {
                return Ok(replayed);
            }
            if seen >= REPLAY_MAX {
                replayed.reached = after.and_then(|id| id.parse().ok());
                return Ok(replayed);
            }
        }
    }

    /// Makes a known delivery due. Says whether that changed anything.
    async fn again(self, delivery: Delivery) -> Result<bool, CommitError> {
        let now = self.app.host.now();
        change(self.app, &delivery.key(), |known: Option<Delivery>| {
            let Some(mut known) = known else {
                return (Then::Keep, false);
            };
            if known.replay(self.request, now) {
                (Then::Put(known.body()), true)
            } else {
                (Then::Keep, false)
            }
        })
        .await
    }

    async fn tell_missed(self, event: Event) -> Result<bool, CommitError> {
        if !self.endpoint.wants_kind(event.kind()) {
            return Ok(false);
        }
        self.make(&event).await
    }

    /// Makes a delivery that was never made. Says whether it was not there.
    async fn make(self, event: &Event) -> Result<bool, CommitError> {
        let now = self.app.host.now();
        let mut delivery = Delivery::new(self.tenant, self.endpoint.id, event, now);
        delivery.replayed_by = Some(self.request.to_owned());
        change(
            self.app,
            &delivery.key(),
            |known: Option<Delivery>| match known {
                Some(_) => (Then::Keep, false),
                None => (Then::Put(delivery.body()), true),
            },
        )
        .await
    }
}

/// Sends a test message to an endpoint, soon, and gives its id.
///
/// # Errors
/// See [`CommitError`].
pub async fn test(
    app: &App,
    tenant: TenantId,
    endpoint: Id<Endpoint>,
) -> Result<Id<Event>, CommitError> {
    let now = app.host.now();
    let message = Id::new(now, app.host.random());
    let delivery = Delivery::of_test(tenant, endpoint, message, now);
    change(app, &delivery.key(), |known: Option<Delivery>| {
        let then = known.map_or_else(|| Then::Put(delivery.body()), |_| Then::Keep);
        (then, ())
    })
    .await?;
    Ok(message)
}

fn unread(error: crate::ports::ReadError) -> CommitError {
    CommitError::Unavailable(Arc::new(error))
}
