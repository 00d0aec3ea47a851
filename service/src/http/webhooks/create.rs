//! Endpoints made, and their secrets drawn anew: the two answers that show a secret.

use axum::{body::Bytes, extract::State, http::StatusCode, response::Response};
use lombard_core::{
    audit,
    command::Reply,
    event::KINDS,
    id::Id,
    idempotency::Idempotency,
    store::{Body, Snapshot, encode},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    find,
    view::{EndpointView, with_secret},
};
use crate::{
    hooks::{
        endpoint::{
            self, DESCRIPTION_MAX, ENDPOINTS_MAX, Endpoint, OVERLAP_MS_DEFAULT, OVERLAP_MS_MAX,
            SealedSecret,
        },
        guard::Guard,
        secret::Secret,
    },
    http::{
        Api, Call, ErrorCode, IdempotencyKey, Json, PathId, Problem,
        idempotency::IDEMPOTENCY_REPLAYED,
        json::MaybeJson,
        once::{Decided, once},
        reply::body,
        wire::scalar,
    },
};

/// A receiver to be told of events.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateWebhookEndpoint)]
pub struct CreateBody {
    /// Where messages are posted to: `https`, on the public internet.
    #[schema(
        max_length = 2048,
        format = "uri",
        example = "https://example.com/hooks/lombard"
    )]
    url: String,
    /// The types that it gets; every type when absent or empty.
    #[serde(default)]
    #[schema(value_type = Option<Vec<scalar::EventType>>, nullable = false, example = json!(["payment.cleared", "payment.failed"]))]
    events: Vec<String>,
    /// What it is for.
    #[schema(pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{0,200}$")]
    description: Option<String>,
}

/// Make a webhook endpoint
///
/// The answer shows the signing secret, once. Messages follow Standard Webhooks; see
/// `docs/webhooks.md`.
#[utoipa::path(post, path = "/v1/webhook_endpoints", tag = "webhooks", request_body = CreateBody,
    responses((status = 201, description = "It is told of every event from now on.", body = EndpointView)))]
pub async fn create(
    State(api): State<Api>,
    call: Call,
    key: IdempotencyKey,
    json: Json,
) -> Result<Response, Problem> {
    let request: CreateBody = json.parse()?;
    check_url(&api, &request.url)?;
    check_events(&request.events)?;
    check_description(request.description.as_deref())?;
    let (app, tenant) = (api.app(), call.tenant());
    let wish = key.wish("webhook_endpoints.create", &request);
    let known = endpoint::all(app, tenant).await?;
    if known.len() >= ENDPOINTS_MAX && app.get(&wish.record_key(tenant)).await?.is_none() {
        let detail = format!("a tenant has at most {ENDPOINTS_MAX} webhook endpoints");
        return Err(Problem::saying(ErrorCode::TooLarge, detail.into()));
    }
    let now = app.host.now();
    let id = Id::new(now, app.host.random());
    let secret = Secret::generate(&*app.host);
    let sealed = SealedSecret {
        sealed: secret.seal(&*app.vault, tenant, id)?,
        made_at: now,
        until: None,
    };
    let endpoint = Endpoint {
        id,
        url: request.url,
        events: request.events,
        description: request.description,
        disabled: None,
        secrets: vec![sealed],
        given_up: 0,
        created_at: now,
        updated_at: now,
    };
    let place = endpoint::key(tenant, id);
    let note = call.note(&*app.host, "webhook_endpoint.create", id);
    let reply = once(&api, tenant, &wish, std::slice::from_ref(&place), |read| {
        let mut writes = read.checks();
        writes.create(place.clone(), endpoint.body());
        audit::enter(&mut writes, &note);
        Ok(Decided {
            writes,
            status: 201,
            body: encode(&EndpointView::of(&endpoint)),
        })
    })
    .await?;
    answer(&api, &call, reply).await
}

/// How the secret is rotated.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RotateSecret)]
struct RotateBody {
    /// For how many seconds the secret of before goes on signing beside the new one; a day when
    /// absent, 0 when it has leaked.
    #[schema(minimum = 0, maximum = 604_800)]
    overlap_seconds: Option<u64>,
}

