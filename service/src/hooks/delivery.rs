//! One message to one endpoint: what came of it so far, and when it is tried again.
//!
//! **Shape.** A [`Delivery`] is kept in its endpoint's own partition under the message's id, so an
//! event is delivered to an endpoint under one record however often it is tried. While it is
//! pending it is also listed by its due time; once it ended by the time of its last try, and if it was given
//! up among the endpoint's failures. [`Delivery::tried`] is the whole lifecycle.
//!
//! **Invariant.** A delivery that is pending has a due time and stands in the due list. A try
//! under way is a due time in the future (its lease), so a crash only makes it late.

use lombard_core::{
    event::Event,
    id::Id,
    payment::Payment,
    store::{Body, Key},
    tenant::TenantId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{endpoint::Endpoint, message::TEST_KIND, schedule, send::Sent};

/// Partitions of the due list, so that no single one takes every write.
pub const SHARDS: u8 = 4;
/// Tries that a delivery remembers; replays can add more than the plan has.
const ATTEMPTS_KEPT: usize = 16;

/// One message to one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// For whom.
    pub tenant: TenantId,
    /// To where.
    pub endpoint: Id<Endpoint>,
    /// The message's id: the event's.
    pub event: Id<Event>,
    /// The event's type.
    pub kind: String,
    /// Where the event is found; `None` for a test message, which is about nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<About>,
    /// When the event happened.
    pub at: Timestamp,
    /// Where it stands.
    pub state: State,
    /// When it is tried next, while it is pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Failed tries since it was made or last replayed.
    pub tries: u32,
    /// The last tries, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// The digest of the request that last replayed it, so that the same request does it once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replayed_by: Option<String>,
}

/// Which event of which payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The payment.
    pub payment: Id<Payment>,
    /// The event's number in its timeline.
    pub number: u32,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is being tried, or will be.
    Pending,
    /// The endpoint took it.
    Delivered,
    /// It was given up. It can be replayed.
    Failed,
}

/// One try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When it began.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub latency_ms: u64,
    /// The HTTP status of the answer, when there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// Why a try got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The URL is not, or no longer, one that we call: see [`super::guard`].
    Refused,
    /// No connection: the name, the address, the port or TLS.
    NotConnected,
    /// No answer within the time-out.
    TimedOut,
    /// The connection broke, or the answer is not HTTP.
    Broken,
    /// The endpoint was disabled or deleted before the try.
    EndpointOff,
}

impl Failure {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::NotConnected => "not_connected",
            Self::TimedOut => "timed_out",
            Self::Broken => "broken",
            Self::EndpointOff => "endpoint_off",
        }
    }
}

/// What the end of a try asks for beside the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// Nothing.
    Nothing,
    /// The endpoint works: its record of give-ups is clean.
    Works,
    /// The endpoint wants no more messages.
    Gone,
    /// The tries are used up.
    GivenUp,
}

impl Delivery {
    /// A delivery that was not tried yet, due at `due`.
    #[must_use]
    pub fn new(tenant: TenantId, endpoint: Id<Endpoint>, event: &Event, due: Timestamp) -> Self {
        Self {
            tenant,
            endpoint,
            event: event.id,
            kind: event.kind().to_owned(),
            about: Some(About {
                payment: event.payment,
                number: event.number,
            }),
            at: event.at,
            state: State::Pending,
            due: Some(due),
            tries: 0,
            attempts: Vec::new(),
            replayed_by: None,
        }
    }

    /// A test message, due at once.
    #[must_use]
    pub fn of_test(
        tenant: TenantId,
        endpoint: Id<Endpoint>,
        message: Id<Event>,
        now: Timestamp,
    ) -> Self {
        Self {
            tenant,
            endpoint,
            event: message,
            kind: TEST_KIND.to_owned(),
            about: None,
            at: now,
            state: State::Pending,
            due: Some(now),
            tries: 0,
            attempts: Vec::new(),
            replayed_by: None,
        }
    }

    /// Takes in the end of a try.
    pub fn tried(&mut self, attempt: Attempt, sent: Sent, now: Timestamp, random: u128) -> Follow {
        self.attempts.push(attempt);
        let old = self.attempts.len().saturating_sub(ATTEMPTS_KEPT);
        self.attempts.drain(..old);
        match sent {
            Sent::Taken => {
                self.end(State::Delivered);
                Follow::Works
            }
            Sent::Gone => {
                self.end(State::Failed);
                Follow::Gone
            }
            Sent::Failed { .. } if lombard_core::planted!(WebhookTaken) => {
                self.end(State::Delivered);
                Follow::Works
            }
            Sent::Failed { retry_after_ms } => {
                self.tries += 1;
                match schedule::pause_ms(self.tries, retry_after_ms, random) {
                    Some(pause) => {
                        self.due = Some(now.plus_ms(pause));
                        Follow::Nothing
                    }
                    None => {
                        self.end(State::Failed);
                        Follow::GivenUp
                    }
                }
            }
        }
    }

    /// Ends it without another try, because its endpoint is off.
    pub fn endpoint_off(&mut self, now: Timestamp) {
        self.attempts.push(Attempt {
            at: now,
            latency_ms: 0,
            status: None,
            failure: Some(Failure::EndpointOff),
        });
        self.end(State::Failed);
    }

