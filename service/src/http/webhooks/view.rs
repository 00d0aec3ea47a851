//! Endpoints and deliveries as they are shown.

use lombard_core::{event::Event, id::Id, payment::Payment};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    hooks::{
        delivery::{Attempt, Delivery, Failure, State},
        endpoint::{DisabledReason, Endpoint},
    },
    http::wire::{
        Moment,
        scalar::{EventId, EventKind, PaymentId, Time, WebhookEndpointId},
    },
};

/// A receiver of events.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEndpoint)]
pub struct EndpointView<'a> {
    /// Names it.
    #[schema(value_type = WebhookEndpointId)]
    id: Id<Endpoint>,
    /// `webhook_endpoint`.
    #[schema(pattern = "^webhook_endpoint$")]
    object: &'static str,
    /// Where messages are posted to.
    #[schema(max_length = 2048)]
    url: &'a str,
    /// The types that it gets; every type when empty.
    #[schema(value_type = Vec<EventKind>)]
    events: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{0,200}$"
    )]
    description: Option<&'a str>,
    /// `enabled` or `disabled`.
    #[schema(pattern = "^(enabled|disabled)$")]
    state: &'static str,
    /// Why it is disabled: `owner`, `gone` (it answered 410) or `failing` (too many deliveries in
    /// a row were given up).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false, pattern = "^(owner|gone|failing)$")]
    disabled_reason: Option<DisabledReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Time>, nullable = false)]
    disabled_at: Option<Moment>,
    /// When the secret was drawn that signs now.
    #[schema(value_type = Time)]
    secret_created_at: Moment,
    /// The signing secret, `whsec_…`. Only in the answers that make or rotate it.
    #[serde(skip)]
    #[schema(required = false, pattern = "^whsec_[A-Za-z0-9+/]+={0,2}$")]
    #[allow(dead_code)] // Only described; see `with_secret`.
    secret: String,
    #[schema(value_type = Time)]
    created_at: Moment,
    #[schema(value_type = Time)]
    updated_at: Moment,
}

impl<'a> EndpointView<'a> {
    /// The view of an endpoint.
    #[must_use]
    pub fn of(endpoint: &'a Endpoint) -> Self {
        let disabled = endpoint.disabled.as_ref();
        let secret = endpoint.secrets.first();
        Self {
            id: endpoint.id,
            object: "webhook_endpoint",
            url: &endpoint.url,
            events: &endpoint.events,
            description: endpoint.description.as_deref(),
            state: disabled.map_or("enabled", |_| "disabled"),
            disabled_reason: disabled.map(|disabled| disabled.reason),
            disabled_at: disabled.map(|disabled| disabled.at.into()),
            secret_created_at: secret.map_or(endpoint.created_at, |it| it.made_at).into(),
            secret: String::new(),
            created_at: endpoint.created_at.into(),
            updated_at: endpoint.updated_at.into(),
        }
    }
}

/// A view, already written, with the secret as its last member. The kept answer must not have
/// it, so it is added to what is sent.
#[must_use]
pub fn with_secret(view: &[u8], secret: &str) -> Vec<u8> {
    let open = view.strip_suffix(b"}").unwrap_or(view);
    let mut body = open.to_vec();
    // Base64 and an underscore need no escapes.
    body.extend_from_slice(format!(r#","secret":"{secret}"}}"#).as_bytes());
    body
}

/// One message to one endpoint, and what came of it.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
pub struct DeliveryView<'a> {
    /// The message's id, which every try carries in `webhook-id`: the event's.
    #[schema(value_type = EventId)]
    id: Id<Event>,
    /// `webhook_delivery`.
    #[schema(pattern = "^webhook_delivery$")]
    object: &'static str,
    /// The event's type.
    #[serde(rename = "type")]
    #[schema(pattern = "^(payment|webhook)\\.[a-z_]{1,30}$")]
    kind: &'a str,
    /// The payment that it is about; absent in a test.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<PaymentId>, nullable = false)]
    payment: Option<Id<Payment>>,
    /// `pending`, `delivered` or `failed`.
    #[schema(value_type = String, pattern = "^(pending|delivered|failed)$")]
    state: State,
    /// When it is tried next, while it is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Time>, nullable = false)]
    next_try_at: Option<Moment>,
    /// The last tries, oldest first.
    attempts: Vec<AttemptView>,
    /// When the event happened.
    #[schema(value_type = Time)]
    event_at: Moment,
}

/// One try. What the endpoint answered is not kept, but for its status.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookAttempt)]
struct AttemptView {
    #[schema(value_type = Time)]
    at: Moment,
    /// How long it took, in milliseconds.
    latency_ms: u64,
    /// The HTTP status of the answer, when there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 100, maximum = 999)]
    status: Option<u16>,
    /// Why there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false, pattern = "^(refused|not_connected|timed_out|broken|endpoint_off)$")]
    failure: Option<Failure>,
}

impl<'a> DeliveryView<'a> {
    /// The view of a delivery.
    #[must_use]
    pub fn of(delivery: &'a Delivery) -> Self {
        let attempt = |attempt: &Attempt| AttemptView {
            at: attempt.at.into(),
            latency_ms: attempt.latency_ms,
            status: attempt.status,
            failure: attempt.failure,
        };
        Self {
            id: delivery.event,
            object: "webhook_delivery",
            kind: &delivery.kind,
            payment: delivery.about.map(|about| about.payment),
            state: delivery.state,
            next_try_at: delivery.due.map(Moment),
            attempts: delivery.attempts.iter().map(attempt).collect(),
            event_at: delivery.at.into(),
        }
    }
}
