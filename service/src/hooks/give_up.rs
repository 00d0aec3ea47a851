//! What becomes of a delivery whose tries are used up: an exception, for a person to see.

use lombard_core::tenant::TenantId;

use super::delivery::Delivery;
use crate::{
    app::App,
    exceptions::{Kind, Trouble, raise as open},
    ports::{Cause, CommitError},
};

/// Opens the exception of a delivery that was given up.
///
/// # Errors
/// See [`CommitError`]; the delivery is then not given up yet.
pub async fn raise(app: &App, delivery: &Delivery) -> Result<(), CommitError> {
    let subject = format!("{}/{}", delivery.endpoint, delivery.event);
    let reason = "a webhook endpoint did not take a message at any try";
    let last = delivery.attempts.last();
    let status = last.and_then(|attempt| attempt.status);
    let trouble = Trouble::new(delivery.tenant, Kind::WebhookGivenUp, &subject, reason)
        .evidence("endpoint", delivery.endpoint)
        .evidence("event", delivery.event)
        .evidence("type", &delivery.kind)
        .evidence("tries", delivery.tries)
        .evidence(
            "last_status",
            status.map_or("none".into(), |status| status.to_string()),
        );
    open(app, trouble).await.map(drop)
}

/// Opens the exception of an event whose deliveries could not be stored.
///
/// # Errors
/// See [`CommitError`].
pub async fn raise_unstored(
    app: &App,
    tenant: TenantId,
    subject: &str,
    cause: &Cause,
) -> Result<(), CommitError> {
    let reason = "the webhooks of an event could not be stored; replay what was missed";
    let trouble = Trouble::new(tenant, Kind::EffectFailed, subject, reason)
        .evidence("worker", "webhooks")
        .evidence("error", cause);
    open(app, trouble).await.map(drop)
}
