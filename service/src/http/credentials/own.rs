//! What a credential is told of itself, whatever else it may do.

use axum::{extract::State, response::Response};
use lombard_core::{id::Id, tenant::TenantId};
use serde::Serialize;
use utoipa::ToSchema;

use super::keys::{GrantName, ResourceName};
use crate::{
    access::Grant,
    config::Environment,
    http::{Api, Call, Problem, reply::shown, wire::scalar},
    tenants::{ApiKey, Scope},
};

/// Who calls.
#[derive(Serialize, ToSchema)]
#[schema(as = Credential)]
struct CredentialView<'a> {
    /// `credential`.
    #[schema(pattern = "^credential$")]
    object: &'static str,
    /// The key.
    #[schema(value_type = scalar::ApiKeyId)]
    id: Id<ApiKey>,
    /// As timelines and records name it.
    #[schema(max_length = 100)]
    actor: &'a str,
    /// For whom it acts.
    #[schema(max_length = 40)]
    tenant: String,
    /// Whether it is of an installation that moves money.
    #[schema(value_type = String, pattern = "^(test|live)$")]
    environment: Environment,
    #[schema(value_type = String, pattern = "^(read|write)$")]
    scope: Scope,
    #[schema(inline, value_type = Vec<GrantName>)]
    grants: Vec<Grant>,
    /// At which resources alone; at all when empty.
    #[schema(inline, value_type = Vec<ResourceName>)]
    resources: &'a [String],
}

/// Look at your own credential
///
/// What the key that you call with may do. Every key may ask.
#[utoipa::path(get, path = "/v1/credential", tag = "credentials",
    responses((status = 200, description = "It.", body = CredentialView)))]
pub async fn get(State(api): State<Api>, call: Call) -> Result<Response, Problem> {
    let caller = call.caller();
    let tenant: TenantId = caller.tenant;
    Ok(shown(&CredentialView {
        object: "credential",
        id: caller.key,
        actor: &caller.actor,
        tenant: tenant.to_string(),
        environment: api.app().config.environment,
        scope: caller.access.scope,
        grants: caller.access.grants.iter().collect(),
        resources: &caller.access.resources,
    }))
}
