//! Deliveries made again, and a message sent to see it arrive.

use axum::{extract::State, response::Response};
use lombard_core::{
    event::Event,
    id::{Id, digest_text},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::find;
use crate::{
    hooks::{
        endpoint::Endpoint,
        forget::horizon,
        replay::{self, Replay, Wish},
    },
    http::{
        Api, Call, ErrorCode, IdempotencyKey, Json, PathId, Problem,
        json::Nothing,
        once::after,
        reply::reply,
        wire::scalar::{self, EventId},
    },
};

/// What is to be delivered again: `event` alone, or `since`.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReplayWebhooks)]
struct ReplayBody {
    /// One event, whatever became of it.
    #[schema(value_type = Option<EventId>)]
    event: Option<Id<Event>>,
    /// Everything of this moment and later that `what` says.
    #[schema(value_type = Option<scalar::Time>)]
    since: Option<String>,
    /// `failed` (the default): deliveries that were given up. `missed`: events that the endpoint
    /// wants and was never told of, because it was disabled or not made yet.
    what: Option<WhatBody>,
}

/// Which deliveries.
#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReplayWhat)]
enum WhatBody {
    /// Those that were given up.
    Failed,
    /// Those that were never made.
    Missed,
}

/// What a replay came to.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookReplay)]
struct ReplayView {
    /// `webhook_replay`.
    #[schema(pattern = "^webhook_replay$")]
    object: &'static str,
    /// Deliveries that are due again.
    deliveries: u64,
    /// Whether there is more: then replay again since `next_since`, under a fresh key.
    has_more: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::Time>, nullable = false)]
    next_since: Option<String>,
}

/// Replay deliveries
///
/// Makes deliveries due again, with the message's own id and body, by the retry plan from its
/// beginning. One request looks at 10,000 deliveries; the answer says whether there is more.
#[utoipa::path(post, path = "/v1/webhook_endpoints/{id}/replay", tag = "webhooks",
    params(("id" = inline(scalar::WebhookEndpointId), Path, description = "The endpoint.")),
    request_body = ReplayBody,
    responses((status = 200, description = "They are due.", body = ReplayView)))]
pub async fn replay(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Endpoint>,
    key: IdempotencyKey,
    json: Json,
) -> Result<Response, Problem> {
    let request: ReplayBody = json.parse()?;
    let wish = request.wish()?;
    let kept_days = api.app().config.webhooks.kept_days;
    if matches!(wish, Wish::Missed(since) if since < horizon(api.app().host.now(), kept_days)) {
        let rule = format!(
            "reaches back further than {kept_days} days; what was delivered then is not known"
        );
        return Err(Problem::field("/since", rule));
    }
    let endpoint = find(&api, &call, id).await?;
    if endpoint.disabled.is_some() {
        let detail = "the endpoint is disabled; enable it first";
        return Err(Problem::saying(ErrorCode::WrongState, detail.into()));
    }
    let digest = digest_text(&["webhook_endpoints.replay", key.as_str()]);
    let idempotency = key.wish("webhook_endpoints.replay", &(id, &request));
    let replay = Replay {
        app: api.app(),
        tenant: call.tenant(),
        endpoint: &endpoint,
        request: &digest,
    };
    // What was begun is gone on with, and done once.
    let replayed = async {
        let replayed = replay.carry_out(wish).await?;
        let replayed =
            replayed.ok_or_else(|| Problem::new(ErrorCode::ReferenceUnknown).at("/event"))?;
        Ok(ReplayView {
            object: "webhook_replay",
            deliveries: replayed.deliveries,
            has_more: replayed.reached.is_some(),
            next_since: replayed.reached.map(|event| event.made_at().to_string()),
        })
    };
    let done = after(&api, call.tenant(), &idempotency, 200, replayed);
    Ok(reply(done.await?))
}

impl ReplayBody {
    fn wish(&self) -> Result<Wish, Problem> {
        let since = |text: &String| {
            Timestamp::parse_rfc3339(text)
                .ok_or_else(|| Problem::field("/since", "expected RFC 3339"))
        };
        match (self.event, &self.since, self.what) {
            (Some(event), None, None) => Ok(Wish::One(event)),
            (None, Some(text), None | Some(WhatBody::Failed)) => Ok(Wish::Failed(since(text)?)),
            (None, Some(text), Some(WhatBody::Missed)) => Ok(Wish::Missed(since(text)?)),
            _ => Err(Problem::field(
                "/event",
                "expected `event` alone, or `since`",
            )),
        }
    }
}

/// The test message.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookTest)]
struct TestView {
    /// `webhook_test`.
    #[schema(pattern = "^webhook_test$")]
    object: &'static str,
    /// The message's id; its delivery is in the list of deliveries.
    #[schema(value_type = EventId)]
    id: Id<Event>,
}

/// Send a test message
///
/// A message of type `webhook.test`, signed and delivered like any other.
#[utoipa::path(post, path = "/v1/webhook_endpoints/{id}/test", tag = "webhooks",
    params(("id" = inline(scalar::WebhookEndpointId), Path, description = "The endpoint.")),
    request_body(content = Option<Nothing>, description = "Nothing, or an empty object."),
    responses((status = 202, description = "It is on its way.", body = TestView)))]
pub async fn test(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Endpoint>,
    key: IdempotencyKey,
    _: Nothing,
) -> Result<Response, Problem> {
    let endpoint = find(&api, &call, id).await?;
    let idempotency = key.wish("webhook_endpoints.test", &id);
    let sent = async {
        Ok(TestView {
            object: "webhook_test",
            id: replay::test(api.app(), call.tenant(), endpoint.id).await?,
        })
    };
    let done = after(&api, call.tenant(), &idempotency, 202, sent);
    Ok(reply(done.await?))
}
