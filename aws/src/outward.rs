//! Events for others: to Kinesis all of them, in the order of their payment; to EventBridge the same
//! ones by type, for rules to choose among. Both are at least once; an event's id tells repeats.
//!
//! What is told is [`Told`], version [`SCHEMA`]: ids, amounts and statuses. No name, no account, no
//! text of anybody's. A new version adds fields and takes none away; `deploy/lib/analytics.ts` has the
//! same as columns.

mod alarm;

use std::sync::Arc;

pub use alarm::{Alarm, OPENED, alarms_of};
use aws_config::SdkConfig;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_kinesis::{primitives::Blob, types::PutRecordsRequestEntry};
use lombard_core::{
    event::Event,
    payment::Payment,
    plan::keys,
    store::{Commit, decode},
    tenant::TenantId,
    time::Timestamp,
};
use lombard_service::ports::Cause;
use serde::{Deserialize, Serialize};

use crate::call::{Caller, What, cause, plain};

/// The version of [`Told`].
pub const SCHEMA: u32 = 1;
/// The source by which rules know our events.
pub const SOURCE: &str = "lombard";
/// Records in one call (`PutRecords` takes 500, `PutEvents` 10).
const STREAM_CALL: usize = 500;
const BUS_CALL: usize = 10;

/// An event as it is told to others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// [`SCHEMA`].
    pub schema: u32,
    /// `evt_…`: the same for every repeat.
    pub id: String,
    /// Such as `payment.cleared`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its place in the payment's timeline, from 1: the order, whatever order it came in.
    pub number: u32,
    /// When it happened: `2026-01-31 12:00:00.123`, UTC, as Athena reads it.
    pub at: String,
    /// Whose.
    pub tenant: TenantId,
    /// Of which payment.
    pub payment: String,
    /// One of the six.
    pub status: String,
    /// Why, where something went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `verification`, `funds` or `rails`, while it is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
    /// Such as `fps`.
    pub rail: String,
    /// In minor units: of the event where it has one of its own, else the payment's.
    pub amount: u64,
    /// ISO 4217.
    pub currency: String,
    /// W3C trace id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

impl Told {
    /// An event with what of its payment belongs to it.
    #[must_use]
    pub fn of(tenant: TenantId, event: &Event, payment: &Payment) -> Self {
        let word = |value: serde_json::Value| value.as_str().map(str::to_owned);
        let named = |value: Result<serde_json::Value, _>| value.ok().and_then(word);
        Self {
            schema: SCHEMA,
            id: event.id.to_string(),
            kind: event.kind().to_owned(),
            number: event.number,
            at: written(event.at),
            tenant,
            payment: payment.id.to_string(),
            status: named(serde_json::to_value(event.status())).unwrap_or_default(),
            reason: named(serde_json::to_value(event.reason)),
            waits_for: named(serde_json::to_value(event.pending())),
            rail: payment.rail.to_string(),
            amount: event.amount.unwrap_or(payment.money.amount.into()),
            currency: payment.money.currency.code().to_owned(),
            trace: event.trace.clone(),
        }
    }
}

/// As a column of type `timestamp` reads it.
fn written(at: Timestamp) -> String {
    let text = at.to_string();
    text.trim_end_matches('Z').replacen('T', " ", 1)
}

/// The events of a commit, as they are told.
#[must_use]
pub fn events_of(commit: &Commit) -> Vec<Told> {
    let record = |sort: &str| {
        let found = commit.changes.iter().find(|it| it.key.sort() == sort)?;
        found.record.as_ref()
    };
    let Some(first) = commit.changes.first() else {
        return Vec::new();
    };
    let Some((tenant, id)) = first.key.partition().split_once('/') else {
        return Vec::new();
    };
    let (Ok(tenant), Ok(id)) = (tenant.parse(), id.parse()) else {
        return Vec::new();
    };
    let Some(payment) = record(keys::payment(tenant, id).sort()) else {
        return Vec::new();
    };
    let payment: Payment = decode(&payment.body.bytes);
    let events = commit.changes.iter();
    let events = events.filter(|change| change.key.sort().starts_with("e#"));
    let events = events.filter_map(|change| change.record.as_ref());
    events
        .map(|record| Told::of(tenant, &decode(&record.body.bytes), &payment))
        .collect()
}

