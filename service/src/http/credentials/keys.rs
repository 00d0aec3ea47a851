//! API keys: made, shown once, exchanged with an overlap, revoked. All needs the grant
//! `credentials`.

use std::net::IpAddr;

use axum::{extract::State, response::Response};
use ipnet::IpNet;
use lombard_core::{audit, id::Id, store::encode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::issued::TokenBody;
use crate::{
    access::{Access, Grant, Role},
    http::{
        Api, Call, ErrorCode, IdempotencyKey, Json, Page, PathId, Problem,
        input::Text,
        json::MaybeJson,
        once::{Decided, once},
        reply::{shown, shown_once},
        wire::scalar::{self, Moment},
    },
    tenants::{self, ApiKey, KeyWish, Scope, SecretKey, TenantError},
};

/// The most networks of a key.
const NETWORKS_MAX: usize = 64;
/// The longest that two keys overlap: a week.
const OVERLAP_S_MAX: u64 = 7 * 24 * 60 * 60;
/// The longest that a key may be limited to: ten years. Leave it out instead.
const EXPIRES_IN_S_MAX: u64 = 10 * 366 * 24 * 60 * 60;

/// A key to make: of a `role`, or of a `scope` with `grants` and `resources`.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateApiKey)]
pub struct CreateBody<'a> {
    #[serde(borrow)]
    #[schema(value_type = String, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,140}$")]
    name: Text<'a>,
    /// `viewer`, `operator`, `approver`, `risk`, `auditor` or `admin`.
    #[schema(value_type = Option<String>, pattern = "^(viewer|operator|approver|risk|auditor|admin)$")]
    role: Option<Role>,
    /// `read` or `write`; `read` when absent.
    #[schema(value_type = Option<String>, pattern = "^(read|write)$")]
    scope: Option<Scope>,
    /// Deeds that must be granted by name.
    #[serde(default)]
    #[schema(inline, value_type = Vec<GrantName>, required = false)]
    grants: Vec<Grant>,
    /// The first parts of paths, such as `payments`; all when empty.
    #[serde(default, borrow)]
    #[schema(inline, value_type = Vec<ResourceName>, required = false)]
    resources: Vec<Text<'a>>,
    /// From where alone it is taken: addresses, or networks such as `192.0.2.0/24`. From
    /// everywhere when empty.
    #[serde(default, borrow)]
    #[schema(inline, value_type = Vec<NetworkName>, required = false, max_items = 64)]
    networks: Vec<Text<'a>>,
    #[schema(minimum = 1, maximum = 316_224_000, nullable = false)]
    expires_in_seconds: Option<u64>,
    /// Whose tokens it is for, instead of a text of its own.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    token: Option<TokenBody<'a>>,
}

/// An address, or a network by its prefix.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^[0-9a-fA-F:.]{2,45}(/[0-9]{1,3})?$", example = "192.0.2.0/24")]
#[allow(dead_code)] // Only described.
pub struct NetworkName(String);

/// A deed that must be granted by name.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^(detokenize|erase|vault_keys|credentials|audit|approve|review)$")]
#[allow(dead_code)] // Only described.
pub struct GrantName(String);

/// The first part of a path.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^[a-z_]{1,40}$")]
#[allow(dead_code)] // Only described.
pub struct ResourceName(String);

/// A key. Its text is shown once, when it is made.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub struct KeyView<'a> {
    #[schema(value_type = scalar::ApiKeyId)]
    id: Id<ApiKey>,
    #[schema(max_length = 140)]
    name: &'a str,
    /// The key itself; only in the answer that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200, nullable = false)]
    key: Option<&'a str>,
    /// How its bearer proves that it is his: by the `key`, by a `token`, or as a `person` who signs in.
    #[schema(pattern = "^(key|token|person)$")]
    bearer: &'static str,
    /// Its first characters, by which it is known; empty where it has none.
    #[schema(max_length = 40)]
    hint: &'a str,
    #[schema(value_type = String, pattern = "^(read|write)$")]
    scope: Scope,
    #[schema(inline, value_type = Vec<GrantName>)]
    grants: Vec<Grant>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    #[schema(inline, value_type = Vec<ResourceName>, required = false)]
    resources: &'a [String],
    /// From where alone it is taken.
    #[serde(skip_serializing_if = "<[IpNet]>::is_empty")]
    #[schema(inline, value_type = Vec<NetworkName>, required = false)]
    networks: &'a [IpNet],
    /// Of a machine that pays: its mandate.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::MandateId>, nullable = false)]
    mandate: Option<Id<lombard_core::mandate::Mandate>>,
    #[schema(value_type = scalar::Time)]
    created_at: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::Time>, nullable = false)]
    expires_at: Option<Moment>,
    /// To the hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::Time>, nullable = false)]
    last_used_at: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::Time>, nullable = false)]
    revoked_at: Option<Moment>,
    /// The key that takes its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::ApiKeyId>, nullable = false)]
    replaced_by: Option<Id<ApiKey>>,
}