    /// Begins the plan anew, at once, for the request of this digest. Says whether that changes
    /// anything: not for the same request again, nor while it is pending.
    pub fn replay(&mut self, request: &str, now: Timestamp) -> bool {
        if self.replayed_by.as_deref() == Some(request) || self.state == State::Pending {
            return false;
        }
        self.state = State::Pending;
        self.due = Some(now);
        self.tries = 0;
        self.replayed_by = Some(request.to_owned());
        true
    }

    const fn end(&mut self, state: State) {
        self.state = state;
        self.due = None;
    }

    /// Where it is kept.
    #[must_use]
    pub fn key(&self) -> Key {
        key(self.tenant, self.endpoint, self.event)
    }

    /// The record of it, listed where its state asks for.
    #[must_use]
    pub fn body(&self) -> Body {
        let body = Body::of(self);
        let ended = || {
            let at = self.attempts.last().map_or(self.at, |last| last.at);
            self.key_at(ended_list, at)
        };
        match (self.state, self.due) {
            (State::Pending, Some(due)) => body.listed(self.key_at(due_list, due)),
            (State::Pending, None) => body,
            (State::Failed, _) => {
                let list = failed_list(self.tenant, self.endpoint);
                let failed = Key::new(&list, &self.event.to_string());
                body.listed(failed).listed(ended())
            }
            (State::Delivered, _) => body.listed(ended()),
        }
    }

    fn key_at(&self, list: fn(u8) -> String, at: Timestamp) -> Key {
        let shard = (self.event.bits() >> 16) as u8 % SHARDS;
        let Self {
            tenant,
            endpoint,
            event,
            ..
        } = self;
        let sort = format!("{}#{}#{endpoint}#{event}", due_prefix(at), tenant.short());
        Key::new(&list(shard), &sort)
    }
}

/// Where the delivery of an event to an endpoint is kept.
#[must_use]
pub fn key(tenant: TenantId, endpoint: Id<Endpoint>, event: Id<Event>) -> Key {
    Key::new(&partition(tenant, endpoint), &event.to_string())
}

/// The partition of an endpoint's deliveries, in the order of their events.
#[must_use]
pub fn partition(tenant: TenantId, endpoint: Id<Endpoint>) -> String {
    format!("{}/{endpoint}", tenant.short())
}

/// The list of an endpoint's deliveries that were given up, in the order of their events.
#[must_use]
pub fn failed_list(tenant: TenantId, endpoint: Id<Endpoint>) -> String {
    format!("{}/{endpoint}#failed", tenant.short())
}

/// The list of pending deliveries of a shard, in the order of their due times.
#[must_use]
pub fn due_list(shard: u8) -> String {
    format!("webhooks#due#{shard:02}")
}

/// The list of deliveries of a shard that ended, in the order of their last tries.
#[must_use]
pub fn ended_list(shard: u8) -> String {
    format!("webhooks#ended#{shard:02}")
}

/// Deliveries due, or ended, at or before `at` sort before this text with `~` appended.
#[must_use]
pub fn due_prefix(at: Timestamp) -> String {
    format!("{:015}", at.unix_ms())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery() -> Delivery {
        Delivery {
            tenant: TenantId::new(1),
            endpoint: Id::from_bits(2),
            event: Id::from_bits(3),
            kind: "payment.cleared".into(),
            about: None,
            at: Timestamp::from_unix_ms(0),
            state: State::Pending,
            due: Some(Timestamp::from_unix_ms(0)),
            tries: 0,
            attempts: Vec::new(),
            replayed_by: None,
        }
    }

    fn failed_at(at: Timestamp) -> (Attempt, Sent) {
        let attempt = Attempt {
            at,
            latency_ms: 3,
            status: Some(500),
            failure: None,
        };
        (
            attempt,
            Sent::Failed {
                retry_after_ms: None,
            },
        )
    }

    #[test]
    fn ten_failures_give_it_up_and_a_replay_begins_anew() {
        let mut delivery = delivery();
        let mut now = Timestamp::from_unix_ms(0);
        for failure in 1..=10 {
            let (attempt, sent) = failed_at(now);
            let follow = delivery.tried(attempt, sent, now, 0);
            let lists = if failure < 10 { 1 } else { 2 };
            assert_eq!(
                delivery.body().index.len(),
                lists,
                "due; or failed and ended"
            );
            if failure < 10 {
                assert_eq!(follow, Follow::Nothing);
                now = delivery.due.unwrap();
            } else {
                assert_eq!(follow, Follow::GivenUp);
            }
        }
        assert_eq!((delivery.state, delivery.due), (State::Failed, None));
        assert_eq!(now.unix_ms(), schedule::PAUSES_MS.iter().sum::<u64>());

        assert!(delivery.replay("a", now));
        assert!(!delivery.replay("b", now), "it is pending");
        let attempt = failed_at(now).0;
        assert_eq!(delivery.tried(attempt, Sent::Taken, now, 0), Follow::Works);
        assert!(!delivery.replay("a", now), "that request was done");
        assert!(delivery.replay("b", now));
    }

    #[test]
    fn a_taken_message_is_not_due_and_keeps_its_last_tries() {
        let mut delivery = delivery();
        for _ in 0..40 {
            delivery.tried(failed_at(delivery.at).0, Sent::Taken, delivery.at, 0);
        }
        assert_eq!(delivery.attempts.len(), ATTEMPTS_KEPT);
        let listed = delivery.body().index;
        let places: Vec<_> = listed.iter().map(Key::partition).collect();
        assert_eq!(places, [ended_list(0)]);
    }
}
