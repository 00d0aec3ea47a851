//! Endpoints looked at, changed and deleted.

use axum::{extract::State, http::StatusCode, response::Response};
use lombard_core::store::Body;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    create::{check_description, check_events, check_url},
    find,
    view::EndpointView,
};
use crate::{
    hooks::endpoint::{self, DisabledReason, Endpoint},
    http::{
        Api, Call, Json, Page, PathId, Problem,
        reply::{body, shown},
        wire::scalar,
    },
    records::{Then, change_noted},
};

/// A tenant's webhook endpoints.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
#[schema(as = WebhookEndpointPage)]
struct EndpointPage<'a> {
    data: Vec<EndpointView<'a>>,
    /// Always false: there are few, and all are given.
    has_more: bool,
}

/// List webhook endpoints
///
/// All of them, newest first.
#[utoipa::path(get, path = "/v1/webhook_endpoints", tag = "webhooks",
    responses((status = 200, description = "All of them.", body = EndpointPage)))]
pub async fn list(State(api): State<Api>, call: Call) -> Result<Response, Problem> {
    let endpoints = endpoint::all(api.app(), call.tenant()).await?;
    let data: Vec<_> = endpoints.iter().rev().map(EndpointView::of).collect();
    Ok(shown(&Page::new(data, None::<String>)))
}

/// Look a webhook endpoint up
#[utoipa::path(get, path = "/v1/webhook_endpoints/{id}", tag = "webhooks",
    params(("id" = inline(scalar::WebhookEndpointId), Path, description = "The endpoint.")),
    responses((status = 200, description = "The endpoint.", body = EndpointView)))]
pub async fn get(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Endpoint>,
) -> Result<Response, Problem> {
    let endpoint = find(&api, &call, id).await?;
    Ok(shown(&EndpointView::of(&endpoint)))
}

/// What is to be different. What is absent stays.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChangeWebhookEndpoint)]
struct ChangeBody {
    #[schema(max_length = 2048, format = "uri")]
    url: Option<String>,
    /// The types that it gets; every type when empty.
    #[schema(value_type = Option<Vec<scalar::EventType>>)]
    events: Option<Vec<String>>,
    /// Empty for none.
    #[schema(pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{0,200}$")]
    description: Option<String>,
    /// `enabled` gives a disabled endpoint a new start; what it missed can be replayed.
    state: Option<StateBody>,
}

/// Whether it is told anything.
#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WebhookEndpointState)]
enum StateBody {
    /// It is told of events.
    Enabled,
    /// It is not.
    Disabled,
}

/// Change a webhook endpoint
#[utoipa::path(patch, path = "/v1/webhook_endpoints/{id}", tag = "webhooks",
    params(("id" = inline(scalar::WebhookEndpointId), Path, description = "The endpoint.")),
    request_body = ChangeBody,
    responses((status = 200, description = "The endpoint as it is now.", body = EndpointView)))]
pub async fn change(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Endpoint>,
    json: Json,
) -> Result<Response, Problem> {
    let request: ChangeBody = json.parse()?;
    if let Some(url) = &request.url {
        check_url(&api, url)?;
    }
    check_events(request.events.as_deref().unwrap_or_default())?;
    check_description(request.description.as_deref())?;
    let now = api.app().host.now();
    let key = endpoint::key(call.tenant(), id);
    let note = call.note(&*api.app().host, "webhook_endpoint.change", id);
    let changed = change_noted(api.app(), &key, Some(&note), |known: Option<Endpoint>| {
        let Some(mut endpoint) = known else {
            return (Then::Keep, None);
        };
        let before = endpoint.clone();
        request.apply(&mut endpoint);
        match request.state {
            Some(StateBody::Enabled) => endpoint.enable(now),
            Some(StateBody::Disabled) => endpoint.disable(DisabledReason::Owner, now),
            None => {}
        }
        if endpoint == before {
            return (Then::Keep, Some(endpoint));
        }
        endpoint.updated_at = now;
        (Then::Put(Body::of(&endpoint)), Some(endpoint))
    })
    .await?;
    let endpoint = changed.ok_or(Problem::not_found())?;
    Ok(shown(&EndpointView::of(&endpoint)))
}

impl ChangeBody {
    fn apply(&self, endpoint: &mut Endpoint) {
        if let Some(url) = &self.url {
            endpoint.url.clone_from(url);
        }
        if let Some(events) = &self.events {
            endpoint.events.clone_from(events);
        }
        if let Some(description) = &self.description {
            endpoint.description = Some(description.clone()).filter(|text| !text.is_empty());
        }
    }
}

/// Delete a webhook endpoint
///
/// Its pending deliveries end as failed. Deleting it again is answered alike.
#[utoipa::path(delete, path = "/v1/webhook_endpoints/{id}", tag = "webhooks",
    params(("id" = inline(scalar::WebhookEndpointId), Path, description = "The endpoint.")),
    responses((status = 204, description = "It is gone.")))]
pub async fn delete(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Endpoint>,
) -> Result<Response, Problem> {
    let key = endpoint::key(call.tenant(), id);
    let note = call.note(&*api.app().host, "webhook_endpoint.delete", id);
    change_noted(api.app(), &key, Some(&note), |known: Option<Endpoint>| {
        let then = known.map_or(Then::Keep, |_| Then::Delete);
        (then, ())
    })
    .await?;
    Ok(body(StatusCode::NO_CONTENT, axum::body::Bytes::new()))
}
