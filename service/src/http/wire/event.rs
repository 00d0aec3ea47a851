//! An event as it is shown, in lists, timelines and webhooks.

use lombard_core::{
    event::Event,
    id::Id,
    lifecycle::{Pending, Status},
    payment::Payment,
    reason::Reason,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::scalar::{
    self, EventId, Moment, PaymentId, PendingName, ReasonCode, StatusName, Time, TraceId,
};

/// One piece of news about one payment.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub struct EventView<'a> {
    /// Names it.
    #[schema(value_type = EventId)]
    id: Id<Event>,
    /// `event`.
    #[schema(pattern = "^event$")]
    object: &'static str,
    /// What happened, such as `payment.cleared`.
    #[serde(rename = "type")]
    #[schema(pattern = "^payment\\.[a-z_]{1,30}$")]
    kind: &'static str,
    #[schema(value_type = PaymentId)]
    payment: Id<Payment>,
    /// Its place in the payment's timeline, from 1 without gaps.
    #[schema(minimum = 1)]
    number: u32,
    #[schema(value_type = Time)]
    at: Moment,
    /// Where the payment stands afterwards.
    #[schema(value_type = StatusName)]
    status: Status,
    /// What it waits for afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<PendingName>, nullable = false)]
    pending: Option<Pending>,
    /// Why, where there is a why.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ReasonCode>, nullable = false)]
    reason: Option<Reason>,
    /// The outside world's own code behind `reason`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 100)]
    reason_code: Option<&'a str>,
    /// Minor units that this is about, where it is not the whole payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::MinorUnits>, nullable = false)]
    amount: Option<u64>,
    /// Who made it happen: `key/…`, `rail/…`, `worker/…`.
    #[schema(max_length = 100)]
    actor: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<TraceId>, nullable = false)]
    trace_id: Option<&'a str>,
}

impl<'a> EventView<'a> {
    /// The view of an event.
    #[must_use]
    pub fn of(event: &'a Event) -> Self {
        Self {
            id: event.id,
            object: "event",
            kind: event.kind(),
            payment: event.payment,
            number: event.number,
            at: event.at.into(),
            status: event.status(),
            pending: event.pending(),
            reason: event.reason,
            reason_code: event.reason_code.as_deref(),
            amount: event.amount,
            actor: &event.actor,
            trace_id: event.trace.as_deref(),
        }
    }
}
