//! The body of a message: the event, and the payment as the event left it.
//!
//! **Invariant.** The body follows from the event and from what never changes of its payment, so
//! every try and every replay sends the same bytes, whatever happened to the payment since. What
//! does change and is not in the event (sums returned, the rail's reference) is not here; a
//! receiver that needs it asks for the payment. There is no personal data: of an account outside
//! there is what a screen may show to everybody.

use std::collections::BTreeMap;

use lombard_core::{
    currency::Currency,
    event::Event,
    id::Id,
    lifecycle::{Pending, Status},
    payment::{Batch, Direction, Kind, Payment},
    rail::Rail,
    reason::Reason,
    time::Timestamp,
};
use serde::Serialize;

use super::endpoint::Endpoint;
use crate::http::wire::{EventView, Moment, payment::PartyView};

/// The type of a message that an endpoint's owner asks for to see it arrive.
pub const TEST_KIND: &str = "webhook.test";

#[derive(Serialize)]
struct Message<'a, D> {
    r#type: &'a str,
    timestamp: Moment,
    data: D,
}

#[derive(Serialize)]
struct EventData<'a> {
    event: EventView<'a>,
    payment: PaymentPart<'a>,
}

/// A payment as the event left it, in the words of [`crate::http::wire::PaymentView`].
#[derive(Serialize)]
struct PaymentPart<'a> {
    id: Id<Payment>,
    object: &'static str,
    kind: Kind,
    direction: Direction,
    rail: Rail,
    amount: u64,
    currency: Currency,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<Pending>,
    debtor: PartyView<'a>,
    creditor: PartyView<'a>,
    end_to_end_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    original: Option<Id<Payment>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<Id<Batch>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: &'a BTreeMap<String, String>,
    created_at: Moment,
}

/// The message about an event of a payment. `payment` may be of any later time.
#[must_use]
pub fn of_event(event: &Event, payment: &Payment) -> Vec<u8> {
    let data = EventData {
        event: EventView::of(event),
        payment: PaymentPart {
            id: payment.id,
            object: "payment",
            kind: payment.kind,
            direction: payment.direction,
            rail: payment.rail,
            amount: payment.money.amount.minor(),
            currency: payment.money.currency,
            status: if lombard_core::planted!(WebhookChanges) {
                payment.stage.status()
            } else {
                event.status()
            },
            pending: event.pending(),
            debtor: PartyView::of(&payment.debtor),
            creditor: PartyView::of(&payment.creditor),
            end_to_end_id: &payment.end_to_end_id,
            reason: event.reason,
            reason_code: event.reason_code.as_deref(),
            original: payment.original,
            batch: payment.batch,
            metadata: &payment.metadata,
            created_at: payment.created_at.into(),
        },
    };
    write(event.kind(), event.at, data)
}

/// The message of a test.
#[must_use]
pub fn of_test(endpoint: Id<Endpoint>, at: Timestamp) -> Vec<u8> {
    #[derive(Serialize)]
    struct TestData {
        endpoint: Id<Endpoint>,
    }
    write(TEST_KIND, at, TestData { endpoint })
}

fn write<D: Serialize>(kind: &str, at: Timestamp, data: D) -> Vec<u8> {
    lombard_core::store::encode(&Message {
        r#type: kind,
        timestamp: at.into(),
        data,
    })
}
