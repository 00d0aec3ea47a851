//! What a payment service provider told us, as one event: taken in once, whatever came of it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{currency::Currency, id::Id, payment::Payment, psp::News, tenant::TenantId};

/// An event of a provider, verified and mapped.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Whose event: the provider's name here.
    pub provider: String,
    /// The provider's id of the event, as a digest: the same each time that it is delivered.
    pub event: String,
    /// What is kept of it. [`ProviderEvent::outcome`] is filled in by the decision.
    pub kept: ProviderEvent,
    /// The payment that it names, if it is one of ours.
    pub payment: Option<(TenantId, Id<Payment>)>,
    /// Minor units that it names, and their currency; none: it is about the whole payment.
    pub amount: Option<(u64, Currency)>,
    /// Whether it may move money. News whose signature does not cover it may only make us ask.
    pub is_proof: bool,
    /// The record of the delivery, kept under [`ProviderEvent::delivery`].
    pub delivery: Arc<[u8]>,
}

/// An event as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderEvent {
    /// The provider's id of it.
    pub id: String,
    /// The provider's name of it.
    pub name: String,
    /// What it means; none when it is quarantined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub news: Option<News>,
    /// The part of the payment that it speaks of.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub part: String,
    /// The provider's id of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_payment: Option<String>,
    /// SHA-256 of the delivery that first brought it, under which its bytes are kept.
    pub delivery: String,
    /// What came of it.
    pub outcome: EventOutcome,
}

/// What came of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventOutcome {
    /// It is about no payment of ours that is known, and waits.
    #[default]
    UnknownPayment,
    /// It means nothing to us yet; a person must look.
    Quarantined(String),
    /// Recorded; the payment stands where it should.
    Noted,
    /// The payment moved.
    Moved,
    /// The provider is asked, because the delivery does not prove what it says.
    Asked,
    /// It cannot be true together with what we know; a person must look.
    Contradiction(String),
}