/// Rotate a webhook endpoint's secret
///
/// The answer shows the new secret, once. Until the overlap ends every message carries a signature
/// of each secret.
#[utoipa::path(post, path = "/v1/webhook_endpoints/{id}/rotate_secret", tag = "webhooks",
    params(("id" = inline(scalar::WebhookEndpointId), Path, description = "The endpoint.")),
    request_body(content = Option<RotateBody>, description = "A day of overlap, when absent."),
    responses((status = 200, description = "The new secret signs.", body = EndpointView)))]
pub async fn rotate(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Endpoint>,
    key: IdempotencyKey,
    MaybeJson(json): MaybeJson,
) -> Result<Response, Problem> {
    let request: RotateBody = json.parse()?;
    let overlap_ms = match request.overlap_seconds {
        None => OVERLAP_MS_DEFAULT,
        Some(seconds) => seconds
            .checked_mul(1000)
            .filter(|ms| *ms <= OVERLAP_MS_MAX)
            .ok_or_else(|| {
                let longest = OVERLAP_MS_MAX / 1000;
                Problem::field("/overlap_seconds", format!("expected 0 to {longest}"))
            })?,
    };
    let (app, tenant) = (api.app(), call.tenant());
    let wish: Idempotency = key.wish("webhook_endpoints.rotate_secret", &(id, overlap_ms));
    let sealed = Secret::generate(&*app.host).seal(&*app.vault, tenant, id)?;
    let place = endpoint::key(tenant, id);
    let now = app.host.now();
    let note = call.note(&*app.host, "webhook_endpoint.rotate_secret", id);
    let reply = once(
        &api,
        tenant,
        &wish,
        std::slice::from_ref(&place),
        |read: &Snapshot| {
            let mut endpoint: Endpoint = read.value(&place).ok_or(Problem::not_found())?;
            endpoint.rotate(sealed.clone(), now, overlap_ms);
            let mut writes = read.checks();
            writes.update(&place, Body::of(&endpoint));
            audit::enter(&mut writes, &note);
            Ok(Decided {
                writes,
                status: 200,
                body: encode(&EndpointView::of(&endpoint)),
            })
        },
    )
    .await?;
    answer(&api, &call, reply).await
}

/// What a kept answer says of its secret.
#[derive(Deserialize)]
struct Kept {
    id: Id<Endpoint>,
    secret_created_at: String,
}

/// The answer with its secret, opened again: a repeated request gets it too, until the secret has
/// been replaced and has ended.
async fn answer(api: &Api, call: &Call, reply: Reply) -> Result<Response, Problem> {
    let mut shown = reply.body.to_vec();
    let kept: Option<Kept> = serde_json::from_slice(&reply.body).ok();
    if let Some(Kept {
        id,
        secret_created_at,
    }) = kept
        && let Ok(endpoint) = find(api, call, id).await
        && let made_at = Timestamp::parse_rfc3339(&secret_created_at)
        && let Some(secret) = endpoint
            .secrets
            .iter()
            .find(|it| Some(it.made_at) == made_at)
    {
        let secret = Secret::open(&*api.app().vault, call.tenant(), id, &secret.sealed)?;
        shown = with_secret(&shown, &secret.reveal());
    }
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    let mut response = body(status, Bytes::from(shown));
    if reply.replayed {
        let yes = axum::http::HeaderValue::from_static("true");
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED, yes);
    }
    Ok(response)
}

/// Whether messages may be posted to a URL.
pub fn check_url(api: &Api, url: &str) -> Result<(), Problem> {
    let guard = Guard::of(&api.app().config.webhooks);
    let checked = guard.check(url);
    checked
        .map(drop)
        .map_err(|refused| Problem::field("/url", refused.to_string()))
}

/// Whether there are such types.
pub fn check_events(events: &[String]) -> Result<(), Problem> {
    let unknown = |event: &&String| !KINDS.contains(&event.as_str());
    if events.len() > KINDS.len() || events.iter().any(|event| unknown(&event)) {
        let detail = format!("expected types among {}", KINDS.join(", "));
        return Err(Problem::field("/events", detail));
    }
    Ok(())
}

/// Whether a description is within its bounds.
pub fn check_description(text: Option<&str>) -> Result<(), Problem> {
    let fits =
        |text: &str| text.chars().count() <= DESCRIPTION_MAX && !text.chars().any(char::is_control);
    if text.is_none_or(fits) {
        return Ok(());
    }
    let detail =
        format!("expected at most {DESCRIPTION_MAX} characters, none of them a control character");
    Err(Problem::field("/description", detail))
}
