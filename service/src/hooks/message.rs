//! The body of a message: the event, and the payment as the event left it.
//!
//! **Invariant.** The body follows from the event and from what never changes of its payment, so
//! every try and every replay sends the same bytes, whatever happened to the payment since. What
//! does change and is not in the event (sums returned, the rail's reference) is not here; a
//! receiver that needs it asks for the payment. There is no personal data: of an account outside
//! there is what a screen may show to everybody.

use std::collections::BTreeMap;

use lombard_core::{
    event::Event,
    id::Id,
    ledger::{Account, AliasScheme},
    lifecycle::{Pending, Status},
    payment::{Batch, Direction, Kind, Party, Payment},
    rail::Rail,
    reason::Reason,
    time::Timestamp,
};
use serde::Serialize;

use super::endpoint::Endpoint;

/// The type of a message that an endpoint's owner asks for to see it arrive.
pub const TEST_KIND: &str = "webhook.test";

#[derive(Serialize)]
struct Message<'a, D> {
    r#type: &'a str,
    timestamp: String,
    data: D,
}

#[derive(Serialize)]
struct EventData<'a> {
    event: EventPart<'a>,
    payment: PaymentPart<'a>,
}

#[derive(Serialize)]
struct EventPart<'a> {
    id: Id<Event>,
    number: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<u64>,
    actor: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a str>,
}

#[derive(Serialize)]
struct PaymentPart<'a> {
    id: Id<Payment>,
    kind: Kind,
    direction: Direction,
    rail: Rail,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<Pending>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason_code: Option<&'a str>,
    amount: u64,
    currency: &'static str,
    debtor: PartyPart<'a>,
    creditor: PartyPart<'a>,
    end_to_end_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    original: Option<Id<Payment>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<Id<Batch>>,
    metadata: &'a BTreeMap<String, String>,
    created_at: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum PartyPart<'a> {
    Ours {
        account: Id<Account>,
    },
    External {
        scheme: AliasScheme,
        country: &'a str,
        last4: &'a str,
    },
}

impl<'a> PartyPart<'a> {
    fn of(party: &'a Party) -> Self {
        match party {
            Party::Account(account) => Self::Ours { account: *account },
            Party::External(external) => Self::External {
                scheme: external.scheme,
                country: &external.country,
                last4: &external.last4,
            },
        }
    }
}

/// The message about an event of a payment. `payment` may be of any later time.
#[must_use]
pub fn of_event(event: &Event, payment: &Payment) -> Vec<u8> {
    let data = EventData {
        event: EventPart {
            id: event.id,
            number: event.number,
            amount: event.amount,
            actor: &event.actor,
            trace: event.trace.as_deref(),
        },
        payment: PaymentPart {
            id: payment.id,
            kind: payment.kind,
            direction: payment.direction,
            rail: payment.rail,
            status: event.status(),
            pending: event.pending(),
            reason: event.reason,
            reason_code: event.reason_code.as_deref(),
            amount: payment.money.amount.minor(),
            currency: payment.money.currency.code(),
            debtor: PartyPart::of(&payment.debtor),
            creditor: PartyPart::of(&payment.creditor),
            end_to_end_id: &payment.end_to_end_id,
            original: payment.original,
            batch: payment.batch,
            metadata: &payment.metadata,
            created_at: payment.created_at.to_string(),
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
        timestamp: at.to_string(),
        data,
    })
}
