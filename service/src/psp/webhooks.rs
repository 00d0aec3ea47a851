//! What providers say to us: `POST /v1/psp/{name}/webhooks`.
//!
//! **Shape.** Bounded, then genuine (signature over the bytes as they came), then taken apart by the
//! provider's file, then acted on event by event, and answered as the provider expects. An event, what
//! it does to its payment, the outbox and the raw bytes are one commit of the core.
//!
//! **Twice is once.** An event has a durable id, and is answered the second time as it was the first.
//! **Nothing is dropped.** What is genuine is kept, whatever it says: about a payment that is not ours,
//! in words that no row of the file has, or not to be read at all; a person is told. What is not
//! genuine changes nothing.
//!
//! **Bounds.** [`BODY_BYTES_MAX`] of a delivery; the raw bytes are kept sealed, because they have names
//! and addresses in them.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::Response,
    routing::post,
};
use lombard_core::{
    command::{Act, Command, EventOutcome, Heard, ProviderEvent},
    id::{Id, digest_text},
    payment::{Payment, Sealed, parse_attempt_id},
    plan::keys,
    psp::{
        Map,
        map::{Scheme, Webhook},
        news::Certifies,
        read::{self, Told, What},
    },
    store::{decode, encode},
    tenant::TenantId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tracing::warn;

use super::signature::{self, Delivery};
use crate::{
    app::App,
    config::PspConfig,
    exceptions::{self, Kind, Trouble, operator},
    http::{Api, ErrorCode, Problem, body::Limits, trace::TraceContext},
    ports::{Cause, CommitError, ExecuteError, ReadError, VaultError},
};

/// The most bytes of a delivery. The largest that is known, 250 events of GoCardless, has a quarter.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// The route for providers. It needs no API key: the signature says who speaks.
pub fn routes() -> Router<Api> {
    Router::new().route("/v1/psp/{name}/webhooks", post(take))
}

/// A delivery as it is kept.
#[derive(Serialize, Deserialize)]
struct RawDelivery {
    /// When it came.
    received_at: Timestamp,
    /// The header with its signature, where it is in one.
    signature: Option<String>,
    /// The bytes of its body, sealed.
    body: Sealed,
}

async fn take(
    State(api): State<Api>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let app = api.app();
    let config = app.config.psp.get(&name);
    // A section may be there for charges alone. Nothing is genuine under an empty key.
    let config = config
        .filter(|it| !it.secret.is_empty())
        .ok_or(Problem::not_found())?;
    let map = api.providers().get(&name).ok_or(Problem::not_found())?;
    let webhook = map.webhook.as_ref().ok_or(Problem::not_found())?;
    let trace = request.extensions().get::<TraceContext>();
    let trace = trace.map(TraceContext::trace_id);
    let (parts, body) = request.into_parts();
    let limits = Limits {
        bytes: BODY_BYTES_MAX,
        time: Duration::from_millis(app.config.http.body_timeout_ms),
    };
    let announced = parts.headers.get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|it| it.to_str().ok()?.parse().ok());
    let body = api.room().take(body, announced, limits).await?;
    let headers = plain(&parts.headers);
    let delivery = Delivery {
        method: parts.method.as_str(),
        path: config.path.as_deref().unwrap_or(parts.uri.path()),
        headers: &headers,
        body: &body,
    };
    let keys = config.keys();
    if let Err(refusal) = signature::verify(webhook, &map.event, &keys, delivery, app.host.now()) {
        warn!(provider = name, %refusal, "a delivery is refused");
        return Err(Problem::new(ErrorCode::SignatureInvalid));
    }
    let desk = Desk {
        app,
        map,
        webhook,
        config,
        trace,
    };
    match desk.act(&delivery).await {
        Ok(()) => Ok(answer(webhook, &body)),
        Err(Later(error)) => {
            warn!(provider = name, %error, "a delivery cannot be acted on now");
            Err(Problem::new(ErrorCode::Unavailable).because(error))
        }
    }
}

/// Headers with their names in lower case; one whose value is no text says nothing.
fn plain(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    headers.iter().filter_map(text).collect()
}

