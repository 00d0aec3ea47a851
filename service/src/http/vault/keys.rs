//! The vault's keys: what may be told of them, and their exchange. All needs the grant `keys`.

use axum::{extract::State, http::StatusCode, response::Response};
use lombard_core::store::encode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{on_record, vault};
use crate::{
    http::{
        Api, Call, IdempotencyKey, Json, Page, Problem,
        reply::{body, shown},
        wire::scalar::{self, Moment},
    },
    vault::{
        rotation::{Rotation, What},
        tokens::TokenError,
    },
};

/// A key-encryption key. The key itself is never shown.
#[derive(Serialize, ToSchema)]
#[schema(as = KeyEncryptionKey)]
struct KeyView {
    #[schema(max_length = 200)]
    id: String,
    #[schema(value_type = scalar::Time)]
    created_at: Moment,
    /// Whether data keys are wrapped by it from now on.
    newest: bool,
}

/// The vault's key-encryption keys.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
#[schema(as = KeyEncryptionKeyPage)]
struct KeyPage {
    data: Vec<KeyView>,
    /// Always false: there are few, and all are given.
    has_more: bool,
}

/// List key-encryption keys
///
/// Oldest first. Their names and ages; never the keys.
#[utoipa::path(get, path = "/v1/vault/keys", tag = "vault",
    responses((status = 200, description = "All of them.", body = KeyPage)))]
pub async fn list(State(api): State<Api>, _: Call) -> Result<Response, Problem> {
    let keys = vault(&api)?.subjects().keys();
    let keys = keys.describe().await.map_err(TokenError::from)?;
    let data = keys.into_iter().map(|key| KeyView {
        id: key.id,
        created_at: key.created_at.into(),
        newest: key.newest,
    });
    Ok(shown(&Page::new(data.collect::<Vec<_>>(), None::<String>)))
}

/// What is to be exchanged.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RotateKeys)]
struct RotateBody {
    /// `key_encryption_keys`: data keys are wrapped anew. `data_keys`: tokens are sealed anew.
    #[schema(inline, value_type = String, pattern = "^(key_encryption_keys|data_keys)$")]
    what: What,
}

/// How far an exchange of keys has come.
#[derive(Serialize, ToSchema)]
#[schema(as = KeyRotation)]
struct RotationView {
    #[schema(inline, value_type = String, pattern = "^(key_encryption_keys|data_keys)$")]
    what: What,
    #[schema(value_type = scalar::Time)]
    started_at: Moment,
    /// Subjects that there were at the start.
    #[schema(minimum = 0)]
    total: u64,
    /// Subjects that are done.
    #[schema(minimum = 0)]
    done: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::Time>, nullable = false)]
    ended_at: Option<Moment>,
}

impl From<Rotation> for RotationView {
    fn from(rotation: Rotation) -> Self {
        Self {
            what: rotation.what,
            started_at: rotation.started_at.into(),
            total: rotation.total,
            done: rotation.done,
            ended_at: rotation.ended_at.map(Moment),
        }
    }
}

/// Exchange keys
///
/// Everything goes on meanwhile; what was sealed or wrapped before opens throughout. While an
/// exchange is under way, another wish for it answers with how far it has come.
#[utoipa::path(post, path = "/v1/vault/rotations", tag = "vault", request_body = RotateBody,
    responses((status = 202, description = "It is under way.", body = RotationView)))]
pub async fn rotate(
    State(api): State<Api>,
    call: Call,
    _: IdempotencyKey,
    json: Json,
) -> Result<Response, Problem> {
    let tokens = vault(&api)?;
    let request: RotateBody = json.parse()?;
    on_record(tokens, &call, "vault.rotate", request.what.name()).await?;
    let rotation: RotationView = tokens.rotate(request.what).await?.into();
    Ok(body(StatusCode::ACCEPTED, encode(&rotation).into()))
}

/// Exchanges of keys.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
#[schema(as = KeyRotationPage)]
struct RotationPage {
    data: Vec<RotationView>,
    /// Always false: there is at most one of each kind.
    has_more: bool,
}

/// List exchanges of keys
///
/// The last of each kind, and how far it has come.
#[utoipa::path(get, path = "/v1/vault/rotations", tag = "vault",
    responses((status = 200, description = "All of them.", body = RotationPage)))]
pub async fn rotations(State(api): State<Api>, _: Call) -> Result<Response, Problem> {
    let tokens = vault(&api)?;
    let mut data: Vec<RotationView> = Vec::new();
    for what in What::ALL {
        data.extend(tokens.rotation(what).await?.map(RotationView::from));
    }
    Ok(shown(&Page::new(data, None::<String>)))
}
