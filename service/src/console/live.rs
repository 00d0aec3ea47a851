//! Telling a page that what it shows has changed.
//!
//! **Shape.** A page that is worth watching names what it shows ([`watched`]). Its script opens a
//! stream of server-sent events on it; here what the API says of it is looked at, and a digest of
//! that is told when it is another. The page then asks for itself again, as anybody would: nothing
//! of what changed goes over the stream.
//!
//! **Bounds.** A stream lasts [`LASTS`], shorter than a server waits for requests when it stops. Then
//! the browser asks again, and is asked who it is: so a stream ends with its session, and it is no
//! activity of anybody, so a session that is only watched ends as an idle one. At most
//! [`STREAMS_MAX`] are open at once.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use futures_util::stream;
use maud::{Markup, html};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep},
};

use super::{
    Console,
    ask::{ApiRouter, Refused},
    form::Fields,
    parts::query,
    session::Session,
    words::escaped,
};

/// Where streams are.
pub const PATH: &str = "/console/live";
/// Streams at once.
pub const STREAMS_MAX: usize = 256;
/// How long one lasts.
const LASTS: Duration = Duration::from_secs(8);
/// How often is looked.
const EVERY: Duration = Duration::from_secs(2);
/// How soon the browser asks again when a stream ended.
const AGAIN: Duration = Duration::from_millis(250);

/// A part of a page that is asked for anew when what it shows has changed. `of` says what that is,
/// as [`sources`] reads it.
pub fn watched(of: &[(&str, &str)], content: &Markup) -> Markup {
    let to = format!("{PATH}?{}", query(of));
    html! { div #fresh data-live=(to.trim_end_matches('&')) { (content) } }
}

/// What a stream watches, as paths of the API; nothing if that is no such thing.
fn sources(fields: &Fields) -> Vec<String> {
    match fields.get("of") {
        "overview" => vec![
            "/v1/payments?limit=12".to_owned(),
            "/v1/standing".to_owned(),
        ],
        "exceptions" => {
            let filters = ["standing", "kind"].map(|name| (name, fields.get(name)));
            vec![format!("/v1/exceptions?{}limit=50", query(&filters))]
        }
        "payment" => vec![format!("/v1/payments/{}", escaped(fields.get("id")))],
        _ => Vec::new(),
    }
}

/// The stream.
pub async fn stream(
    State(console): State<Console>,
    session: Session,
    headers: HeaderMap,
    RawQuery(asked): RawQuery,
) -> Response {
    let sources = sources(&Fields::parse(&asked.unwrap_or_default()));
    if sources.is_empty() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let Ok(permit) = console.streams.clone().try_acquire_owned() else {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            [(header::RETRY_AFTER, "5")],
        )
            .into_response();
    };
    let told = headers.get("last-event-id");
    let told = told.and_then(|id| id.to_str().ok()).map(str::to_owned);
    let watch = Watch {
        api: console.api.clone(),
        session,
        sources,
        told,
        until: Instant::now() + LASTS,
        _permit: permit,
    };
    Sse::new(stream::unfold(watch, Watch::next)).into_response()
}

/// A stream under way.
struct Watch {
    api: ApiRouter,
    session: Session,
    sources: Vec<String>,
    /// The digest that the browser knows.
    told: Option<String>,
    until: Instant,
    _permit: OwnedSemaphorePermit,
}

impl Watch {
    /// The next thing to tell. The first digest is told at once: with it the browser knows what it
    /// has seen when it asks again.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        while Instant::now() < self.until {
            // Whoever may no longer see it is told so when he asks again.
            let now = self.digest().await.ok()?;
            if self.told.as_ref() != Some(&now) {
                let name = if self.told.is_some() {
                    "changed"
                } else {
                    "seen"
                };
                let event = Event::default().event(name).id(&now).data("-").retry(AGAIN);
                self.told = Some(now);
                return Some((Ok(event), self));
            }
            sleep(EVERY).await;
        }
        None
    }

    async fn digest(&self) -> Result<String, Refused> {
        let mut hash = Sha256::new();
        for path in &self.sources {
            let answer: Value = self.api.get(&self.session, path).await?;
            hash.update(answer.to_string());
        }
        Ok(hex::encode(&hash.finalize()[..12]))
    }
}