impl<'a> KeyView<'a> {
    /// A key, with its text where it was just made.
    pub fn of(key: &'a ApiKey, secret: Option<&'a SecretKey>) -> Self {
        Self {
            id: key.id,
            name: &key.name,
            key: secret.map(SecretKey::expose),
            bearer: key.bearer.name(),
            hint: &key.hint,
            scope: key.access.scope,
            grants: key.access.grants.iter().collect(),
            resources: &key.access.resources,
            networks: &key.networks,
            mandate: key.agent.as_ref().map(|agent| agent.mandate),
            created_at: key.created_at.into(),
            expires_at: key.expires_at.map(Moment),
            last_used_at: key.used_at.map(Moment),
            revoked_at: key.revoked_at.map(Moment),
            replaced_by: key.replaced_by,
        }
    }
}

/// Make an API key
///
/// The answer shows the key, once; a repeated request is answered without it. What it may do is
/// what is asked for here and nothing else; what you may not do yourself you propose
/// (`POST /v1/proposals`), and somebody else approves it. With `token` it has no key: tokens of
/// that subject of the issuer are shown instead.
#[utoipa::path(post, path = "/v1/api_keys", tag = "credentials", request_body = CreateBody,
    responses((status = 201, description = "It is good from now on.", body = KeyView)))]
pub async fn create(
    State(api): State<Api>,
    call: Call,
    key: IdempotencyKey,
    json: Json,
) -> Result<Response, Problem> {
    let request: CreateBody<'_> = json.parse()?;
    let app = api.app();
    let expires_at = match request.expires_in_seconds {
        None => None,
        Some(seconds @ 1..=EXPIRES_IN_S_MAX) => Some(app.host.now().plus_ms(seconds * 1000)),
        Some(_) => {
            let detail = format!("expected 1 to {EXPIRES_IN_S_MAX}");
            return Err(Problem::field("/expires_in_seconds", detail));
        }
    };
    let made = KeyWish {
        name: request.name.checked("/name", 140)?,
        access: access(&request)?,
        networks: networks(&request.networks)?,
        expires_at,
        agent: None,
    };
    call.may_hand_out(&made.access)?;
    let wish = key.wish("api_keys.create", &request);
    if let Some(token) = &request.token {
        return token.credential(&api, &call, &wish, made).await;
    }
    let (made, secret) = tenants::new_key(app, call.tenant(), made).await?;
    let note = call.note(&*app.host, "api_key.create", made.id);
    let done = once(&api, call.tenant(), &wish, &[], |read| {
        let mut writes = read.checks();
        writes.create(made.key(), made.body());
        audit::enter(&mut writes, &note);
        Ok(Decided {
            writes,
            status: 201,
            body: encode(&KeyView::of(&made, None)),
        })
    })
    .await?;
    Ok(shown_once(done, &KeyView::of(&made, Some(&secret))))
}

fn networks(texts: &[Text<'_>]) -> Result<Vec<IpNet>, Problem> {
    if texts.len() > NETWORKS_MAX {
        let detail = format!("expected at most {NETWORKS_MAX}");
        return Err(Problem::field("/networks", detail));
    }
    let network = |text: &Text<'_>| {
        let text = text.checked("/networks", 50)?;
        let host = || text.parse::<IpAddr>().map(IpNet::from).ok();
        let network = text.parse().ok().or_else(host);
        network.ok_or_else(|| Problem::field("/networks", "expected addresses or networks"))
    };
    texts.iter().map(network).collect()
}

fn access(request: &CreateBody<'_>) -> Result<Access, Problem> {
    let plain = request.scope.is_none() && request.grants.is_empty();
    match request.role {
        Some(role) if plain && request.resources.is_empty() => return Ok(role.access()),
        Some(_) => {
            let detail = "a role says what it may do; leave `scope`, `grants` and `resources` out";
            return Err(Problem::field("/role", detail));
        }
        None => {}
    }
    let resource = |text: &Text<'_>| {
        let name = text.checked("/resources", 40)?;
        let plain = name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        match plain {
            true => Ok(name.to_owned()),
            false => Err(Problem::field("/resources", "expected parts of paths")),
        }
    };
    Ok(Access {
        scope: request.scope.unwrap_or(Scope::Read),
        resources: request
            .resources
            .iter()
            .map(resource)
            .collect::<Result<_, _>>()?,
        grants: request.grants.iter().copied().collect(),
    })
}