/// The way out: a stream, a bus, or both.
pub struct Outward {
    stream: Option<(aws_sdk_kinesis::Client, String)>,
    bus: Option<(aws_sdk_eventbridge::Client, String)>,
    caller: Caller,
}

impl Outward {
    /// To a stream and a bus of these names.
    #[must_use]
    pub fn new(
        config: &SdkConfig,
        stream: Option<&str>,
        bus: Option<&str>,
        caller: Caller,
    ) -> Self {
        let stream = stream.map(|name| (aws_sdk_kinesis::Client::new(config), name.to_owned()));
        let bus = bus.map(|name| (aws_sdk_eventbridge::Client::new(config), name.to_owned()));
        Self {
            stream,
            bus,
            caller,
        }
    }

    /// Tells events to both.
    ///
    /// # Errors
    /// When some were not taken. All are to be told again then.
    pub async fn tell(&self, events: &[Told]) -> Result<(), Cause> {
        for part in events.chunks(STREAM_CALL) {
            self.to_stream(part).await?;
        }
        for part in events.chunks(BUS_CALL) {
            let entries = part
                .iter()
                .map(|event| (&event.kind, &event.payment, event));
            self.to_bus(entries).await?;
        }
        Ok(())
    }

    /// Tells the bus what people must hear of.
    ///
    /// # Errors
    /// When some were not taken. All are to be told again then.
    pub async fn ring(&self, alarms: &[Alarm]) -> Result<(), Cause> {
        for part in alarms.chunks(BUS_CALL) {
            let entries = part.iter().map(|alarm| (&alarm.event, &alarm.id, alarm));
            self.to_bus(entries).await?;
        }
        Ok(())
    }

    async fn to_stream(&self, events: &[Told]) -> Result<(), Cause> {
        let Some((client, name)) = &self.stream else {
            return Ok(());
        };
        let entries = events.iter().map(|event| {
            PutRecordsRequestEntry::builder()
                .partition_key(&event.payment)
                .data(Blob::new(text(event)?))
                .build()
                .map_err(|error| Arc::new(error) as Cause)
        });
        let entries: Vec<_> = entries.collect::<Result<_, _>>()?;
        let what = What {
            items: entries.len(),
            bytes: entries.iter().map(|it| it.data().as_ref().len()).sum(),
            ..plain("PutRecords")
        };
        let request = client.put_records().stream_name(name);
        let request = request.set_records(Some(entries));
        let answer = self.caller.call(what, || request.clone().send()).await?;
        refused("the stream", answer.failed_record_count().unwrap_or(0))
    }

    /// Each with its type and what it is about.
    async fn to_bus<'a>(
        &self,
        events: impl Iterator<Item = (&'a String, &'a String, &'a (impl Serialize + 'a))>,
    ) -> Result<(), Cause> {
        let Some((client, name)) = &self.bus else {
            return Ok(());
        };
        let entries = events.map(|(kind, about, detail)| {
            let entry = PutEventsRequestEntry::builder();
            let entry = entry.event_bus_name(name).source(SOURCE);
            Ok(entry
                .detail_type(kind)
                .resources(about)
                .detail(text(detail)?)
                .build())
        });
        let entries: Vec<_> = entries.collect::<Result<_, Cause>>()?;
        let what = What {
            items: entries.len(),
            bytes: entries
                .iter()
                .map(|it| it.detail().map_or(0, str::len))
                .sum(),
            ..plain("PutEvents")
        };
        let request = client.put_events().set_entries(Some(entries));
        let answer = self.caller.call(what, || request.clone().send()).await?;
        refused("the bus", answer.failed_entry_count())
    }
}

fn text(event: &impl Serialize) -> Result<String, Cause> {
    serde_json::to_string(event).map_err(|error| Arc::new(error) as Cause)
}

fn refused(who: &str, count: i32) -> Result<(), Cause> {
    match count {
        0 => Ok(()),
        count => Err(cause(format!("{who} refused {count} events"))),
    }
}