/// The answer that the provider takes for "received".
fn answer(webhook: &Webhook, body: &[u8]) -> Response {
    let text = filled(&webhook.answer_body, body);
    let json = text.starts_with(['{', '[']);
    let kind = if json {
        "application/json"
    } else {
        "text/plain"
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::from_u16(webhook.answer_status).unwrap_or(StatusCode::OK);
    let kind = header::HeaderValue::from_static(kind);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// A text with each `{/Pointer}` filled in from a delivery.
fn filled(text: &str, body: &[u8]) -> String {
    let mut rest = text;
    let mut done = String::new();
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    while let Some((before, (pointer, after))) = rest
        .split_once("{/")
        .and_then(|(before, inner)| Some((before, inner.split_once('}')?)))
    {
        done.push_str(before);
        match value.pointer(&format!("/{pointer}")) {
            Some(Value::String(found)) => done.push_str(found),
            Some(found) => done.push_str(&found.to_string()),
            None => {}
        }
        rest = after;
    }
    done + rest
}

/// Why nothing is said: we could not act on it now. The provider sends it again.
struct Later(Cause);

impl From<ExecuteError> for Later {
    fn from(error: ExecuteError) -> Self {
        Self(Arc::new(error))
    }
}

impl From<ReadError> for Later {
    fn from(error: ReadError) -> Self {
        Self(Arc::new(error))
    }
}

impl From<CommitError> for Later {
    fn from(error: CommitError) -> Self {
        Self(Arc::new(error))
    }
}

impl From<VaultError> for Later {
    fn from(error: VaultError) -> Self {
        Self(Arc::new(error))
    }
}

/// One provider's counter.
struct Desk<'a> {
    app: &'a App,
    map: &'a Map,
    webhook: &'a Webhook,
    config: &'a PspConfig,
    trace: Option<String>,
}

impl Desk<'_> {
    async fn act(&self, delivery: &Delivery<'_>) -> Result<(), Later> {
        let digest = hex::encode(Sha256::digest(delivery.body));
        let raw = RawDelivery {
            received_at: self.app.host.now(),
            signature: delivery
                .header(&self.webhook.header)
                .ok()
                .map(str::to_owned),
            body: self.app.vault.seal(operator(), &digest, delivery.body)?,
        };
        let raw: Arc<[u8]> = encode(&raw).into();
        let all = match read::events(self.map, delivery.body) {
            Ok(all) => all,
            // It is genuine and says nothing that can be read: kept as one event without a name.
            Err(why) => vec![Told {
                event_id: digest.clone(),
                name: String::new(),
                payment: None,
                reference: None,
                occurred: None,
                what: What::Quarantined {
                    why: why.to_string(),
                },
            }],
        };
        for told in all {
            self.hear(told, &digest, &raw).await?;
        }
        Ok(())
    }

    async fn hear(&self, told: Told, digest: &str, raw: &Arc<[u8]>) -> Result<(), Later> {
        let payment = match told.reference.as_deref().and_then(|text| self.ours(text)) {
            Some(payment) => Some(payment),
            None => self.charged(told.payment.as_deref()).await?,
        };
        let (news, part, amount, outcome) = match told.what {
            What::News {
                news, part, amount, ..
            } => (Some(news), part, amount, EventOutcome::default()),
            What::Quarantined { why } => {
                (None, String::new(), None, EventOutcome::Quarantined(why))
            }
        };
        let heard = Heard {
            provider: self.map.provider.clone(),
            event: digest_text(&[&told.event_id]),
            payment,
            amount: amount.map(|it| (it.minor, it.currency)),
            // What is not signed may make us ask, and nothing else.
            is_proof: self.webhook.scheme != Scheme::Modulr,
            delivery: raw.clone(),
            kept: ProviderEvent {
                id: told.event_id,
                name: told.name,
                news,
                part,
                provider_payment: told.payment,
                delivery: digest.to_owned(),
                outcome,
            },
        };
        let tenant = payment.map_or(operator(), |it| it.0);
        let command = Command {
            tenant,
            actor: format!("psp/{}", self.map.provider).into(),
            trace: self.trace.clone(),
            idempotency: None,
            act: Act::Hear(Box::new(heard)),
        };
        let reply = self.app.execute(command).await?;
        let kept: ProviderEvent = decode(&reply.body);
        if let Some(trouble) = self.trouble(tenant, payment.map(|it| it.1), &kept) {
            exceptions::raise_once(self.app, trouble).await?;
        }
        Ok(())
    }

    /// The charge that the provider knows by this id: disputes, and refunds that were made there, do
    /// not have our reference.
    async fn charged(&self, id: Option<&str>) -> Result<Option<(TenantId, Id<Payment>)>, Later> {
        let Some(id) = id else { return Ok(None) };
        let key = keys::provider_payment(&self.map.provider, id);
        Ok(self.app.value(&key).await?)
    }

    /// The payment that a reference names: one that we gave out, or, for a provider that serves one
    /// tenant, the id of a payment of his.
    fn ours(&self, reference: &str) -> Option<(TenantId, Id<Payment>)> {
        parse_attempt_id(reference).or_else(|| {
            let tenant = self.config.tenant?;
            Some((tenant, reference.parse().ok()?))
        })
    }

    /// What a person must be told of an event.
    fn trouble(
        &self,
        tenant: TenantId,
        payment: Option<Id<Payment>>,
        kept: &ProviderEvent,
    ) -> Option<Trouble> {
        let provider = &self.map.provider;
        let trouble = match &kept.outcome {
            EventOutcome::Noted | EventOutcome::Moved | EventOutcome::Asked => return None,
            EventOutcome::UnknownPayment => {
                let matters = kept
                    .news
                    .is_some_and(|it| it.certifies() != Certifies::Nothing);
                let known = kept.provider_payment.as_deref().filter(|_| matters)?;
                let why = "a provider speaks of a payment that we do not know";
                Trouble::new(
                    tenant,
                    Kind::UnmatchedMessage,
                    &format!("{provider}/{known}"),
                    why,
                )
            }
            // One for each word, however many events use it.
            EventOutcome::Quarantined(why) => {
                let subject = format!("{provider}/{}", kept.name);
                Trouble::new(tenant, Kind::UnknownStatus, &subject, why)
            }
            EventOutcome::Contradiction(why) => {
                Trouble::with_payment(tenant, Kind::Contradiction, payment?, why)
            }
        };
        let trouble = trouble
            .evidence("provider", provider)
            .evidence("event", &kept.id)
            .evidence("name", &kept.name)
            .evidence("delivery", &kept.delivery);
        Some(match &kept.provider_payment {
            Some(id) => trouble.evidence("provider_payment", id),
            None => trouble,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_filled_in_from_the_delivery() {
        let body = br#"{"Nonce": 42, "a": {"b": "c"}}"#;
        for (text, wanted) in [
            ("[accepted]", "[accepted]"),
            ("{\"Nonce\": {/Nonce}}", "{\"Nonce\": 42}"),
            ("{/a/b}-{/none}!", "c-!"),
            ("{/open", "{/open"),
        ] {
            assert_eq!(filled(text, body), wanted, "{text}");
        }
    }
}