/// API keys.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
#[schema(as = ApiKeyPage)]
struct KeyPage<'a> {
    data: Vec<KeyView<'a>>,
    /// Always false: there are few, and all are given.
    has_more: bool,
}

/// List API keys
///
/// All of them, newest first; never the keys themselves.
#[utoipa::path(get, path = "/v1/api_keys", tag = "credentials",
    responses((status = 200, description = "All of them.", body = KeyPage)))]
pub async fn list(State(api): State<Api>, call: Call) -> Result<Response, Problem> {
    let keys = tenants::list_keys(api.app(), call.tenant()).await?;
    let data: Vec<_> = keys.iter().map(|key| KeyView::of(key, None)).collect();
    Ok(shown(&Page::new(data, None::<String>)))
}

/// Revoke an API key
///
/// It is refused here at once, and everywhere within half a minute.
#[utoipa::path(delete, path = "/v1/api_keys/{id}", tag = "credentials",
    params(("id" = inline(scalar::ApiKeyId), Path, description = "The key's id.")),
    responses((status = 200, description = "It is refused.", body = KeyView)))]
pub async fn revoke(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<ApiKey>,
) -> Result<Response, Problem> {
    let app = api.app();
    let note = call.note(&*app.host, "api_key.revoke", id);
    let key = tenants::revoke_key(app, call.tenant(), id, &note).await?;
    let key = key.ok_or(Problem::not_found())?;
    api.keys().forget(&key.actor());
    Ok(shown(&KeyView::of(&key, None)))
}

/// How a key is exchanged.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RotateApiKey)]
struct RotateBody {
    /// For how many seconds the old key is good beside the new one; a day when absent, 0 when it
    /// has leaked.
    #[schema(minimum = 0, maximum = 604_800)]
    overlap_seconds: Option<u64>,
}

/// Rotate an API key
///
/// Makes another key that may do the same, and shows it, once. The old one is refused after the
/// overlap. A key that is refused already, or was rotated, is not rotated again.
#[utoipa::path(post, path = "/v1/api_keys/{id}/rotate", tag = "credentials",
    params(("id" = inline(scalar::ApiKeyId), Path, description = "The key's id.")),
    request_body(content = Option<RotateBody>, description = "A day of overlap, when absent."),
    responses((status = 201, description = "The new key is good.", body = KeyView)))]
pub async fn rotate(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<ApiKey>,
    key: IdempotencyKey,
    MaybeJson(json): MaybeJson,
) -> Result<Response, Problem> {
    let request: RotateBody = json.parse()?;
    let overlap = request.overlap_seconds.unwrap_or(24 * 60 * 60);
    if overlap > OVERLAP_S_MAX {
        let detail = format!("expected 0 to {OVERLAP_S_MAX}");
        return Err(Problem::field("/overlap_seconds", detail));
    }
    let (app, tenant) = (api.app(), call.tenant());
    let wish = key.wish("api_keys.rotate", &(id, overlap));
    let now = app.host.now();
    let until = now.plus_ms(overlap * 1000);
    let old = tenants::find_key(app, tenant, id).await?;
    let old = old.ok_or(Problem::not_found())?;
    call.may_hand_out(&old.access)?;
    let (new, secret) = tenants::new_key(app, tenant, KeyWish::like(&old)).await?;
    let note = call
        .note(&*app.host, "api_key.rotate", id)
        .because(new.id.to_string());
    let place = old.key();
    let done = once(&api, tenant, &wish, std::slice::from_ref(&place), |read| {
        let mut old: ApiKey = read.value(&place).ok_or(Problem::not_found())?;
        if !old.is_good(now) || old.replaced_by.is_some() || !old.bearer.is_text() {
            // What is refused is not brought back by another name, and nobody signs in with a text.
            return Err(Problem::new(ErrorCode::KeyNotRotatable));
        }
        old.hand_over(&new, until);
        let mut writes = read.checks();
        writes.update(&place, old.body());
        writes.create(new.key(), new.body());
        audit::enter(&mut writes, &note);
        Ok(Decided {
            writes,
            status: 201,
            body: encode(&KeyView::of(&new, None)),
        })
    })
    .await?;
    api.keys().forget(&old.actor());
    Ok(shown_once(done, &KeyView::of(&new, Some(&secret))))
}

impl From<TenantError> for Problem {
    fn from(error: TenantError) -> Self {
        match error {
            TenantError::Read(error) => error.into(),
            TenantError::Commit(error) => error.into(),
            TenantError::Execute(error) => error.into(),
            error @ (TenantError::Demo(_) | TenantError::Random(_)) => {
                Self::new(ErrorCode::Internal).because(std::sync::Arc::new(error))
            }
        }
    }
}
